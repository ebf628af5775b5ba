#include "core/offload_journal.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/hash.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/guard.h"
#include "core/offload_files.h"
#include "platform/platform_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "offload"
#define LOCK_NAME "lock"
#define MAGIC "berth offload 1"
/* Names are at most 4096 bytes each. */
#define LIMIT_BYTES ((size_t)16 * 1024 * OFFLOAD_BATCH)

void offload_journal_release(struct offload_journal *journal)
{
    for (size_t i = 0; i < journal->files.count; i++) {
        free(journal->files.items[i].path);
        free(journal->files.items[i].raw);
        free(journal->files.items[i].hidden);
    }
    free(journal->files.items);
    free(journal->job);
    free(journal->source);
    free(journal->identity);
    *journal = (struct offload_journal){.job = NULL};
}

void offload_journal_add(struct offload_journal *journal, const char *path,
                         const char *raw, const char *hidden)
{
    size_t at = journal->files.count++;

    ARRAY_RESERVE(journal->files.items, journal->files.count,
                  journal->files.capacity);
    journal->files.items[at].path = xstrdup(path);
    journal->files.items[at].raw = xstrdup(raw);
    journal->files.items[at].hidden = xstrdup(hidden);
}

/* --- the file: strings, each with its NUL --- */

static char *directory_of(const char *state_directory)
{
    return path_join(state_directory, DIRECTORY);
}

static char *path_of(const char *state_directory, const char *job)
{
    struct hash hash = hash_of(job, strlen(job));
    CLEANUP_FREE char *directory = directory_of(state_directory);
    char hex[HASH_HEX_SIZE];

    hash_to_hex(&hash, hex);
    return path_join(directory, hex);
}

static void add_string(struct strbuf *out, const char *text)
{
    strbuf_add(out, text, strlen(text) + 1);
}

err_code offload_journal_write(const char *state_directory,
                               const struct offload_journal *journal,
                               struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *path = path_of(state_directory, journal->job);

    if (!access(path, F_OK))
        return error_set(err, ERR_REFUSED,
                         "files of an earlier removal are still under private "
                         "names (%s): the next run puts them back",
                         path);
    add_string(&text, MAGIC);
    add_string(&text, journal->job);
    add_string(&text, journal->source);
    add_string(&text, journal->identity);
    for (size_t i = 0; i < journal->files.count; i++) {
        add_string(&text, journal->files.items[i].path);
        add_string(&text, journal->files.items[i].raw);
        add_string(&text, journal->files.items[i].hidden);
    }
    return file_replace(path, text.text, text.length, 0600, err);
}

static err_code remove_journal(const char *path, struct error *err)
{
    if (RETRY_ON_EINTR(unlink(path)) && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove %s", path);
    return ERR_OK;
}

err_code offload_journal_remove(const char *state_directory, const char *job,
                                struct error *err)
{
    CLEANUP_FREE char *path = path_of(state_directory, job);

    return remove_journal(path, err);
}

/* The next string; NULL at the end or where its NUL is missing. */
static const char *next_string(const char **at, const char *end)
{
    const char *text = *at;
    const char *nul =
        text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

    if (!nul)
        return NULL;
    *at = nul + 1;
    return text;
}

static bool parse(const struct strbuf *text, struct offload_journal *out)
{
    const char *at = text->text, *end = text->text + text->length;
    const char *magic = next_string(&at, end);
    const char *job = next_string(&at, end);
    const char *source = next_string(&at, end);
    const char *identity = next_string(&at, end);

    if (!identity || strcmp(magic, MAGIC) != 0)
        return false;
    out->job = xstrdup(job);
    out->source = xstrdup(source);
    out->identity = xstrdup(identity);
    while (at < end) {
        const char *path = next_string(&at, end);
        const char *raw = next_string(&at, end);
        const char *hidden = next_string(&at, end);
        if (!hidden || !path_is_plain_relative(raw) ||
            !path_is_plain_relative(hidden))
            return false;
        offload_journal_add(out, path, raw, hidden);
    }
    return true;
}

static err_code read_journal(const char *path, struct offload_journal *out,
                             struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = file_read(path, LIMIT_BYTES, &text, err);

    if (!code && !parse(&text, out))
        code = error_set(err, ERR_CORRUPT,
                         "%s is damaged: files whose names begin with "
                         "\"" OFFLOAD_HIDDEN_PREFIX
                         "\" are yours; name them back, then remove it",
                         path);
    return code;
}

/* --- putting back --- */

err_code offload_put_back(struct fsops *ops, const char *hidden,
                          const char *raw, char **out_kept, struct error *err)
{
    err_code code = fsops_rename(ops, hidden, raw, err);
    char stamp[32];

    *out_kept = NULL;
    clock_format_compact(clock_now_ns(), stamp, sizeof stamp);
    for (int i = 1; code == ERR_EXISTS && i < 100; i++) {
        CLEANUP_FREE char *kept =
            i > 1 ? xasprintf("%s.kept-%s-%d", raw, stamp, i)
                  : xasprintf("%s.kept-%s", raw, stamp);
        code = fsops_rename(ops, hidden, kept, err);
        if (!code)
            *out_kept = TAKE_PTR(kept);
    }
    return code;
}

err_code offload_flush_directory(int source_fd, const char *raw,
                                 struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(source_fd, raw,
                                          PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (code == ERR_NOT_FOUND) /* somebody removed it */
        return ERR_OK;
    return code ? code : platform_flush_file(fd, err);
}

/* An empty mount point is not the source: nothing is to be found there. */
static err_code open_source(const struct offload_journal *journal, int *out_fd,
                            struct error *err)
{
    CLEANUP(platform_mount_release)
    struct platform_mount mount = PLATFORM_MOUNT_INIT;
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_root(journal->source, &fd, err);

    if (!code)
        code = platform_mount_of(fd, &mount, err);
    if (code)
        return code;
    CLEANUP_FREE char *identity = guard_source_identity(
        mount.family, mount.fs_uuid, mount.subtree, mount.source);
    const struct guard_source source = {
        .job = journal->job,
        .path = journal->source,
        .recorded_identity = journal->identity,
        .identity = identity,
        .has_rows = true,
        .mode = JOB_MOVE,
    };
    code = guard_check_source(&source, err);
    if (!code) {
        *out_fd = fd;
        fd = -1;
    }
    return code;
}

struct recovering {
    const struct offload_recovery *recovery;
    const struct offload_journal *journal;
    int source_fd;
    struct fsops ops;
    size_t restored;
};

static err_code recover_file(struct recovering *recovering, size_t at,
                             struct error *err)
{
    const struct offload_recovery *recovery = recovering->recovery;
    const char *raw = recovering->journal->files.items[at].raw;
    const char *hidden = recovering->journal->files.items[at].hidden;
    CLEANUP_FREE char *parent = xstrndup(raw, path_parent_length(raw));
    CLEANUP_FREE char *kept = NULL;
    struct platform_stat now;
    err_code code = offload_put_back(&recovering->ops, hidden, raw, &kept, err);

    if (code && code != ERR_NOT_FOUND)
        return code;
    recovering->restored += !code;
    if (!code)
        code = offload_flush_directory(recovering->source_fd, parent, err);
    else
        code = ERR_OK;
    if (kept) {
        CLEANUP_FREE char *words = xasprintf(
            "%s was taken meanwhile: the file is now called %s", raw, kept);
        recovery->say(recovery->context, recovering->journal->job, words);
    }
    if (!code && !platform_stat_beneath(recovering->source_fd, raw, &now, NULL))
        code = recovery->unmark(recovery->context, recovering->journal->job,
                                recovering->journal->files.items[at].path, &now,
                                err);
    return code;
}

static err_code recover_journal(const struct offload_recovery *recovery,
                                const char *path, struct error *err)
{
    CLEANUP(offload_journal_release)
    struct offload_journal journal = {.job = NULL};
    CLEANUP_FD int fd = -1;
    char files[QUANTITY_SIZE];
    err_code code = read_journal(path, &journal, err);

    if (!code)
        code = open_source(&journal, &fd, err);
    if (code)
        return code;
    struct recovering recovering = {recovery, &journal, fd, fsops_on(fd), 0};
    for (size_t i = 0; !code && i < journal.files.count; i++)
        code = recover_file(&recovering, i, err);
    fsops_release(&recovering.ops);
    if (recovering.restored) {
        CLEANUP_FREE char *words = xasprintf(
            "an interrupted removal was repaired: %s again under %s",
            format_things((int64_t)recovering.restored, "file", files),
            plural((int64_t)recovering.restored, "its name", "their names"));
        recovery->say(recovery->context, journal.job, words);
    }
    return code ? code : remove_journal(path, err);
}

err_code offload_files_recover(const struct offload_recovery *recovery,
                               struct error *err)
{
    CLEANUP_FREE char *directory = directory_of(recovery->state_directory);
    DIR *entries = opendir(directory);
    struct dirent *entry;
    err_code worst = ERR_OK;

    if (!entries)
        return errno == ENOENT
                   ? ERR_OK
                   : error_set_errno(err, errno, "cannot read %s", directory);
    while ((entry = readdir(entries))) {
        struct error own = ERROR_INIT;
        CLEANUP_FREE char *path = path_join(directory, entry->d_name);
        if (strspn(entry->d_name, "0123456789abcdef") != HASH_HEX_SIZE - 1 ||
            entry->d_name[HASH_HEX_SIZE - 1])
            continue;
        err_code code = recover_journal(recovery, path, &own);
        if (code) {
            error_prefix(&own, "what was being removed cannot be put back");
            recovery->say(recovery->context, "", own.message);
            worst = error_set(err, code, "%s", own.message);
        }
    }
    closedir(entries);
    return worst;
}

err_code offload_files_check(const char *state_directory, const char *job,
                             struct error *err)
{
    CLEANUP_FREE char *path = path_of(state_directory, job);
    struct stat found;

    if (stat(path, &found))
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "job %s: files were being removed from its source, and "
                     "are not back under their names yet",
                     job);
}

bool offload_files_any(const char *state_directory)
{
    CLEANUP_FREE char *directory = directory_of(state_directory);

    return !access(directory, F_OK);
}

err_code offload_files_lock(const char *state_directory, int *out_fd,
                            struct error *err)
{
    CLEANUP_FREE char *directory = directory_of(state_directory);
    CLEANUP_FREE char *path = path_join(directory, LOCK_NAME);
    err_code code = directory_ensure(directory, err);

    if (code)
        return code;
    int fd = RETRY_ON_EINTR(
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    code = platform_try_lock(fd, err);
    if (code) {
        close(fd);
        return code == ERR_BUSY
                   ? error_set(err, ERR_BUSY,
                               "another berth is removing local files just now")
                   : code;
    }
    *out_fd = fd;
    return ERR_OK;
}
