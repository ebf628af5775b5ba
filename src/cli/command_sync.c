#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

static err_code set_dry_run(struct command *request, const char *value,
                            struct error *err)
{
    request->dry_run = true;
    return ERR_OK;
}

static err_code set_full(struct command *request, const char *value,
                         struct error *err)
{
    request->depth = DIFF_DEPTH_FULL;
    return ERR_OK;
}

static err_code set_eject(struct command *request, const char *value,
                          struct error *err)
{
    request->eject_after = true;
    return ERR_OK;
}

static err_code set_yes(struct command *request, const char *value,
                        struct error *err)
{
    request->mounts = true;
    return ERR_OK;
}

static err_code set_deletes(struct command *request, const char *value,
                            struct error *err)
{
    char *end;

    errno = 0;
    long long count = strtoll(value, &end, 10);
    if (errno || *end || end == value || count < 1)
        return error_set(err, ERR_INVALID,
                         "--deletes %s: give the exact number of held files",
                         value);
    request->approved_deletes = count;
    return ERR_OK;
}

static err_code set_scheduled(struct command *request, const char *value,
                              struct error *err)
{
    free(request->scheduled);
    request->scheduled = xstrdup(value);
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--dry-run", NULL, "say what would be done, change nothing", set_dry_run},
    {"--full", NULL, "read the drive's directories, too", set_full},
    {"--eject", NULL, "eject the drives that were synced", set_eject},
    {"--yes", NULL,
     "mount what is attached and not mounted; held deletes stay held", set_yes},
    {"--deletes", "N", "release exactly N held deletes of one job",
     set_deletes},
    {"--scheduled", "TIME",
     "started by a timer: note it, and say what was missed", set_scheduled},
    {0},
};

/* --- text
 * -----------------------------------------------------------------------------------
 */

static void add_part(struct strbuf *out, int64_t count, const char *words)
{
    char number[QUANTITY_SIZE];

    if (count)
        strbuf_addf(out, "%s%s %s", out->length ? ", " : "",
                    format_count(count, number), words);
}

static char *describe_counts(const struct event *event)
{
    const struct run_counts *counts = &event->sync.counts;
    struct strbuf out = STRBUF_INIT;

    /* An error follows: "nothing to do" would be a lie. */
    const char *none = event->code ? "nothing done" : "nothing to do";
    add_part(&out, counts->files_new, "new");
    add_part(&out, counts->files_updated, "changed");
    add_part(&out, counts->files_renamed, "renamed");
    add_part(&out, counts->files_deleted, "deleted");
    add_part(
        &out, counts->directories_made,
        plural(counts->directories_made, "new directory", "new directories"));
    add_part(&out, counts->directories_removed,
             plural(counts->directories_removed, "removed directory",
                    "removed directories"));
    if (!out.length)
        strbuf_adds(&out, none);
    return strbuf_detach(&out);
}

static void print_leftovers(struct cli_output *output,
                            const struct event *event)
{
    const struct sync_info *info = &event->sync;

    if (info->counts.failed)
        cli_print(output, "  %lld did not arrive\n",
                  (long long)info->counts.failed);
    if (info->lost)
        cli_print(output,
                  "  %lld offloaded to this drive and lost there, %lld of them "
                  "copied back from another\n",
                  (long long)info->lost, (long long)info->given_back);
    if (info->unreadable)
        cli_print(output, "  %lld cannot be read: left alone on the drive\n",
                  (long long)info->unreadable);
    if (info->too_young)
        cli_print(output, "  %lld changed too recently: next time\n",
                  (long long)info->too_young);
    if (info->conflicts)
        cli_print(output, "  %lld in conflict: `berth diff %s` names them\n",
                  (long long)info->conflicts, event->job);
    if (info->held)
        cli_print(
            output,
            "  %lld held: so many deletes at once look wrong. `berth diff "
            "%s` names them, `berth sync %s --deletes %lld` releases "
            "them\n",
            (long long)info->held, event->job, event->job,
            (long long)info->held);
}

static void print_synced(struct cli_output *output, const struct event *event)
{
    const struct sync_info *info = &event->sync;
    CLEANUP_FREE char *counts = describe_counts(event);
    char bytes[QUANTITY_SIZE], time[QUANTITY_SIZE], speed[QUANTITY_SIZE];

    cli_print(output, "%s -> %s: %s", event->job, event->volume, counts);
    if (info->counts.bytes_copied)
        cli_print(
            output, ", %s in %s, %s",
            format_bytes(info->counts.bytes_copied, bytes),
            format_duration(info->duration_ns, time),
            format_speed(info->counts.bytes_copied, info->duration_ns, speed));
    cli_print(output, "\n");
    print_leftovers(output, event);
    if (event->text)
        cli_complain(output, "%s -> %s: %s", event->job, event->volume,
                     event->text);
}

/* --- JSON
 * ----------------------------------------------------------------------------------
 */

static json_t *synced_to_json(const struct event *event)
{
    const struct sync_info *info = &event->sync;
    const struct run_counts *counts = &info->counts;

    return json_pack(
        "{s:s, s:s, s:I, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:s?}",
        "job", event->job, "volume", event->volume, "run",
        (json_int_t)info->run, "exit", (int)event->outcome, "full",
        info->was_full, "new", (json_int_t)counts->files_new, "changed",
        (json_int_t)counts->files_updated, "renamed",
        (json_int_t)counts->files_renamed, "deleted",
        (json_int_t)counts->files_deleted, "directories_made",
        (json_int_t)counts->directories_made, "directories_removed",
        (json_int_t)counts->directories_removed, "bytes_copied",
        (json_int_t)counts->bytes_copied, "failed", (json_int_t)counts->failed,
        "unreadable", (json_int_t)info->unreadable, "too_young",
        (json_int_t)info->too_young, "conflicts", (json_int_t)info->conflicts,
        "held", (json_int_t)info->held, "lost", (json_int_t)info->lost,
        "copied_back", (json_int_t)info->given_back, "seconds",
        (double)info->duration_ns / 1e9, "error", event->text);
}

static json_t *failed_to_json(const struct event *event)
{
    return json_pack("{s:s, s:s?, s:o, s:s, s:s?}", "job", event->job, "volume",
                     event->volume, "path", cli_json_path(event->path), "code",
                     error_code_name(event->code), "reason", event->text);
}

static void complain_pulled(struct cli_output *output,
                            const struct event *event)
{
    char when[32], files[QUANTITY_SIZE];

    clock_format_local(clock_now_ns(), when, sizeof when);
    cli_complain(output, "%s: PULLED %s: %s in flight, plug in to repair",
                 event->volume, when,
                 format_things(event->in_flight, "file", files));
}

static void print(struct cli_output *output, struct event *event)
{
    switch (event->kind) {
    case EVENT_PLAN:
        cli_print_diff(output, event);
        break;
    case EVENT_FILE_FAILED:
    case EVENT_FINDING:
        if (output->json)
            cli_json_add(output, "failed", failed_to_json(event));
        else if (!event->is_repeated)
            cli_complain(output, "%s: %s: %s", event->job,
                         cli_name(event->path), event->text);
        break;
    case EVENT_EJECT:
        cli_print_eject(output, event);
        break;
    case EVENT_TIDY_FILE:
    case EVENT_TIDIED:
        cli_print_tidy(output, event);
        break;
    case EVENT_PRUNED: /* in JSON `history RUN` names each */
        if (!output->json)
            cli_print_pruned(output, event);
        break;
    case EVENT_PULLED:
        if (!output->json)
            complain_pulled(output, event);
        break;
    case EVENT_JOB_SYNCED:
        if (output->json)
            cli_json_add(output, "jobs", synced_to_json(event));
        else
            print_synced(output, event);
        break;
    default:
        break;
    }
}

const struct cli_command cli_sync = {
    .name = "sync",
    .arguments = "[JOB|VOLUME…]",
    .summary = "Bring the drives up to date",
    .details =
        "Whole files only ever appear on the drive; what is replaced or\n"
        "deleted is kept under .berth/versions. An interrupted run is "
        "repaired\n"
        "by the next one. More deletes than a job's delete_cap are held.",
    .kind = COMMAND_SYNC,
    .most_words = 1000,
    .options = options,
    .print = print,
    .json_list = "jobs",
};
