/*
 * Large files: staged under a name that the next run finds again. Where it was
 * stopped, or the drive went, a row says up to where it was good; that part is
 * read again from the volume, and must have the hash that it had.
 */
#include "core/copy_internal.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <unistd.h>

/* What was written so far is what the next run may begin with. */
static err_code note_resumable(struct copier *copier, int64_t done,
                               struct error *err)
{
    const struct copy_request *request = copier->resuming.request;
    const struct resumable resumable = {
        .offset = done,
        .prefix = hasher_digest(copier->hasher),
        .source = copier->resuming.source,
    };

    copier->resuming.offset = done;
    return resumes_keep(copier->context->resumes, request->resumable,
                        copier->context->owner, request->path, &resumable, err);
}

err_code copy_note_if_due(struct copier *copier, int to, int64_t done,
                          struct error *err)
{
    if (!copier->resuming.request ||
        done - copier->resuming.offset < RESUMABLE_EVERY)
        return ERR_OK;
    err_code code = platform_flush_file(to, err);
    if (!code && note_resumable(copier, done, NULL))
        copier->resuming.offset = done; /* then from the row before */
    return code;
}

static bool is_same_source(const struct signature *one,
                           const struct signature *other)
{
    return signature_compare(one, other) == SIGNATURE_SAME;
}

/* The staged file, ready to go on at *out_offset, with its part hashed. Any
 * failure only means to begin anew. */
static bool take_up(struct copier *copier, const struct signature *source,
                    int *out_fd, int64_t *out_offset)
{
    const char *name = copier->resuming.request->resumable;
    struct resumable kept;
    enum platform_proof proof;
    int64_t done = 0;

    if (resumes_find(copier->context->resumes, name, &kept, NULL) ||
        !is_same_source(&kept.source, source) || kept.offset <= 0 ||
        platform_open_beneath(copier->context->volume_fd, name,
                              PLATFORM_OPEN_APPEND, out_fd, NULL))
        return false;
    if (platform_drop_cache(*out_fd, kept.offset, &proof, NULL) ||
        copy_stream(copier, *out_fd, -1, kept.offset, &done, NULL) ||
        done != kept.offset)
        return false;
    struct hash prefix = hasher_digest(copier->hasher);
    *out_offset = kept.offset;
    return hash_equal(&prefix, &kept.prefix);
}

static err_code discard_resumable(struct copier *copier,
                                  const struct copy_request *request,
                                  struct error *err)
{
    err_code code =
        fsops_unlink_if_there(&copier->ops, request->resumable, err);

    return code ? code
                : resumes_forget(copier->context->resumes, request->resumable,
                                 err);
}

static err_code begin_resumable(struct copier *copier,
                                const struct signature *source, int *out_fd,
                                int64_t *out_offset, struct error *err)
{
    const struct copy_request *request = copier->resuming.request;

    if (take_up(copier, source, out_fd, out_offset)) {
        atomic_fetch_add(copier->context->bytes_written, *out_offset);
        return ERR_OK;
    }
    cleanup_fd(out_fd);
    *out_fd = -1;
    *out_offset = 0;
    hasher_reset(copier->hasher);
    err_code code = copy_check_stop(copier, err);
    if (!code)
        code = discard_resumable(copier, request, err);
    if (!code)
        code = fsops_ensure_own_directory(&copier->ops, RESUMABLE_PATH,
                                          FSOPS_PRIVATE, err);
    if (!code)
        code =
            fsops_create(&copier->ops, request->resumable, 0600, out_fd, err);
    return code;
}

static err_code write_resumable(struct copier *copier, int from,
                                const struct platform_stat *before,
                                struct record *record, int64_t *out_done,
                                struct error *err)
{
    const char *name = copier->resuming.request->resumable;
    CLEANUP_FD int to = -1;
    int64_t offset = 0;
    err_code code = begin_resumable(copier, &record->source, &to, &offset, err);

    copier->resuming.offset = offset;
    if (!code && lseek(from, offset, SEEK_SET) < 0)
        code = error_set_errno(err, errno, "cannot read");
    *out_done = offset;
    if (code)
        return code;
    code = copy_stream_on(copier, from, to, offset, before->size_bytes,
                          out_done, err);
    record->hash = hasher_digest(copier->hasher);
    record->stamp.size_bytes = *out_done;
    if (code == ERR_CANCELLED && *out_done > offset &&
        note_resumable(copier, *out_done, NULL))
        return code; /* then from the row before */
    if (!code)
        code = fsops_set_metadata_fd(to, name, record,
                                     copier->context->metadata, err);
    return code;
}

err_code copy_resumable(struct copier *copier,
                        const struct copy_request *request, int from,
                        struct copy_result *out, struct error *err)
{
    struct platform_stat before;
    int64_t done = 0, read_ns = clock_now_ns();
    err_code code = platform_stat_fd(from, &before, err);

    if (code)
        return code;
    out->record = copy_new_record(&before);
    out->record.flags |= copy_racy_flag(&before, read_ns);
    code = copy_add_attributes(copier, from, &out->record, err);
    if (code)
        return code;
    out->is_resumable = true;
    copier->resuming.request = request;
    copier->resuming.source = out->record.source;
    platform_advise_sequential(from);
    code = write_resumable(copier, from, &before, &out->record, &done, err);
    copier->resuming.request = NULL;
    if (!code)
        code =
            copy_judge_changes(copier, from, done, &before, &out->record, err);
    if (!code || code == ERR_CANCELLED || error_is_device_failure(code))
        return code;
    /* What cannot be removed now is removed by the next run. */
    err_code discarded = discard_resumable(copier, request, NULL);
    (void)discarded;
    return code;
}
