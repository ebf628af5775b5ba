#include "core/crons.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SCRIPT_LIMIT_BYTES = 64 * 1024 };

struct words {
    char **items;
    size_t count, capacity;
};

static void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
}

void rsync_line_release(struct rsync_line *line)
{
    free(line->where);
    free(line->line);
    free(line->source);
    free(line->target);
    for (size_t i = 0; i < line->exclude_count; i++)
        free(line->exclude[i]);
    free(line->exclude);
    *line = (struct rsync_line){.where = NULL};
}

void rsync_lines_release(struct rsync_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        rsync_line_release(&lines->items[i]);
    free(lines->items);
    *lines = (struct rsync_lines){.items = NULL};
}

/* --- a line into words, as a shell would for plain ones --- */

static const char *take_word(const char *at, const char *home,
                             struct strbuf *word)
{
    char quote = '\0';

    if (*at == '~' && (at[1] == '/' || at[1] == '\0' || at[1] == ' ')) {
        strbuf_adds(word, home);
        at++;
    }
    for (; *at && (quote || !strchr(" \t;|&<>", *at)); at++) {
        if (quote ? *at == quote : *at == '"' || *at == '\'') {
            quote = quote ? '\0' : *at;
        } else if (*at == '\\' && at[1] && quote != '\'') {
            strbuf_addch(word, *++at);
        } else if (quote != '\'' && !strncmp(at, "$HOME", 5)) {
            strbuf_adds(word, home);
            at += 4;
        } else if (quote != '\'' && !strncmp(at, "${HOME}", 7)) {
            strbuf_adds(word, home);
            at += 6;
        } else {
            strbuf_addch(word, *at);
        }
    }
    return at;
}

static void split(const char *line, const char *home, struct words *out)
{
    for (const char *at = line; *at;) {
        CLEANUP(strbuf_release) struct strbuf word = STRBUF_INIT;
        at += strspn(at, " \t");
        if (!*at)
            break;
        if (strchr(";|&<>", *at)) { /* a command ends: a word of its own */
            strbuf_addch(&word, *at++);
        } else {
            at = take_word(at, home, &word);
        }
        char *text = word.length ? strbuf_detach(&word) : xstrdup("");
        ARRAY_PUSH(out, text);
    }
}

/* --- rsync's words --- */

static bool takes_value(const char *option)
{
    static const char *const options[] = {"--exclude",
                                          "--include",
                                          "--exclude-from",
                                          "--include-from",
                                          "--files-from",
                                          "--filter",
                                          "-f",
                                          "--bwlimit",
                                          "--log-file",
                                          "-e",
                                          "--rsh",
                                          "--backup-dir",
                                          "--partial-dir",
                                          "--temp-dir",
                                          "-T",
                                          "--link-dest",
                                          "--modify-window",
                                          "--chmod",
                                          "--max-delete",
                                          "--timeout"};

    for (size_t i = 0; i < COUNT_OF(options); i++)
        if (!strcmp(option, options[i]))
            return true;
    return false;
}

static void add_exclude(struct rsync_line *line, const char *pattern)
{
    line->exclude = xrealloc(line->exclude,
                             (line->exclude_count + 1) * sizeof *line->exclude);
    line->exclude[line->exclude_count++] = xstrdup(pattern);
}

static void take_option(struct rsync_line *line, const char *word,
                        const char *next)
{
    if (!strncmp(word, "--del", 5))
        line->deletes = true;
    else if (!strncmp(word, "--exclude=", 10))
        add_exclude(line, word + 10);
    else if (!strcmp(word, "--exclude") && next)
        add_exclude(line, next);
}

/* "rsync -a src dst/" fills dst/src, "rsync -a src/ dst/" fills dst. */
static char *target_of(const char *source, const char *target)
{
    size_t length = strlen(source);
    CLEANUP_FREE char *into = NULL;

    if (length && source[length - 1] == '/')
        return path_clean(target);
    into = path_join(target, path_name(source));
    return path_clean(into);
}

/* Of the words behind "rsync". Only local places, one source. */
static bool read_rsync(const struct words *words, size_t at,
                       struct rsync_line *out)
{
    const char *places[2] = {NULL, NULL};
    size_t count = 0;

    for (; at < words->count && strcspn(words->items[at], ";|&<>"); at++) {
        const char *word = words->items[at];
        const char *next = at + 1 < words->count ? words->items[at + 1] : NULL;
        if (word[0] == '-') {
            take_option(out, word, next);
            at += takes_value(word);
        } else if (count++ < 2) {
            places[count - 1] = word;
        }
    }
    if (count != 2 || *places[0] != '/' || *places[1] != '/')
        return false;
    out->source = path_clean(places[0]);
    out->target = target_of(places[0], places[1]);
    return true;
}

static bool names_program(const char *word, const char *program)
{
    return !strcmp(path_name(word), program);
}

static void find_in_line(const char *where, const char *line, const char *home,
                         struct rsync_lines *out)
{
    CLEANUP(words_release) struct words words = {.items = NULL};

    split(line, home, &words);
    for (size_t i = 0; i < words.count; i++) {
        struct rsync_line found = {.where = NULL};
        if (!names_program(words.items[i], "rsync"))
            continue;
        if (!read_rsync(&words, i + 1, &found)) {
            rsync_line_release(&found);
            continue;
        }
        found.where = xstrdup(where);
        found.line = xstrdup(line);
        ARRAY_PUSH(out, found);
    }
}

/* --- scripts --- */

/* Lines that end with a backslash are one. */
static void find_in_script(const char *path, const char *home,
                           struct rsync_lines *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    struct stat found;

    if (stat(path, &found) || !S_ISREG(found.st_mode) ||
        file_read(path, SCRIPT_LIMIT_BYTES, &text, NULL) || !text.length ||
        memchr(text.text, '\0', text.length))
        return;
    for (const char *at = text.text; *at;) {
        size_t length = strcspn(at, "\n");
        bool goes_on = length && at[length - 1] == '\\';
        strbuf_add(&line, at, length - goes_on);
        at += length + (at[length] == '\n');
        if (goes_on && *at)
            continue;
        if (line.length && line.text[strspn(line.text, " \t")] != '#')
            find_in_line(path, line.text, home, out);
        strbuf_reset(&line);
    }
}

void crons_find_rsync(const char *lines, const char *home,
                      struct rsync_lines *out)
{
    *out = (struct rsync_lines){.items = NULL};
    for (const char *at = lines; at && *at;) {
        size_t length = strcspn(at, "\n"), mark = strcspn(at, "\t");
        CLEANUP_FREE char *where = xstrndup(at, mark);
        CLEANUP_FREE char *line =
            mark < length ? xstrndup(at + mark + 1, length - mark - 1)
                          : xstrdup("");
        CLEANUP(words_release) struct words words = {.items = NULL};
        find_in_line(where, line, home, out);
        split(line, home, &words);
        for (size_t i = 0; i < words.count; i++)
            if (*words.items[i] == '/' &&
                !names_program(words.items[i], "rsync"))
                find_in_script(words.items[i], home, out);
        at += length + (at[length] == '\n');
    }
}
