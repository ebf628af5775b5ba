/*
 * A command while it is carried out, on a thread of its own. Shared by the
 * task_*.c files and the engine; one file per family of commands:
 *
 *     task_manage.c  volumes and jobs: add, list, forget, remove
 *     task_claim.c   job claim
 *     task_diff.c    diff
 *     task_sync.c    sync: the volumes; task_sync_job.c one job on one
 *     task_verify.c  verify
 *     task_contents.c volume refresh, and verify of read-only volumes
 *     task_history.c history
 *     task_versions.c versions, task_restore.c restore, task_prune.c prune
 *     task_undo.c    undo
 *     task_tidy.c    tidy, and what `move` removes at the end of a sync
 *     task_copies.c  copies
 *     task_find.c    find
 *     task_schedule.c schedule, and what a scheduled sync notes
 *     task_doctor.c  doctor
 *     task_init.c    init
 *     task_watch.c   drives as they come and go
 *     task_settings.c settings: told and set
 *     task_folders.c the directories in a directory
 *     task_lines.c   what differs between two copies of a text
 *     task_crons.c   what rsync does by cron, and an end to it
 *     task_eject.c   eject, mount, and asking a holder to quit
 *     task_select.c  which jobs and volumes a command names
 *     task_prepare.c source, target and guards of one job on one volume
 */
#ifndef BERTH_TASK_H
#define BERTH_TASK_H

#include "core/base/thread.h"
#include "core/command.h"
#include "core/compare.h"
#include "core/config.h"
#include "core/event.h"
#include "core/execute.h"
#include "core/source.h"
#include "core/verify.h"
#include "platform/platform.h"

#include <stdatomic.h>

struct task_context {
    struct platform *platform;
    const char *config_path;
    const char *state_directory;
    const char *home;
    struct queue *events;
    struct queue *commands; /* woken when a task is over */
    /* How often health was to be read anew: a list that waits sees it. */
    _Atomic unsigned *health_requests;
    _Atomic unsigned *lists_of_drives; /* begun so far */
};

/* Written by the task and its workers, read by the engine. */
struct task_progress {
    _Atomic int phase; /* enum progress_phase */
    struct compare_progress compare;
    struct run_progress run;
    struct verify_progress verify;
    struct current current;
    int64_t started_ns; /* monotonic */
};

struct task {
    const struct task_context *context;
    struct command *command; /* owned */
    struct stop_flag stop;
    int stop_pipe[2];     /* readable once it is to stop: for tasks that wait */
    struct config config; /* as the file was when the command began */
    char *host;
    struct task_progress progress;
    pthread_t thread;
    _Atomic bool is_over;
};

/* The body of a command. An error ends it; its words go into EVENT_DONE. */
typedef err_code task_body(struct task *task, enum outcome *outcome,
                           struct error *err);
task_body task_volume_add, task_volume_list, task_volume_forget, task_job_add,
    task_job_list, task_job_remove, task_job_claim, task_diff, task_sync,
    task_volume_refresh, task_verify, task_history, task_watch, task_rescan,
    task_mount, task_eject, task_ask_to_quit, task_versions, task_restore,
    task_prune, task_undo, task_tidy, task_copies, task_find,
    task_schedule_install, task_schedule_remove, task_schedule_show,
    task_doctor, task_init, task_folders, task_settings, task_set, task_lines,
    task_rsync_lines, task_silence;

task_body task_exclude; /* task_manage.c */

struct task *task_new(const struct task_context *context,
                      struct command *command_taking);
void task_free(struct task *task);
/* Any thread. */
void task_stop(struct task *task);
/* Runs the command to its end and posts EVENT_DONE. */
void task_run(struct task *task);

/*
 * --- telling ---
 */

struct event *task_event(struct task *task, enum event_kind kind);
void task_post(struct task *task, struct event *event_taking);
void task_say(struct task *task, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Keeps the machine awake and the volume mounted while `deed` ("berth sync
 * photos") goes on, where the system knows how; what goes wrong is said. NULL
 * is fine to release.
 */
struct volume;
struct platform_inhibitor *task_inhibit(struct task *task,
                                        const struct volume *volume,
                                        const char *deed);

/*
 * Records what is on an open read-only volume, hashes included, and posts
 * EVENT_CONTENTS. Takes the volume's lock. What cannot be read is told, and
 * makes the outcome worse.
 */
err_code task_record_contents(struct task *task,
                              const struct config_volume *config,
                              const struct volume *volume,
                              enum outcome *outcome, struct error *err)
    MUST_CHECK;
/* Reads it back: drift is also what was not there before. Posts
 * EVENT_VERIFIED. */
err_code task_verify_contents(struct task *task,
                              const struct config_volume *config,
                              enum outcome *outcome, struct error *err)
    MUST_CHECK;

/* A verify_listener's `found`; its context is the task. */
void task_post_finding(void *task, const char *job, const char *path,
                       enum verify_finding finding, const char *message);

/* `job add --claim`: once the job is in the configuration; on failure it is
 * taken out again. */
err_code task_claim_added(struct task *task, struct error *err) MUST_CHECK;

/* Ejects the drives that these volumes are on, each once; what goes wrong is
 * said. */
enum outcome task_eject_volumes(struct task *task,
                                const struct config_volume *const *volumes,
                                size_t count);

/* Files that move has removed here, and that fewer than min_copies of the job's
 * targets have now. */
err_code task_count_scarce(struct task *task, const struct config_job *job,
                           int64_t *out, struct error *err) MUST_CHECK;
/* What the catalogue remembers of its filesystem; "" when nothing. */
void task_known_uuid(struct task *task, const struct config_volume *config,
                     struct strbuf *out);

/*
 * Mounts a configured volume where the system would, and looks whether it is
 * the one. ERR_NOT_FOUND: not attached, or never written from here, so that
 * nobody knows which of the filesystems it is.
 */
err_code task_mount_volume(struct task *task,
                           const struct config_volume *config,
                           struct error *err) MUST_CHECK;

/* Waits for a request to the platform, however long another program takes. */
struct platform_request;
err_code task_await(struct platform_request *request, struct error *err)
    MUST_CHECK;

/*
 * After a verify: what is rotten on the drives of these pairs is made anew
 * from the source, or from another target where it was offloaded; and the
 * sources are read (task_sync_heal.c). Posts EVENT_JOB_SYNCED for each pair.
 */
struct pairs;
enum outcome task_heal(struct task *task, const struct pairs *pairs);

/*
 * Puts back what an interrupted removal of local files left under private
 * names. What it cannot is said; those jobs are refused (offload_files.h).
 */
err_code task_recover_offloads(struct task *task, struct error *err) MUST_CHECK;
/*
 * Removes local files of the jobs in the mode `move` among `pairs`; posts
 * EVENT_TIDIED for each, and EVENT_TIDY_FILE for what was removed or failed
 * (`tells_all`: for every file).
 */
struct pairs;
enum outcome task_tidy_jobs(struct task *task, const struct pairs *pairs,
                            bool is_dry, bool tells_all);

/* --- which jobs on which volumes --- */

struct pair {
    const struct config_job *job;
    const struct config_target *target;
    const struct config_volume *volume;
};
struct pairs {
    struct pair *items; /* by volume, in the order of the configuration */
    size_t count, capacity;
};
/* Of the command's names; all when it has none. ERR_INVALID: unknown name. */
err_code task_select_pairs(struct task *task, struct pairs *out,
                           struct error *err) MUST_CHECK;
/* All jobs with a target on it, whatever the command names. */
void task_pairs_of_volume(struct task *task, const struct config_volume *volume,
                          struct pairs *out);
/* The same, which may be none. */
err_code task_select_any_pairs(struct task *task, struct pairs *out,
                               struct error *err) MUST_CHECK;
void pairs_release(struct pairs *pairs);

/* Of the configuration; ERR_INVALID where there is none of that name. */
err_code task_find_volume(const struct task *task, const char *name,
                          const struct config_volume **out, struct error *err)
    MUST_CHECK;

/* The catalogue of a volume; ERR_NOT_FOUND from the reader when there is none
 * and the drive, if it is there, says nothing. */
err_code task_open_catalogue(struct task *task,
                             const struct config_volume *volume,
                             struct catalogue **out, struct error *err)
    MUST_CHECK;
err_code task_open_reader(struct task *task, const struct config_volume *volume,
                          struct catalogue **out, char **out_path,
                          struct error *err) MUST_CHECK;

/* What the volume's jobs would still bring, by the catalogue: no drive is
 * read. Never fails: what cannot be compared is counted as unknown. */
struct leftovers task_leftovers(struct task *task,
                                const struct config_volume *volume);

/* --- one job on one volume --- */

struct prepared {
    struct pair pair;
    struct source source;
    char *source_identity;
    bool source_is_empty;
    bool has_owner;     /* the job has rows on this volume */
    struct owner owner; /* if so */
    struct directory_id left_out[3];
    size_t left_out_count;
};
void prepared_release(struct prepared *prepared);

/*
 * Opens the source and asks every guard that needs no plan (ENGINE G4, G13).
 * `volume` is NULL when it is not attached; `catalogue` NULL when it has none.
 */
err_code task_prepare(struct task *task, const struct pair *pair,
                      const struct volume *volume, struct catalogue *catalogue,
                      struct prepared *out, struct error *err) MUST_CHECK;

/* What below the source is not what it was, and what to do: for people. */
void task_tell_mounts(struct task *task, const struct prepared *prepared);

struct compare_inputs {
    const struct prepared *prepared;
    const struct volume *volume; /* NULL: quick */
    struct catalogue *catalogue; /* NULL: none */
    const char *catalogue_path;
    const struct traits *traits;
};
err_code task_compare(struct task *task, const struct compare_inputs *inputs,
                      struct plan *out, struct error *err) MUST_CHECK;

#endif
