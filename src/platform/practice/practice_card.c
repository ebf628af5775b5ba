#include "platform/practice/practice_card.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARD_LIMIT_BYTES ((size_t)64 * 1024)

void card_release(struct card *card)
{
    for (size_t i = 0; i < card->count; i++) {
        free(card->items[i].key);
        free(card->items[i].value);
    }
    free(card->items);
    *card = (struct card)CARD_INIT;
}

/* --- files --- */

static const char *suffix_of(enum card_kind kind)
{
    return kind == CARD_DRIVE ? ".drive" : ".volume";
}

/* NULL where there is no sandbox. free() it. */
static char *card_path(enum card_kind kind, const char *name)
{
    CLEANUP_FREE char *below = xasprintf("cards/%s%s", name, suffix_of(kind));
    char *path = NULL;

    return practice_path(below, &path, NULL) ? NULL : path;
}

char *card_stamp_path(const char *volume)
{
    CLEANUP_FREE char *below = xasprintf("cards/%s.stamp", volume);
    char *path = NULL;

    return practice_path(below, &path, NULL) ? NULL : path;
}

err_code card_lock(int *out_lock_fd, struct error *err)
{
    CLEANUP_FREE char *cards = NULL;
    err_code code = practice_path("cards", &cards, err);

    if (!code)
        code = directory_ensure(cards, err);
    if (code)
        return code;
    CLEANUP_FREE char *path = path_join(cards, "lock");
    CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    while (flock(fd, LOCK_EX))
        if (errno != EINTR)
            return error_set_errno(err, errno, "cannot lock %s", path);
    *out_lock_fd = TAKE_FD(fd);
    return ERR_OK;
}

bool card_exists(enum card_kind kind, const char *name)
{
    CLEANUP_FREE char *path = card_path(kind, name);
    struct stat found;

    return path && !lstat(path, &found);
}

static void take_line(struct card *card, const char *line, size_t length)
{
    CLEANUP_FREE char *text = xstrndup(line, length);
    char *equals = strchr(text, '=');

    if (!equals)
        return;
    *equals = '\0';
    card_set(card, text, equals + 1);
}

void card_load(enum card_kind kind, const char *name, struct card *out)
{
    CLEANUP_FREE char *path = card_path(kind, name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    *out = (struct card)CARD_INIT;
    if (!path || file_read(path, CARD_LIMIT_BYTES, &text, NULL))
        return;
    for (const char *line = text.text; *line;) {
        size_t length = strcspn(line, "\n");
        take_line(out, line, length);
        line += length + (line[length] != '\0');
    }
}

/* Not file_replace: paper need not survive a power cut, and fsync is slow. */
static err_code replace(const char *path, const struct strbuf *text,
                        struct error *err)
{
    CLEANUP_FREE char *fresh = xasprintf("%s.new", path);
    CLEANUP_FD int fd =
        open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_set_errno(err, errno, "cannot create %s", fresh);
    int failed = fd_write_full(fd, text->text, text->length);
    if (!failed && rename(fresh, path))
        failed = errno;
    return failed ? error_set_errno(err, failed, "cannot write %s", path)
                  : ERR_OK;
}

err_code card_save(enum card_kind kind, const char *name,
                   const struct card *card, struct error *err)
{
    CLEANUP_FREE char *path = card_path(kind, name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!path)
        return practice_directory(&path, err); /* for its words */
    for (size_t i = 0; i < card->count; i++)
        strbuf_addf(&text, "%s=%s\n", card->items[i].key, card->items[i].value);
    return replace(path, &text, err);
}

/* --- lines --- */

static struct card_line *find_line(const struct card *card, const char *key)
{
    for (size_t i = 0; i < card->count; i++)
        if (!strcmp(card->items[i].key, key))
            return &card->items[i];
    return NULL;
}

const char *card_get(const struct card *card, const char *key)
{
    const struct card_line *line = find_line(card, key);

    return line ? line->value : NULL;
}

bool card_has(const struct card *card, const char *key)
{
    return find_line(card, key) != NULL;
}

bool card_says(const struct card *card, const char *key)
{
    const char *value = card_get(card, key);

    return value && !strcmp(value, "yes");
}

int64_t card_number(const struct card *card, const char *key, int64_t missing)
{
    const char *value = card_get(card, key);
    char *end;

    if (!value || !*value)
        return missing;
    int64_t number = strtoll(value, &end, 10);
    return *end ? missing : number;
}

static void remove_line(struct card *card, struct card_line *line)
{
    size_t at = (size_t)(line - card->items);

    free(line->key);
    free(line->value);
    card->count--;
    memmove(line, line + 1, (card->count - at) * sizeof *line);
}

void card_set(struct card *card, const char *key, const char *value)
{
    struct card_line *line = find_line(card, key);

    if (line && value) {
        free(line->value);
        line->value = xstrdup(value);
    } else if (line) {
        remove_line(card, line);
    } else if (value) {
        struct card_line fresh = {xstrdup(key), xstrdup(value)};
        ARRAY_PUSH(card, fresh);
    }
}

void card_set_number(struct card *card, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    card_set(card, key, text);
}

/* --- lists of names --- */

void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){.items = NULL};
}

void names_add(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->items[i], name))
            return;
    ARRAY_PUSH(names, xstrdup(name));
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

void names_sort(struct names *names)
{
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
}

struct listing {
    const char *suffix;
    struct names *names;
};

static err_code take_card(void *context, const struct platform_entry *entry,
                          struct error *err)
{
    const struct listing *listing = context;
    size_t length = strlen(entry->name), ending = strlen(listing->suffix);

    if (length > ending &&
        !strcmp(entry->name + length - ending, listing->suffix)) {
        CLEANUP_FREE char *name = xstrndup(entry->name, length - ending);
        names_add(listing->names, name);
    }
    return ERR_OK;
}

void card_list(enum card_kind kind, struct names *out)
{
    CLEANUP_FREE char *cards = NULL;
    CLEANUP_FD int fd = -1;
    struct listing listing = {suffix_of(kind), out};

    if (practice_path("cards", &cards, NULL) ||
        posix_open_root(cards, &fd, NULL))
        return;
    /* What could not be listed is as good as not there. */
    err_code code = posix_list_directory(fd, take_card, &listing, NULL);
    (void)code;
}
