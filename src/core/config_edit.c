/*
 * One thing added or removed: what is meant is worked out as values and must
 * pass the checks; the changed text is read again and must be that, before it
 * replaces the file.
 */
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/config_internal.h"
#include "core/filter.h"
#include "core/names.h"
#include "platform/platform_io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NEW_FILE_MODE 0600
/* Of 20 ms: five seconds. */
#define LOCK_TRIES 250

static bool is_same_text(const char *one, const char *other)
{
    return one == other || (one && other && !strcmp(one, other));
}

static bool are_same_texts(char *const *one, size_t one_count,
                           char *const *other, size_t other_count)
{
    if (one_count != other_count)
        return false;
    for (size_t i = 0; i < one_count; i++)
        if (strcmp(one[i], other[i]))
            return false;
    return true;
}

static bool is_same_volume(const struct config_volume *one,
                           const struct config_volume *other)
{
    return is_same_text(one->name, other->name) &&
           is_same_text(one->id, other->id) && one->role == other->role &&
           one->mount == other->mount && one->bandwidth == other->bandwidth &&
           one->stale_after_ns == other->stale_after_ns &&
           is_same_text(one->folder, other->folder);
}

static bool are_same_targets(const struct config_job *one,
                             const struct config_job *other)
{
    if (one->target_count != other->target_count)
        return false;
    for (size_t i = 0; i < one->target_count; i++)
        if (strcmp(one->targets[i].volume, other->targets[i].volume) ||
            strcmp(one->targets[i].directory, other->targets[i].directory))
            return false;
    return true;
}

static bool are_same_amounts(const struct config_job *one,
                             const struct config_job *other)
{
    return one->versions.kind == other->versions.kind &&
           one->versions.amount == other->versions.amount &&
           one->delete_cap_percent == other->delete_cap_percent &&
           one->delete_cap_files == other->delete_cap_files &&
           one->min_copies == other->min_copies &&
           one->keep_local_ns == other->keep_local_ns &&
           one->settle_ns == other->settle_ns &&
           one->bandwidth == other->bandwidth;
}

static bool is_same_job(const struct config_job *one,
                        const struct config_job *other)
{
    return is_same_text(one->name, other->name) &&
           is_same_text(one->source, other->source) &&
           are_same_targets(one, other) && one->mode == other->mode &&
           are_same_texts(one->include, one->include_count, other->include,
                          other->include_count) &&
           are_same_texts(one->exclude, one->exclude_count, other->exclude,
                          other->exclude_count) &&
           are_same_amounts(one, other) && one->verify == other->verify &&
           one->cross_mounts == other->cross_mounts &&
           one->keep_junk == other->keep_junk &&
           is_same_text(one->schedule, other->schedule);
}

static bool is_same_config(const struct config *one, const struct config *other)
{
    if (one->volume_count != other->volume_count ||
        one->job_count != other->job_count)
        return false;
    for (size_t i = 0; i < one->volume_count; i++)
        if (!is_same_volume(&one->volumes[i], &other->volumes[i]))
            return false;
    for (size_t i = 0; i < one->job_count; i++)
        if (!is_same_job(&one->jobs[i], &other->jobs[i]))
            return false;
    return true;
}

err_code config_edit_begin(struct config_edit *edit, const char *path,
                           const char *home, struct strbuf *bytes,
                           struct error *err)
{
    edit->path = path;
    edit->home = home;
    edit->bytes = *bytes;
    *bytes = (struct strbuf)STRBUF_INIT;
    edit->text.path = path;
    edit->text.bytes = edit->bytes.text;
    edit->text.length = edit->bytes.length;
    err_code code = config_text_parse(&edit->text, err);
    if (!code)
        code = config_from_text(&edit->text, home, &edit->config, err);
    if (!code)
        code = config_check_together(&edit->config, &edit->text, err);
    return code;
}

void config_edit_release(struct config_edit *edit)
{
    config_text_release(&edit->text);
    config_release(&edit->config);
    strbuf_release(&edit->bytes);
    cleanup_fd(&edit->lock_fd);
}

static err_code finish(struct config_edit *edit, struct error *err)
{
    CLEANUP(config_release) struct config after = CONFIG_INIT;
    struct error problem = ERROR_INIT;

    if (config_load_bytes(edit->path, edit->home, &edit->bytes, &after,
                          &problem))
        return error_set(err, ERR_INTERNAL,
                         "%s stays as it was: changed by berth it would not "
                         "load: %s",
                         edit->path, problem.message);
    if (!is_same_config(&after, &edit->config))
        return error_set(err, ERR_INTERNAL,
                         "%s stays as it was: changed by berth it would mean "
                         "something else",
                         edit->path);
    return ERR_OK;
}

static int line_of(const struct config_edit *edit, const char *list,
                   size_t position)
{
    return config_text_line_of(&edit->text, list, position, "name");
}

static err_code check_name_is_free(const struct config_edit *edit,
                                   const char *name, struct error *err)
{
    const struct config *config = &edit->config;

    if (!name)
        return ERR_OK; /* reading the new entry will say so */
    const struct config_volume *volume = config_find_volume(config, name);
    const struct config_job *job = config_find_job(config, name);

    if (volume)
        return config_fail(
            &edit->text,
            line_of(edit, "volumes", (size_t)(volume - config->volumes)),
            ERR_EXISTS, err, "there is a volume \"%s\" already", name);
    if (job)
        return config_fail(
            &edit->text, line_of(edit, "jobs", (size_t)(job - config->jobs)),
            ERR_EXISTS, err, "there is a job \"%s\" already", name);
    return ERR_OK;
}

/* `there is no job "x"`; the name may hold anything. */
static err_code fail_not_found(const struct config_edit *edit, const char *kind,
                               const char *name, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;

    config_excerpt(name, strlen(name), &shown);
    return config_fail(&edit->text, 0, ERR_INVALID, err,
                       "there is no %s \"%s\": `berth %s list` shows what "
                       "there is",
                       kind, shown.text, strcmp(kind, "volume") ? "job" : kind);
}

/* The new entry as it will be read from the file, without the file. */
static err_code read_pieces(const struct config_edit *edit, const char *list,
                            const struct config_pieces *pieces,
                            struct config *out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(config_text_release) struct config_text text = CONFIG_TEXT_INIT;

    strbuf_addf(&bytes, "%s = ( {", list);
    for (size_t i = 0; i < pieces->count; i++)
        strbuf_addf(&bytes, " %s", pieces->items[i]);
    strbuf_adds(&bytes, " } );");
    text.path = edit->path;
    text.bytes = bytes.text;
    text.length = bytes.length;
    text.has_no_lines = true;
    err_code code = config_text_parse(&text, err);
    return code ? code : config_from_text(&text, edit->home, out, err);
}

static err_code fail_fraction(const struct config_edit *edit, const char *key,
                              struct error *err)
{
    return config_fail(&edit->text, 0, ERR_INVALID, err,
                       "%s: use whole seconds", key);
}

static err_code check_new_volume(const struct config_edit *edit,
                                 const struct config_volume *volume,
                                 struct error *err)
{
    err_code code = check_name_is_free(edit, volume->name, err);
    const struct config_volume *same =
        config_find_volume_id(&edit->config, volume->id ? volume->id : "");

    if (code)
        return code;
    if (same)
        return config_fail(
            &edit->text,
            line_of(edit, "volumes", (size_t)(same - edit->config.volumes)),
            ERR_EXISTS, err, "this volume is there already, as \"%s\"",
            same->name);
    if (volume->stale_after_ns % NS_PER_SECOND)
        return fail_fraction(edit, "stale_after", err);
    return ERR_OK;
}

err_code config_edit_add_volume(struct config_edit *edit,
                                const struct config_volume *volume,
                                struct error *err)
{
    CLEANUP(config_pieces_release) struct config_pieces pieces = {NULL, 0, 0};
    CLEANUP(config_release) struct config added = CONFIG_INIT;
    struct config *config = &edit->config;
    err_code code = check_new_volume(edit, volume, err);

    if (code)
        return code;
    config_write_volume(volume, &pieces);
    code = read_pieces(edit, "volumes", &pieces, &added, err);
    if (code)
        return code;
    config->volumes = xrealloc(config->volumes, (config->volume_count + 1) *
                                                    sizeof *config->volumes);
    config->volumes[config->volume_count++] = added.volumes[0];
    added.volume_count = 0;
    code = config_check_together(config, &edit->text, err);
    if (code)
        return code;
    config_splice_entry(&edit->text, &edit->bytes, "volumes", &pieces);
    return finish(edit, err);
}

static err_code check_new_job(const struct config_edit *edit,
                              const struct config_job *job, struct error *err)
{
    err_code code = check_name_is_free(edit, job->name, err);

    if (code)
        return code;
    if (job->keep_local_ns % NS_PER_SECOND)
        return fail_fraction(edit, "keep_local", err);
    if (job->settle_ns % NS_PER_SECOND)
        return fail_fraction(edit, "settle", err);
    if (job->versions.kind == KEEP_TIME && job->versions.amount % NS_PER_SECOND)
        return fail_fraction(edit, "versions", err);
    return ERR_OK;
}

err_code config_edit_add_job(struct config_edit *edit,
                             const struct config_job *job, struct error *err)
{
    CLEANUP(config_pieces_release) struct config_pieces pieces = {NULL, 0, 0};
    CLEANUP(config_release) struct config added = CONFIG_INIT;
    struct config *config = &edit->config;
    err_code code = check_new_job(edit, job, err);

    if (code)
        return code;
    config_write_job(job, &pieces);
    code = read_pieces(edit, "jobs", &pieces, &added, err);
    if (code)
        return code;
    config->jobs =
        xrealloc(config->jobs, (config->job_count + 1) * sizeof *config->jobs);
    config->jobs[config->job_count++] = added.jobs[0];
    added.job_count = 0;
    code = config_check_together(config, &edit->text, err);
    if (code)
        return code;
    config_splice_entry(&edit->text, &edit->bytes, "jobs", &pieces);
    return finish(edit, err);
}

static err_code check_is_unused(const struct config_edit *edit,
                                const char *volume, struct error *err)
{
    const struct config *config = &edit->config;

    for (size_t i = 0; i < config->job_count; i++)
        for (size_t j = 0; j < config->jobs[i].target_count; j++)
            if (!strcmp(config->jobs[i].targets[j].volume, volume))
                return config_fail(&edit->text, line_of(edit, "jobs", i),
                                   ERR_INVALID, err,
                                   "volume \"%s\" is a target of job \"%s\": "
                                   "remove the job or that target first",
                                   volume, config->jobs[i].name);
    return ERR_OK;
}

err_code config_edit_remove_volume(struct config_edit *edit, const char *name,
                                   struct error *err)
{
    struct config *config = &edit->config;
    const struct config_volume *found = config_find_volume(config, name);

    if (!found)
        return fail_not_found(edit, "volume", name, err);
    err_code code = check_is_unused(edit, name, err);
    if (code)
        return code;
    size_t position = (size_t)(found - config->volumes);
    config_splice_out(&edit->text, &edit->bytes,
                      config_text_child(&edit->text, 0, "volumes"), position);
    config_volume_release(&config->volumes[position]);
    config->volume_count--;
    memmove(&config->volumes[position], &config->volumes[position + 1],
            (config->volume_count - position) * sizeof *config->volumes);
    return finish(edit, err);
}

err_code config_edit_remove_job(struct config_edit *edit, const char *name,
                                struct error *err)
{
    struct config *config = &edit->config;
    const struct config_job *found = config_find_job(config, name);

    if (!found)
        return fail_not_found(edit, "job", name, err);
    size_t position = (size_t)(found - config->jobs);
    config_splice_out(&edit->text, &edit->bytes,
                      config_text_child(&edit->text, 0, "jobs"), position);
    config_job_release(&config->jobs[position]);
    config->job_count--;
    memmove(&config->jobs[position], &config->jobs[position + 1],
            (config->job_count - position) * sizeof *config->jobs);
    return finish(edit, err);
}

static err_code check_new_pattern(const struct config_edit *edit,
                                  const struct config_job *job,
                                  const char *pattern, struct error *err)
{
    int line = config_text_line_of(
        &edit->text, "jobs", (size_t)(job - edit->config.jobs), "exclude");
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    struct error problem = ERROR_INIT;

    if (filter_check(pattern, &problem)) {
        name_display(problem.message, &shown);
        return config_fail(&edit->text, 0, ERR_INVALID, err, "exclude: %s",
                           shown.text);
    }
    config_excerpt(pattern, strlen(pattern), &shown);
    for (size_t i = 0; i < job->exclude_count; i++)
        if (!strcmp(job->exclude[i], pattern))
            return config_fail(&edit->text, line, ERR_EXISTS, err,
                               "job \"%s\" excludes \"%s\" already", job->name,
                               shown.text);
    return ERR_OK;
}

static void splice_pattern(struct config_edit *edit, size_t position,
                           const char *pattern)
{
    const struct config_text *text = &edit->text;
    size_t group =
        config_text_element(text, config_text_child(text, 0, "jobs"), position);
    size_t array = config_text_child(text, group, "exclude");
    CLEANUP(strbuf_release) struct strbuf element = STRBUF_INIT;

    strbuf_adds(&element, array ? "" : "exclude = [ ");
    config_write_text(pattern, &element);
    strbuf_adds(&element, array ? "" : " ];");
    config_splice_element(text, &edit->bytes, array ? array : group,
                          element.text);
}

err_code config_edit_add_exclude(struct config_edit *edit, const char *job_name,
                                 const char *pattern, struct error *err)
{
    const struct config_job *found = config_find_job(&edit->config, job_name);

    if (!found)
        return fail_not_found(edit, "job", job_name, err);
    err_code code = check_new_pattern(edit, found, pattern, err);
    if (code)
        return code;
    size_t position = (size_t)(found - edit->config.jobs);
    splice_pattern(edit, position, pattern);
    struct config_job *job = &edit->config.jobs[position];
    job->exclude =
        xrealloc(job->exclude, (job->exclude_count + 1) * sizeof *job->exclude);
    job->exclude[job->exclude_count++] = xstrdup(pattern);
    return finish(edit, err);
}

static size_t find_pattern(const struct config_job *job, const char *pattern)
{
    size_t at = 0;

    while (at < job->exclude_count && strcmp(job->exclude[at], pattern) != 0)
        at++;
    return at;
}

err_code config_edit_remove_exclude(struct config_edit *edit,
                                    const char *job_name, const char *pattern,
                                    struct error *err)
{
    const struct config_job *found = config_find_job(&edit->config, job_name);

    if (!found)
        return fail_not_found(edit, "job", job_name, err);
    size_t at = find_pattern(found, pattern);
    if (at == found->exclude_count)
        return fail_not_found(edit, "pattern", pattern, err);
    size_t position = (size_t)(found - edit->config.jobs);
    size_t group = config_text_element(
        &edit->text, config_text_child(&edit->text, 0, "jobs"), position);
    config_splice_out(&edit->text, &edit->bytes,
                      config_text_child(&edit->text, group, "exclude"), at);
    struct config_job *job = &edit->config.jobs[position];
    free(job->exclude[at]);
    job->exclude_count--;
    memmove(&job->exclude[at], &job->exclude[at + 1],
            (job->exclude_count - at) * sizeof *job->exclude);
    return finish(edit, err);
}

static char *directory_of(const char *path)
{
    size_t length = path_parent_length(path);

    return length ? xstrndup(path, length) : xstrdup(".");
}

/* Of two that read it before either wrote, the first one's change would be
 * lost. Where a directory cannot be locked (some network mounts) nobody waits.
 */
static err_code lock_for_edit(struct config_edit *edit, const char *path,
                              struct error *err)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    CLEANUP_FREE char *directory = directory_of(path);
    CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    err_code code = fd < 0 ? ERR_OK : platform_try_lock(fd, NULL);

    for (int i = 0; code == ERR_BUSY && i < LOCK_TRIES; i++) {
        nanosleep(&pause, NULL);
        code = platform_try_lock(fd, NULL);
    }
    if (code == ERR_BUSY)
        return error_set(err, code,
                         "%s is being changed by another berth: try it again",
                         path);
    edit->lock_fd = TAKE_FD(fd);
    return ERR_OK;
}

/* No drive is absent and no file failed: the configuration is not ours. */
static err_code fail_to_write(const char *path, err_code code,
                              const struct error *why, struct error *err)
{
    if (code == ERR_DENIED || code == ERR_NOT_FOUND)
        return error_set(err, ERR_INVALID,
                         "%s: %s stays as it was: let this user write to its "
                         "directory, or change it yourself",
                         why->message, path);
    return error_set(err, code, "%s", why->message);
}

err_code config_edit_open(struct config_edit *edit, const char *path,
                          const char *home, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP_FREE char *directory = directory_of(path);
    struct error why = ERROR_INIT;
    err_code code = directory_ensure(directory, &why);

    if (code)
        return fail_to_write(path, code, &why, err);
    code = lock_for_edit(edit, path, err);
    if (!code)
        code = config_read_bytes(path, &bytes, err);
    return code ? code : config_edit_begin(edit, path, home, &bytes, err);
}

err_code config_edit_save(const struct config_edit *edit, struct error *err)
{
    struct error why = ERROR_INIT;
    err_code code = file_replace(edit->path, edit->bytes.text,
                                 edit->bytes.length, NEW_FILE_MODE, &why);

    return code ? fail_to_write(edit->path, code, &why, err) : ERR_OK;
}

err_code config_add_volume(const char *path, const char *home,
                           const struct config_volume *volume,
                           struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_add_volume(&edit, volume, err);
    return code ? code : config_edit_save(&edit, err);
}

err_code config_remove_volume(const char *path, const char *home,
                              const char *name, struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_remove_volume(&edit, name, err);
    return code ? code : config_edit_save(&edit, err);
}

err_code config_add_job(const char *path, const char *home,
                        const struct config_job *job, struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_add_job(&edit, job, err);
    return code ? code : config_edit_save(&edit, err);
}

err_code config_remove_job(const char *path, const char *home, const char *name,
                           struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_remove_job(&edit, name, err);
    return code ? code : config_edit_save(&edit, err);
}

err_code config_add_exclude(const char *path, const char *home,
                            const char *job_name, const char *pattern,
                            struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_add_exclude(&edit, job_name, pattern, err);
    return code ? code : config_edit_save(&edit, err);
}

err_code config_remove_exclude(const char *path, const char *home,
                               const char *job_name, const char *pattern,
                               struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_remove_exclude(&edit, job_name, pattern, err);
    return code ? code : config_edit_save(&edit, err);
}
