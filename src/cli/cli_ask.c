#include "cli/cli_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* False: it ended, or a signal came. One byte at a time: what is behind the
 * line belongs to the next question. */
static bool read_byte(struct cli_output *output, char *out)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = output->signal_fd, .events = POLLIN},
        };
        if (poll(fds, COUNT_OF(fds), -1) < 0 && errno != EINTR)
            return false;
        if (fds[1].revents) {
            output->was_interrupted = true;
            return false;
        }
        if (fds[0].revents)
            return read(STDIN_FILENO, out, 1) == 1;
    }
}

char *cli_ask(struct cli_output *output, const char *format, ...)
{
    struct strbuf line = STRBUF_INIT;
    va_list args;
    char byte;

    cli_end_progress(output);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
    strbuf_adds(&line, "");
    while (read_byte(output, &byte)) {
        if (byte == '\n')
            return strbuf_detach(&line);
        strbuf_addch(&line, byte);
    }
    printf("\n");
    strbuf_release(&line);
    return NULL;
}

bool cli_ask_yes(struct cli_output *output, const char *question,
                 bool *out_is_over)
{
    for (;;) {
        CLEANUP_FREE char *answer = cli_ask(output, "%s [Y/n] ", question);
        *out_is_over = !answer;
        if (!answer)
            return false;
        if (!*answer || !strcasecmp(answer, "y") || !strcasecmp(answer, "yes"))
            return true;
        if (!strcasecmp(answer, "n") || !strcasecmp(answer, "no"))
            return false;
    }
}
