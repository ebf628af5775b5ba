/*
 * An entry as text: the settings that differ from the defaults, in the order
 * of the manual.
 */
#include "core/base/array.h"
#include "core/config_internal.h"

#include <stdlib.h>

void config_pieces_release(struct config_pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        free(pieces->items[i]);
    free(pieces->items);
}

void config_write_text(const char *value, struct strbuf *out)
{
    strbuf_addch(out, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            strbuf_addf(out, "\\%c", *value);
        else if ((unsigned char)*value < ' ')
            strbuf_addf(out, "\\x%02x", (unsigned)(unsigned char)*value);
        else
            strbuf_addch(out, *value);
    }
    strbuf_addch(out, '"');
}

static void add_raw_piece(struct config_pieces *pieces, const char *key,
                          const char *value)
{
    ARRAY_PUSH(pieces, xasprintf("%s = %s;", key, value));
}

static void add_text_piece(struct config_pieces *pieces, const char *key,
                           const char *value)
{
    CLEANUP(strbuf_release) struct strbuf quoted = STRBUF_INIT;

    config_write_text(value ? value : "", &quoted);
    add_raw_piece(pieces, key, quoted.text);
}

static void add_array_piece(struct config_pieces *pieces, const char *key,
                            char *const *values, size_t count)
{
    CLEANUP(strbuf_release) struct strbuf array = STRBUF_INIT;

    if (!count)
        return;
    strbuf_adds(&array, "[");
    for (size_t i = 0; i < count; i++) {
        strbuf_adds(&array, i ? ", " : " ");
        config_write_text(values[i], &array);
    }
    strbuf_adds(&array, " ]");
    add_raw_piece(pieces, key, array.text);
}

static void add_duration_piece(struct config_pieces *pieces, const char *key,
                               int64_t value, int64_t usual)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (value == usual)
        return;
    config_format_duration(value, &text);
    add_text_piece(pieces, key, text.text);
}

static void add_rate_piece(struct config_pieces *pieces, int64_t value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!value)
        return;
    config_format_bytes(value, &text);
    strbuf_adds(&text, "/s");
    add_text_piece(pieces, "bandwidth", text.text);
}

static void add_flag_piece(struct config_pieces *pieces, const char *key,
                           bool value)
{
    if (value)
        add_raw_piece(pieces, key, "true");
}

void config_write_volume(const struct config_volume *volume,
                         struct config_pieces *out)
{
    const struct config_volume usual = config_volume_defaults();

    add_text_piece(out, "name", volume->name);
    add_text_piece(out, "id", volume->id);
    if (volume->role != usual.role)
        add_text_piece(out, "role", volume_role_name(volume->role));
    if (volume->folder)
        add_text_piece(out, "folder", volume->folder);
    add_flag_piece(out, "mount", volume->mount);
    add_rate_piece(out, volume->bandwidth);
    add_duration_piece(out, "stale_after", volume->stale_after_ns,
                       usual.stale_after_ns);
}

static void add_targets_piece(struct config_pieces *pieces,
                              const struct config_job *job)
{
    struct config_pieces targets = {.items = NULL};

    for (size_t i = 0; i < job->target_count; i++)
        ARRAY_PUSH(&targets, xasprintf("%s:/%s", job->targets[i].volume,
                                       job->targets[i].directory));
    add_array_piece(pieces, "targets", targets.items, targets.count);
    config_pieces_release(&targets);
}

static void add_amount_pieces(struct config_pieces *pieces,
                              const struct config_job *job)
{
    const struct config_job usual = config_job_defaults();
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (job->versions.kind != usual.versions.kind ||
        job->versions.amount != usual.versions.amount) {
        config_format_keep_rule(&job->versions, &text);
        if (job->versions.kind == KEEP_COUNT)
            add_raw_piece(pieces, "versions", text.text);
        else
            add_text_piece(pieces, "versions", text.text);
    }
    if (job->delete_cap_percent != usual.delete_cap_percent ||
        job->delete_cap_files != usual.delete_cap_files) {
        strbuf_reset(&text);
        strbuf_addf(&text, "%d%%, %lld", job->delete_cap_percent,
                    (long long)job->delete_cap_files);
        add_text_piece(pieces, "delete_cap", text.text);
    }
    if (job->min_copies != usual.min_copies) {
        strbuf_reset(&text);
        strbuf_addf(&text, "%d", job->min_copies);
        add_raw_piece(pieces, "min_copies", text.text);
    }
}

void config_write_job(const struct config_job *job, struct config_pieces *out)
{
    const struct config_job usual = config_job_defaults();

    add_text_piece(out, "name", job->name);
    add_text_piece(out, "source", job->source);
    add_targets_piece(out, job);
    if (job->mode != usual.mode)
        add_text_piece(out, "mode", job_mode_name(job->mode));
    add_array_piece(out, "include", job->include, job->include_count);
    add_array_piece(out, "exclude", job->exclude, job->exclude_count);
    add_amount_pieces(out, job);
    if (job->verify != usual.verify)
        add_text_piece(out, "verify", job_verify_name(job->verify));
    add_duration_piece(out, "keep_local", job->keep_local_ns,
                       usual.keep_local_ns);
    add_duration_piece(out, "settle", job->settle_ns, usual.settle_ns);
    add_rate_piece(out, job->bandwidth);
    add_flag_piece(out, "cross_mounts", job->cross_mounts);
    add_flag_piece(out, "keep_junk", job->keep_junk);
    if (job->schedule)
        add_text_piece(out, "schedule", job->schedule);
}
