#include "core/task_places.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/import.h"
#include "core/journal.h"
#include "core/names.h"
#include "core/session.h"
#include "core/task_writing.h"

#include <stdlib.h>
#include <string.h>

/*
 * --- volumes ---
 */

static void holding_release(struct holding *holding)
{
    lock_release(&holding->lock);
    platform_inhibitor_release(holding->inhibitor);
    owners_release(&holding->owners);
    catalogue_close(holding->catalogue);
    volume_release(&holding->volume);
    free(holding->attach_message);
}

void holdings_release(struct holdings *holdings)
{
    for (size_t i = 0; i < holdings->count; i++)
        holding_release(&holdings->items[i]);
    free(holdings->items);
    *holdings = (struct holdings){.items = NULL};
}

/*
 * Other machines may have written there since this one last did: what they say
 * is learnt first. Where that is not to be had, what was known is the answer;
 * another berth that is at work there has learnt it when it began.
 */
static void learn(struct task *task, const struct config_volume *config)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP(lock_release) struct lock lock = LOCK_INIT;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    struct error err = ERROR_INIT;
    int64_t pending = 0;

    if (volume_locate(task->context->platform, config, &volume, NULL) ||
        lock_take(volume.root_fd, config->id, config->name,
                  "berth, which learns what other machines wrote", &lock,
                  NULL) ||
        task_open_catalogue(task, config, &catalogue, NULL) ||
        journal_pending_batch(catalogue, &pending, NULL) || pending)
        return; /* an interrupted run is repaired before anything is learnt */
    if (import_logs(catalogue, &volume, task->host, &err))
        task_say(task,
                 "volume %s: what other machines wrote there could not be "
                 "learnt: %s",
                 config->name, err.message);
}

static err_code open_holding(struct task *task,
                             const struct config_volume *config,
                             struct holdings *out, struct error *err)
{
    struct holding holding = {
        .config = config, .volume = VOLUME_INIT, .lock = LOCK_INIT};
    CLEANUP_FREE char *path = NULL;
    err_code code =
        task_open_reader(task, config, &holding.catalogue, &path, err);

    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code; /* never synced */
    learn(task, config);
    code = traits_load(holding.catalogue, &holding.traits, err);
    if (code == ERR_NOT_FOUND)
        code = ERR_OK;
    if (!code)
        code = catalogue_list_owners(holding.catalogue, &holding.owners, err);
    if (code)
        holding_release(&holding);
    else
        ARRAY_PUSH(out, holding);
    return code;
}

err_code holdings_open(struct task *task, struct holdings *out,
                       struct error *err)
{
    err_code code = ERR_OK;

    *out = (struct holdings){.items = NULL};
    for (size_t i = 0; !code && i < task->config.volume_count; i++)
        code = open_holding(task, &task->config.volumes[i], out, err);
    return code;
}

/* --- attaching --- */

static err_code repair(struct task *task, struct holding *holding,
                       const char *command, struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    struct session session;
    err_code code = task_open_catalogue(task, holding->config, &catalogue, err);
    const struct session_options options = {
        .volume = &holding->volume,
        .catalogue = catalogue,
        .host = task->host,
        .command = command,
    };

    if (!code)
        code = session_open(&options, &session, err);
    if (!code)
        session_release(&session);
    return code;
}

static err_code attach(struct task *task, struct holding *holding,
                       const char *command, struct error *err)
{
    const struct config_volume *config = holding->config;
    int64_t pending = 0;
    err_code code =
        volume_locate(task->context->platform, config, &holding->volume, err);

    if (!code)
        code = journal_pending_batch(holding->catalogue, &pending, err);
    if (!code && pending && !holding->volume.mount.is_read_only)
        code = repair(task, holding, command, err);
    if (!code)
        code = lock_take(holding->volume.root_fd, config->id, config->name,
                         command, &holding->lock, err);
    if (code) {
        volume_release(&holding->volume);
        holding->volume = (struct volume)VOLUME_INIT;
    } else {
        holding->inhibitor = task_inhibit(task, &holding->volume, command);
    }
    return code;
}

err_code holding_attach(struct task *task, struct holding *holding,
                        const char *command, struct error *err)
{
    struct error own = ERROR_INIT;

    if (!holding->was_tried) {
        holding->was_tried = true;
        holding->attach_code = attach(task, holding, command, &own);
        if (holding->attach_code)
            holding->attach_message = xstrdup(own.message);
    }
    if (holding->attach_code)
        return error_set(err, holding->attach_code, "%s",
                         holding->attach_message);
    return ERR_OK;
}

/*
 * --- words ---
 */

static void place_release(struct place *place)
{
    free(place->path);
    free(place->named);
}

void places_release(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        place_release(&places->items[i]);
    free(places->items);
    *places = (struct places){.items = NULL};
}

/* The volume of "VOLUME:/PATH"; NULL when the word is none. */
static const struct config_volume *volume_of(const struct config *config,
                                             const char *word)
{
    const char *colon = strstr(word, ":/");

    if (word[0] == '/' || !colon)
        return NULL;
    CLEANUP_FREE char *name = xstrndup(word, (size_t)(colon - word));
    return config_find_volume(config, name);
}

/* Each component as the catalogue knows it; `rules` NULL: a source's. */
static char *to_keys(const char *path, const struct name_rules *rules)
{
    CLEANUP(strbuf_release) struct strbuf decoded = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
    struct strbuf out = STRBUF_INIT;

    while (*path) {
        size_t length = strcspn(path, "/");
        CLEANUP_FREE char *name = xstrndup(path, length);
        strbuf_reset(&decoded);
        strbuf_reset(&key);
        if (rules)
            name_decode(name, rules, &decoded);
        name_key(rules ? decoded.text : name, &key);
        path_append(&out, key.text);
        path += path[length] ? length + 1 : length;
    }
    return strbuf_detach(&out);
}

/* What of `path` lies below `outer`. */
static const char *below(const char *path, const char *outer)
{
    const char *rest = path + strlen(outer);

    return *rest == '/' ? rest + 1 : rest;
}

static void add_place(struct places *out, struct holding *holding,
                      const struct owner *owner, const struct config_job *job,
                      char *path, const char *named, bool names_volume)
{
    struct place place = {.holding = holding,
                          .owner = owner,
                          .job = job,
                          .path = path,
                          .names_volume = names_volume,
                          .named = xstrdup(named)};

    ARRAY_PUSH(out, place);
}

static void find_on_volume(const struct task *task, struct holding *holding,
                           const char *path, struct places *out)
{
    for (size_t i = 0; i < holding->owners.count; i++) {
        const struct owner *owner = &holding->owners.items[i];
        char *keys = NULL;
        if (path_is_within(path, owner->directory))
            keys =
                to_keys(below(path, owner->directory), &holding->traits.names);
        else if (path_is_within(owner->directory, path))
            keys = xstrdup("");
        if (keys)
            add_place(out, holding, owner,
                      task_job_of(task, holding->config, owner), keys, path,
                      true);
    }
}

static void find_in_sources(const struct task *task, struct holding *holding,
                            const char *path, struct places *out)
{
    for (size_t i = 0; i < holding->owners.count; i++) {
        const struct owner *owner = &holding->owners.items[i];
        const struct config_job *job =
            task_job_of(task, holding->config, owner);
        char *keys = NULL;
        if (!job)
            continue;
        if (path_is_within(path, job->source))
            keys = to_keys(below(path, job->source), NULL);
        else if (path_is_within(job->source, path))
            keys = xstrdup("");
        if (keys)
            add_place(out, holding, owner, job, keys, path, false);
    }
}

static err_code find_volume_path(struct task *task, struct holdings *holdings,
                                 const struct config_volume *volume,
                                 const char *word, struct places *out,
                                 struct error *err)
{
    CLEANUP_FREE char *clean = path_clean(strstr(word, ":/") + 1);
    const char *path = clean + (*clean == '/');
    bool is_known = false;

    for (size_t i = 0; i < holdings->count; i++) {
        struct holding *holding = &holdings->items[i];
        if (holding->config != volume)
            continue;
        is_known = true;
        find_on_volume(task, holding, path, out);
    }
    if (!is_known)
        return error_set(
            err, ERR_INVALID,
            "this machine has no catalogue of volume %s yet: plug the "
            "drive in and run `berth sync`",
            volume->name);
    if (!out->count)
        return error_set(err, ERR_INVALID,
                         "nothing that berth wrote to volume %s is at /%s: "
                         "`berth job list` shows the directories",
                         volume->name, path);
    return ERR_OK;
}

err_code places_find(struct task *task, struct holdings *holdings,
                     const char *word, struct places *out, struct error *err)
{
    const struct config_volume *volume = volume_of(&task->config, word);

    *out = (struct places){.items = NULL};
    if (volume)
        return find_volume_path(task, holdings, volume, word, out, err);
    if (word[0] != '/')
        return error_set(err, ERR_INVALID,
                         "there is no volume of that name: %s. `berth volume "
                         "list` shows them",
                         word);
    for (size_t i = 0; i < holdings->count; i++)
        find_in_sources(task, &holdings->items[i], word, out);
    if (!out->count)
        return error_set(err, ERR_INVALID,
                         "%s lies in the source of no job that was synced: "
                         "`berth job list` shows the sources",
                         word);
    return ERR_OK;
}
