#include "core/task_places.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/lines.h"
#include "core/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * How two copies of a text differ: of a drive, now or as it was, or the file
 * here. Nothing is written; a drive is read, and held as for a restore.
 */

enum {
    LIMIT_BYTES = 4 * 1024 * 1024, /* what a person might read */
    LINE_MOST = 1000,              /* bytes of one line that are told */
    LINES_AROUND = 3,
};
#define LOCK_WORDS "berth versions"

/* --- a copy on a drive --- */

struct row_found {
    const struct place *place;
    char *path; /* below the volume's root; NULL: not found */
};

static err_code take_row(void *context, const char *path,
                         const char *drive_path, const struct record *record,
                         struct error *err)
{
    struct row_found *found = context;

    if (record->type == ENTRY_FILE && !strcmp(path, found->place->path))
        found->path = path_join(found->place->owner->directory, drive_path);
    return ERR_OK;
}

static err_code find_now(const struct place *place, char **out,
                         struct error *err)
{
    struct row_found found = {.place = place};
    err_code code =
        catalogue_walk_below(place->holding->catalogue, place->owner,
                             place->path, take_row, &found, err);

    *out = found.path;
    return code;
}

static err_code find_then(const struct place *place, int64_t at_ns, char **out,
                          struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(version_list_release) struct version_list list = {.items = NULL};
    err_code code =
        catalogue_list_versions(place->holding->catalogue, place->owner->id,
                                place->path, &arena, &list, err);

    if (code || !list.count || strcmp(list.items[0].path, place->path) != 0)
        return code;
    const struct version *version =
        moment_version(list.items, list.count, at_ns);
    if (version)
        *out = xstrdup(version->drive_path);
    return ERR_OK;
}

static err_code read_text(int fd, const char *what, struct strbuf *out,
                          struct error *err)
{
    struct stat status;

    if (fstat(fd, &status))
        return error_set_errno(err, errno, "cannot examine %s", what);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERR_INVALID, "%s is no plain file", what);
    if (status.st_size > LIMIT_BYTES)
        return error_set(err, ERR_INVALID,
                         "%s is larger than 4 MB: get it back beside what is "
                         "there, and compare it with a program of your choice",
                         what);
    err_code code = fd_read_file(fd, LIMIT_BYTES, what, out, err);
    if (!code && out->length && memchr(out->text, '\0', out->length))
        code = error_set(err, ERR_INVALID, "%s is no text", what);
    return code;
}

static err_code read_place(struct task *task, const struct place *place,
                           int64_t at_ns, const char *word, struct strbuf *out,
                           struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = -1;
    err_code code = at_ns ? find_then(place, at_ns, &path, err)
                          : find_now(place, &path, err);

    if (!code && !path)
        code = error_set(err, ERR_NOT_FOUND,
                         "volume %s has no copy of %s as of then",
                         place->holding->config->name, word);
    if (!code)
        code = holding_attach(task, place->holding, LOCK_WORDS, err);
    if (!code)
        code = platform_open_beneath(place->holding->volume.root_fd, path,
                                     PLATFORM_OPEN_READ, &fd, err);
    return code ? code : read_text(fd, word, out, err);
}

/* --- either side --- */

static err_code read_here(const char *path, struct strbuf *out,
                          struct error *err)
{
    CLEANUP_FD int fd =
        open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    return read_text(fd, path, out, err);
}

static err_code read_side(struct task *task, struct holdings *holdings,
                          const char *word, int64_t at_ns, struct strbuf *out,
                          struct error *err)
{
    CLEANUP(places_release) struct places places = {.items = NULL};

    if (*word == '/')
        return read_here(word, out, err);
    err_code code = places_find(task, holdings, word, &places, err);
    return code ? code
                : read_place(task, &places.items[0], at_ns, word, out, err);
}

static bool post_line(void *context, const struct line *line)
{
    struct task *task = context;
    struct event *event = task_event(task, EVENT_LINE);
    size_t length = line->length < LINE_MOST ? line->length : LINE_MOST;

    event->text = xstrndup(line->text, length);
    event->line.kind = line->kind;
    event->line.before = (int64_t)line->before;
    event->line.after = (int64_t)line->after;
    event->line.count = (int64_t)line->count;
    task_post(task, event);
    return !stop_flag_is_raised(&task->stop);
}

err_code task_lines(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(holdings_release) struct holdings holdings = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    const struct command *command = task->command;
    err_code code = holdings_open(task, &holdings, err);

    if (!code)
        code = read_side(task, &holdings, command->names[0], command->at_ns,
                         &before, err);
    if (!code)
        code = read_side(task, &holdings, command->names[1],
                         command->other_at_ns, &after, err);
    if (!code)
        lines_compare(before.text, before.length, after.text, after.length,
                      LINES_AROUND, post_line, task);
    return code;
}
