/*
 * What the screens show, and what was asked of the engine. Pure: no clock, no
 * curses, no engine. Time, size and events come in; requests go out, and ui.c
 * carries them out.
 *
 *     model.c          the whole: events by the command they belong to,
 *                      requests, screens
 *     model_drives.c   drives, which one is selected, what is pending for it
 *     model_scan.c     jobs and their plans; what is compared next
 *     model_start.c    a sync: asked about, started; another process's, watched
 *     model_obstacles.c what is in the way of a sync and of leaving after it
 *     model_run.c      a sync: how it goes, and how it ended
 *     model_past.c     earlier runs: when, how well, how fast
 *     model_eject.c    an ejection, and what is not on the drive although it
 *                      is safe
 *     model_ask.c      questions, and what their answers do
 *     model_lookup.c   history, versions, find, copies (lookup.h)
 *     model_drift.c    what is not as berth left it
 *     model_mend.c     undo, restore, verify
 *     model_setup*.c   a drive and a job are made known: setup.h
 *     model_settings.c settings are shown and changed: settings.h
 *     model_space.c    a drive that is too full, and versions that may go
 *     model_crons.c    what rsync does by cron, before and after the first sync
 *     model_exclude.c  a pattern into a job's `exclude`, and out again
 *     model_news.c     the banner: the worst news that was not dismissed
 *
 * Drives are remembered by a key (drive_key): the name of their first known
 * volume, so that one that leaves and comes back is the same one.
 */
#ifndef BERTH_UI_MODEL_H
#define BERTH_UI_MODEL_H

#include "core/engine.h"
#include "ui/diff_view.h"
#include "ui/lookup.h"
#include "ui/pace.h"
#include "ui/review.h"
#include "ui/settings.h"
#include "ui/setup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- what goes out ---------------------------------------------------------
 */

/* What a command is for; at most one of each is under way. */
enum role {
    ROLE_WATCH,
    ROLE_JOBS,
    ROLE_HISTORY,
    ROLE_SCAN,
    ROLE_RUN,
    ROLE_EJECT,
    ROLE_RESCAN,
    ROLE_ASK_TO_QUIT,
    ROLE_FOLDERS,
    ROLE_SETUP,
    ROLE_SETTINGS,
    ROLE_SET,
    ROLE_SCHEDULE,
    ROLE_EXCLUDE,
    ROLE_SPACE, /* what may be pruned: nothing is */
    ROLE_PRUNE,
    ROLE_MOUNT,
    ROLE_CRONS, /* what rsync does by cron */
    ROLE_SILENCE,
    ROLE_RUNS, /* lookup.h, from here on */
    ROLE_ITEMS,
    ROLE_VERSIONS,
    ROLE_LINES,
    ROLE_FIND,
    ROLE_COPIES,
    ROLE_UNDO,
    ROLE_RESTORE,
    ROLE_VERIFY,
    ROLE_COUNT,
};

/* Between the request and the posting: an id that no command has. */
#define ID_REQUESTED UINT64_MAX

enum request_kind {
    REQUEST_POST, /* the command, then model_posted */
    REQUEST_STOP, /* what the role runs */
    REQUEST_PAUSE,
    REQUEST_GO_ON,
    REQUEST_LIMIT,   /* `amount` bytes a second at most */
    REQUEST_SUSPEND, /* the whole program: Ctrl-Z */
    REQUEST_REDRAW,
    REQUEST_MOUSE,
    REQUEST_QUIT,
    REQUEST_LEAVE, /* at once, whatever is under way */
};
struct request {
    enum request_kind kind;
    enum role role;
    uint64_t id;             /* of what the role ran when it was asked */
    struct command *command; /* POST: owned */
    bool on;                 /* MOUSE */
    int64_t amount;          /* LIMIT */
};

/* Said until it is done. */
#define LOOKING_AGAIN "looking again"
#define GIVING_UP "giving up at the next step"

/* --- jobs and their plans --------------------------------------------------
 */

enum wish { WISH_NOTHING, WISH_QUICK, WISH_AUTO, WISH_FULL };

/* One job on one volume. */
struct target {
    char *job, *volume;
    char *directory; /* "/raw_scrapes" */
    char *source;    /* "/home/me/scrapes"; "": not told */
    enum job_mode mode;
    bool is_listed; /* the last list of jobs had it */
    int64_t last_sync_ns, stale_after_ns;
    struct review *review;   /* shown and executed; NULL: none */
    struct review *incoming; /* takes its place when it is whole */
    bool is_sharp;           /* as a sync would make it now */
    bool incoming_is_sharp;
    enum wish wish;
    int64_t files_seen;    /* by the last comparison: how far one has come */
    char *error;           /* why it could not be compared; NULL */
    struct leftovers left; /* by the last run */
    bool has_left;         /* that run has ended since the last plan */
};

/* What history knows of a volume. */
struct past {
    char *volume;
    int64_t ended_ns, duration_ns, bytes;
    int exit_code;
    int64_t speed_bytes, speed_ns; /* of the last runs that copied much */
    int speed_runs;
};

/* --- a run -----------------------------------------------------------------
 */

struct run_part {
    char *job, *volume;
    int64_t bytes_total, files_total;
    bool is_over;
    bool is_first; /* nothing of it was ever synced before */
    struct sync_info info;
    char *text; /* why it ended; NULL */
};

struct run_failure {
    char *job, *path, *text;
};

/* What is known before the first byte. */
enum preflight_state { PREFLIGHT_NO, PREFLIGHT_YES, PREFLIGHT_UNKNOWN };
struct preflight {
    int64_t usual_ns; /* at the speed of earlier runs; 0: not known */
    enum preflight_state identity, clean, space;
    int64_t space_left;
};

struct sync_run {
    char *drive;      /* key; NULL: no run was started */
    char *title;      /* of the drive */
    bool is_active;   /* not over yet */
    bool is_foreign;  /* of another process */
    bool wants_eject; /* when it is over and well */
    bool wants_eject_anyway;
    bool is_paused, is_stopping;
    bool has_begun;    /* the engine has told of it */
    int64_t bandwidth; /* asked for; 0: as the jobs say, negative: none */
    struct progress progress;
    char *current_path;
    struct {
        struct run_part *items;
        size_t count, capacity;
    } parts;
    struct {
        struct run_failure *items;
        size_t count, capacity;
    } failures;
    struct {
        char **items;
        size_t count, capacity;
    } notes; /* messages of the engine */
    int64_t bytes_total, files_total, held;
    struct preflight preflight;
    int64_t started_ns, ended_ns;
    struct pace pace;
    enum outcome outcome;
    char *error;
    char *pulled;  /* "PULLED 14:06: 12 files in flight, plug in to repair" */
    size_t scroll; /* of the list of what did not arrive */
    bool shows_failures;
    int still_ticks; /* progress events without progress: a pause has come */
    int64_t still_bytes;
};

/* --- an ejection -----------------------------------------------------------
 */

struct ejection {
    char *drive, *title; /* key; NULL: none */
    bool is_active;
    struct {
        char **items; /* its volumes with jobs */
        size_t count, capacity;
    } volumes;
    struct eject_info info; /* the last one told; owned */
    bool has_info;
    char *flushed; /* "310 MB": the most that was seen unwritten */
    int64_t most_unwritten;
    err_code code; /* when it ended without a verdict */
    char *error;
    int64_t ended_ns;
    char *completeness; /* "everything is on it", "NOT on it: …" */
    bool is_complete;
    bool is_practice;
    size_t cursor; /* in the list of holders */
};

/* --- questions -------------------------------------------------------------
 */

enum answer {
    ANSWER_CLOSE,
    ANSWER_WAIT_THEN_GO,
    ANSWER_GO,
    ANSWER_WHAT_FITS,
    ANSWER_SYNC_FIRST,
    ANSWER_EJECT_ANYWAY,
    ANSWER_LIST_FAILED,
    ANSWER_RETRY,
    ANSWER_APPROVE,
    ANSWER_STOP_AND_EJECT,
    ANSWER_STOP_AND_QUIT,
    ANSWER_STOP_OTHER,
    ANSWER_QUIT_HOLDER,
    ANSWER_EJECT_WITHOUT_THEM,
    ANSWER_UNDO,
    ANSWER_PRUNE, /* asks once more */
    ANSWER_PRUNE_NOW,
    ANSWER_EXCLUDE,
    ANSWER_EXCLUDE_KIND,
    ANSWER_RESTORE,
    ANSWER_RESTORE_IN_PLACE,
    ANSWER_RESTORE_ELSEWHERE,
    ANSWER_SILENCE,
    ANSWER_VERIFY,
    ANSWER_VERIFY_SAMPLE,
    ANSWER_SET_UP,
    ANSWER_GO_PAST, /* the obstacle that was asked about */
    ANSWER_LOOK,    /* at the plan */
};
struct question_answer {
    uint32_t key;
    const char *words;
    enum answer answer;
};
#define QUESTION_ANSWERS 3
struct question {
    char *title; /* NULL: no question */
    char *text;  /* lines parted by '\n' */
    struct question_answer answers[QUESTION_ANSWERS];
    size_t answer_count;
    char *drive; /* key of the one it is about; NULL */
    int64_t pid;
    bool wants_eject;
    bool is_about_reading; /* gone when that is over */
    bool needs_drive;      /* gone when that is pulled */
    unsigned passed;       /* obstacles that were answered already */
};

/* --- the banner ------------------------------------------------------------
 */

struct news {
    char *key;  /* dismissed by it */
    char *line; /* NULL: no news */
    char *why;  /* the whole story */
    bool is_bad;
    enum news_lead { LEADS_NOWHERE, LEADS_TO_HISTORY, LEADS_TO_DRIFT } leads;
    char *drive; /* key: of LEADS_TO_DRIFT */
};

/* --- a drive that is too full ----------------------------------------------
 */

struct shortage {
    char *drive, *volume; /* NULL: none */
    int64_t needed, free;
    int64_t prunable_files, prunable_bytes;
    bool wants_eject;
};

/* --- what rsync does by cron ------------------------------------------------
 */

struct crons {
    struct {
        struct rsync_line *items;
        size_t count, capacity;
    } lines;
    struct {
        char **items; /* of the crontab, to be made comments; owned */
        size_t count, capacity;
    } repeated;
    bool are_asked_for_run; /* lines that do what a job did now */
    bool are_offered;       /* `repeated`, when nothing else is on the screen */
};

/* --- a pattern for a job's `exclude` ---------------------------------------
 */

struct exclusion {
    char *drive; /* key: of the diff that it was taken from */
    char *job;
    char *pattern;   /* this entry */
    char *kind;      /* "*.tmp": all files with its ending; NULL: none */
    char *written;   /* NULL: none; `u` takes it back */
    bool takes_back; /* what is under way */
};

/* --- all of it -------------------------------------------------------------
 */

enum screen_id {
    SCREEN_DRIVES,
    SCREEN_DIFF,
    SCREEN_SYNC,
    SCREEN_EJECT,
    SCREEN_HISTORY,
    SCREEN_VERSIONS,
    SCREEN_LINES,
    SCREEN_FIND,
    SCREEN_COPIES,
    SCREEN_DRIFT,
    SCREEN_SETUP,
    SCREEN_HEALTH,
    SCREEN_SETTINGS,
    SCREEN_COUNT,
};

struct model {
    int64_t now_ns; /* wall clock */
    int width, height;

    struct drives drives;
    bool has_drives;
    struct {
        struct target *items;
        size_t count, capacity;
    } targets;
    bool has_targets;
    int64_t next_run_ns; /* of what is installed; 0: none, or not known */
    struct {
        struct past *items;
        size_t count, capacity;
    } pasts;
    uint64_t ids[ROLE_COUNT]; /* of commands under way; 0: none */
    char *scanned_volume;     /* while ROLE_SCAN runs */
    enum wish scan_depth;
    struct progress scan_progress;
    bool scan_told; /* a plan came of it */

    struct sync_run run;
    struct ejection eject;
    struct setup setup;
    int health_scroll;
    struct settings settings;
    char *waiting_drive; /* a sync starts when its scan is over; NULL */
    bool waiting_wants_eject;
    bool waiting_for_other; /* … when another process has ended */

    struct shortage shortage;
    struct exclusion exclusion;
    struct lookup lookup;
    struct mend mend;
    struct crons crons;

    enum screen_id screen;
    enum screen_id under[SCREEN_COUNT]; /* where `q` leads back to */
    char *selected;                     /* key of a drive */
    bool has_chosen; /* a person did; else it is the first to sync */
    bool shows_detail;
    int detail_scroll;
    struct diff_view diff;
    char *diff_drive;
    bool shows_entry; /* both sides of the row under the cursor */
    bool shows_help, shows_why;
    int help_scroll;
    bool types_filter; /* letters go into the filter */
    struct question question;
    struct news news;
    struct {
        char **items; /* keys of what was dismissed */
        size_t count, capacity;
    } dismissed;
    struct news pulled;  /* the last drive that was pulled in the middle */
    char *pulled_volume; /* of it */
    char *message;       /* until the next key; NULL */
    char *trouble;       /* why drives or jobs cannot be listed; NULL */
    bool mouse_is_on;
    bool quits; /* as soon as nothing writes any more */
    bool is_interrupted;
    int64_t rescanned_ns;
    bool suspends; /* as soon as the run has reached a boundary */

    struct {
        struct request *items;
        size_t count, capacity;
    } requests;
};

/* --- from ui.c -------------------------------------------------------------
 */

void model_init(struct model *model);
void model_release(struct model *model);
/* Asks for what the first screen needs. */
void model_start(struct model *model);
void model_set_time(struct model *model, int64_t now_ns);
void model_set_size(struct model *model, int width, int height);
/* A command of this role was posted with this id. */
void model_posted(struct model *model, enum role role, uint64_t id);
/* Takes out of the event what it keeps. */
void model_apply(struct model *model, struct event *event);
/* SIGINT, SIGTERM, SIGHUP: stops what writes, then quits. */
void model_interrupt(struct model *model);
/* Ctrl-Z, SIGTSTP; and when the shell lets the program go on. */
void model_suspend(struct model *model);
void model_resumed(struct model *model);
/* A slice of what takes longer than a frame; true when more is to be done. */
bool model_work(struct model *model);
/*
 * When it wants to be called although nothing happens, and what it does then:
 * the clock of the screen, and the progress of another process, which tells
 * nobody. In milliseconds from now.
 */
int model_next_tick_ms(const struct model *model);
void model_tick(struct model *model);
/* Takes the next request; false when there is none. */
bool model_next_request(struct model *model, struct request *out);
bool model_is_too_small(const struct model *model);

/* --- between the files of the model, and for the screens -------------------
 */

void model_add_request(struct model *model, const struct request *request);
void model_request(struct model *model, enum request_kind kind, enum role role);
void model_post(struct model *model, enum role role,
                struct command *command_taking);
bool model_is_under_way(const struct model *model, enum role role);
void model_say(struct model *model, const char *format, ...) PRINTF_LIKE(2, 3);
void model_go(struct model *model, enum screen_id screen);
/* As model_go, and `q` leads back to where it was opened. */
void model_open(struct model *model, enum screen_id screen);
void model_back(struct model *model);
void set_text(char **to, const char *text); /* NULL is fine */

/* model_drives.c */
char *drive_key(const struct drive *drive); /* free() it */
bool drive_has_key(const struct drive *drive, const char *key);
/* NULL when it is not there. */
const struct drive *model_find_drive(const struct model *model,
                                     const char *key);
const struct drive *model_selected(const struct model *model);
size_t model_selected_index(const struct model *model);
/* What a person wants; and, until then, what is likely wanted. */
void model_choose(struct model *model, size_t index);
void model_preselect(struct model *model);
void model_apply_drives(struct model *model, struct event *event);
const struct drive_volume *model_find_volume(const struct model *model,
                                             const char *name);
/* What `m` mounts: a known one, else the first; NULL: all are mounted. */
const struct drive_volume *drive_volume_to_mount(const struct drive *drive);
void model_mount(struct model *model, const struct drive *drive);
bool volume_is_ready(const struct drive_volume *volume); /* may be written */
bool target_is_of(const struct target *target, const struct drive *drive);
/* "hdd_homelab": the volume's name, or what else there is to call it. */
const char *volume_title(const struct drive_volume *volume);
/* Of its first known volume, else its own. */
const char *drive_short_title(const struct drive *drive);
/* Whom another process writes to; NULL: nobody. */
const struct drive_volume *drive_foreign_run(const struct drive *drive);

struct drive_count {
    bool has_jobs;
    bool is_known;    /* every job was compared */
    bool is_scanning; /* or will be in a moment */
    bool is_sharp;
    int percent; /* of the scan; -1: not known */
    int64_t pending, files, bytes, conflicts, held, left_out;
    int64_t as_of_ns;  /* the oldest comparison */
    const char *error; /* why one of them could not be compared; NULL */
};
struct drive_count model_count(const struct model *model,
                               const struct drive *drive);
struct drive_count model_count_target(const struct model *model,
                                      const struct target *target);

/* model_scan.c */
struct target *model_find_target(const struct model *model, const char *job,
                                 const char *volume);
/* Whose plan a row of the diff is of; NULL: none any more. */
const struct target *model_target_of_root(const struct model *model,
                                          size_t root);
void model_wish(struct model *model, const char *volume, enum wish wish);
void model_wish_drive(struct model *model, const struct drive *drive,
                      enum wish wish);
void model_wish_sharp(struct model *model, const struct drive *drive);
void model_wish_all(struct model *model);
/* Posts the next comparison, if one is wanted and nothing is in its way. */
void model_scan_next(struct model *model);
/* Asks for the jobs again, unless that is under way. */
void model_list_jobs(struct model *model);
void model_apply_job(struct model *model, struct event *event);
void model_jobs_done(struct model *model);
void model_apply_plan(struct model *model, struct event *event);
void model_scan_done(struct model *model, const struct event *event);
int model_scan_percent(const struct model *model);
/* A slice of summing and listing; true when there is more. */
bool model_work_on_plans(struct model *model);
/* No tree shows it any more. */
void model_hide_target(struct model *model, const struct target *target);
/* Shows the plans of a drive on the diff screen. */
void model_open_diff(struct model *model, const struct drive *drive);
void target_release(struct target *target);

/* model_past.c */
const struct past *model_find_past(const struct model *model,
                                   const char *volume);
void model_apply_history(struct model *model, const struct event *event);
void model_remember_past(struct model *model, const struct event *event);
/* Bytes a second of earlier runs; 0: not known. */
int64_t model_usual_speed(const struct model *model, const char *volume);

/* model_start.c */
/* May ask first: it is still being read, another process writes. */
void model_want_sync(struct model *model, const struct drive *drive,
                     bool wants_eject);
/* Asks if there is not enough space. */
void model_start_run(struct model *model, const struct drive *drive,
                     bool wants_eject);
/* The same, when some obstacles were answered already. */
void model_start_past(struct model *model, const struct drive *drive,
                      bool wants_eject, unsigned passed);
void model_run_now(struct model *model, const struct drive *drive,
                   bool wants_eject);
/* A question about what goes on stays true. */
void model_keep_question(struct model *model);
void model_watch_foreign(struct model *model, const struct drive *drive);
void model_run_follows_drives(struct model *model);

/* model_obstacles.c */
/* True when it has asked: read-only, dirty, held, too full. */
bool model_ask_before(struct model *model, const struct drive *drive,
                      bool wants_eject, unsigned passed);
/* Before ejecting, when not all of it arrived. */
void model_ask_after(struct model *model, const struct drive *drive);

/* model_run.c */
void model_begin_run(struct model *model, const struct drive *drive,
                     bool is_foreign);
void model_apply_run(struct model *model, struct event *event);
void model_stop_run(struct model *model);
void model_pause_run(struct model *model);
/* The next of a few limits. */
void model_limit_run(struct model *model);
void run_release(struct sync_run *run);

/* model_eject.c */
bool drive_can_be_ejected(const struct drive *drive);
void model_want_eject(struct model *model, const struct drive *drive);
void model_start_eject(struct model *model, const struct drive *drive);
void model_apply_eject(struct model *model, struct event *event);
void model_leave_eject(struct model *model);
void ejection_release(struct ejection *eject);
enum eject_verdict ejection_verdict(const struct ejection *eject);

/* model_ask.c */
void model_ask(struct model *model, const struct question *question_taking);
void model_answer(struct model *model, enum answer answer);
void question_release(struct question *question);
void question_add(struct question *question, uint32_t key, const char *words,
                  enum answer answer);

/* model_space.c */
/* True when there is too little: it asks what to do. */
bool model_lacks_space(struct model *model, const struct drive *drive,
                       bool wants_eject);
void model_ask_to_prune(struct model *model);
void model_prune(struct model *model);
void model_apply_space(struct model *model, const struct event *event);
void model_space_done(struct model *model, enum role role,
                      const struct event *event);
void shortage_release(struct shortage *shortage);

/* model_crons.c */
void model_look_for_crons(struct model *model);
void model_apply_crons(struct model *model, struct event *event);
void model_crons_done(struct model *model, enum role role,
                      const struct event *event);
/* After the first good sync of a job. */
void model_look_for_repeated(struct model *model);
/* Asks once the drives are shown and nothing is under way. */
void model_offer_silence(struct model *model);
void model_silence_next(struct model *model);
void crons_release(struct crons *crons);

/* model_exclude.c */
void model_ask_to_exclude(struct model *model);
void model_exclude(struct model *model, bool whole_kind);
void model_take_exclusion_back(struct model *model);
void model_exclude_done(struct model *model, const struct event *event);
void exclusion_release(struct exclusion *exclusion);

/* model_news.c */
void model_find_news(struct model *model);
void model_dismiss_news(struct model *model);
/* To where the news can be looked at; false when there is no such screen. */
bool model_follow_news(struct model *model);
void model_apply_pulled(struct model *model, const struct event *event);
void model_forget_pulled(struct model *model, const char *volume);
void news_release(struct news *news);

#endif
