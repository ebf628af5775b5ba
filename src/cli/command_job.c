#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- job add --- */

static err_code set_source(struct command *request, const char *value,
                           struct error *err)
{
    CLEANUP_FREE char *here =
        *value == '/' || *value == '~' ? NULL : getcwd(NULL, 0);
    CLEANUP_FREE char *joined = here ? path_join(here, value) : xstrdup(value);

    free(request->job.source);
    request->job.source = path_clean(joined);
    return ERR_OK;
}

static err_code add_target(struct command *request, const char *value,
                           struct error *err)
{
    struct config_job *job = &request->job;
    struct config_target target;
    err_code code = config_parse_target(value, &target, err);

    if (code)
        return code;
    job->targets =
        xrealloc(job->targets, (job->target_count + 1) * sizeof *job->targets);
    job->targets[job->target_count++] = target;
    return ERR_OK;
}

static err_code set_mode(struct command *request, const char *value,
                         struct error *err)
{
    static const enum job_mode modes[] = {JOB_MIRROR, JOB_UPDATE, JOB_MOVE};

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(value, job_mode_name(modes[i])) != 0)
            continue;
        request->job.mode = modes[i];
        return ERR_OK;
    }
    return error_set(err, ERR_INVALID,
                     "--mode %s: use \"mirror\" (deletes follow, as versions), "
                     "\"update\" (nothing is deleted) or \"move\" (local files "
                     "go once enough copies are proved)",
                     value);
}

static void add_string(char ***items, size_t *count, const char *value)
{
    *items = xrealloc(*items, (*count + 1) * sizeof **items);
    (*items)[(*count)++] = xstrdup(value);
}

static err_code add_include(struct command *request, const char *value,
                            struct error *err)
{
    add_string(&request->job.include, &request->job.include_count, value);
    return ERR_OK;
}

static err_code add_exclude(struct command *request, const char *value,
                            struct error *err)
{
    add_string(&request->job.exclude, &request->job.exclude_count, value);
    return ERR_OK;
}

static err_code set_claim(struct command *request, const char *value,
                          struct error *err)
{
    request->claim = true;
    return ERR_OK;
}

static err_code set_schedule(struct command *request, const char *value,
                             struct error *err)
{
    if (!config_schedule_is_valid(value))
        return error_set(err, ERR_INVALID,
                         "--schedule %s: give a time as in \"02:00\", or "
                         "\"on-plug\"",
                         value);
    free(request->job.schedule);
    request->job.schedule = xstrdup(value);
    return ERR_OK;
}

static err_code take_name(struct command *request,
                          const struct cli_words *words, struct error *err)
{
    request->job.name = xstrdup(words->items[0]);
    return ERR_OK;
}

static err_code check_add(const struct command *request, struct error *err)
{
    if (request->job.source && request->job.target_count)
        return ERR_OK;
    return error_set(err, ERR_INVALID,
                     "a job needs a source and a target: berth job add %s "
                     "--source DIR --target VOLUME:/DIR",
                     request->job.name);
}

static const struct cli_option add_options[] = {
    {"--source", "DIR", "what is synced", set_source},
    {"--target", "VOLUME:/DIR", "where to; may be given again", add_target},
    {"--mode", "MODE", "mirror (the default), update or move", set_mode},
    {"--include", "PATTERN", "only these files; may be given again",
     add_include},
    {"--exclude", "PATTERN", "not these; may be given again", add_exclude},
    {"--claim", NULL, "take targets over from another machine's job",
     set_claim},
    {"--schedule", "TIME", "02:00 or on-plug; then `berth schedule install`",
     set_schedule},
    {0},
};

static void print_nothing(struct cli_output *output, struct event *event)
{
}

const struct cli_command cli_job_add = {
    .name = "job add",
    .arguments = "NAME",
    .summary = "Make a job: a source directory, and where it goes",
    .details =
        "mirror: the drive becomes like the source; what is deleted or\n"
        "overwritten is kept as a version. update: nothing is ever deleted.\n"
        "A pattern without '/' is tried on names at any depth (*.tmp), one\n"
        "with '/' on the path below the source (/cache, build/).",
    .kind = COMMAND_JOB_ADD,
    .least_words = 1,
    .most_words = 1,
    .options = add_options,
    .take_words = take_name,
    .check = check_add,
    .print = print_nothing,
};

/* --- job list --- */

static json_t *job_to_json(const struct event *event)
{
    const struct job_info *info = &event->job_info;

    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o}", "name", event->job,
                     "source", cli_json_path(info->source), "target",
                     info->target, "volume", event->volume, "mode",
                     job_mode_name(info->mode), "last_sync",
                     cli_json_time(info->last_sync_ns));
}

static void print_job(struct cli_output *output, struct event *event)
{
    const struct job_info *info = &event->job_info;
    char when[32] = "never synced";

    if (info->is_unknown)
        snprintf(when, sizeof when, "last sync not known");
    if (output->json) {
        cli_json_add(output, "jobs", job_to_json(event));
        return;
    }
    if (info->last_sync_ns)
        clock_format_local(info->last_sync_ns, when, sizeof when);
    cli_print(output, "%-16s  %-6s  %s -> %s  %s\n", event->job,
              job_mode_name(info->mode), cli_name(info->source),
              cli_name(info->target), when);
}

const struct cli_command cli_job_list = {
    .name = "job list",
    .arguments = "",
    .summary = "Jobs, their targets and when each was last in sync",
    .kind = COMMAND_JOB_LIST,
    .print = print_job,
    .json_list = "jobs",
};

const struct cli_command cli_job_remove = {
    .name = "job remove",
    .arguments = "NAME",
    .summary = "Remove a job from the configuration; files stay everywhere",
    .kind = COMMAND_JOB_REMOVE,
    .least_words = 1,
    .most_words = 1,
    .print = print_nothing,
};

const struct cli_command cli_job_claim = {
    .name = "job claim",
    .arguments = "NAME",
    .summary = "Accept the filesystems of a job's source as they are now",
    .details =
        "Its source may be on another filesystem than before, and what was\n"
        "mounted below it may be gone, empty or another one: that is how it\n"
        "is meant. Also takes a target over from another machine's job, or\n"
        "from this job under an older name; what the source does not have\n"
        "stays on the drive then.",
    .kind = COMMAND_JOB_CLAIM,
    .least_words = 1,
    .most_words = 1,
    .print = print_nothing,
};
