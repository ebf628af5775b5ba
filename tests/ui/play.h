/*
 * A screen without a terminal and an engine: a model that is told events, and
 * takes keys; what it asks for is noted; what it shows is text.
 */
#ifndef BERTH_TEST_PLAY_SCREEN_H
#define BERTH_TEST_PLAY_SCREEN_H

#include "core/base/array.h"
#include "core/base/clock.h"
#include "ui/keys.h"
#include "ui/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 21 November 2026, 14:02 UTC */
#define PLAY_NOW (INT64_C(1795269720) * NS_PER_SECOND)
#define GB (INT64_C(1000) * 1000 * 1000)
#define TB (1000 * GB)

struct play {
    struct model model;
    struct canvas canvas;
    uint64_t last_id;
    enum command_kind posted[ROLE_COUNT]; /* the last command of each role */
    size_t reviewed;                      /* plans of the last sync */
    int64_t limit;                        /* the last one asked for */
    int stops, pauses, go_ons, quits, leaves, suspends;
};

static inline void play_requests(struct play *play)
{
    struct request request;

    while (model_next_request(&play->model, &request)) {
        switch (request.kind) {
        case REQUEST_POST:
            play->posted[request.role] = request.command->kind;
            if (request.role == ROLE_RUN)
                play->reviewed = request.command->reviewed_count;
            model_posted(&play->model, request.role, ++play->last_id);
            command_free(request.command);
            break;
        case REQUEST_STOP:
            play->stops++;
            break;
        case REQUEST_PAUSE:
            play->pauses++;
            break;
        case REQUEST_GO_ON:
            play->go_ons++;
            break;
        case REQUEST_LIMIT:
            play->limit = request.amount;
            break;
        case REQUEST_QUIT:
            play->quits++;
            break;
        case REQUEST_LEAVE:
            play->leaves++;
            break;
        case REQUEST_SUSPEND:
            play->suspends++;
            break;
        default:
            break;
        }
    }
}

static inline struct play *play_new(int width, int height, bool is_ascii)
{
    struct play *play = xcalloc(1, sizeof *play);

    setenv("TZ", "UTC", 1);
    model_init(&play->model);
    model_set_time(&play->model, PLAY_NOW);
    model_set_size(&play->model, width, height);
    canvas_init(&play->canvas, is_ascii);
    model_start(&play->model);
    play_requests(play);
    return play;
}

static inline void play_free(struct play *play)
{
    model_release(&play->model);
    canvas_release(&play->canvas);
    free(play);
}

static inline void play_work(struct play *play)
{
    do
        play_requests(play);
    while (model_work(&play->model));
    play_requests(play);
}

static inline void play_event(struct play *play, struct event *event_taking)
{
    model_apply(&play->model, event_taking);
    event_free(event_taking);
    play_work(play);
}

/* An event of what the role runs. */
static inline struct event *play_of(struct play *play, enum role role,
                                    enum event_kind kind)
{
    assert_true(model_is_under_way(&play->model, role));
    return event_new(kind, play->model.ids[role]);
}

static inline void play_done(struct play *play, enum role role,
                             enum outcome outcome)
{
    struct event *event = play_of(play, role, EVENT_DONE);

    event->outcome = outcome;
    play_event(play, event);
}

static inline void play_draw(struct play *play)
{
    canvas_reset(&play->canvas, play->model.width, play->model.height);
    screen_draw(&play->model, &play->canvas);
}

/* The canvas knows what is where: a picture before each key. */
static inline void play_key(struct play *play, uint32_t key)
{
    const struct input input = {.kind = INPUT_KEY, .key = key};

    play_draw(play);
    screen_input(&play->model, &play->canvas, &input);
    play_work(play);
}

static inline char *play_text(struct play *play)
{
    struct strbuf text = STRBUF_INIT;

    play_draw(play);
    canvas_to_text(&play->canvas, &text);
    return strbuf_detach(&text);
}

static inline bool play_shows(struct play *play, const char *words)
{
    CLEANUP_FREE char *text = play_text(play);

    return strstr(text, words) != NULL;
}

#define assert_shows(play, words)                                              \
    do {                                                                       \
        if (!play_shows(play, words)) {                                        \
            CLEANUP_FREE char *shown = play_text(play);                        \
            fail_msg("not shown: %s\n%s", words, shown);                       \
        }                                                                      \
    } while (0)

/* --- drives ----------------------------------------------------------------
 */

static inline struct drive *play_add_drive(struct drives *drives,
                                           const char *title,
                                           enum platform_bus bus,
                                           int64_t size_bytes)
{
    const struct drive drive = {
        .id = xasprintf("%s 1", title),
        .device = xstrdup("/dev/sdb"),
        .title = xstrdup(title),
        .serial = xstrdup(""),
        .bus = bus,
        .size_bytes = size_bytes,
        .link_mbit = bus == PLATFORM_BUS_USB ? 5000 : 0,
        .is_attached = true,
        .is_external = bus == PLATFORM_BUS_USB,
        .no_eject = xstrdup(""),
        .unsafe = xstrdup(""),
        .unrepaired = xstrdup(""),
    };

    ARRAY_PUSH(drives, drive);
    return &drives->items[drives->count - 1];
}

static inline struct drive_volume *play_add_volume(struct drive *drive,
                                                   const char *name,
                                                   const char *family,
                                                   int64_t size, int64_t free)
{
    const struct drive_volume volume = {
        .name = xstrdup(name),
        .id = xstrdup(*name ? "7f3c" : ""),
        .known_as = xstrdup(""),
        .label = xstrdup(""),
        .family = xstrdup(family),
        .device = xstrdup("/dev/sdb1"),
        .mount_point = xasprintf("/media/me/%s", name),
        .size_bytes = size,
        .free_bytes = free,
        .is_mounted = true,
        .problem = xstrdup(""),
        .run = {.user = xstrdup(""), .command = xstrdup("")},
    };

    ARRAY_PUSH(&drive->volumes, volume);
    return &drive->volumes.items[drive->volumes.count - 1];
}

static inline void play_set_health(struct drive *drive, enum health_state state,
                                   const char *why)
{
    drive->health.state = state;
    snprintf(drive->health.why, sizeof drive->health.why, "%s", why);
}

/* Seagate, SanDisk, a second drive that is away, and what is inside. */
static inline struct drives play_make_drives(bool seagate_is_here)
{
    struct drives drives = {.items = NULL};
    struct drive *drive;

    if (seagate_is_here) {
        drive = play_add_drive(&drives, "Seagate Expansion", PLATFORM_BUS_USB,
                               5 * TB);
        play_set_health(drive, HEALTH_GOOD, "SMART passed · 34 °C · 4,120 h");
        play_add_volume(drive, "hdd_homelab", "exfat", 5 * TB, 1900 * GB);
    }
    drive =
        play_add_drive(&drives, "SanDisk Ultra", PLATFORM_BUS_USB, 256 * GB);
    play_set_health(drive, HEALTH_UNKNOWN, "the USB bridge hides SMART");
    struct drive_volume *tools =
        play_add_volume(drive, "tools_usb", "exfat", 256 * GB, 85 * GB);
    tools->role = VOLUME_READ_ONLY;
    tools->verified_ns = PLAY_NOW - 12 * 86400 * NS_PER_SECOND;
    drive =
        play_add_drive(&drives, "Samsung SSD 970", PLATFORM_BUS_NVME, 500 * GB);
    play_set_health(drive, HEALTH_WATCH, "wear 92 %");
    struct drive_volume *system =
        play_add_volume(drive, "", "ext4", 500 * GB, 31 * GB);
    free(system->mount_point);
    system->mount_point = xstrdup("/");
    system->is_system = true;
    free(drive->no_eject);
    drive->no_eject = xstrdup("the running system is on it");
    if (!seagate_is_here) {
        drive =
            play_add_drive(&drives, "hdd_homelab", PLATFORM_BUS_UNKNOWN, -1);
        drive->is_attached = drive->is_external = false;
        play_add_volume(drive, "hdd_homelab", "", -1, -1)->is_mounted = false;
        drive->volumes.items[0].last_seen_ns = PLAY_NOW;
    }
    drive = play_add_drive(&drives, "hdd_rotating", PLATFORM_BUS_UNKNOWN, -1);
    drive->is_attached = drive->is_external = false;
    play_add_volume(drive, "hdd_rotating", "", -1, -1)->is_mounted = false;
    drive->volumes.items[0].last_seen_ns = PLAY_NOW - 7 * 86400 * NS_PER_SECOND;
    return drives;
}

static inline void play_drives(struct play *play, struct drives drives)
{
    struct event *event = event_new(EVENT_DRIVES, play->model.ids[ROLE_WATCH]);

    event->drives = drives;
    play_event(play, event);
}

/* --- jobs and plans --------------------------------------------------------
 */

static inline void play_job(struct play *play, const char *job,
                            const char *volume, const char *directory)
{
    struct event *event = play_of(play, ROLE_JOBS, EVENT_JOB);

    event->job = xstrdup(job);
    event->volume = xstrdup(volume);
    event->job_info.target = xasprintf("%s:%s", volume, directory);
    event->job_info.last_sync_ns = PLAY_NOW - 2 * 3600 * NS_PER_SECOND;
    event->job_info.stale_after_ns = 10 * 86400 * NS_PER_SECOND;
    play_event(play, event);
}

static inline struct action *play_add(struct plan *plan, enum action_kind kind,
                                      const char *path, int64_t size_bytes)
{
    struct action action = {
        .kind = (unsigned char)kind,
        .path = arena_strdup(&plan->arena, path),
        .size_bytes = size_bytes,
        .before = {.size_bytes = kind == ACTION_NEW ? -1 : 1000},
    };

    if (kind == ACTION_MKDIR || kind == ACTION_RMDIR)
        action.type = ENTRY_DIRECTORY;
    ARRAY_PUSH(plan, action);
    return &plan->items[plan->count - 1];
}

/* The comparison of one volume that is under way brings these. */
static inline void play_plan(struct play *play, const char *job,
                             const char *volume, struct plan *plan_taking)
{
    struct event *event = play_of(play, ROLE_SCAN, EVENT_PLAN);

    event->job = xstrdup(job);
    event->volume = xstrdup(volume);
    plan_sort(plan_taking);
    plan_total(plan_taking);
    plan_taking->made_ns = PLAY_NOW;
    plan_taking->totals.files_seen = 5000;
    event->plan = *plan_taking;
    *plan_taking = (struct plan)PLAN_INIT;
    play_event(play, event);
}

/* --- snapshots -------------------------------------------------------------
 */

/*
 * The picture is what tests/ui/snapshots/NAME.screen says; with UI_ACCEPT set
 * the file is written anew (tests/run-ui --accept does that).
 */
static inline void assert_looks_like(struct play *play, const char *name)
{
    CLEANUP_FREE char *text = play_text(play);
    CLEANUP_FREE char *path = xasprintf("tests/ui/snapshots/%s.screen", name);
    const char *accept = getenv("UI_ACCEPT");
    char *expected = xcalloc(1, strlen(text) + 2);

    FILE *file = fopen(path, accept && *accept ? "w+" : "r");
    if (!file)
        fail_msg("%s is not there; tests/run-ui --accept makes it", path);
    if (accept && *accept) {
        fputs(text, file);
        rewind(file);
    }
    size_t length = fread(expected, 1, strlen(text) + 1, file);
    expected[length] = '\0';
    fclose(file);
    bool is_same = !strcmp(expected, text);
    free(expected);
    if (!is_same)
        fail_msg("%s looks different:\n%s", path, text);
}

#endif
