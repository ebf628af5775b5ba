#include "core/evidence.h"

#include "core/base/clock.h"
#include "core/drive_record.h"
#include "core/journal.h"
#include "platform/platform_host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define META_REST "rest"
#define META_WRITTEN "written" /* to which device, as plugged */
#define DAY_NS (24 * 3600 * NS_PER_SECOND)

/* Root time and free clusters: whoever wrote since has moved one of them. A
 * folder's filesystem is written by everybody, so only its time counts. */
static err_code describe_rest(const struct volume *volume, char **out,
                              struct error *err)
{
    struct platform_stat root;
    struct platform_space space;
    err_code code = platform_stat_fd(volume->root_fd, &root, err);

    if (!code)
        code = platform_space(volume->root_fd, &space, err);
    if (!code)
        *out = xasprintf("%" PRId64 " %" PRId64, root.mtime_ns,
                         volume->is_folder ? 0 : space.free_bytes);
    return code;
}

err_code evidence_record(struct catalogue *catalogue,
                         const struct volume *volume, struct error *err)
{
    CLEANUP_FREE char *rest = NULL;
    err_code code = describe_rest(volume, &rest, err);

    if (!code)
        code = catalogue_set_meta(catalogue, META_REST, rest, err);
    return code;
}

err_code evidence_forget(struct catalogue *catalogue, struct error *err)
{
    return catalogue_set_meta(catalogue, META_REST, "", err);
}

static err_code is_rest_unchanged(struct catalogue *catalogue,
                                  const struct volume *volume, bool *out,
                                  struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP_FREE char *now = NULL;
    bool found;
    err_code code =
        catalogue_get_meta(catalogue, META_REST, &before, &found, err);

    if (!code)
        code = describe_rest(volume, &now, err);
    if (!code)
        *out = found && !strcmp(before.text, now);
    return code;
}

/* Was the last session on the drive ours, and is this still its mount? */
static err_code is_last_session_ours(struct catalogue *catalogue,
                                     const struct volume *volume,
                                     const char *host, bool *out,
                                     struct error *err)
{
    CLEANUP(journal_session_release)
    struct journal_session last = {.id = 0};
    CLEANUP(drive_record_release)
    struct drive_record record = {.host = NULL};
    err_code code = journal_last_session(catalogue, &last, err);

    if (!code)
        code = drive_record_read(volume->root_fd, &record, err);
    if (!code)
        *out = last.state == SESSION_AT_REST && record.host &&
               !record.is_open && !strcmp(record.host, host);
    return code;
}

/* A time that has not come yet was noted by a clock that nobody can believe. */
static bool was_read_lately(const struct evidence *evidence)
{
    int64_t age_ns = evidence->now_ns - evidence->owner->last_full_ns;

    return evidence->owner->last_full_ns && age_ns >= 0 &&
           age_ns <= EVIDENCE_FULL_EVERY_DAYS * DAY_NS;
}

err_code evidence_needs_full(struct catalogue *catalogue,
                             const struct volume *volume,
                             const struct evidence *evidence, bool *out,
                             struct error *err)
{
    bool ours = false, unchanged = false;

    *out = true;
    if (!evidence->owner || !was_read_lately(evidence))
        return ERR_OK;
    err_code code =
        is_last_session_ours(catalogue, volume, evidence->host, &ours, err);
    if (!code && ours)
        code = is_rest_unchanged(catalogue, volume, &unchanged, err);
    *out = !(ours && unchanged);
    return code;
}

/* --- the device --- */

static err_code describe_device(const struct volume *volume, char **out,
                                struct error *err)
{
    CLEANUP_FREE char *boot = NULL;
    err_code code = platform_boot_id(&boot, err);

    if (!code)
        *out = xasprintf("%s %s", boot, volume->mount.plug);
    return code;
}

err_code evidence_device_is_fresh(struct catalogue *catalogue,
                                  const struct volume *volume, bool *out,
                                  struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf written = STRBUF_INIT;
    CLEANUP_FREE char *now = NULL;
    bool found;
    err_code code =
        catalogue_get_meta(catalogue, META_WRITTEN, &written, &found, err);

    if (!code)
        code = describe_device(volume, &now, err);
    if (!code)
        *out = volume->mount.is_local_disk && found &&
               strcmp(written.text, now) != 0;
    return code;
}

err_code evidence_note_device(struct catalogue *catalogue,
                              const struct volume *volume, struct error *err)
{
    CLEANUP_FREE char *now = NULL;
    err_code code = describe_device(volume, &now, err);

    if (!code)
        code = catalogue_set_meta(catalogue, META_WRITTEN, now, err);
    return code;
}
