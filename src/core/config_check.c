/*
 * What must hold between the entries of one file. Places are compared without
 * regard to case and Unicode form: the volume may be one (exFAT, APFS) where
 * they are the same directory, and nobody misses the others.
 */
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/config_internal.h"
#include "core/names.h"

#include <stdlib.h>
#include <string.h>

/* Where a target's directory is: "volume:/a/b", or "/folder/a/b". */
struct place {
    char *path;
    size_t job, target;
};

struct places {
    struct place *items; /* sorted as path_compare does */
    size_t count;
};

struct check {
    const struct config *config;
    const struct config_text *text;
    struct error *err;
};

static err_code fail_at(const struct check *check, int line, const char *words)
{
    return config_fail(check->text, line, ERR_INVALID, check->err, "%s", words);
}

static int volume_line(const struct check *check, size_t volume,
                       const char *key)
{
    return config_text_line_of(check->text, "volumes", volume, key);
}

static int job_line(const struct check *check, size_t job, const char *key)
{
    return config_text_line_of(check->text, "jobs", job, key);
}

static int target_line(const struct check *check, size_t job, size_t target)
{
    const struct config_text *text = check->text;
    size_t list = config_text_child(text, 0, "jobs");
    size_t entry = list ? config_text_element(text, list, job) : 0;
    size_t array = entry ? config_text_child(text, entry, "targets") : 0;
    size_t element = array ? config_text_element(text, array, target) : 0;

    return element ? text->items[element].line : 0;
}

/* " (line 9)", or nothing for an entry that is not in the file yet. */
static void add_line(int line, struct strbuf *out)
{
    if (line)
        strbuf_addf(out, " (line %d)", line);
}

static void add_target(const struct config_target *target, struct strbuf *out)
{
    strbuf_addf(out, "\"%s:/", target->volume);
    config_excerpt(target->directory, strlen(target->directory), out);
    strbuf_addch(out, '"');
}

static err_code fail_name(const struct check *check, int line, const char *name,
                          const char *kind, int first_line)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    strbuf_addf(&words, "name = \"%s\" is that of a %s already", name, kind);
    add_line(first_line, &words);
    strbuf_adds(&words, ": use another, volumes and jobs share their names");
    return fail_at(check, line, words.text);
}

static err_code check_volume(const struct check *check, size_t index)
{
    const struct config_volume *volumes = check->config->volumes;
    const struct config_volume *volume = &volumes[index];
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const char *key = NULL;
    size_t other = 0;

    for (; other < index && !key; other++) {
        if (!strcmp(volumes[other].name, volume->name))
            return fail_name(check, volume_line(check, index, "name"),
                             volume->name, "volume",
                             volume_line(check, other, "name"));
        if (!strcmp(volumes[other].id, volume->id))
            key = "id";
        else if (volume->folder && volumes[other].folder &&
                 !strcmp(volumes[other].folder, volume->folder))
            key = "folder";
    }
    if (!key)
        return ERR_OK;
    strbuf_addf(&words, "%s of volume \"%s\" is that of volume \"%s\"", key,
                volume->name, volumes[other - 1].name);
    add_line(volume_line(check, other - 1, key), &words);
    strbuf_adds(&words, ": keep one of them");
    return fail_at(check, volume_line(check, index, key), words.text);
}

static err_code check_job_name(const struct check *check, size_t index)
{
    const struct config *config = check->config;
    const char *name = config->jobs[index].name;
    const struct config_volume *volume = config_find_volume(config, name);
    size_t other = 0;

    if (volume)
        return fail_name(
            check, job_line(check, index, "name"), name, "volume",
            volume_line(check, (size_t)(volume - config->volumes), "name"));
    while (strcmp(config->jobs[other].name, name))
        other++; /* at the latest at the job itself */
    if (other == index)
        return ERR_OK;
    return fail_name(check, job_line(check, index, "name"), name, "job",
                     job_line(check, other, "name"));
}

static err_code fail_target(const struct check *check, size_t job,
                            size_t target, const char *right)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const struct config_job *owner = &check->config->jobs[job];

    strbuf_adds(&words, "targets = ");
    add_target(&owner->targets[target], &words);
    strbuf_addf(&words, " in job \"%s\": %s", owner->name, right);
    return fail_at(check, target_line(check, job, target), words.text);
}

static err_code fail_unknown_volume(const struct check *check, size_t job,
                                    size_t target)
{
    CLEANUP(strbuf_release) struct strbuf right = STRBUF_INIT;
    const struct config *config = check->config;

    strbuf_adds(&right, "there is no such volume: ");
    if (!config->volume_count)
        strbuf_adds(&right, "add it to volumes");
    for (size_t i = 0; i < config->volume_count && i < 8; i++)
        strbuf_addf(&right, "%s\"%s\"", i ? ", " : "use one of ",
                    config->volumes[i].name);
    return fail_target(check, job, target, right.text);
}

static err_code check_targets(const struct check *check, size_t index)
{
    const struct config_job *job = &check->config->jobs[index];

    for (size_t i = 0; i < job->target_count; i++) {
        const char *name = job->targets[i].volume;
        const struct config_volume *volume =
            config_find_volume(check->config, name);
        if (!volume)
            return fail_unknown_volume(check, index, i);
        if (volume->role == VOLUME_READ_ONLY)
            return fail_target(check, index, i,
                               "that volume is read-only: use one whose role "
                               "is \"backup\"");
        for (size_t j = 0; j < i; j++)
            if (!strcmp(job->targets[j].volume, name))
                return fail_target(check, index, i,
                                   "use each volume once: a second copy on "
                                   "one drive does not outlive it");
    }
    return ERR_OK;
}

static err_code check_copies(const struct check *check, size_t index)
{
    const struct config_job *job = &check->config->jobs[index];
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    if (job->mode != JOB_MOVE || (size_t)job->min_copies <= job->target_count)
        return ERR_OK;
    strbuf_addf(&words,
                "min_copies = %d in job \"%s\": it has %zu target%s, so "
                "nothing would ever be moved: use %zu or add targets",
                job->min_copies, job->name, job->target_count,
                plural((int64_t)job->target_count, "", "s"), job->target_count);
    return fail_at(check, job_line(check, index, "min_copies"), words.text);
}

static void places_release(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->items[i].path);
    free(places->items);
}

static char *place_of(const struct config *config,
                      const struct config_target *target)
{
    const struct config_volume *volume =
        config_find_volume(config, target->volume);
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    struct strbuf place = STRBUF_INIT;

    strbuf_adds(&path, volume->folder ? volume->folder : "/");
    if (target->directory[0])
        path_append(&path, target->directory);
    /* Names of volumes are told apart by case, their directories are not. */
    if (!volume->folder)
        strbuf_addf(&place, "%s:", volume->name);
    name_fold(path.text, &place);
    if (!volume->folder && path.length == 1)
        strbuf_truncate(&place, place.length - 1);
    return strbuf_detach(&place);
}

static int compare_places(const void *one, const void *other)
{
    const struct place *left = one, *right = other;
    int order = path_compare(left->path, right->path);

    if (order)
        return order;
    return left->job < right->job ? -1 : left->job > right->job;
}

static void find_places(const struct config *config, struct places *out)
{
    size_t count = 0;

    for (size_t i = 0; i < config->job_count; i++)
        count += config->jobs[i].target_count;
    out->items = xcalloc(count, sizeof *out->items);
    for (size_t i = 0; i < config->job_count; i++) {
        const struct config_job *job = &config->jobs[i];
        for (size_t j = 0; j < job->target_count; j++)
            out->items[out->count++] =
                (struct place){place_of(config, &job->targets[j]), i, j};
    }
    qsort(out->items, count, sizeof *out->items, compare_places);
}

static err_code fail_overlap(const struct check *check,
                             const struct place *first,
                             const struct place *second)
{
    CLEANUP(strbuf_release) struct strbuf right = STRBUF_INIT;

    if (first->job > second->job) {
        const struct place *swap = first;
        first = second;
        second = swap;
    }
    const struct config_job *job = &check->config->jobs[first->job];
    strbuf_adds(&right, "it overlaps ");
    add_target(&job->targets[first->target], &right);
    strbuf_addf(&right, " of job \"%s\"", job->name);
    add_line(target_line(check, first->job, first->target), &right);
    strbuf_adds(&right, ": use a directory that neither contains the other "
                        "nor lies in it");
    return fail_target(check, second->job, second->target, right.text);
}

/*
 * What lies in a directory follows it directly in this order, so that an
 * overlap shows between neighbours.
 */
static err_code check_overlaps(const struct check *check,
                               const struct places *places)
{
    for (size_t i = 1; i < places->count; i++)
        if (path_is_within(places->items[i].path, places->items[i - 1].path))
            return fail_overlap(check, &places->items[i - 1],
                                &places->items[i]);
    return ERR_OK;
}

static err_code fail_source(const struct check *check, size_t index,
                            const struct place *place)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const struct config_job *job = &check->config->jobs[index];
    const struct config_job *owner = &check->config->jobs[place->job];

    strbuf_adds(&words, "source = \"");
    config_excerpt(job->source, strlen(job->source), &words);
    strbuf_addf(&words, "\" in job \"%s\": it overlaps the target ", job->name);
    add_target(&owner->targets[place->target], &words);
    strbuf_addf(&words, " of job \"%s\"", owner->name);
    add_line(target_line(check, place->job, place->target), &words);
    strbuf_adds(&words, ", so copies would be copied again: use a source that "
                        "neither contains it nor lies in it");
    return fail_at(check, job_line(check, index, "source"), words.text);
}

/* Only --folder volumes have a place that the configuration knows. */
static err_code check_sources(const struct check *check,
                              const struct places *places)
{
    for (size_t i = 0; i < check->config->job_count; i++) {
        CLEANUP(strbuf_release) struct strbuf source = STRBUF_INIT;
        name_fold(check->config->jobs[i].source, &source);
        for (size_t j = 0; j < places->count; j++)
            if (places->items[j].path[0] == '/' &&
                path_overlaps(source.text, places->items[j].path))
                return fail_source(check, i, &places->items[j]);
    }
    return ERR_OK;
}

/*
 * What a move takes away a mirror of the same place would delete from its
 * drive: perhaps the last copy but one, and every night anew.
 */
static err_code check_moves(const struct check *check, size_t index)
{
    const struct config_job *jobs = check->config->jobs;
    CLEANUP(strbuf_release) struct strbuf source = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    name_fold(jobs[index].source, &source);
    for (size_t i = 0; i < check->config->job_count; i++) {
        CLEANUP(strbuf_release) struct strbuf other = STRBUF_INIT;
        name_fold(jobs[i].source, &other);
        if (jobs[index].mode != JOB_MOVE || jobs[i].mode != JOB_MIRROR ||
            !path_overlaps(source.text, other.text))
            continue;
        strbuf_addf(&words, "job \"%s\" moves files away from where job \"%s\"",
                    jobs[index].name, jobs[i].name);
        add_line(job_line(check, i, "source"), &words);
        strbuf_addf(&words,
                    " mirrors them, which would delete its copies: use "
                    "\"update\" for \"%s\", or sources apart",
                    jobs[i].name);
        return fail_at(check, job_line(check, index, "source"), words.text);
    }
    return ERR_OK;
}

err_code config_check_together(const struct config *config,
                               const struct config_text *text,
                               struct error *err)
{
    const struct check check = {config, text, err};
    CLEANUP(places_release) struct places places = {.items = NULL};
    err_code code = ERR_OK;

    for (size_t i = 0; i < config->volume_count && !code; i++)
        code = check_volume(&check, i);
    for (size_t i = 0; i < config->job_count && !code; i++) {
        code = check_job_name(&check, i);
        if (!code)
            code = check_targets(&check, i);
        if (!code)
            code = check_copies(&check, i);
        if (!code)
            code = check_moves(&check, i);
    }
    if (code)
        return code;
    find_places(config, &places);
    code = check_overlaps(&check, &places);
    return code ? code : check_sources(&check, &places);
}
