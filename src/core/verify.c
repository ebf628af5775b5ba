#include "core/verify.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/plan.h"
#include "core/verify_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rows are written back together: a commit costs a flush of the disk. */
#define ROWS_PER_COMMIT 2000
#define META_VERIFIED "verified"

struct verifying {
    const struct verify_options *options;
    const struct owner *owner;
    struct verify_counts *counts;
    struct verify_reader *reader;
    int rows_waiting;
    bool only_unproven; /* and only while there is proof to be had */
    bool has_no_proof;
    bool only_unhashed;
};

const char *verify_finding_text(enum verify_finding finding)
{
    switch (finding) {
    case VERIFY_ROT:
        return "rot: the content changed, size and time did not";
    case VERIFY_DRIFT:
        return "drift: something other than berth changed it";
    case VERIFY_MISSING:
        return "missing on the drive";
    case VERIFY_UNREADABLE:
        return "cannot be read";
    case VERIFY_SOURCE_ROT:
        return "rot in the source: the content changed, size and times did not";
    case VERIFY_DIFFERENT:
        return "source and drive differ, though their sizes and times do not";
    }
    return "?";
}

static void tell(struct verifying *verifying, const char *path,
                 enum verify_finding finding, const char *message)
{
    const struct verify_listener *listener = verifying->options->listener;
    struct verify_counts *counts = verifying->counts;
    int64_t *const count[] = {
        [VERIFY_ROT] = &counts->rotten,
        [VERIFY_DRIFT] = &counts->drifted,
        [VERIFY_MISSING] = &counts->missing,
        [VERIFY_UNREADABLE] = &counts->unreadable,
        [VERIFY_SOURCE_ROT] = &counts->rotten,
        [VERIFY_DIFFERENT] = &counts->rotten,
    };

    (*count[finding])++;
    if (listener)
        listener->found(listener->context, verifying->owner->job, path, finding,
                        message);
}

/*
 * --- writing back what was learnt ---
 */

static err_code commit_rows(struct verifying *verifying, struct error *err)
{
    if (!verifying->rows_waiting)
        return ERR_OK;
    verifying->rows_waiting = 0;
    return db_commit(catalogue_db(verifying->options->catalogue), err);
}

static err_code write_row(struct verifying *verifying, const char *path,
                          const struct record *record, struct error *err)
{
    struct catalogue *catalogue = verifying->options->catalogue;
    err_code code = ERR_OK;

    if (!verifying->rows_waiting)
        code = db_begin(catalogue_db(catalogue), err);
    if (!code)
        code = catalogue_put(catalogue, verifying->owner, path, record, err);
    if (code) {
        db_rollback(catalogue_db(catalogue));
        verifying->rows_waiting = 0;
        return code;
    }
    if (++verifying->rows_waiting >= ROWS_PER_COMMIT)
        code = commit_rows(verifying, err);
    return code;
}

static err_code remember(struct verifying *verifying, const char *path,
                         const struct record *record, const struct hash *hash,
                         enum platform_proof proof, struct error *err)
{
    struct record known = *record;

    if (record->flags & RECORD_UNHASHED)
        verifying->counts->adopted++;
    else if (proof == PLATFORM_PROOF_DEVICE)
        verifying->counts->verified++;
    else
        verifying->counts->compared++;
    known.hash = *hash;
    known.flags &= ~(unsigned)(RECORD_UNHASHED | RECORD_ROTTEN);
    if (proof == PLATFORM_PROOF_DEVICE) {
        known.verified_ns = clock_now_ns();
        known.flags &= ~(unsigned)RECORD_COMPARED;
    } else if (!known.verified_ns) {
        known.flags |= RECORD_COMPARED;
    }
    if (known.flags == record->flags &&
        known.verified_ns == record->verified_ns)
        return ERR_OK;
    return write_row(verifying, path, &known, err);
}

/* What was proved of it before is worth nothing now. What is not what was
 * written is in quarantine: it counts as no copy, and is made anew. So is what
 * was offloaded and is not there: the source cannot tell of it any more. */
static err_code doubt(struct verifying *verifying, const char *path,
                      const struct record *record, enum verify_finding finding,
                      const char *message, struct error *err)
{
    struct record known = *record;

    tell(verifying, path, finding, message);
    known.verified_ns = 0;
    known.flags &= ~(unsigned)RECORD_COMPARED;
    if (finding == VERIFY_ROT || finding == VERIFY_UNREADABLE ||
        record->flags & RECORD_OFFLOADED)
        known.flags |= RECORD_ROTTEN;
    if (known.flags == record->flags &&
        known.verified_ns == record->verified_ns)
        return ERR_OK;
    return write_row(verifying, path, &known, err);
}

/* --- one file --- */

static err_code judge(struct verifying *verifying,
                      const struct reading *reading, struct error *err)
{
    const struct record *record = &reading->record;
    const char *path = reading->path;

    if (reading->has_drifted)
        return doubt(verifying, path, record, VERIFY_DRIFT, "", err);
    if (!reading->has_hash) {
        verifying->has_no_proof = true;
        return ERR_OK;
    }
    if (record->flags & RECORD_UNHASHED ||
        hash_equal(&reading->hash, &record->hash))
        return remember(verifying, path, record, &reading->hash, reading->proof,
                        err);
    return doubt(verifying, path, record, VERIFY_ROT, "", err);
}

static bool ends_verify(err_code code)
{
    return code == ERR_CANCELLED || code == ERR_DEVICE_GONE;
}

static err_code judge_failure(struct verifying *verifying,
                              const struct reading *reading, struct error *err)
{
    const struct volume *volume = verifying->options->volume;
    const struct record *record = &reading->record;
    const char *path = reading->path, *why = reading->err.message;
    err_code code = reading->code;

    if (!reading->was_opened && code == ERR_NOT_FOUND) {
        /* After a yank every name is "not found": ask the device. */
        code = volume_check(volume, err);
        if (!code)
            code = doubt(verifying, path, record, VERIFY_MISSING, "", err);
        return code;
    }
    if (!reading->was_opened && code == ERR_CHANGED)
        return doubt(verifying, path, record, VERIFY_DRIFT, why, err);
    if (ends_verify(code))
        return error_set(err, code, "%s", why);
    code = doubt(verifying, path, record, VERIFY_UNREADABLE, why, err);
    return code ? code : volume_check(volume, err);
}

/* What is behind the first that has no proof was read for nothing. */
static err_code settle_oldest(struct verifying *verifying, struct error *err)
{
    const struct reading *reading = verify_reader_oldest(verifying->reader);
    err_code code = ERR_OK;

    verifying->counts->bytes += reading->bytes;
    if (!verifying->has_no_proof) {
        code = reading->code ? judge_failure(verifying, reading, err)
                             : judge(verifying, reading, err);
        atomic_fetch_add(&verifying->options->progress->files_done, 1);
    }
    verify_reader_drop_oldest(verifying->reader);
    return code;
}

static err_code read_ahead(struct verifying *verifying, const char *path,
                           const char *drive_path, const struct record *record,
                           struct error *err)
{
    CLEANUP_FREE char *full =
        path_join(verifying->owner->directory, drive_path);
    err_code code = ERR_OK;

    if (verify_reader_is_full(verifying->reader))
        code = settle_oldest(verifying, err);
    if (!code && !verifying->has_no_proof)
        verify_reader_add(verifying->reader, path, drive_path, full, record);
    return code;
}

static bool is_in_sample(const struct verify_options *options, const char *path)
{
    if (options->sample >= 1.0)
        return true;
    CLEANUP_FREE char *seeded =
        xasprintf("%llx %s", (unsigned long long)options->seed, path);
    struct hash hash = hash_of(seeded, strlen(seeded));
    unsigned lot = (unsigned)hash.bytes[0] << 16 |
                   (unsigned)hash.bytes[1] << 8 | hash.bytes[2];
    return lot < options->sample * (1 << 24);
}

static err_code visit(void *context, const char *path, const char *drive_path,
                      const struct record *record, struct error *err)
{
    struct verifying *verifying = context;
    const struct verify_options *options = verifying->options;

    if (record->type != ENTRY_FILE || verifying->has_no_proof)
        return ERR_OK;
    if (verifying->only_unhashed && !(record->flags & RECORD_UNHASHED))
        return ERR_OK;
    if (verifying->only_unproven &&
        (record->verified_ns || record->flags & (RECORD_ADOPTED | RECORD_HELD)))
        return ERR_OK;
    if (stop_flag_is_raised(options->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    if (!is_in_sample(options, path)) {
        verifying->counts->skipped++;
        return ERR_OK;
    }
    return read_ahead(verifying, path, drive_path, record, err);
}

static struct verifying begin(const struct verify_options *options,
                              const struct owner *owner, bool only_unproven,
                              struct verify_counts *counts)
{
    return (struct verifying){
        .options = options,
        .owner = owner,
        .counts = counts,
        .only_unproven = only_unproven,
        .reader = verify_reader_new(options, only_unproven),
    };
}

static err_code end(struct verifying *verifying, err_code code,
                    struct error *err)
{
    while (!code && verify_reader_oldest(verifying->reader))
        code = settle_oldest(verifying, err);
    err_code committed = commit_rows(verifying, code ? NULL : err);

    verify_reader_free(verifying->reader);
    return code ? code : committed;
}

static err_code verify_walk(struct verifying *verifying, struct error *err)
{
    struct error own = ERROR_INIT;

    if (!err)
        err = &own;
    err_code code = catalogue_walk(verifying->options->catalogue,
                                   verifying->owner, visit, verifying, err);
    return end(verifying, code, err);
}

err_code verify_owner(const struct verify_options *options,
                      const struct owner *owner, struct verify_counts *counts,
                      struct error *err)
{
    struct verifying verifying = begin(options, owner, false, counts);

    return verify_walk(&verifying, err);
}

err_code verify_unproven(const struct verify_options *options,
                         const struct owner *owner,
                         struct verify_counts *counts, struct error *err)
{
    struct verifying verifying = begin(options, owner, true, counts);

    return verify_walk(&verifying, err);
}

err_code verify_unhashed(const struct verify_options *options,
                         const struct owner *owner,
                         struct verify_counts *counts, struct error *err)
{
    struct verifying verifying = begin(options, owner, false, counts);

    verifying.only_unhashed = true;
    return verify_walk(&verifying, err);
}

static err_code check_copied(struct verifying *verifying,
                             const struct action *action, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record record;
    err_code code =
        catalogue_find(verifying->options->catalogue, verifying->owner,
                       action->path, &arena, &record, err);

    /* It did not arrive, and was reported. */
    if (code == ERR_NOT_FOUND || (!code && record.flags & RECORD_ROTTEN))
        return ERR_OK;
    if (!code)
        code =
            visit(verifying, action->path, action_drive(action), &record, err);
    return code;
}

err_code verify_copied(const struct verify_options *options,
                       const struct owner *owner, const struct plan *plan,
                       struct verify_counts *counts, struct error *err)
{
    struct error own = ERROR_INIT;
    struct verifying verifying = begin(options, owner, false, counts);
    err_code code = ERR_OK;

    if (!err)
        err = &own;
    for (size_t i = 0; !code && i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        bool was_copied =
            (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE) &&
            !(action->flags & ACTION_HELD);
        if (was_copied)
            code = check_copied(&verifying, action, err);
    }
    return end(&verifying, code, err);
}

/* --- the last time --- */

err_code verify_note_all(struct catalogue *catalogue,
                         const struct verify_counts *counts, struct error *err)
{
    CLEANUP_FREE char *now = NULL;

    if (!counts->verified || counts->compared || counts->adopted ||
        counts->skipped || counts->rotten || counts->drifted ||
        counts->missing || counts->unreadable)
        return ERR_OK;
    now = xasprintf("%" PRId64, clock_now_ns());
    return catalogue_set_meta(catalogue, META_VERIFIED, now, err);
}

err_code verify_last_ns(struct catalogue *catalogue, int64_t *out,
                        struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    bool is_found;
    err_code code =
        catalogue_get_meta(catalogue, META_VERIFIED, &text, &is_found, err);

    if (!code)
        *out = is_found ? strtoll(text.text, NULL, 10) : 0;
    return code;
}
