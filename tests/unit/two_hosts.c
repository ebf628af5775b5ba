/*
 * One drive, several machines: what one wrote the others know from the drive
 * alone, whatever was pulled or killed; targets that meet are refused, and
 * taking one over copies nothing twice, deletes nothing and rolls nothing
 * back.
 *
 * BERTH_SEED and BERTH_HISTORIES are as in engine_histories.c.
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
#include "core/commit_file.h"
#include "core/log_files.h"
#include "core/names.h"
#include "core/peers.h"
#include "unit/dice.h"
#include "unit/play.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* --- hosts --- */

static struct answer add_job(struct play *host, const char *directory)
{
    CLEANUP_FREE char *target = xasprintf(PLAY_VOLUME ":/%s", directory);
    struct command *command = command_new(COMMAND_JOB_ADD);
    struct config_job *job = &command->job;

    job->name = xstrdup(PLAY_JOB);
    job->source = xstrdup(host->source);
    job->mode = JOB_MIRROR;
    job->targets = xcalloc(1, sizeof *job->targets);
    job->target_count = 1;
    assert_int_equal(config_parse_target(target, job->targets, NULL), ERR_OK);
    return play_run(host, command);
}

/* Another machine with the same drive: knows it, has no job yet. */
static struct play *join(const struct play *first, const char *name)
{
    struct play *host = xcalloc(1, sizeof *host);

    host->sandbox = xasprintf("%s/%s", first->sandbox, name);
    host->source = path_join(host->sandbox, "source");
    host->drive = xstrdup(first->drive);
    host->target = xasprintf("%s/%s", first->drive, name);
    host->config = path_join(host->sandbox, "config/berth.conf");
    host->state = path_join(host->sandbox, "state");
    assert_int_equal(directory_ensure(host->source, NULL), ERR_OK);
    assert_int_equal(platform_new(&host->platform, NULL), ERR_OK);
    play_start(host);
    play_add_volume(host);
    return host;
}

/* It goes home; its state stays. */
static void leave(struct play *host)
{
    engine_free(host->engine);
    platform_free(host->platform);
    free(host->sandbox);
    free(host->source);
    free(host->drive);
    free(host->target);
    free(host->config);
    free(host->state);
    free(host->volume_id);
    free(host);
}

/* The same source, drive and configuration, and nothing remembered. */
static void lose_state(struct play *host)
{
    engine_free(host->engine);
    remove_tree(host->state);
    play_start(host);
}

static char *id_of(const struct play *host)
{
    char *id;

    assert_int_equal(host_id(host->state, &id, NULL), ERR_OK);
    return id;
}

static struct answer sync_now(struct play *host)
{
    return play_sync(host, DIFF_DEPTH_AUTO, 0);
}

static struct answer claim(struct play *host)
{
    struct command *command = command_new(COMMAND_JOB_CLAIM);

    command_add_name(command, PLAY_JOB);
    return play_run(host, command);
}

static int64_t copied(const struct answer *answer)
{
    return answer->sync.counts.files_new + answer->sync.counts.files_updated;
}

static void must_copy(struct play *host, int64_t files)
{
    struct answer answer = sync_now(host);

    if (answer.outcome)
        fail_msg("exit code %d: %s", (int)answer.outcome, answer.words.text);
    assert_int_equal(copied(&answer), files);
    answer_release(&answer);
}

static void must_end_in(struct answer answer, enum outcome outcome,
                        const char *words)
{
    if (answer.outcome != outcome || !strstr(answer.words.text, words))
        fail_msg("exit code %d: %s", (int)answer.outcome, answer.words.text);
    answer_release(&answer);
}

static void put(const struct play *host, const char *name, const char *text)
{
    CLEANUP_FREE char *path = path_join(host->source, name);
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));

    assert_int_equal(directory_ensure(parent, NULL), ERR_OK);
    assert_int_equal(file_replace(path, text, strlen(text), 0644, NULL),
                     ERR_OK);
}

static void set_age(const char *root, const char *name, int64_t seconds)
{
    CLEANUP_FREE char *path = path_join(root, name);
    const struct timespec then =
        clock_to_timespec(clock_now_ns() - seconds * NS_PER_SECOND);
    const struct timespec times[2] = {then, then};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void take_away(const struct play *host, const char *name)
{
    CLEANUP_FREE char *path = path_join(host->source, name);

    assert_int_equal(unlink(path), 0);
}

static void must_hold(const char *root, const char *name, const char *text)
{
    CLEANUP_FREE char *path = path_join(root, name);
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;

    if (file_read(path, 1 << 20, &found, NULL))
        fail_msg("%s is not there", path);
    assert_string_equal(found.text, text);
}

/* --- what a catalogue says of a host --- */

static err_code tell_row(void *context, const char *path,
                         const char *drive_path, const struct record *record,
                         struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct record portable = *record;
    char hex[HASH_HEX_SIZE];

    portable.child = 0;
    record_encode(&portable, &bytes);
    struct hash hash = hash_of(bytes.text, bytes.length);
    hash_to_hex(&hash, hex);
    strbuf_addf(context, "row %s %s %s\n", path, drive_path, hex);
    return ERR_OK;
}

static err_code tell_version(void *context, const struct version *version,
                             struct error *err)
{
    strbuf_addf(context, "version %s %s %d %lld\n", version->path,
                version->drive_path, (int)version->reason,
                (long long)version->created_ns);
    if (!version->has_record)
        return ERR_OK;
    return tell_row(context, version->path, "of it", &version->record, err);
}

static char *told_of(struct play *by, const char *host)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(by);
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    struct strbuf out = STRBUF_INIT;

    assert_int_equal(catalogue_list_owners(catalogue, &owners, NULL), ERR_OK);
    for (size_t i = 0; i < owners.count; i++) {
        const struct owner *owner = &owners.items[i];
        if (strcmp(owner->host, host) != 0)
            continue;
        strbuf_addf(&out, "owner %s %s %lld\n", owner->job, owner->directory,
                    (long long)owner->claims);
        assert_int_equal(catalogue_walk(catalogue, owner, tell_row, &out, NULL),
                         ERR_OK);
        assert_int_equal(catalogue_walk_versions(catalogue, owner->id, "",
                                                 tell_version, &out, NULL),
                         ERR_OK);
    }
    return strbuf_detach(&out);
}

/* A machine that has never seen the drive knows what `host` knows. */
static void check_drive_is_enough(struct play *first, struct play *host,
                                  const char *visitor, const char *log)
{
    CLEANUP_FREE char *id = id_of(host);
    CLEANUP_FREE char *known = told_of(host, id);
    struct play *stranger = join(first, visitor);
    CLEANUP_FREE char *learnt = told_of(stranger, id);

    if (strcmp(known, learnt) != 0)
        fail_msg("known:\n%s\nlearnt from the drive:\n%s\n%s", known, learnt,
                 log);
    leave(stranger);
}

static struct log_files list_logs(const struct play *host)
{
    struct log_files files = {.items = NULL};
    CLEANUP_FD int fd = open(host->drive, O_RDONLY | O_DIRECTORY);

    assert_int_equal(log_files_list(fd, &files, NULL), ERR_OK);
    return files;
}

static size_t count_logs(const struct play *host, bool replicas)
{
    CLEANUP(log_files_release) struct log_files files = list_logs(host);
    size_t count = 0;

    for (size_t i = 0; i < files.count; i++)
        count += files.items[i].is_replica == replicas;
    return count;
}

static void mark_due(struct play *host)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(host);
    CLEANUP_FREE char *id = id_of(host);

    assert_int_equal(peers_mark_due(catalogue, id, NULL), ERR_OK);
}

/* --- the drive alone --- */

static void an_empty_state_learns_from_commit_files(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    put(nas, "b/c:d", "two");
    must_copy(nas, 2);
    put(nas, "a", "three");
    must_copy(nas, 1);
    take_away(nas, "b/c:d");
    must_copy(nas, 0);
    /* One for each run, and one for each look at what was too fresh. */
    assert_true(count_logs(nas, false) >= 3);
    assert_int_equal(count_logs(nas, true), 0);
    check_drive_is_enough(nas, nas, "stranger", "");
    play_free(nas);
}

static void an_empty_state_learns_from_a_replica(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    must_copy(nas, 1);
    mark_due(nas);
    put(nas, "a", "two");
    must_copy(nas, 1);
    assert_int_equal(count_logs(nas, false), 0); /* the replica says it */
    assert_int_equal(count_logs(nas, true), 1);
    check_drive_is_enough(nas, nas, "stranger", "");
    put(nas, "b", "three");
    must_copy(nas, 1);
    check_drive_is_enough(nas, nas, "another", "");
    play_free(nas);
}

static void what_is_only_noted_is_told_as_well(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    assert_int_equal(mkdir(nas->target, 0755), 0);
    CLEANUP_FREE char *adopted = path_join(nas->target, "a");
    assert_int_equal(file_replace(adopted, "one", 3, 0644, NULL), ERR_OK);
    set_age(nas->source, "a", 1000);
    set_age(nas->target, "a", 1000);
    must_copy(nas, 0);
    check_drive_is_enough(nas, nas, "stranger", "");
    play_free(nas);
}

static void a_lost_state_reads_the_history_from_the_drive(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    must_copy(nas, 1);
    lose_state(nas);
    must_end_in(play_run(nas, command_new(COMMAND_HISTORY)), OUTCOME_DONE,
                PLAY_JOB " (");
    play_free(nas);
}

static void televisions_are_kept_out(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);
    CLEANUP_FREE char *path = path_join(nas->drive, ".berth/.nomedia");

    assert_int_equal(unlink(path), 0);
    put(nas, "a", "one");
    must_copy(nas, 1);
    assert_int_equal(access(path, F_OK), 0);
    play_free(nas);
}

static void a_log_that_was_removed_is_told_anew(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);
    CLEANUP_FREE char *commits = path_join(nas->drive, ".berth/commits");

    put(nas, "a", "one");
    must_copy(nas, 1);
    remove_tree(commits);
    put(nas, "b", "two");
    must_copy(nas, 1);
    check_drive_is_enough(nas, nas, "stranger", "");
    play_free(nas);
}

static void what_another_host_wrote_is_learnt_bit_by_bit(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);
    struct play *laptop = join(nas, "laptop");
    CLEANUP_FREE char *id = id_of(nas);

    play_must(add_job(laptop, "laptop"));
    for (int i = 0; i < 4; i++) {
        CLEANUP_FREE char *text = xasprintf("%d", i);
        put(nas, "a", text);
        put(nas, text, text);
        must_copy(nas, 2);
        put(laptop, "a", text);
        if (i == 2)
            mark_due(nas);
        must_copy(laptop, 1);
        CLEANUP_FREE char *known = told_of(nas, id);
        CLEANUP_FREE char *learnt = told_of(laptop, id);
        assert_string_equal(known, learnt);
    }
    leave(laptop);
    play_free(nas);
}

static void runs_of_all_hosts_stand_in_the_history(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    must_copy(nas, 1);
    put(nas, "a", "two");
    must_copy(nas, 1);
    struct play *laptop = join(nas, "laptop");
    struct command *command = command_new(COMMAND_HISTORY);
    struct answer answer = play_run(laptop, command);
    const char *first = strstr(answer.words.text, PLAY_JOB " (");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, PLAY_JOB " ("));
    answer_release(&answer);
    leave(laptop);
    play_free(nas);
}

/* --- hostile and damaged --- */

static char *path_of_log(const struct play *host, size_t at)
{
    CLEANUP(log_files_release) struct log_files files = list_logs(host);

    assert_true(at < files.count);
    return xasprintf("%s/.berth/commits/%s", host->drive, files.items[at].name);
}

static void a_damaged_file_is_passed_over(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    must_copy(nas, 1);
    CLEANUP_FREE char *id = id_of(nas);
    CLEANUP_FREE char *before = told_of(nas, id);
    put(nas, "a", "two");
    must_copy(nas, 1);
    CLEANUP_FREE char *path = path_of_log(nas, 1);
    assert_int_equal(truncate(path, 100), 0);
    struct play *laptop = join(nas, "laptop");
    CLEANUP_FREE char *learnt = told_of(laptop, id);
    assert_string_equal(learnt, before); /* up to the damage */
    play_must(add_job(laptop, "laptop"));
    must_copy(laptop, 0); /* and everything goes on */
    leave(laptop);
    play_free(nas);
}

static void a_newer_format_is_not_written_to(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);
    struct play *laptop = join(nas, "laptop");

    play_must(add_job(laptop, "laptop"));
    put(nas, "a", "one");
    must_copy(nas, 1);
    CLEANUP_FREE char *path = path_of_log(nas, 0);
    CLEANUP_FD int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\x02", 1, 13), 1);
    put(laptop, "b", "two");
    must_end_in(sync_now(laptop), OUTCOME_REFUSED,
                "update berth on this machine");
    CLEANUP_FREE char *arrived = path_join(laptop->target, "b");
    assert_int_not_equal(access(arrived, F_OK), 0);
    leave(laptop);
    play_free(nas);
}

/* --- whose target --- */

static void a_target_of_another_host_is_refused(void **state)
{
    static const char *const targets[] = {"data", "data/below", ""};
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    must_copy(nas, 1);
    struct play *laptop = join(nas, "laptop");
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        must_end_in(add_job(laptop, targets[i]), OUTCOME_USAGE, PLAY_JOB);
    play_must(add_job(laptop, "database")); /* only begins like it */
    leave(laptop);
    play_free(nas);
}

static void a_run_on_another_hosts_target_is_refused(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);
    struct play *laptop = join(nas, "laptop");

    play_must(add_job(laptop, "data")); /* nobody has it yet */
    put(nas, "a", "one");
    must_copy(nas, 1);
    put(laptop, "b", "two");
    must_end_in(sync_now(laptop), OUTCOME_REFUSED, "berth job claim");
    must_hold(nas->target, "a", "one");
    leave(laptop);
    play_free(nas);
}

static void a_lost_state_is_refused_then_claims(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    put(nas, "d/b", "two");
    must_copy(nas, 2);
    lose_state(nas);
    must_end_in(sync_now(nas), OUTCOME_REFUSED, "berth job claim");
    play_must(claim(nas));
    must_copy(nas, 0);
    struct answer again = play_diff(nas, DIFF_DEPTH_FULL);
    assert_int_equal(again.outcome, OUTCOME_DONE);
    answer_release(&again);
    take_away(nas, "a"); /* which it has had by now */
    must_copy(nas, 0);
    CLEANUP_FREE char *gone = path_join(nas->target, "a");
    assert_int_not_equal(access(gone, F_OK), 0);
    check_drive_is_enough(nas, nas, "stranger", "");
    play_free(nas);
}

static void what_the_claiming_host_never_had_stays(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    put(nas, "only there", "two");
    put(nas, "tree/only there", "three");
    must_copy(nas, 3);
    take_away(nas, "only there");
    take_away(nas, "tree/only there");
    lose_state(nas);
    play_must(claim(nas));
    must_copy(nas, 0);
    must_copy(nas, 0);
    must_hold(nas->target, "only there", "two");
    must_hold(nas->target, "tree/only there", "three");
    play_free(nas);
}

static void what_is_newer_on_the_drive_is_not_rolled_back(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "of today");
    put(nas, "b", "of yesterday");
    set_age(nas->source, "b", 86400);
    must_copy(nas, 2);
    put(nas, "a", "of last week");
    set_age(nas->source, "a", 7 * 86400);
    put(nas, "b", "of now");
    lose_state(nas);
    play_must(claim(nas));
    struct answer answer = sync_now(nas);
    assert_int_equal(copied(&answer), 1);
    assert_int_equal(answer.sync.conflicts, 1);
    answer_release(&answer);
    must_hold(nas->target, "a", "of today");
    must_hold(nas->target, "b", "of now");
    play_free(nas);
}

static void the_host_that_lost_its_target_is_refused(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);
    struct play *laptop = join(nas, "laptop");

    play_must(add_job(laptop, "data"));
    put(nas, "a", "one");
    must_copy(nas, 1);
    put(laptop, "a", "one");
    play_must(claim(laptop));
    must_copy(laptop, 0);
    put(nas, "a", "two");
    must_end_in(sync_now(nas), OUTCOME_REFUSED, "belongs to job");
    must_hold(nas->target, "a", "one");
    play_must(claim(nas)); /* and back */
    must_copy(nas, 1);
    must_end_in(sync_now(laptop), OUTCOME_REFUSED, "belongs to job");
    check_drive_is_enough(nas, nas, "stranger", "");
    leave(laptop);
    play_free(nas);
}

static void versions_come_along_with_a_claim(void **state)
{
    struct play *nas = play_new(JOB_MIRROR);

    put(nas, "a", "one");
    must_copy(nas, 1);
    put(nas, "a", "two");
    must_copy(nas, 1);
    lose_state(nas);
    play_must(claim(nas));
    CLEANUP_FREE char *id = id_of(nas);
    CLEANUP_FREE char *told = told_of(nas, id);
    assert_non_null(strstr(told, "version a "));
    check_drive_is_enough(nas, nas, "stranger", "");
    play_free(nas);
}

/* --- histories --- */

struct history {
    struct dice dice;
    struct play *hosts[2];
    struct strbuf log;
    int visitors;
};

static void stir(struct history *history, const struct play *host)
{
    for (size_t i = dice_below(&history->dice, 6); i; i--) {
        CLEANUP_FREE char *name =
            xasprintf("%c/%zu", "abc"[dice_below(&history->dice, 3)],
                      dice_below(&history->dice, 4));
        CLEANUP_FREE char *path = path_join(host->source, name);
        CLEANUP_FREE char *text =
            xasprintf("%llu", (unsigned long long)dice_next(&history->dice));
        CLEANUP_FREE char *other = xasprintf("%s~", path);
        switch (dice_below(&history->dice, 4)) {
        case 0:
            if (unlink(path) && errno != ENOENT)
                fail_msg("cannot remove %s", path);
            break;
        case 1:
            if (rename(path, other) && errno != ENOENT)
                fail_msg("cannot rename %s", path);
            break;
        default:
            put(host, name, text);
        }
    }
}

/* A run in a process of its own, which is killed at some moment. */
static void sync_and_kill(struct history *history, struct play *host)
{
    const struct timespec pause = {
        .tv_nsec = (long)dice_below(&history->dice, 60) * NS_PER_MS};

    engine_free(host->engine);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        play_start(host);
        play_sync(host, DIFF_DEPTH_AUTO, 0);
        _exit(0);
    }
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    play_start(host);
    strbuf_addf(&history->log, "  killed after %ld ms\n",
                pause.tv_nsec / (long)NS_PER_MS);
}

/* The last commit file, of a batch that was not committed, did not arrive. */
static void lose_last_file(struct history *history, struct play *host)
{
    CLEANUP(log_files_release) struct log_files files = list_logs(host);
    CLEANUP_FREE char *id = id_of(host);
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(host);
    struct peer peer;

    assert_int_equal(peers_get(catalogue, id, &peer, NULL), ERR_OK);
    for (size_t i = 0; i < files.count; i++) {
        CLEANUP_FREE char *path =
            xasprintf("%s/.berth/commits/%s", host->drive, files.items[i].name);
        if (strcmp(files.items[i].host, id) != 0 ||
            files.items[i].sequence <= peer.sequence)
            continue;
        strbuf_adds(&history->log, "  the last file is torn\n");
        if (dice_one_in(&history->dice, 2))
            assert_int_equal(unlink(path), 0);
        else
            assert_int_equal(truncate(path, 60), 0);
    }
}

/* After the other one was killed the volume counts as unclean: deletes wait
 * for a run after the one that read everything back. */
static void sync_to_the_end(struct history *history, struct play *host)
{
    struct answer answer = sync_now(host);

    for (int i = 0; answer.outcome == OUTCOME_DIFFERENCES && i < 3; i++) {
        int64_t held = answer.sync.held;
        answer_release(&answer);
        answer = play_sync(host, DIFF_DEPTH_FULL, held);
    }
    if (answer.outcome)
        fail_msg("exit code %d: %s\n%s", (int)answer.outcome, answer.words.text,
                 history->log.text);
    answer_release(&answer);
    answer = play_sync(host, DIFF_DEPTH_FULL, 0);
    if (answer.outcome || copied(&answer))
        fail_msg("copied twice: %lld, exit code %d: %s\n%s",
                 (long long)copied(&answer), (int)answer.outcome,
                 answer.words.text, history->log.text);
    answer_release(&answer);
}

static void check_equal(struct history *history, struct play *host)
{
    CLEANUP(leaves_release) struct leaves source = leaves_of(host->source);
    CLEANUP(leaves_release) struct leaves drive = leaves_of(host->target);

    if (source.count != drive.count)
        fail_msg("%zu entries in the source, %zu on the drive\n%s",
                 source.count, drive.count, history->log.text);
    for (size_t i = 0; i < source.count; i++)
        if (strcmp(source.items[i].path, drive.items[i].path) != 0 ||
            !hash_equal(&source.items[i].hash, &drive.items[i].hash))
            fail_msg("%s is not the same\n%s", source.items[i].path,
                     history->log.text);
}

static void visit(struct history *history, struct play *host)
{
    stir(history, host);
    if (dice_one_in(&history->dice, 2)) {
        sync_and_kill(history, host);
        if (dice_one_in(&history->dice, 2))
            lose_last_file(history, host);
        if (dice_one_in(&history->dice, 2))
            return; /* yanked: the other one comes next */
    }
    if (dice_one_in(&history->dice, 4))
        mark_due(host);
    sync_to_the_end(history, host);
    check_equal(history, host);
    if (dice_one_in(&history->dice, 3)) {
        CLEANUP_FREE char *name = xasprintf("visitor%d", ++history->visitors);
        check_drive_is_enough(history->hosts[0], host, name, history->log.text);
    }
}

static void play_history(uint64_t seed)
{
    struct history history = {.dice = dice_new(seed), .log = STRBUF_INIT};

    strbuf_addf(&history.log, "BERTH_SEED=%llu\n", (unsigned long long)seed);
    history.hosts[0] = play_new(JOB_MIRROR);
    history.hosts[1] = join(history.hosts[0], "laptop");
    play_must(add_job(history.hosts[1], "laptop"));
    for (int i = 0; i < 2; i++)
        put(history.hosts[i], "keep", "keep");
    for (size_t rounds = 6 + dice_below(&history.dice, 6); rounds; rounds--) {
        size_t at = dice_below(&history.dice, 2);
        strbuf_addf(&history.log, " host %zu\n", at);
        visit(&history, history.hosts[at]);
    }
    for (int i = 0; i < 2; i++) {
        sync_to_the_end(&history, history.hosts[i]);
        check_equal(&history, history.hosts[i]);
        check_drive_is_enough(history.hosts[0], history.hosts[i],
                              i ? "last" : "last but one", history.log.text);
    }
    CLEANUP_FREE char *id = id_of(history.hosts[0]);
    CLEANUP_FREE char *known = told_of(history.hosts[0], id);
    CLEANUP_FREE char *learnt = told_of(history.hosts[1], id);
    assert_string_equal(known, learnt);
    leave(history.hosts[1]);
    play_free(history.hosts[0]);
    strbuf_release(&history.log);
}

static void two_hosts_in_turn_killed_and_yanked_end_equal(void **state)
{
    const char *chosen = getenv("BERTH_HISTORIES");
    uint64_t count = chosen && *chosen ? strtoull(chosen, NULL, 10) : 6;
    uint64_t seed = dice_seed_of_environment(1);

    for (uint64_t i = 0; !count || i < count; i++)
        play_history(seed + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_state_learns_from_commit_files),
        cmocka_unit_test(an_empty_state_learns_from_a_replica),
        cmocka_unit_test(what_is_only_noted_is_told_as_well),
        cmocka_unit_test(a_lost_state_reads_the_history_from_the_drive),
        cmocka_unit_test(televisions_are_kept_out),
        cmocka_unit_test(a_log_that_was_removed_is_told_anew),
        cmocka_unit_test(what_another_host_wrote_is_learnt_bit_by_bit),
        cmocka_unit_test(runs_of_all_hosts_stand_in_the_history),
        cmocka_unit_test(a_damaged_file_is_passed_over),
        cmocka_unit_test(a_newer_format_is_not_written_to),
        cmocka_unit_test(a_target_of_another_host_is_refused),
        cmocka_unit_test(a_run_on_another_hosts_target_is_refused),
        cmocka_unit_test(a_lost_state_is_refused_then_claims),
        cmocka_unit_test(what_the_claiming_host_never_had_stays),
        cmocka_unit_test(what_is_newer_on_the_drive_is_not_rolled_back),
        cmocka_unit_test(the_host_that_lost_its_target_is_refused),
        cmocka_unit_test(versions_come_along_with_a_claim),
        cmocka_unit_test(two_hosts_in_turn_killed_and_yanked_end_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
