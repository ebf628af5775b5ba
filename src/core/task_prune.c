#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/task_writing.h"

#include <stdlib.h>
#include <string.h>

const struct config_job *task_job_of(const struct task *task,
                                     const struct config_volume *volume,
                                     const struct owner *owner)
{
    const struct config_job *job = config_find_job(&task->config, owner->job);

    if (!job || strcmp(owner->host, task->host) != 0)
        return NULL;
    for (size_t i = 0; i < job->target_count; i++)
        if (!strcmp(job->targets[i].volume, volume->name) &&
            !strcmp(job->targets[i].directory, owner->directory))
            return job;
    return NULL;
}

/*
 * --- is anything held? ---
 */

/* Names in the history are parted by ", ". */
static bool has_name(const char *names, const char *name, size_t length)
{
    for (const char *at = names; at && *at; at = strstr(at, ", ")) {
        at += at != names ? strlen(", ") : 0;
        if (strcspn(at, ",") == length && !strncmp(at, name, length))
            return true;
    }
    return false;
}

struct held {
    struct strbuf seen; /* names of jobs whose last run was looked at */
    int64_t count;
};

/* Newest first: of each job only its last run counts. */
static err_code look_at_run(void *context, const struct run *run,
                            struct error *err)
{
    struct held *held = context;
    bool is_last = false;
    size_t length;

    if (!run->ended_ns)
        return ERR_OK;
    for (const char *name = run->jobs; *name;
         name += name[length] ? length + strlen(", ") : length) {
        length = strcspn(name, ",");
        if (has_name(held->seen.text, name, length))
            continue;
        is_last = true;
        strbuf_addf(&held->seen, "%s%.*s", held->seen.length ? ", " : "",
                    (int)length, name);
    }
    if (is_last)
        held->count += run->counts.held;
    return ERR_OK;
}

static err_code check_held(const struct config_volume *config,
                           struct catalogue *catalogue, const char *running,
                           struct error *err)
{
    struct held held = {.seen = STRBUF_INIT};
    char deletes[QUANTITY_SIZE];

    strbuf_adds(&held.seen, running ? running : "");
    err_code code = history_walk(catalogue, 0, look_at_run, &held, err);
    strbuf_release(&held.seen);
    if (!code && held.count)
        code = error_set(err, ERR_REFUSED,
                         "volume %s: %s %s held, and until that is decided "
                         "nothing is pruned: `berth diff %s` has the names",
                         config->name, format_count(held.count, deletes),
                         plural(held.count, "delete is", "deletes are"),
                         config->name);
    return code;
}

/*
 * --- which ---
 */

void pruning_release(struct pruning *pruning)
{
    prune_items_release(&pruning->items);
    version_list_release(&pruning->versions);
    arena_release(&pruning->arena);
}

static int64_t size_of(const struct version *version,
                       const struct volume *volume)
{
    struct platform_stat stat;

    if (version->has_record && version->reason != VERSION_FOREIGN &&
        version->record.stamp.size_bytes >= 0)
        return version->record.stamp.size_bytes;
    if (volume && !platform_stat_beneath(volume->root_fd, version->drive_path,
                                         &stat, NULL))
        return stat.size_bytes;
    return 0;
}

static bool is_named(const struct task *task, const struct config_job *job,
                     const struct config_volume *volume)
{
    const struct command *command = task->command;

    if (command->kind != COMMAND_PRUNE || !command->name_count)
        return true;
    for (size_t i = 0; i < command->name_count; i++)
        if (!strcmp(command->names[i], volume->name) ||
            (job && !strcmp(command->names[i], job->name)))
            return true;
    return false;
}

/* Versions of jobs that are not configured have no rule: they stay. */
static err_code add_owner(struct task *task, const struct config_volume *config,
                          struct catalogue *catalogue,
                          const struct volume *volume,
                          const struct owner *owner, struct pruning *out,
                          struct error *err)
{
    const struct config_job *job = task_job_of(task, config, owner);
    size_t first = out->versions.count;
    err_code code = catalogue_list_versions(catalogue, owner->id, "",
                                            &out->arena, &out->versions, err);

    if (code)
        return code;
    if (!job || !is_named(task, job, config)) {
        out->info.unruled_files += (int64_t)(out->versions.count - first);
        out->versions.count = first;
    }
    return ERR_OK;
}

/*
 * One clock's word removes nothing at night: a version is old when the run
 * before this one would have called it so, too. A machine whose clock stands a
 * year ahead for a night would have none left. Who asks for it is believed.
 */
static err_code believed_now_ns(const struct task *task,
                                struct catalogue *catalogue, int64_t *out,
                                struct error *err)
{
    int64_t now = clock_now_ns(), before = now;
    err_code code = ERR_OK;

    if (task->command->kind != COMMAND_PRUNE)
        code = history_before_latest_ns(catalogue, &before, err);
    *out = before < now ? before : now;
    return code;
}

/* What was asked of the history already; few runs have versions. */
struct ages {
    struct age {
        int64_t run, day, reached_ns;
    } * items;
    size_t count, capacity;
};

/* A version of a run whose clock was behind is as old as the runs before it. */
static err_code find_age(struct catalogue *catalogue, struct ages *ages,
                         struct prune_item *item, struct error *err)
{
    const struct version *version = item->version;
    struct age age = {.run = version->run,
                      .day = version->created_ns / (86400 * NS_PER_SECOND)};
    err_code code = ERR_OK;
    size_t i = 0;

    while (i < ages->count &&
           (ages->items[i].run != age.run || ages->items[i].day != age.day))
        i++;
    if (i == ages->count) {
        code = history_reached_before_ns(
            catalogue, version->run, version->created_ns, &age.reached_ns, err);
        ARRAY_PUSH(ages, age);
    }
    if (ages->items[i].reached_ns > item->since_ns)
        item->since_ns = ages->items[i].reached_ns;
    return code;
}

/* The list does not grow any more: items may point into it. */
static err_code add_items(struct catalogue *catalogue,
                          const struct volume *volume, struct pruning *out,
                          struct error *err)
{
    struct ages ages = {.items = NULL};
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < out->versions.count; i++) {
        const struct version *version = &out->versions.items[i];
        struct prune_item item = {version, version->created_ns,
                                  size_of(version, volume), false};
        code = find_age(catalogue, &ages, &item, err);
        ARRAY_PUSH(&out->items, item);
    }
    free(ages.items);
    return code;
}

static void apply_rules(struct task *task, const struct config_volume *config,
                        const struct owners *owners, int64_t now_ns,
                        struct pruning *out)
{
    size_t end;

    for (size_t i = 0; i < out->items.count; i = end) {
        int64_t owner = out->versions.items[i].owner;
        for (end = i + 1; end < out->items.count; end++)
            if (out->versions.items[end].owner != owner)
                break;
        for (size_t o = 0; o < owners->count; o++)
            if (owners->items[o].id == owner)
                prune_by_rule(
                    &task_job_of(task, config, &owners->items[o])->versions,
                    &out->items.items[i], end - i, now_ns);
    }
}

static void count(struct pruning *pruning)
{
    for (size_t i = 0; i < pruning->items.count; i++) {
        const struct prune_item *item = &pruning->items.items[i];
        *(item->goes ? &pruning->info.files : &pruning->info.left_files) += 1;
        *(item->goes ? &pruning->info.bytes : &pruning->info.left_bytes) +=
            item->size_bytes;
    }
}

err_code pruning_choose(struct task *task, const struct config_volume *config,
                        struct catalogue *catalogue,
                        const struct volume *volume, const char *running,
                        int64_t wanted_bytes, struct pruning *out,
                        struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    struct platform_space space = {.free_bytes = -1};
    err_code code = check_held(config, catalogue, running, err);

    if (!code)
        code = catalogue_list_owners(catalogue, &owners, err);
    for (size_t i = 0; !code && i < owners.count; i++)
        code = add_owner(task, config, catalogue, volume, &owners.items[i], out,
                         err);
    if (!code && volume)
        code = platform_space(volume->root_fd, &space, err);
    int64_t now_ns = 0;
    if (!code)
        code = believed_now_ns(task, catalogue, &now_ns, err);
    if (!code)
        code = add_items(catalogue, volume, out, err);
    if (code)
        return code;
    apply_rules(task, config, &owners, now_ns, out);
    if (wanted_bytes > space.free_bytes)
        prune_oldest(&out->items, wanted_bytes - space.free_bytes,
                     space.cluster_bytes);
    count(out);
    out->info.free_bytes = space.free_bytes;
    return ERR_OK;
}

err_code pruning_carry_out(struct task *task, struct session *session,
                           struct pruning *pruning, enum outcome *outcome,
                           struct error *err)
{
    struct prune_failures failures;
    char versions[QUANTITY_SIZE];
    err_code code = prune_marked(session, &pruning->items, &failures, err);

    pruning->info.files -= failures.files;
    pruning->info.bytes -= failures.bytes;
    pruning->info.left_files += failures.files;
    pruning->info.left_bytes += failures.bytes;
    if (failures.files) {
        task_say(task,
                 "volume %s: %s could not be removed, and will be tried again: "
                 "%s%s. Remove what stands there by hand, or prune as the "
                 "user whose it is",
                 session->volume->marker.name,
                 format_things(failures.files, "version", versions),
                 failures.files > 1 ? "the first is " : "", failures.first);
        *outcome = outcome_worse(*outcome, OUTCOME_FAILED_FILES);
    }
    free(failures.first);
    return code;
}

/*
 * --- telling ---
 */

void pruning_tell(struct task *task, const struct config_volume *config,
                  const struct pruning *pruning)
{
    struct event *event = task_event(task, EVENT_PRUNED);

    event->volume = xstrdup(config->name);
    event->prune = pruning->info;
    task_post(task, event);
}

static void tell_each(struct task *task, const struct config_volume *config,
                      const struct owners *owners,
                      const struct pruning *pruning)
{
    for (size_t i = 0; i < pruning->items.count; i++) {
        const struct prune_item *item = &pruning->items.items[i];
        const struct version *version = item->version;
        if (!item->goes)
            continue;
        struct event *event = task_event(task, EVENT_VERSION);
        for (size_t o = 0; o < owners->count; o++)
            if (owners->items[o].id == version->owner)
                event->job = xstrdup(owners->items[o].job);
        event->volume = xstrdup(config->name);
        event->path = xstrdup(version->path);
        event->text = xstrdup(version->drive_path);
        event->version = (struct version_info){
            .reason = version->reason,
            .run = version->run,
            .created_ns = version->created_ns,
            .size_bytes = item->size_bytes,
            .committed_ns =
                version->has_record ? version->record.committed_ns : 0,
        };
        task_post(task, event);
    }
}

/*
 * --- the command ---
 */

/* Without the drive the rules can be told, but not what is free. */
static err_code rehearse(struct task *task, const struct config_volume *config,
                         struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(pruning_release) struct pruning pruning = {.arena = ARENA_INIT};
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP_FREE char *path = NULL;
    int64_t wanted = task->command->free_bytes;
    err_code code = task_open_reader(task, config, &catalogue, &path, err);

    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code; /* never synced */
    err_code located =
        volume_locate(task->context->platform, config, &volume, err);
    if (located && (wanted || located != ERR_NOT_FOUND))
        return located;
    code = pruning_choose(task, config, catalogue, located ? NULL : &volume,
                          NULL, wanted, &pruning, err);
    if (!code)
        code = catalogue_list_owners(catalogue, &owners, err);
    if (code)
        return code;
    tell_each(task, config, &owners, &pruning);
    pruning.info.is_dry_run = true;
    pruning_tell(task, config, &pruning);
    return ERR_OK;
}

static err_code carry_out(struct writing *writing, struct pruning *pruning,
                          enum outcome *outcome, struct error *err)
{
    struct platform_space space = {.free_bytes = 0};
    err_code code = writing_begin(writing, "prune", err);

    if (code)
        return code;
    code = pruning_carry_out(writing->task, &writing->session, pruning, outcome,
                             err);
    if (!code)
        code = platform_space(writing->volume.root_fd, &space, err);
    if (!code)
        pruning->info.free_bytes = space.free_bytes;
    return writing_close(writing, code, err);
}

static err_code prune_volume(struct task *task,
                             const struct config_volume *config,
                             enum outcome *outcome, struct error *err)
{
    CLEANUP(writing_release)
    struct writing writing = {
        .task = task, .config = config, .volume = VOLUME_INIT};
    CLEANUP(pruning_release) struct pruning pruning = {.arena = ARENA_INIT};
    int64_t wanted = task->command->free_bytes;
    char bytes[QUANTITY_SIZE], free_bytes[QUANTITY_SIZE];

    if (task->command->dry_run)
        return rehearse(task, config, err);
    err_code code = writing_open(&writing, "berth prune", err);
    if (!code)
        code = pruning_choose(task, config, writing.catalogue, &writing.volume,
                              NULL, wanted, &pruning, err);
    if (!code && pruning.info.files)
        code = carry_out(&writing, &pruning, outcome, err);
    if (code)
        return code;
    pruning_tell(task, config, &pruning);
    if (pruning.info.free_bytes < wanted)
        return error_set(err, ERR_NO_SPACE,
                         "volume %s: %s are free, not %s, and no version is "
                         "left that may go",
                         config->name,
                         format_bytes(pruning.info.free_bytes, free_bytes),
                         format_bytes(wanted, bytes));
    return ERR_OK;
}

err_code task_prune(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};
    const struct command *command = task->command;
    bool names_nothing = !command->name_count;
    size_t served = 0;
    err_code code = task_select_pairs(task, &pairs, err);

    if (!code && command->free_bytes &&
        pairs.items[0].volume != pairs.items[pairs.count - 1].volume)
        code =
            error_set(err, ERR_INVALID, "--free is about one volume: name it");
    for (size_t i = 0; !code && i < pairs.count; i++) {
        const struct config_volume *config = pairs.items[i].volume;
        if (i && pairs.items[i - 1].volume == config)
            continue;
        code = prune_volume(task, config, outcome, err);
        /* Without names: what is there. */
        if (code == ERR_NOT_FOUND && names_nothing)
            code = ERR_OK;
        else
            served++;
    }
    if (!code && !served)
        code = error_set(err, ERR_NOT_FOUND,
                         "none of the volumes is attached: plug a drive in, or "
                         "add --dry-run");
    return code;
}
