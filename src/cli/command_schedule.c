#include "cli/cli_internal.h"

#include "core/base/clock.h"

#include <jansson.h>
#include <string.h>

static json_t *night_to_json(const struct event *event)
{
    const struct schedule_info *info = &event->schedule;
    const struct night_record *record = &info->record;

    return json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:o, "
        "s:o}",
        "at", event->text, "jobs", event->job, "by", event->path, "installed",
        info->is_installed, "current", info->is_current, "lingers",
        info->lingers < 0 ? json_null() : json_boolean(info->lingers), "next",
        cli_json_time(info->next_ns), "started",
        cli_json_time(record->started_ns), "ended",
        cli_json_time(record->ended_ns), "missed", (json_int_t)record->missed,
        "missed_since", cli_json_time(record->missed_at_ns), "overdue",
        (json_int_t)info->overdue, "overdue_since",
        cli_json_time(info->overdue_ns), "exit",
        record->ended_ns ? json_integer(record->exit_code) : json_null());
}

static void print_time(struct cli_output *output, const char *words,
                       int64_t time_ns)
{
    char when[32];

    if (!time_ns)
        return;
    clock_format_local(time_ns, when, sizeof when);
    cli_print(output, "%s%s", words, when);
}

static void print_night(struct cli_output *output, struct event *event)
{
    const struct schedule_info *info = &event->schedule;
    const struct night_record *record = &info->record;

    if (event->kind != EVENT_SCHEDULE)
        return;
    if (output->json) {
        cli_json_add(output, "schedule", night_to_json(event));
        return;
    }
    cli_print(output, "%-8s  %s  (%s%s)", event->text, event->job, event->path,
              info->is_current     ? ""
              : info->is_idle      ? ", which is not running"
              : info->is_installed ? ", out of date"
                                   : ", not installed");
    print_time(output, "  next ", info->next_ns);
    print_time(output, "  last ", record->started_ns);
    if (record->ended_ns)
        cli_print(output, ", exit %d", record->exit_code);
    cli_print(output, "\n");
    if (record->missed) {
        cli_print(output, "  %lld were missed before the last run",
                  (long long)record->missed);
        print_time(output, ", the first ", record->missed_at_ns);
        cli_print(output, "\n");
    }
    if (info->overdue) {
        cli_print(output, "  %lld did not happen", (long long)info->overdue);
        print_time(output, ", the first ", info->overdue_ns);
        cli_print(output, "\n");
    }
}

const struct cli_command cli_schedule_install = {
    .name = "schedule install",
    .arguments = "",
    .summary = "Let the system start what the jobs' schedule keys say",
    .details =
        "One systemd user timer for each time of day, which catches up on\n"
        "what was missed while the machine was off; a service that starts\n"
        "when a drive is mounted for \"on-plug\"; lines in the crontab where\n"
        "there is no systemd; launchd agents on macOS. Run it again after the\n"
        "configuration has changed. Nothing of it needs root, but lingering:\n"
        "see `berth schedule show`.",
    .kind = COMMAND_SCHEDULE_INSTALL,
    .print = print_night,
    .json_list = "schedule",
};

const struct cli_command cli_schedule_remove = {
    .name = "schedule remove",
    .arguments = "",
    .summary = "Remove what `schedule install` installed",
    .kind = COMMAND_SCHEDULE_REMOVE,
    .print = print_night,
};

const struct cli_command cli_schedule_show = {
    .name = "schedule show",
    .arguments = "",
    .summary = "What starts by itself, when next, how it went, what was missed",
    .kind = COMMAND_SCHEDULE_SHOW,
    .print = print_night,
    .json_list = "schedule",
};
