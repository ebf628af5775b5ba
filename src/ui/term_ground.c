#include "ui/term_ground.h"

#include "core/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define QUESTION "\033]11;?\033\\\033[c"

/* --- asking ----------------------------------------------------------------
 */

static bool has_ended(const char *reply)
{
    const char *attributes = strstr(reply, "\033[?");

    return attributes && strchr(attributes, 'c');
}

void ground_ask(char reply[GROUND_REPLY_SIZE])
{
    int64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    size_t length = 0;

    reply[0] = '\0';
    if (write(STDOUT_FILENO, QUESTION, strlen(QUESTION)) < 0)
        return;
    while (!has_ended(reply) && length + 1 < GROUND_REPLY_SIZE) {
        int64_t left_ms = (end_ns - clock_monotonic_ns()) / NS_PER_MS;
        int ready = left_ms > 0 ? poll(&fd, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return;
        ssize_t got =
            read(STDIN_FILENO, reply + length, GROUND_REPLY_SIZE - 1 - length);
        if (got <= 0)
            return;
        length += (size_t)got;
        reply[length] = '\0';
    }
}

/* --- the answer ------------------------------------------------------------
 */

/* "ff", "ffff": of any length, as a part of the most that it can be. */
static bool parse_part(const char **text, double *out)
{
    char *end;
    unsigned long value = strtoul(*text, &end, 16);
    size_t digits = (size_t)(end - *text);

    if (digits < 1 || digits > 4)
        return false;
    *out = (double)value / (double)((UINT64_C(1) << (4 * digits)) - 1);
    *text = end + (*end == '/');
    return true;
}

bool ground_parse(const char *reply, bool *out_is_light)
{
    const char *text = strstr(reply, "\033]11;rgb");
    double red, green, blue;

    if (!text || !(text = strchr(text, ':')))
        return false;
    text++;
    if (!parse_part(&text, &red) || !parse_part(&text, &green) ||
        !parse_part(&text, &blue))
        return false;
    *out_is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5;
    return true;
}

/* Behind the escape sequence that starts here; NULL: it does not end. */
static const char *skip_sequence(const char *text)
{
    if (text[1] == '[') {
        text += 2 + strcspn(text + 2, "c");
        return *text ? text + 1 : NULL;
    }
    for (text += 2; *text; text++) {
        if (*text == '\007')
            return text + 1;
        if (text[0] == '\033' && text[1] == '\\')
            return text + 2;
    }
    return NULL;
}

void ground_keep_keys(char *reply)
{
    const char *from = reply;
    char *to = reply;

    if (!reply)
        return;
    while (from && *from) {
        if (!strncmp(from, "\033]11;", 5) || !strncmp(from, "\033[?", 3))
            from = skip_sequence(from);
        else
            *to++ = *from++;
    }
    *to = '\0';
}
