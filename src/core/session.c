#include "core/session.h"

#include "core/base/clock.h"
#include "core/db.h"
#include "core/drive_record.h"
#include "core/evidence.h"
#include "core/import.h"
#include "core/journal.h"
#include "core/marker.h"
#include "core/peers.h"
#include "core/recover.h"
#include "core/replica.h"
#include "core/replica_read.h"
#include "platform/platform_host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define META_DRIVER "driver"
#define META_FS_UUID "fs_uuid"
/* Together as many as a batch has files. */
#define SHELVES 64U
#define SHELF_FILES 64U

/*
 * --- opening ---
 */

static err_code refuse_unchecked(const struct session *session,
                                 struct error *err)
{
    return error_set(err, ERR_REFUSED,
                     "volume %s has to be checked before anything is written: "
                     "%s",
                     session->volume->marker.name, session->remedy);
}

static err_code load_traits(struct session *session, struct error *err)
{
    err_code code = traits_load(session->catalogue, &session->traits, err);

    if (code == ERR_NOT_FOUND && session->needs_check)
        return refuse_unchecked(session, err);
    if (code == ERR_NOT_FOUND)
        return session_probe(session, err);
    return code;
}

static char *describe_remedy(const struct platform_mount *mount)
{
    const char *family = mount->family;
    const char *program = !strcmp(family, "exfat")  ? "fsck.exfat"
                          : !strcmp(family, "ext4") ? "e2fsck"
                                                    : "fsck";

    return xasprintf("unmount it and run `%s %s`", program, mount->source);
}

/*
 * What the filesystem says of itself. A folder's is not berth's business: it
 * was there before, and nobody unmounts it for berth.
 */
static void ask_filesystem(struct session *session)
{
    const struct volume *volume = session->volume;

    if (!volume->is_folder)
        session->check = platform_mount_check(
            volume->root_fd, volume->marker_fd, &volume->mount);
    session->remedy = describe_remedy(&volume->mount);
}

static err_code judge_past(struct session *session,
                           const struct journal_session *last,
                           const struct drive_record *record, bool has_pending,
                           struct error *err)
{
    CLEANUP_FREE char *boot = NULL;
    err_code code = platform_boot_id(&boot, err);

    if (code)
        return code;
    bool same_attachment =
        last->state != SESSION_NONE && !strcmp(last->boot, boot) &&
        !strcmp(last->attachment, session->volume->mount.attachment);
    bool other_host = record->host && strcmp(record->host, session->host) != 0;
    bool left_open = last->state == SESSION_OPEN || has_pending;
    bool has_journal = session->volume->mount.has_journal;
    bool was_cut_off = (other_host && record->is_open) ||
                       (left_open && !other_host && !same_attachment);

    session->needs_full_diff |= other_host || !same_attachment || left_open;
    session->needs_check =
        was_cut_off && session->check == PLATFORM_CHECK_NEEDED;
    session->is_unclean = session->needs_check || (was_cut_off && !has_journal);
    /* What is in place is looked at when it cannot change any more. */
    if (!left_open || session->needs_check)
        return ERR_OK;
    session->run = last->run; /* what is finished now is told of that run */
    session->recover = other_host            ? recover_drop
                       : session->is_unclean ? recover_doubtful
                                             : recover_redo;
    return ERR_OK;
}

static err_code look_at_past(struct session *session,
                             struct journal_session *last, struct error *err)
{
    CLEANUP(drive_record_release)
    struct drive_record record = {.host = NULL};
    int64_t pending = 0;
    err_code code = journal_last_session(session->catalogue, last, err);

    if (!code)
        code = drive_record_read(session->volume->root_fd, &record, err);
    if (!code)
        code = journal_pending_batch(session->catalogue, &pending, err);
    if (!code)
        code = judge_past(session, last, &record, pending != 0, err);
    return code;
}

/*
 * "At rest" is believed where the last thing that was told the volume reads
 * back (ENGINE, Committing, 1): else its last barrier was none, or something
 * damaged it since. The catalogue has all of it, and tells it again.
 */
static err_code look_at_log(struct session *session,
                            const struct journal_session *last,
                            struct error *err)
{
    const struct volume *volume = session->volume;
    struct peer peer = {.is_due = false};
    bool is_whole;
    err_code code = replica_reads_back(volume, session->catalogue,
                                       session->host, false, &is_whole, err);

    if (!code)
        code = peers_get(session->catalogue, session->host, &peer, err);
    session->log_is_damaged = !code && !is_whole;
    session->log_is_due = !code && (!is_whole || peer.is_due);
    if (code || is_whole)
        return code;
    if (last->state == SESSION_AT_REST && session->needs_full_diff)
        session->is_unclean |= !volume->mount.has_journal;
    return peers_mark_due(session->catalogue, session->host, err);
}

/*
 * A state directory that was restored from a backup: the volume knows more of
 * this host than it does itself. Going on would replace that by what is known
 * here, and the names of what was offloaded since would be lost (ENGINE G12).
 */
static err_code catch_up(struct session *session, bool learns,
                         struct error *err)
{
    const struct volume *volume = session->volume;
    bool is_behind = false;
    err_code code = import_is_behind(session->catalogue, volume, session->host,
                                     &is_behind, err);

    if (code || !is_behind)
        return code;
    if (!learns)
        return import_refuse(volume, err);
    session->has_learnt = session->needs_full_diff = true;
    code = recover_drop(session, err); /* of a time long gone */
    return code
               ? code
               : import_own_log(session->catalogue, volume, session->host, err);
}

static err_code settle_past(struct session *session, bool learns,
                            struct error *err)
{
    CLEANUP(journal_session_release)
    struct journal_session last = {.id = 0};
    err_code code = catch_up(session, learns, err);

    if (!code)
        code = look_at_past(session, &last, err);
    if (!code)
        code = load_traits(session, err);
    if (!code && session->recover)
        code = session->recover(session, err);
    if (!code && !session->needs_check)
        code = look_at_log(session, &last, err);
    if (!code && last.state == SESSION_OPEN && !session->needs_check)
        code = journal_set_state(session->catalogue, last.id, SESSION_AT_REST,
                                 err);
    session->is_unclean |= session->check == PLATFORM_CHECK_NEEDED;
    return code;
}

static void note_failed_flush(struct session *session, struct error *err)
{
    if (journal_note_failed_flush(session->catalogue, NULL))
        error_prefix(err, "not even noted");
}

/* It is flushed by itself: a device that fails here fails a flush. */
static err_code write_drive_record(struct session *session, bool is_open,
                                   struct error *err)
{
    err_code code = drive_record_write(&session->ops, session->host,
                                       session->run, is_open, err);

    if (error_is_device_failure(code))
        note_failed_flush(session, err);
    return code;
}

/*
 * A run that was killed after its last commit leaves an empty staging
 * directory and a record that says "open": nothing to repair, but to tidy.
 */
static err_code tidy(struct session *session, struct error *err)
{
    struct fsops *ops = &session->ops;
    bool has_staging;
    struct platform_stat stat;
    err_code code = fsops_look(ops, STAGING_PATH, &has_staging, &stat, err);

    if (code || !has_staging || session->is_unclean ||
        session->volume->mount.is_read_only)
        return code;
    bool is_empty;
    code = fsops_is_empty(ops, STAGING_PATH, &is_empty, err);
    if (code || is_empty)
        return code;
    code = fsops_empty_directory(ops, STAGING_PATH, err);
    if (!code)
        code = write_drive_record(session, false, err);
    if (!code)
        code = session_barrier(session, err);
    return code;
}

/* By which it is found again while it is not mounted. */
static err_code remember_filesystem(struct session *session, struct error *err)
{
    const char *uuid = session->volume->mount.fs_uuid;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    bool found;
    err_code code = catalogue_get_meta(session->catalogue, META_FS_UUID,
                                       &before, &found, err);

    if (code || session->volume->is_folder || !*uuid ||
        (found && !strcmp(before.text, uuid)))
        return code;
    return catalogue_set_meta(session->catalogue, META_FS_UUID, uuid, err);
}

err_code session_known_filesystem(struct catalogue *catalogue,
                                  struct strbuf *out_uuid, struct error *err)
{
    bool found;

    return catalogue_get_meta(catalogue, META_FS_UUID, out_uuid, &found, err);
}

err_code session_open(const struct session_options *options,
                      struct session *out, struct error *err)
{
    struct volume *volume = options->volume;

    *out = (struct session){
        .volume = volume,
        .catalogue = options->catalogue,
        .lock = LOCK_INIT,
        .ops = fsops_on(volume->root_fd),
        .host = options->host,
    };
    err_code code =
        lock_take(volume->root_fd, volume->marker.id, volume->marker.name,
                  options->command, &out->lock, err);
    if (!code) {
        ask_filesystem(out);
        code = remember_filesystem(out, err);
    }
    if (!code)
        code = settle_past(out, options->learns, err);
    if (!code)
        code = tidy(out, err);
    if (!code)
        code = import_logs(out->catalogue, volume, out->host, err);
    if (code)
        session_release(out);
    return code;
}

void session_release(struct session *session)
{
    fsops_release(&session->ops);
    lock_release(&session->lock);
    free(session->staging);
    free(session->versions);
    free(session->ensured);
    free(session->remedy);
    session->staging = session->versions = session->ensured = NULL;
    session->remedy = NULL;
}

/*
 * --- the first change ---
 */

err_code session_probe(struct session *session, struct error *err)
{
    const char *driver = session->volume->mount.driver;
    err_code code = fsops_ensure_directory(&session->ops, STAGING_PATH, err);

    if (!code)
        code =
            traits_probe(&session->ops, session->volume, &session->traits, err);
    if (!code)
        code = traits_store(session->catalogue, &session->traits, err);
    if (!code)
        code = catalogue_set_meta(session->catalogue, META_DRIVER, driver, err);
    return code;
}

/* Another driver, another machine: the same volume can hold other things. */
static err_code probe_if_changed(struct session *session, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf driver = STRBUF_INIT;
    bool found;
    err_code code = catalogue_get_meta(session->catalogue, META_DRIVER, &driver,
                                       &found, err);

    if (code || (found && !strcmp(driver.text, session->volume->mount.driver)))
        return code;
    return session_probe(session, err);
}

/*
 * What is in staging and not in the journal is garbage, except on a volume
 * that was left uncleanly: there a leftover may share its clusters with a
 * finished file, and removing the one would destroy the other.
 */
static err_code prepare_staging(struct session *session, struct error *err)
{
    struct fsops *ops = &session->ops;
    err_code code =
        fsops_ensure_own_directory(ops, STAGING_PATH, FSOPS_PRIVATE, err);

    if (!code && !session->is_unclean)
        code = fsops_empty_directory(ops, STAGING_PATH, err);
    if (!code)
        code = fsops_ensure_directory(ops, session->staging, err);
    return code;
}

/* Televisions leave alone what lies beside it. */
static err_code ensure_nomedia(struct session *session, struct error *err)
{
    CLEANUP_FD int fd = -1;
    struct platform_stat stat;
    bool exists;
    err_code code =
        fsops_look(&session->ops, NOMEDIA_PATH, &exists, &stat, err);

    if (code || exists)
        return code;
    return fsops_create(&session->ops, NOMEDIA_PATH, 0644, &fd, err);
}

static void name_directories(struct session *session)
{
    char stamp[32];

    clock_format_compact(clock_now_ns(), stamp, sizeof stamp);
    session->staging =
        xasprintf(STAGING_PATH "/%.8s-%" PRId64, session->host, session->run);
    session->versions =
        xasprintf(VERSIONS_PATH "/%s-%" PRId64, stamp, session->run);
}

static err_code open_in_journal(struct session *session, struct error *err)
{
    CLEANUP_FREE char *boot = NULL;
    err_code code = platform_boot_id(&boot, err);

    if (!code)
        code = journal_open_session(session->catalogue, session->run, boot,
                                    session->volume->mount.attachment,
                                    &session->id, err);
    return code;
}

/* A transaction is a flush of the internal disk: one for all of it. */
static err_code end_notes(struct session *session, err_code code,
                          struct error *err)
{
    struct db *db = catalogue_db(session->catalogue);

    return db_end(db, code, err);
}

static err_code note_beginning(struct session *session, struct error *err)
{
    err_code code = db_begin(catalogue_db(session->catalogue), err);

    if (code)
        return code;
    code = open_in_journal(session, err);
    if (!code)
        code = evidence_forget(session->catalogue, err);
    if (!code)
        code = evidence_note_device(session->catalogue, session->volume, err);
    return end_notes(session, code, err);
}

err_code session_begin(struct session *session, struct error *err)
{
    if (session->volume->mount.is_read_only)
        return error_set(err, ERR_READ_ONLY,
                         "volume %s is mounted read-only: %s",
                         session->volume->marker.name,
                         volume_writable_remedy(&session->volume->mount));
    if (session->needs_check)
        return refuse_unchecked(session, err);
    name_directories(session);
    err_code code = note_beginning(session, err);
    if (!code)
        code = probe_if_changed(session, err);
    if (!code)
        code = prepare_staging(session, err);
    if (!code)
        code = ensure_nomedia(session, err);
    if (!code)
        code = write_drive_record(session, true, err);
    return code;
}

/*
 * Few names in each directory: exfat-fuse goes through all of them at each
 * step of each file (4,096 in one: 1.6 ms a file, 64 in each: 0.8 [seen]). The
 * directories are used again, since each takes a cluster.
 */
static void make_shelf(struct session *session, unsigned shelf)
{
    uint64_t bit = UINT64_C(1) << shelf;

    if (atomic_load(&session->shelves) & bit)
        return;
    CLEANUP_FREE char *path = xasprintf("%s/%x", session->staging, shelf);
    struct fsops ops = fsops_on(session->volume->root_fd);
    /* Where this fails so does creating the file, which is reported. */
    if (!fsops_ensure_directory(&ops, path, NULL))
        atomic_fetch_or(&session->shelves, bit);
    fsops_release(&ops);
}

char *session_new_staged(struct session *session)
{
    uint64_t number = atomic_fetch_add(&session->next_staged, 1);
    unsigned shelf = number / SHELF_FILES % SHELVES;

    make_shelf(session, shelf);
    return xasprintf("%s/%x/%" PRIx64, session->staging, shelf, number);
}

err_code session_new_version(struct session *session, struct arena *arena,
                             const char *path, const char **out,
                             struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    struct platform_stat stat;
    bool taken = true;
    err_code code = ERR_OK;

    for (int i = 1; !code && taken; i++) {
        strbuf_reset(&name);
        strbuf_addf(&name, "%s/%s", session->versions, path);
        if (i > 1)
            strbuf_addf(&name, "~%d", i);
        code = fsops_look(&session->ops, name.text, &taken, &stat, err);
    }
    if (!code)
        *out = arena_strdup(arena, name.text);
    return code;
}

err_code session_barrier(struct session *session, struct error *err)
{
    const struct volume *volume = session->volume;
    err_code code =
        platform_flush_volume(volume->root_fd, volume->marker_fd, err);

    if (!code)
        return ERR_OK;
    error_prefix(err, "cannot flush volume %s", volume->marker.name);
    note_failed_flush(session, err);
    return code;
}

/*
 * --- the end ---
 */

static err_code note_rest(struct session *session, struct error *err)
{
    struct catalogue *catalogue = session->catalogue;
    err_code code = db_begin(catalogue_db(catalogue), err);

    if (code)
        return code;
    if (!session->is_doubtful)
        code = evidence_record(catalogue, session->volume, err);
    if (!code)
        code = journal_set_state(catalogue, session->id, SESSION_AT_REST, err);
    if (!code)
        code = journal_forgive_flush(catalogue, session->host, err);
    return end_notes(session, code, err);
}

/* Behind the last barrier; once more from the catalogue where it is not. */
static err_code read_log_back(struct session *session, struct error *err)
{
    bool is_whole = false;
    err_code code = ERR_OK;

    for (int i = 0; !code && !is_whole && i < 2; i++) {
        if (i)
            code = peers_mark_due(session->catalogue, session->host, err);
        if (!code && i)
            code = replica_write_if_due(session, err);
        if (!code)
            code = replica_reads_back(session->volume, session->catalogue,
                                      session->host, false, &is_whole, err);
    }
    if (!code && !is_whole)
        code = error_set(err, ERR_IO,
                         "what was written to volume %s last does not read "
                         "back: do not trust the drive",
                         session->volume->marker.name);
    return code;
}

err_code session_close(struct session *session, struct error *err)
{
    struct fsops *ops = &session->ops;
    int64_t pending = 0;
    err_code code = journal_pending_batch(session->catalogue, &pending, err);

    if (code || pending) /* stays open: the next run finishes it */
        return code;
    err_code told = replica_write_if_due(session, err);
    if (told && told != ERR_NO_SPACE)
        return told;
    code = fsops_empty_directory(ops, session->staging, err);
    if (!code)
        code = fsops_remove_directory(ops, session->staging, err);
    if (!code)
        code = write_drive_record(session, false, err);
    if (!code)
        code = session_barrier(session, err);
    if (!code && !told)
        code = read_log_back(session, err);
    if (!code)
        code = note_rest(session, err);
    return code ? code : told;
}
