#include "core/execute_directories.h"

#include "core/base/path.h"
#include "core/names.h"

#include <stdlib.h>
#include <string.h>

/* --- the job's own --- */

static err_code check_component(const struct execute_options *options,
                                const char *name, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf encoded = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;

    name_key(name, &key);
    if (name_encode(key.text, &options->session->traits.names, &encoded) &&
        !strcmp(encoded.text, key.text))
        return ERR_OK;
    name_display(name, &shown);
    return error_set(err, ERR_REFUSED,
                     "volume %s cannot hold a directory called \"%s\": give "
                     "the job another target",
                     options->session->volume->marker.name, shown.text);
}

err_code execute_ensure_job_directory(const struct execute_options *options,
                                      struct error *err)
{
    struct fsops *ops = &options->session->ops;
    const char *directory = options->directory;
    struct platform_stat stat;
    bool exists;
    err_code code = ERR_OK;

    if (!*directory)
        return ERR_OK;
    /* What is there can be; what is wrong with a look, making it tells. */
    if (fsops_look(ops, directory, &exists, &stat, NULL))
        exists = false;
    for (const char *at = directory; !exists && !code && *at;) {
        CLEANUP_FREE char *name = xstrndup(at, strcspn(at, "/"));
        code = check_component(options, name, err);
        at += strlen(name);
        at += strspn(at, "/");
    }
    return code ? code : fsops_ensure_directory(ops, directory, err);
}

/* --- those below --- */

struct finishing {
    const struct execute_options *options;
    struct run_counts *counts;
    struct execute_report *report;
};

/* A directory's time changes with each name in it, so it is set at the end. */
static err_code finish_directory(const struct finishing *finishing,
                                 const char *raw, const char *drive,
                                 struct error *err)
{
    const struct execute_options *options = finishing->options;
    struct session *session = options->session;
    CLEANUP_FREE char *path = path_join(options->directory, drive);
    struct platform_stat stat;

    if (!*path || source_stat(options->source, raw, &stat, NULL) ||
        stat.type != PLATFORM_DIRECTORY)
        return ERR_OK; /* gone meanwhile: the next run's business */
    struct record record = {
        .type = ENTRY_DIRECTORY,
        .source = signature_of(&stat),
        .mode = stat.mode,
        .uid = stat.uid,
        .gid = stat.gid,
    };
    /* What could not be moved out of its way may still stand there. */
    if (platform_stat_beneath(session->volume->root_fd, path, &stat, NULL) ||
        stat.type != PLATFORM_DIRECTORY)
        return ERR_OK;
    err_code code = fsops_set_metadata(&session->ops, path, &record,
                                       traits_metadata(&session->traits), err);
    if (!code || error_is_device_failure(code))
        return code;
    finishing->counts->failed++;
    execute_report_failure(finishing->report, options, drive, code,
                           err->message);
    return ERR_OK;
}

static bool changes_its_directory(const struct action *action)
{
    switch ((enum action_kind)action->kind) {
    case ACTION_NEW:
    case ACTION_UPDATE:
    case ACTION_RENAME:
    case ACTION_DELETE:
    case ACTION_MKDIR:
    case ACTION_RMDIR:
        return true;
    default:
        return false;
    }
}

/* Once where entries of one directory follow each other in the plan. */
static err_code finish_parent(const struct finishing *finishing,
                              const char *raw, const char *drive, char **last,
                              struct error *err)
{
    CLEANUP_FREE char *raw_parent = xstrndup(raw, path_parent_length(raw));
    CLEANUP_FREE char *parent = xstrndup(drive, path_parent_length(drive));

    if (*last && !strcmp(*last, parent))
        return ERR_OK;
    free(*last);
    *last = xstrdup(parent);
    return finish_directory(finishing, raw_parent, parent, err);
}

/* The one that a renamed file has left. How the source spells it is not known:
 * one that is no longer found under its key keeps its time. */
static err_code finish_old_parent(const struct finishing *finishing,
                                  const struct rename_from *from, char **last,
                                  struct error *err)
{
    const char *drive = from->drive ? from->drive : from->path;

    return finish_parent(finishing, from->path, drive, last, err);
}

/* Deepest first. */
err_code execute_finish_directories(const struct execute_options *options,
                                    struct run_counts *counts,
                                    struct execute_report *report,
                                    struct error *err)
{
    const struct finishing finishing = {options, counts, report};
    const struct plan *plan = options->plan;
    CLEANUP_FREE char *last = NULL, *last_old = NULL;
    err_code code = ERR_OK;

    for (size_t i = plan->count; !code && i-- > 0;) {
        const struct action *action = &plan->items[i];
        const char *raw = action_raw(action), *drive = action_drive(action);
        if (!changes_its_directory(action))
            continue;
        if (action->kind == ACTION_MKDIR)
            code = finish_directory(&finishing, raw, drive, err);
        if (!code)
            code = finish_parent(&finishing, raw, drive, &last, err);
        if (!code && action->kind == ACTION_RENAME)
            code =
                finish_old_parent(&finishing, action->rename, &last_old, err);
    }
    return code;
}
