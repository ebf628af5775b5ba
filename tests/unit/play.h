/*
 * A whole berth on a practice drive, for tests: a source directory, a drive, a
 * configuration with one job, and the engine. Commands are posted and waited
 * for; what their events said is collected.
 *
 *     struct play *play = play_new(JOB_MIRROR);
 *     struct answer answer = play_sync(play, DIFF_DEPTH_AUTO, 0);
 *     assert_int_equal(answer.outcome, OUTCOME_DONE);
 *     answer_release(&answer);
 *     play_free(play);
 *
 * Included once by a test program, after contract/scenery.h.
 */
#ifndef BERTH_TESTS_PLAY_H
#define BERTH_TESTS_PLAY_H

#include "core/base/array.h"
#include "core/catalogue.h"
#include "core/engine.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/traits.h"
#include "platform/platform.h"

#include <dirent.h>
#include <poll.h>

#define PLAY_JOB "job"
#define PLAY_VOLUME "usb"

struct play {
    char *sandbox, *source, *drive, *target, *config, *state;
    char *volume_id;
    struct platform *platform;
    struct engine *engine;
};

/* What the events of one command said. */
struct answer {
    enum outcome outcome;
    struct plan plan;      /* of a diff */
    struct sync_info sync; /* of a sync */
    struct paths failed;   /* files that did not arrive */
    struct strbuf words;   /* messages, failures and the last words */
};

static inline void answer_release(struct answer *answer)
{
    plan_release(&answer->plan);
    paths_release(&answer->failed);
    strbuf_release(&answer->words);
}

static inline void answer_take(struct answer *answer, struct event *event)
{
    if (event->text)
        strbuf_addf(&answer->words, "%s%s%s\n", event->path ? event->path : "",
                    event->path ? ": " : "", event->text);
    if (event->kind == EVENT_FILE_FAILED)
        ARRAY_PUSH(&answer->failed, xstrdup(event->path));
    if (event->kind == EVENT_PLAN) {
        plan_release(&answer->plan);
        answer->plan = event->plan;
        event->plan = (struct plan)PLAN_INIT;
    }
    if (event->kind == EVENT_JOB_SYNCED)
        answer->sync = event->sync;
    if (event->kind == EVENT_DONE)
        answer->outcome = event->outcome;
}

static inline struct answer play_run(struct play *play,
                                     struct command *command_taking)
{
    struct answer answer = {.plan = PLAN_INIT, .words = STRBUF_INIT};
    struct pollfd fd = {.fd = engine_wake_fd(play->engine), .events = POLLIN};
    uint64_t id = engine_post(play->engine, command_taking);
    bool is_done = false;

    while (!is_done) {
        struct event *event;
        if (poll(&fd, 1, 60000) != 1)
            fail_msg("the engine does not answer");
        while ((event = engine_next(play->engine))) {
            if (event->command == id)
                answer_take(&answer, event);
            is_done |= event->command == id && event->kind == EVENT_DONE;
            event_free(event);
        }
    }
    return answer;
}

static inline struct answer play_diff(struct play *play, enum diff_depth depth)
{
    struct command *command = command_new(COMMAND_DIFF);

    command->depth = depth;
    return play_run(play, command);
}

static inline struct answer play_sync(struct play *play, enum diff_depth depth,
                                      int64_t approved_deletes)
{
    struct command *command = command_new(COMMAND_SYNC);

    command->depth = depth;
    command->approved_deletes = approved_deletes;
    command_add_name(command, PLAY_JOB);
    return play_run(play, command);
}

static inline void play_must(struct answer answer)
{
    if (answer.outcome)
        fail_msg("exit code %d: %s", (int)answer.outcome, answer.words.text);
    answer_release(&answer);
}

static inline void play_start(struct play *play)
{
    const struct engine_options options = {
        .platform = play->platform,
        .config_path = play->config,
        .state_directory = play->state,
        .home = play->sandbox,
    };

    assert_int_equal(engine_new(&options, &play->engine, NULL), ERR_OK);
}

/* As a second process would: another engine on the same state. */
static inline void play_restart(struct play *play)
{
    engine_free(play->engine);
    play_start(play);
}

static inline void play_add_job(struct play *play, enum job_mode mode)
{
    struct command *command = command_new(COMMAND_JOB_ADD);
    struct config_job *job = &command->job;

    job->name = xstrdup(PLAY_JOB);
    job->source = xstrdup(play->source);
    job->mode = mode;
    job->targets = xcalloc(1, sizeof *job->targets);
    job->target_count = 1;
    assert_int_equal(
        config_parse_target(PLAY_VOLUME ":/data", job->targets, NULL), ERR_OK);
    play_must(play_run(play, command));
}

static inline void play_add_volume(struct play *play)
{
    struct command *command = command_new(COMMAND_VOLUME_ADD);
    struct config config = CONFIG_INIT;

    command->path = xstrdup(play->drive);
    command->volume.name = xstrdup(PLAY_VOLUME);
    play_must(play_run(play, command));
    assert_int_equal(config_load(play->config, play->sandbox, &config, NULL),
                     ERR_OK);
    play->volume_id = xstrdup(config.volumes[0].id);
    config_release(&config);
}

/* `script` says what the drives are (practice.h); NULL: nothing. */
static inline struct play *play_new_on(enum job_mode mode, const char *script)
{
    struct play *play = xcalloc(1, sizeof *play);
    const char *temporary = getenv("TMPDIR");

    play->sandbox = xasprintf("%s/play-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(play->sandbox));
    assert_int_equal(setenv("BERTH_PRACTICE", play->sandbox, 1), 0);
    play->source = path_join(play->sandbox, "source");
    play->drive = path_join(play->sandbox, "drives/" PLAY_VOLUME);
    play->target = path_join(play->drive, "data");
    play->config = path_join(play->sandbox, "config/berth.conf");
    play->state = path_join(play->sandbox, "state");
    assert_int_equal(mkdir(play->source, 0755), 0);
    assert_int_equal(directory_ensure(play->drive, NULL), ERR_OK);
    if (script) {
        CLEANUP_FREE char *path = path_join(play->sandbox, "script");
        assert_int_equal(file_replace(path, script, strlen(script), 0600, NULL),
                         ERR_OK);
    }
    assert_int_equal(platform_new(&play->platform, NULL), ERR_OK);
    play_start(play);
    play_add_volume(play);
    play_add_job(play, mode);
    return play;
}

static inline struct play *play_new(enum job_mode mode)
{
    return play_new_on(mode, NULL);
}

static inline void play_free(struct play *play)
{
    engine_free(play->engine);
    platform_free(play->platform);
    remove_tree(play->sandbox);
    free(play->sandbox);
    free(play->source);
    free(play->drive);
    free(play->target);
    free(play->config);
    free(play->state);
    free(play->volume_id);
    free(play);
}

/* The catalogue of the drive, while no command runs. */
static inline struct catalogue *play_open_catalogue(struct play *play)
{
    struct catalogue *catalogue;
    CLEANUP_FREE char *path = NULL;

    assert_int_equal(
        host_catalogue_path(play->state, play->volume_id, &path, NULL), ERR_OK);
    assert_int_equal(catalogue_open(path, play->volume_id, &catalogue, NULL),
                     ERR_OK);
    return catalogue;
}

/* Lets berth believe that the drive can hold less, or more, than it can. */
static inline struct traits play_get_traits(struct play *play)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(play);
    struct traits traits;

    assert_int_equal(traits_load(catalogue, &traits, NULL), ERR_OK);
    return traits;
}

static inline void play_set_traits(struct play *play,
                                   const struct traits *traits)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(play);

    assert_int_equal(traits_store(catalogue, traits, NULL), ERR_OK);
}

/* --- trees as lists --- */

struct leaf {
    char *path; /* below the root of the tree */
    enum entry_type type;
    int64_t size_bytes, mtime_ns;
    uint32_t mode;
    struct hash hash;       /* of a file's content or a symlink's target */
    struct hash attributes; /* of a file's extended ones */
    long first_number;      /* a file's text begins with "NUMBER " */
};

struct leaves {
    struct leaf *items; /* by path_compare */
    size_t count, capacity;
};

static inline void leaves_release(struct leaves *leaves)
{
    for (size_t i = 0; i < leaves->count; i++)
        free(leaves->items[i].path);
    free(leaves->items);
    *leaves = (struct leaves){.items = NULL};
}

/* Where it cannot be opened, none. */
static inline void leaf_read_attributes(const char *path, struct leaf *leaf)
{
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        assert_int_equal(platform_read_attributes(fd, &found, NULL), ERR_OK);
    leaf->attributes = hash_of(found.text, found.length);
}

static inline void leaf_read(const char *path, struct leaf *leaf)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (leaf->type == ENTRY_FILE) {
        assert_int_equal(file_read(path, 1 << 24, &text, NULL), ERR_OK);
        leaf->first_number = strtol(text.text, NULL, 10);
        leaf_read_attributes(path, leaf);
    } else if (leaf->type == ENTRY_SYMLINK) {
        char target[PATH_MAX];
        ssize_t length = readlink(path, target, sizeof target);
        assert_true(length >= 0);
        strbuf_add(&text, target, (size_t)length);
    }
    leaf->hash = hash_of(text.text, text.length);
}

/* Berth's own directory is no part of a tree. */
static inline void leaves_collect(const char *root, const char *below,
                                  struct leaves *out)
{
    CLEANUP_FREE char *directory = path_join(root, below);
    DIR *entries = opendir(*below ? directory : root);

    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") ||
            !strcmp(name, ".berth"))
            continue;
        CLEANUP_FREE char *path = path_join(below, name);
        CLEANUP_FREE char *whole = path_join(root, path);
        struct stat found;
        assert_int_equal(lstat(whole, &found), 0);
        struct leaf leaf = {
            .path = xstrdup(path),
            .type = S_ISDIR(found.st_mode)   ? ENTRY_DIRECTORY
                    : S_ISLNK(found.st_mode) ? ENTRY_SYMLINK
                                             : ENTRY_FILE,
            .size_bytes = S_ISDIR(found.st_mode) ? 0 : (int64_t)found.st_size,
            .mtime_ns = clock_from_timespec(found.st_mtim),
            .mode = (uint32_t)found.st_mode & 07777,
        };
        leaf_read(whole, &leaf);
        ARRAY_PUSH(out, leaf);
        if (leaf.type == ENTRY_DIRECTORY)
            leaves_collect(root, path, out);
    }
    closedir(entries);
}

static inline int leaf_compare(const void *one, const void *other)
{
    return path_compare(((const struct leaf *)one)->path,
                        ((const struct leaf *)other)->path);
}

static inline struct leaves leaves_of(const char *root)
{
    struct leaves leaves = {.items = NULL};

    leaves_collect(root, "", &leaves);
    if (leaves.count)
        qsort(leaves.items, leaves.count, sizeof *leaves.items, leaf_compare);
    return leaves;
}

static inline struct leaf *leaves_find(const struct leaves *leaves,
                                       const char *path)
{
    struct leaf key = {.path = xstrdup(path)};
    struct leaf *found = leaves->count
                             ? bsearch(&key, leaves->items, leaves->count,
                                       sizeof *leaves->items, leaf_compare)
                             : NULL;

    free(key.path);
    return found;
}

#endif
