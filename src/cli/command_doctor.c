#include "cli/cli_internal.h"

#include <jansson.h>

static const char *const levels[] = {
    [CHECK_FINE] = "ok", [CHECK_NOTE] = "note", [CHECK_FINDING] = "finding"};

static void print_check(struct cli_output *output, struct event *event)
{
    const struct check_info *check = &event->check;

    if (event->kind != EVENT_CHECK)
        return;
    if (output->json) {
        cli_json_add(
            output, "checks",
            json_pack("{s:s, s:o, s:o, s:s?}", "level", levels[check->level],
                      "topic", cli_json_path(event->path), "words",
                      cli_json_path(event->text), "remedy", check->remedy));
        return;
    }
    cli_print(output, "%-8s %s: %s", levels[check->level],
              cli_name(event->path), cli_name(event->text));
    cli_print(output, "%s%s\n", check->remedy ? ": " : "",
              check->remedy ? check->remedy : "");
}

const struct cli_command cli_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "Look for what will go wrong: drives, sources, rights, "
               "schedule, clock",
    .details =
        "Reads the configuration, every drive's health, every source, the\n"
        "schedule and its missed runs, the clock, the power supply of a\n"
        "Raspberry Pi, and the crontabs for rsync lines that still write to a\n"
        "drive of berth's. Says for each volume what its filesystem loses and\n"
        "who can read it. Exit 3 with findings.",
    .kind = COMMAND_DOCTOR,
    .print = print_check,
    .json_list = "checks",
};
