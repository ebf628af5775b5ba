#include "core/demo_internal.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY_NS (86400 * NS_PER_SECOND)
/* The practice platform notices a line within 50 ms. */
#define CONTROL_PATIENCE_MS 10000

/* `move` with min_copies = 2 is what scrapes are for; once it is there. */
static const char jobs[] =
    "\n"
    "jobs = (\n"
    "  // Two drives take turns: one stays, the other is somewhere else.\n"
    "  { name = \"scrapes\"; source = \"~/lab/tmp/scrapes\";\n"
    "    targets = [ \"hdd_homelab:/raw_scrapes\", "
    "\"hdd_rotating:/raw_scrapes\" ];\n"
    "    mode = \"update\"; },\n"
    "  { name = \"outputs\"; source = \"~/lab/out\";\n"
    "    targets = [ \"hdd_homelab:/llm_outputs\" ]; mode = \"update\"; },\n"
    "  // SQLite databases arrive as snapshots, also while they are written.\n"
    "  { name = \"databases\"; source = \"~/data\"; targets = [ "
    "\"hdd_homelab:/sqlite\" ];\n"
    "    include = [ \"*.sqlite\", \"*.db\" ]; exclude = [ \"*.tmp\" ]; "
    "versions = \"30d\"; },\n"
    "  { name = \"notes\"; source = \"~/notes\";\n"
    "    targets = [ \"hdd_homelab:/notes\", \"hdd_rotating:/notes\" ];\n"
    "    settle = \"1m\"; },\n"
    "  { name = \"media\"; source = \"~/media\"; targets = [ "
    "\"hdd_homelab:/media\" ]; }\n"
    ");\n";

struct past {
    struct demo *demo;
    struct engine *engine;
    int signal_fd;
};

/* --- commands --- */

/* ERR_CANCELLED when somebody wants to leave. */
static err_code wait_for_news(struct past *past, struct error *err)
{
    struct pollfd fds[] = {
        {.fd = engine_wake_fd(past->engine), .events = POLLIN},
        {.fd = past->signal_fd, .events = POLLIN},
    };

    while (poll(fds, COUNT_OF(fds), -1) < 0)
        if (errno != EINTR)
            return error_set_errno(err, errno, "cannot wait for events");
    if (!fds[1].revents)
        return ERR_OK;
    engine_stop(past->engine);
    return error_set(err, ERR_CANCELLED, "stopped on request");
}

/* Held deletes and the like are what is wanted: only errors end it. */
static err_code take_done(const struct event *event, struct error *err)
{
    if (event->kind != EVENT_DONE || event->outcome == OUTCOME_DONE ||
        event->outcome == OUTCOME_DIFFERENCES)
        return ERR_OK;
    return error_set(err, ERR_INTERNAL, "the demo could not be set up: %s",
                     event->text ? event->text : "a command failed");
}

static err_code run_command(struct past *past, struct command *command_taking,
                            struct error *err)
{
    uint64_t id = engine_post(past->engine, command_taking);
    bool is_done = false;
    err_code code = ERR_OK;

    while (!code && !is_done) {
        struct event *event;
        code = wait_for_news(past, err);
        while (!code && (event = engine_next(past->engine))) {
            is_done =
                is_done || (event->kind == EVENT_DONE && event->command == id);
            code = take_done(event, err);
            event_free(event);
        }
    }
    return code;
}

static err_code run_on(struct past *past, enum command_kind kind,
                       const char *volume, struct error *err)
{
    struct command *command = command_new(kind);

    if (volume)
        command_add_name(command, volume);
    return run_command(past, command, err);
}

static err_code add_volume(struct past *past, const char *name,
                           enum volume_role role, struct error *err)
{
    struct command *command = command_new(COMMAND_VOLUME_ADD);

    command->path = xasprintf("%s/drives/%s", past->demo->directory, name);
    command->volume.name = xstrdup(name);
    command->volume.role = role;
    return run_command(past, command, err);
}

static err_code verify(struct past *past, const char *volume, struct error *err)
{
    struct command *command = command_new(COMMAND_VERIFY);

    command->sample = 1;
    command_add_name(command, volume);
    return run_command(past, command, err);
}

static err_code add_jobs(struct past *past, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *path =
        path_join(past->demo->directory, "config/berth.conf");
    err_code code = file_read(path, 100000, &text, err);

    strbuf_adds(&text, jobs);
    if (!code)
        code = file_replace(path, text.text, text.length, 0600, err);
    return code;
}

/* --- drives --- */

static bool is_carried_out(const char *done_path, int64_t size)
{
    CLEANUP(strbuf_release) struct strbuf done = STRBUF_INIT;

    return !file_read(done_path, 64, &done, NULL) &&
           strtoll(done.text, NULL, 10) == size;
}

/* Appends lines for the practice platform; *out_size: of the file then. */
static err_code append_lines(const char *path, const char *lines,
                             int64_t *out_size, struct error *err)
{
    CLEANUP_FD int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat found;
    int failed = fd < 0 ? errno : fd_write_full(fd, lines, strlen(lines));

    if (!failed && fstat(fd, &found))
        failed = errno;
    if (failed)
        return error_set_errno(err, failed, "cannot write %s", path);
    *out_size = (int64_t)found.st_size;
    return ERR_OK;
}

static err_code play(struct past *past, const char *lines, struct error *err)
{
    CLEANUP_FREE char *path = path_join(past->demo->directory, "control");
    CLEANUP_FREE char *done_path = xasprintf("%s.done", path);
    int64_t size = 0;
    err_code code = append_lines(path, lines, &size, err);

    for (int ms = 0; !code && ms < CONTROL_PATIENCE_MS; ms += 10) {
        if (is_carried_out(done_path, size))
            return ERR_OK;
        poll(NULL, 0, 10);
    }
    return code ? code
                : error_set(err, ERR_INTERNAL,
                            "the practice drives do not listen");
}

/* --- nights --- */

/* Two in the morning, so many days before the demo. */
static int64_t night(const struct demo *demo, int days)
{
    time_t seconds = (time_t)(demo->now_ns / NS_PER_SECOND);
    struct tm local;

    if (!localtime_r(&seconds, &local))
        return demo->now_ns - days * DAY_NS;
    local.tm_mday -= days;
    local.tm_hour = 2;
    local.tm_min = local.tm_sec = 0;
    local.tm_isdst = -1;
    int64_t time_ns = (int64_t)mktime(&local) * NS_PER_SECOND;
    return time_ns < demo->now_ns ? time_ns : demo->now_ns - NS_PER_SECOND;
}

static err_code first_night(struct past *past, struct error *err)
{
    clock_freeze(night(past->demo, 12));
    err_code code = add_volume(past, "hdd_homelab", VOLUME_BACKUP, err);
    if (!code)
        code = add_volume(past, "hdd_rotating", VOLUME_BACKUP, err);
    if (!code)
        code = add_volume(past, "tools_usb", VOLUME_READ_ONLY, err);
    if (!code)
        code = add_jobs(past, err);
    if (!code)
        code = run_on(past, COMMAND_SYNC, NULL, err);
    if (!code)
        code = play(past, "unplug stick\nplug stick\n", err);
    if (!code)
        code = verify(past, "tools_usb", err);
    /* What is read today is what growth is measured against. */
    if (!code)
        code = run_on(past, COMMAND_RESCAN, NULL, err);
    if (!code)
        code = play(past, "unmount hdd_rotating\nunplug rotating\n", err);
    return code;
}

static err_code last_night(struct past *past, struct error *err)
{
    err_code code = demo_add_week(past->demo, err);

    clock_freeze(night(past->demo, 0));
    if (!code)
        code = run_on(past, COMMAND_SYNC, "hdd_homelab", err);
    return code;
}

static err_code today(struct past *past, struct error *err)
{
    clock_freeze(0);
    err_code code = demo_add_today(past->demo, err);
    if (!code)
        code = play(past,
                    "set hdd slow=8MB\n"
                    "set ssd attribute-0=media_errors,,,,2\n",
                    err);
    return code;
}

err_code demo_play_past(struct demo *demo, struct engine *engine, int signal_fd,
                        struct error *err)
{
    struct past past = {demo, engine, signal_fd};

    if (demo->is_furnished)
        return ERR_OK;
    err_code code = first_night(&past, err);
    if (!code)
        code = last_night(&past, err);
    if (!code)
        code = today(&past, err);
    clock_freeze(0);
    if (!code)
        code = demo_write_text(demo, DEMO_MARK, "", 0, err);
    /* What stays open on a drive keeps it from being ejected. */
    fsops_forget_directories(&demo->ops);
    return code;
}
