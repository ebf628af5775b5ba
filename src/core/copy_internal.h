/*
 * Shared by the copy*.c files only.
 *
 *     copy.c         one file into staging
 *     copy_resume.c  a large one, perhaps from where an earlier run stopped
 */
#ifndef BERTH_COPY_INTERNAL_H
#define BERTH_COPY_INTERNAL_H

#include "core/copy.h"
#include "core/pipeline.h"

struct copier {
    const struct copy_context *context;
    struct fsops ops; /* on the volume */
    struct hasher *hasher;
    char *buffer;
    struct pipeline *pipeline;
    uint64_t scratch_number;
    struct strbuf attributes; /* of this file */
    bool lost_attributes;
    /* The resumable file that is being written; request NULL: none. */
    struct {
        const struct copy_request *request;
        struct signature source;
        int64_t offset; /* of the last row */
    } resuming;
};

err_code copy_check_stop(const struct copier *copier, struct error *err)
    MUST_CHECK;

/*
 * Moves bytes from `done` up to `limit`, hashing them; less where the source
 * ends early. `to` -1: only hashes. The hasher goes on.
 */
err_code copy_stream_on(struct copier *copier, int from, int to, int64_t done,
                        int64_t limit, int64_t *out_done, struct error *err)
    MUST_CHECK;
/* From nothing. */
err_code copy_stream(struct copier *copier, int from, int to, int64_t limit,
                     int64_t *out_done, struct error *err) MUST_CHECK;

struct record copy_new_record(const struct platform_stat *stat);
/* Adds the file's extended attributes; too many, or unreadable ones are left
 * out, which the result says. The copier keeps them until the next file. */
err_code copy_add_attributes(struct copier *copier, int from,
                             struct record *record, struct error *err)
    MUST_CHECK;
unsigned copy_racy_flag(const struct platform_stat *stat, int64_t read_ns);
/* ERR_CHANGED unless the source is what it was, or has only grown. */
err_code copy_judge_changes(struct copier *copier, int from, int64_t done,
                            const struct platform_stat *before,
                            struct record *record, struct error *err)
    MUST_CHECK;

/* Writes a row of what is being written, so often; nothing for other files. */
err_code copy_note_if_due(struct copier *copier, int to, int64_t done,
                          struct error *err) MUST_CHECK;
err_code copy_resumable(struct copier *copier,
                        const struct copy_request *request, int from,
                        struct copy_result *out, struct error *err) MUST_CHECK;

#endif
