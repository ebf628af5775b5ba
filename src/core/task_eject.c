#include "core/task.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/journal.h"
#include "core/lock.h"
#include "core/lost_writes.h"
#include "core/registry.h"
#include "core/volume.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a waiting step looks again, and is told. */
#define LOOK_MS 200
/* Without a person at the screen, a holder gets so long to let go. */
#define BUSY_PATIENCE_MS 3000
/* A powered-off device leaves at once, or does not. */
#define GONE_PATIENCE_MS 10000

struct ejecting {
    struct task *task;
    struct drives drives;
    const struct drive *drive;
    struct eject_proof proof;
    struct leftovers left;
    struct {
        const struct drive_volume **items; /* unmounted so far */
        size_t count, capacity;
    } unmounted;
    struct {
        struct lock *items; /* of every known volume of the drive */
        size_t count, capacity;
    } locks;
};

static void ejecting_release(struct ejecting *ejecting)
{
    for (size_t i = 0; i < ejecting->locks.count; i++)
        lock_release(&ejecting->locks.items[i]);
    free(ejecting->locks.items);
    free(ejecting->unmounted.items);
    drives_release(&ejecting->drives);
}

/* --- telling --- */

static struct event *step_event(struct ejecting *ejecting, enum eject_step step,
                                const char *detail)
{
    struct event *event = task_event(ejecting->task, EVENT_EJECT);

    event->eject = (struct eject_info){
        .step = step,
        .drive = xstrdup(ejecting->drive->title),
        .detail = xstrdup(detail),
        .unwritten_bytes = -1,
        .proof = ejecting->proof,
        .is_practice = ejecting->drive->is_practice,
        .time_ns = clock_now_ns(),
    };
    return event;
}

static void tell_step(struct ejecting *ejecting, enum eject_step step,
                      const char *detail)
{
    task_post(ejecting->task, step_event(ejecting, step, detail));
}

static bool is_stopped(const struct ejecting *ejecting)
{
    return stop_flag_is_raised(&ejecting->task->stop);
}

static err_code stopped(struct error *err)
{
    return error_set(err, ERR_CANCELLED, "stopped on request");
}

static void wait_a_moment(struct ejecting *ejecting)
{
    struct pollfd stop = {.fd = ejecting->task->stop_pipe[0], .events = POLLIN};

    poll(&stop, 1, LOOK_MS);
}

/* --- which drive --- */

static err_code find_drive(struct ejecting *ejecting, const char *name,
                           struct error *err)
{
    struct task *task = ejecting->task;
    const struct registry registry = {
        .platform = task->context->platform,
        .config = &task->config,
        .state_directory = task->context->state_directory,
        .host = task->host,
    };
    err_code code = registry_list(&registry, &ejecting->drives, err);

    if (!code)
        code = registry_find(&ejecting->drives, name, &ejecting->drive, err);
    if (code)
        return code;
    const struct drive *drive = ejecting->drive;
    if (!drive->is_attached)
        return error_set(err, ERR_NOT_FOUND,
                         "%s is not attached: `berth drives` lists what is",
                         name);
    bool is_folder = drive->volumes.count && drive->volumes.items[0].is_folder;
    if (*drive->no_eject && !is_folder)
        return error_set(err, ERR_REFUSED, "%s is not ejected: %s",
                         drive->title, drive->no_eject);
    ejecting->proof.write_cache = drive->write_cache;
    ejecting->proof.can_be_green =
        *drive->id && drive->bus != PLATFORM_BUS_VIRTUAL;
    return ERR_OK;
}

/* --- jobs
 * ------------------------------------------------------------------------------
 */

/* No run may write while the drive is on its way out. */
static err_code take_locks(struct ejecting *ejecting, struct error *err)
{
    tell_step(ejecting, EJECT_STEP_JOBS, "");
    for (size_t i = 0; i < ejecting->drive->volumes.count; i++) {
        const struct drive_volume *volume = &ejecting->drive->volumes.items[i];
        CLEANUP(volume_release) struct volume open = VOLUME_INIT;
        struct lock lock;
        if (!volume->is_mounted || !*volume->id)
            continue;
        err_code code = volume_open_path(volume->mount_point, volume->is_folder,
                                         &open, err);
        if (!code)
            code = lock_take(open.root_fd, volume->id, volume->known_as,
                             "berth eject", &lock, err);
        if (code)
            return code;
        ARRAY_PUSH(&ejecting->locks, lock);
    }
    return ERR_OK;
}

/* The lock's own descriptor must not hold the volume up. */
static void release_locks(struct ejecting *ejecting)
{
    for (size_t i = 0; i < ejecting->locks.count; i++)
        lock_release(&ejecting->locks.items[i]);
    ejecting->locks.count = 0;
}

/* --- flush
 * -------------------------------------------------------------------------------
 */

/* Flushing blocks for as long as the drive needs: beside it somebody looks
 * what is left. */
struct flushing {
    int root_fd, file_fd;
    err_code code;
    struct error error;
    _Atomic bool is_done;
};

static void *flush_main(void *argument)
{
    struct flushing *flushing = argument;

    flushing->code = platform_flush_volume(flushing->root_fd, flushing->file_fd,
                                           &flushing->error);
    atomic_store(&flushing->is_done, true);
    return NULL;
}

static void tell_unwritten(struct ejecting *ejecting, const char *name)
{
    struct platform_unwritten unwritten;
    struct event *event = step_event(ejecting, EJECT_STEP_FLUSH, name);

    if (!platform_read_unwritten(ejecting->task->context->platform,
                                 ejecting->drive->id, &unwritten, NULL)) {
        event->eject.unwritten_bytes = unwritten.system_bytes;
        event->eject.unwritten_is_global = true;
    }
    task_post(ejecting->task, event);
}

static err_code flush_open(struct ejecting *ejecting, const char *name,
                           struct flushing *flushing, struct error *err)
{
    pthread_t thread = thread_start(flush_main, flushing);

    while (!atomic_load(&flushing->is_done)) {
        tell_unwritten(ejecting, name);
        poll(NULL, 0, LOOK_MS);
    }
    thread_join(thread);
    if (flushing->code && err)
        *err = flushing->error;
    return flushing->code;
}

static const char *name_of(const struct drive_volume *volume)
{
    if (*volume->name)
        return volume->name;
    return *volume->label ? volume->label : volume->device;
}

static err_code flush_volume(struct ejecting *ejecting,
                             const struct drive_volume *volume,
                             struct error *err)
{
    CLEANUP_FD int root_fd = -1;
    CLEANUP_FD int marker_fd = -1;
    err_code code = platform_open_root(volume->mount_point, &root_fd, err);

    if (code)
        return code;
    /* Some file has to be flushed; a volume that is not ours has its root. */
    if (platform_open_beneath(root_fd, MARKER_PATH, PLATFORM_OPEN_READ,
                              &marker_fd, NULL))
        marker_fd = -1;
    struct flushing flushing = {
        .root_fd = root_fd,
        .file_fd = marker_fd >= 0 ? marker_fd : root_fd,
        .error = ERROR_INIT,
    };
    return flush_open(ejecting, name_of(volume), &flushing, err);
}

/* Of one that was mounted read-only nothing is unwritten. */
static err_code flush_as_needed(struct ejecting *ejecting,
                                const struct drive_volume *volume,
                                struct error *err)
{
    if (!volume->is_mounted)
        return ERR_OK;
    if (volume->was_made_read_only)
        return error_set(err, ERR_IO,
                         "%s was made read-only after an error, and what was "
                         "not written by then is lost: unmount and check it "
                         "(fsck), mount it and sync again",
                         volume->mount_point);
    return volume->is_read_only ? ERR_OK : flush_volume(ejecting, volume, err);
}

/* The next flush may return 0, and prove nothing (ENGINE G8). */
static void note_failed_flush(struct ejecting *ejecting,
                              const struct drive_volume *volume)
{
    const struct config_volume *config =
        config_find_volume(&ejecting->task->config, volume->name);
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    struct error err = ERROR_INIT;
    err_code code;

    if (config) {
        code = task_open_catalogue(ejecting->task, config, &catalogue, &err);
        if (!code)
            code = journal_note_failed_flush(catalogue, &err);
    } else {
        ejecting->proof.has_lost_writes = true;
        code = lost_writes_note(ejecting->task->context->state_directory,
                                ejecting->drive, name_of(volume), &err);
    }
    if (code)
        task_say(ejecting->task, "volume %s: %s", name_of(volume), err.message);
}

static err_code flush_all(struct ejecting *ejecting, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < ejecting->drive->volumes.count; i++) {
        const struct drive_volume *volume = &ejecting->drive->volumes.items[i];
        code = flush_as_needed(ejecting, volume, err);
        if (code)
            note_failed_flush(ejecting, volume);
    }
    ejecting->proof.barrier_ok = code == ERR_OK;
    ejecting->proof.barrier_failed = code != ERR_OK;
    ejecting->proof.was_poisoned = ejecting->drive->has_failed_flush;
    ejecting->proof.has_lost_writes |= ejecting->drive->has_lost_writes;
    ejecting->proof.is_past_unknown = ejecting->drive->has_unknown_past;
    return code;
}

/* --- unmount
 * --------------------------------------------------------------------------------
 */

static void tell_holders(struct ejecting *ejecting,
                         const struct drive_volume *volume)
{
    struct event *event =
        step_event(ejecting, EJECT_STEP_UNMOUNT, name_of(volume));
    struct platform_holders *holders = &event->eject.holders;

    event->eject.is_waiting = true;
    if (platform_list_holders(ejecting->task->context->platform, volume->device,
                              holders, NULL))
        holders->is_complete = false;
    task_post(ejecting->task, event);
}

static err_code unmount_once(struct ejecting *ejecting,
                             const struct drive_volume *volume,
                             struct error *err)
{
    struct platform_request *request =
        platform_unmount(ejecting->task->context->platform, volume->device);
    err_code code = task_await(request, err);

    platform_request_free(request);
    return code;
}

/* Goes on by itself when whoever holds it lets go. */
static err_code unmount(struct ejecting *ejecting,
                        const struct drive_volume *volume, struct error *err)
{
    int64_t give_up_ns = clock_monotonic_ns() + BUSY_PATIENCE_MS * NS_PER_MS;
    bool waits = ejecting->task->command->wait_while_busy;
    err_code code;

    tell_step(ejecting, EJECT_STEP_UNMOUNT, name_of(volume));
    while ((code = unmount_once(ejecting, volume, err)) == ERR_BUSY) {
        tell_holders(ejecting, volume);
        if (is_stopped(ejecting))
            return stopped(err);
        if (!waits && clock_monotonic_ns() > give_up_ns)
            return code;
        wait_a_moment(ejecting);
    }
    if (!code)
        ARRAY_PUSH(&ejecting->unmounted, volume);
    return code;
}

/* A volume that was unmounted by us after a barrier was left cleanly. */
static void close_session(struct ejecting *ejecting,
                          const struct drive_volume *volume)
{
    const struct config_volume *config =
        config_find_volume(&ejecting->task->config, volume->name);
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(journal_session_release)
    struct journal_session session = {.id = 0};
    struct error err = ERROR_INIT;

    if (!config)
        return;
    err_code code =
        task_open_catalogue(ejecting->task, config, &catalogue, &err);
    if (!code)
        code = journal_last_session(catalogue, &session, &err);
    if (!code && session.state == SESSION_AT_REST)
        code = journal_set_state(catalogue, session.id, SESSION_CLOSED, &err);
    if (code)
        task_say(ejecting->task, "volume %s: %s", volume->name, err.message);
}

static err_code unmount_all(struct ejecting *ejecting, struct error *err)
{
    const struct drive *drive = ejecting->drive;
    err_code code = ERR_OK;

    for (size_t i = 0; i < drive->volumes.count; i++)
        ejecting->proof.volumes_mounted += drive->volumes.items[i].is_mounted &&
                                           !drive->volumes.items[i].is_folder;
    for (size_t i = drive->volumes.count; !code && i-- > 0;) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (!volume->is_mounted || volume->is_folder)
            continue;
        code = unmount(ejecting, volume, err);
        if (code)
            break;
        ejecting->proof.volumes_unmounted++;
        close_session(ejecting, volume);
    }
    return code;
}

/* Esc while it was busy, or it stays in use: what was unmounted is put back,
 * and the drive still has its name. */
static void mount_again(struct ejecting *ejecting)
{
    for (size_t i = 0; i < ejecting->unmounted.count; i++) {
        const struct drive_volume *volume = ejecting->unmounted.items[i];
        struct error err = ERROR_INIT;
        struct platform_request *request =
            platform_mount(ejecting->task->context->platform, volume->device);
        if (task_await(request, &err))
            task_say(ejecting->task, "volume %s stays unmounted: %s",
                     name_of(volume), err.message);
        platform_request_free(request);
    }
}

/* --- power off
 * --------------------------------------------------------------------------------
 */

static void lock_containers(struct ejecting *ejecting)
{
    for (size_t i = 0; i < ejecting->unmounted.count; i++) {
        struct error err = ERROR_INIT;
        struct platform_request *request =
            platform_lock(ejecting->task->context->platform,
                          ejecting->unmounted.items[i]->device);
        err_code code = task_await(request, &err);
        ejecting->proof.is_still_in_use |= code == ERR_BUSY;
        if (code && code != ERR_UNSUPPORTED)
            task_say(ejecting->task, "cannot lock %s: %s",
                     name_of(ejecting->unmounted.items[i]), err.message);
        platform_request_free(request);
    }
}

static bool is_gone(struct ejecting *ejecting)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};

    if (platform_list_devices(ejecting->task->context->platform, &devices,
                              NULL))
        return false;
    for (size_t i = 0; i < devices.drives.count; i++)
        if (!strcmp(devices.drives.items[i].id, ejecting->drive->id))
            return false;
    return true;
}

static void power_off(struct ejecting *ejecting)
{
    struct eject_proof *proof = &ejecting->proof;
    struct error err = ERROR_INIT;

    tell_step(ejecting, EJECT_STEP_POWER_OFF, "");
    struct platform_request *request = platform_power_off(
        ejecting->task->context->platform, ejecting->drive->id);
    err_code code = task_await(request, &err);
    proof->power_off_tried = code != ERR_UNSUPPORTED;
    proof->power_off_ok = code == ERR_OK;
    proof->is_still_in_use |= code == ERR_BUSY;
    proof->power = platform_request_proof(request);
    platform_request_free(request);
    if (code && code != ERR_UNSUPPORTED)
        task_say(ejecting->task, "%s was not powered off: %s",
                 ejecting->drive->title, err.message);
    int64_t give_up_ns = clock_monotonic_ns() + GONE_PATIENCE_MS * NS_PER_MS;
    while (!code && !(proof->device_gone = is_gone(ejecting)) &&
           clock_monotonic_ns() < give_up_ns)
        poll(NULL, 0, LOOK_MS);
}

/* --- what is not on it ---
 */

static void count_leftovers(struct ejecting *ejecting)
{
    const struct drive *drive = ejecting->drive;

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct config_volume *config = config_find_volume(
            &ejecting->task->config, drive->volumes.items[i].name);
        if (!config)
            continue;
        struct leftovers left = task_leftovers(ejecting->task, config);
        leftovers_add(&ejecting->left, &left);
    }
}

/* --- the whole

 * -----------------------------------------------------------------------------------
 */

static enum outcome post_verdict(struct ejecting *ejecting)
{
    struct event *event = step_event(ejecting, EJECT_STEP_DONE, "");

    event->eject.judgement = eject_judge(&ejecting->proof);
    event->eject.left = ejecting->left;
    enum eject_verdict verdict = event->eject.judgement.verdict;
    task_post(ejecting->task, event);
    return verdict == EJECT_RED ? OUTCOME_DEVICE : OUTCOME_DONE;
}

static err_code run_steps(struct ejecting *ejecting, struct error *err)
{
    err_code code = take_locks(ejecting, err);

    if (!code)
        code = flush_all(ejecting, err);
    release_locks(ejecting);
    if (!code)
        code = unmount_all(ejecting, err);
    if (code)
        return code;
    lock_containers(ejecting);
    if (*ejecting->drive->id)
        power_off(ejecting);
    return ERR_OK;
}

static err_code eject(struct ejecting *ejecting, enum outcome *outcome,
                      struct error *err)
{
    if (ejecting->task->command->compare_first)
        count_leftovers(ejecting);
    err_code code = run_steps(ejecting, err);

    if (code == ERR_CANCELLED || code == ERR_BUSY ||
        ejecting->proof.is_still_in_use)
        mount_again(ejecting);
    if (code == ERR_CANCELLED || code == ERR_BUSY)
        return code;
    *outcome = outcome_worse(*outcome, post_verdict(ejecting));
    return code;
}

err_code task_eject(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(ejecting_release) struct ejecting ejecting = {.task = task};
    err_code code = find_drive(&ejecting, task->command->names[0], err);

    return code ? code : eject(&ejecting, outcome, err);
}

static bool is_on(const struct drive *drive, const struct config_volume *volume)
{
    for (size_t i = 0; drive && i < drive->volumes.count; i++)
        if (!strcmp(drive->volumes.items[i].name, volume->name))
            return true;
    return false;
}

enum outcome task_eject_volumes(struct task *task,
                                const struct config_volume *const *volumes,
                                size_t count)
{
    CLEANUP_FREE bool *is_done = xcalloc(count, sizeof *is_done);
    enum outcome outcome = OUTCOME_DONE;

    for (size_t i = 0; i < count; i++) {
        CLEANUP(ejecting_release) struct ejecting ejecting = {.task = task};
        struct error err = ERROR_INIT;
        if (is_done[i])
            continue;
        err_code code = find_drive(&ejecting, volumes[i]->name, &err);
        for (size_t j = i; j < count; j++)
            is_done[j] |= is_on(ejecting.drive, volumes[j]);
        if (!code)
            code = eject(&ejecting, &outcome, &err);
        if (code)
            task_say(task, "volume %s was not ejected: %s", volumes[i]->name,
                     err.message);
        outcome = outcome_worse(outcome, outcome_of(code));
    }
    return outcome;
}

/* Only a program of the user's own, and only asked: SIGTERM. */
err_code task_ask_to_quit(struct task *task, enum outcome *outcome,
                          struct error *err)
{
    pid_t pid = (pid_t)task->command->pid;

    if (pid <= 1 || pid == getpid() || pid == getppid())
        return error_set(err, ERR_REFUSED,
                         "process %ld is berth's own or its shell's: leave it "
                         "yourself",
                         (long)pid);
    if (kill(pid, SIGTERM))
        return error_set_errno(err, errno, "cannot ask process %ld to quit",
                               (long)pid);
    return ERR_OK;
}
