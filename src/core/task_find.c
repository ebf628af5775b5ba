#include "core/task.h"

#include "core/base/path.h"
#include "core/filter.h"

#include <stdlib.h>
#include <string.h>

struct finding {
    struct task *task;
    const struct config_volume *volume;
    const struct owner *owner;
    struct filter *filter;
};

/* The path in the job, or with the job's directory on the volume before it. */
static bool matches(const struct finding *finding, const char *path)
{
    CLEANUP_FREE char *full = path_join(finding->owner->directory, path);

    return filter_judge(finding->filter, path, false) == FILTER_TAKE ||
           filter_judge(finding->filter, full, false) == FILTER_TAKE;
}

static void post_found(const struct finding *finding, const char *path,
                       const struct found_info *info)
{
    struct event *event = task_event(finding->task, EVENT_FOUND);

    event->volume = xstrdup(finding->volume->name);
    event->job = xstrdup(finding->owner->job);
    event->path = path_join(finding->owner->directory, path);
    event->found = *info;
    event->found.is_ours = !strcmp(finding->owner->host, finding->task->host);
    task_post(finding->task, event);
}

static err_code visit_row(void *context, const char *path,
                          const char *drive_path, const struct record *row,
                          struct error *err)
{
    const struct finding *finding = context;

    if (stop_flag_is_raised(&finding->task->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    if (row->type == ENTRY_DIRECTORY || !matches(finding, path))
        return ERR_OK;
    const struct found_info info = {
        .state =
            row->flags & RECORD_OFFLOADED ? FOUND_OFFLOADED : FOUND_PRESENT,
        .size_bytes = row->stamp.size_bytes,
        .mtime_ns = row->source.mtime_ns,
    };
    post_found(finding, path, &info);
    return ERR_OK;
}

static err_code visit_version(void *context, const struct version *version,
                              struct error *err)
{
    const struct finding *finding = context;

    if (!matches(finding, version->path))
        return ERR_OK;
    struct found_info info = {
        .state = FOUND_VERSION,
        .size_bytes = NO_SIZE,
        .replaced_ns = version->created_ns,
    };
    if (version->has_record) {
        info.size_bytes = version->record.stamp.size_bytes;
        info.mtime_ns = version->record.source.mtime_ns;
    }
    post_found(finding, version->path, &info);
    return ERR_OK;
}

static err_code find_of_owner(const struct finding *of_volume,
                              struct catalogue *catalogue,
                              const struct owner *owner, struct error *err)
{
    struct finding finding = *of_volume;

    finding.owner = owner;
    err_code code = catalogue_walk(catalogue, owner, visit_row, &finding, err);
    if (!code)
        code = catalogue_walk_versions(catalogue, owner->id, "", visit_version,
                                       &finding, err);
    return code;
}

static err_code find_on_volume(struct finding *finding, struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP_FREE char *path = NULL;
    err_code code = task_open_reader(finding->task, finding->volume, &catalogue,
                                     &path, err);

    if (code == ERR_NOT_FOUND) /* known, never synced */
        return ERR_OK;
    if (!code)
        code = catalogue_list_owners(catalogue, &owners, err);
    for (size_t i = 0; !code && i < owners.count; i++)
        code = find_of_owner(finding, catalogue, &owners.items[i], err);
    return code;
}

err_code task_find(struct task *task, enum outcome *outcome, struct error *err)
{
    const char *const pattern = task->command->path;
    struct finding finding = {.task = task};
    err_code code = filter_check(pattern, err);

    if (code)
        return code;
    finding.filter = filter_new(&pattern, 1, NULL, 0, true);
    for (size_t i = 0; !code && i < task->config.volume_count; i++) {
        finding.volume = &task->config.volumes[i];
        code = find_on_volume(&finding, err);
    }
    filter_free(finding.filter);
    return code;
}
