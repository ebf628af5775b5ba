#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <jansson.h>
#include <string.h>

/* --- drives --- */

/* As `sync` would still do it; null: no job, or nobody can tell. */
static json_t *pending_to_json(const struct drive_volume *volume)
{
    const struct leftovers *left = &volume->left;

    if (!volume->has_left || left->unknown)
        return json_null();
    return json_integer(left->pending + left->held + left->too_young +
                        left->unreadable + left->conflicts);
}

static json_t *volume_to_json(const struct drive_volume *volume)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:o, s:b, s:b, s:b, s:I, s:I, s:o, s:o, "
        "s:o, s:s, s:o}",
        "name", volume->name, "id", volume->id, "label",
        cli_json_path(volume->label), "filesystem", volume->family, "device",
        volume->device, "mount_point", cli_json_path(volume->mount_point),
        "mounted", volume->is_mounted, "read_only", volume->is_read_only,
        "folder", volume->is_folder, "size_bytes",
        (json_int_t)volume->size_bytes, "free_bytes",
        (json_int_t)volume->free_bytes, "last_seen",
        cli_json_time(volume->last_seen_ns), "last_sync",
        cli_json_time(volume->last_sync_ns), "verified",
        cli_json_time(volume->verified_ns), "problem", volume->problem,
        "pending", pending_to_json(volume));

    json_object_set_new(object, "dirty",
                        volume->is_dirty < 0 ? json_null()
                                             : json_boolean(volume->is_dirty));
    if (volume->run.pid)
        json_object_set_new(
            object, "run",
            json_pack("{s:I, s:s, s:s, s:I, s:I}", "pid",
                      (json_int_t)volume->run.pid, "user", volume->run.user,
                      "command", volume->run.command, "done_bytes",
                      (json_int_t)volume->run.done_bytes, "total_bytes",
                      (json_int_t)volume->run.total_bytes));
    return object;
}

static json_t *drive_to_json(const struct drive *drive)
{
    json_t *volumes = json_array();

    for (size_t i = 0; i < drive->volumes.count; i++)
        json_array_append_new(volumes,
                              volume_to_json(&drive->volumes.items[i]));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:s, s:s, s:s, s:s, s:s, "
        "s:o}",
        "title", drive->title, "device", drive->device, "serial", drive->serial,
        "bus", platform_bus_name(drive->bus), "attached", drive->is_attached,
        "external", drive->is_external, "size_bytes",
        (json_int_t)drive->size_bytes, "link_mbit",
        (json_int_t)drive->link_mbit, "health",
        health_state_name(drive->health.state), "health_why", drive->health.why,
        "no_eject", drive->no_eject, "unsafe", drive->unsafe, "unrepaired",
        drive->unrepaired, "volumes", volumes);
}

static void print_left(struct cli_output *output,
                       const struct drive_volume *volume)
{
    CLEANUP_FREE char *words = leftovers_words(&volume->left);

    if (volume->has_left)
        cli_print(output, "                        %s\n", words);
}

static void print_volume(struct cli_output *output,
                         const struct drive_volume *volume)
{
    char free_space[QUANTITY_SIZE], size[QUANTITY_SIZE], when[32];
    const char *name = *volume->name    ? volume->name
                       : *volume->label ? volume->label
                                        : volume->device;

    cli_print(output, "    %-16s  %-6s", cli_name(name), volume->family);
    if (!volume->is_mounted)
        cli_print(output, "  not mounted");
    else if (volume->free_bytes >= 0)
        cli_print(output, "  %s of %s free  %s",
                  format_bytes(volume->free_bytes, free_space),
                  format_bytes(volume->size_bytes, size),
                  cli_name(volume->mount_point));
    if (volume->last_sync_ns) {
        clock_format_local(volume->last_sync_ns, when, sizeof when);
        cli_print(output, "  in sync %s", when);
    }
    if (volume->verified_ns) {
        clock_format_local(volume->verified_ns, when, sizeof when);
        cli_print(output, "  verified %s", when);
    }
    if (volume->is_dirty > 0)
        cli_print(output, "  was unplugged without eject");
    if (volume->run.pid)
        cli_print(output, "  %s is running (pid %lld, user %s)",
                  cli_name(volume->run.command), (long long)volume->run.pid,
                  cli_name(volume->run.user));
    cli_print(output, "%s%s\n", *volume->problem ? "  " : "",
              cli_name(volume->problem));
    print_left(output, volume);
}

static void print_drive(struct cli_output *output, const struct drive *drive)
{
    char size[QUANTITY_SIZE];

    if (!drive->is_attached) {
        cli_print(output, "%s  away\n", cli_name(drive->title));
        for (size_t i = 0; i < drive->volumes.count; i++)
            print_left(output, &drive->volumes.items[i]);
        return;
    }
    cli_print(output, "%s  %s  %s  %s  %s\n", cli_name(drive->title),
              drive->is_external ? platform_bus_name(drive->bus) : "internal",
              drive->size_bytes ? format_bytes(drive->size_bytes, size) : "",
              health_state_name(drive->health.state), drive->health.why);
    if (*drive->unsafe)
        cli_print(output, "    DO NOT UNPLUG: %s\n", drive->unsafe);
    if (*drive->unrepaired)
        cli_print(output, "    %s\n", drive->unrepaired);
    for (size_t i = 0; i < drive->volumes.count; i++)
        print_volume(output, &drive->volumes.items[i]);
}

static void print_drives(struct cli_output *output, struct event *event)
{
    for (size_t i = 0; i < event->drives.count; i++) {
        if (output->json)
            cli_json_add(output, "drives",
                         drive_to_json(&event->drives.items[i]));
        else
            print_drive(output, &event->drives.items[i]);
    }
}

static void compare_too(struct command *request)
{
    request->compare_first = true;
}

const struct cli_command cli_drives = {
    .name = "drives",
    .arguments = "",
    .summary = "Attached and known drives, with filesystem, health and what is "
               "not on them",
    .details = "What is pending is found by the catalogues: no drive is read, "
               "every\nsource of a job is.",
    .kind = COMMAND_RESCAN,
    .prepare = compare_too,
    .print = print_drives,
    .json_list = "drives",
};

/* --- eject --- */

static json_t *proof_to_json(const struct eject_info *info)
{
    const struct eject_proof *proof = &info->proof;

    return json_pack(
        "{s:b, s:b, s:b, s:b, s:b, s:i, s:i, s:b, s:b, s:b, s:s, s:b, s:b, "
        "s:b, "
        "s:b, s:b}",
        "barrier_ok", proof->barrier_ok, "barrier_failed",
        proof->barrier_failed, "earlier_flush_failed", proof->was_poisoned,
        "lost_writes", proof->has_lost_writes, "earlier_flush_unknown",
        proof->is_past_unknown, "volumes_mounted", proof->volumes_mounted,
        "volumes_unmounted", proof->volumes_unmounted, "still_in_use",
        proof->is_still_in_use, "power_off_ok", proof->power_off_ok,
        "device_gone", proof->device_gone, "write_cache",
        proof->write_cache == PLATFORM_CACHE_WRITE_BACK      ? "write-back"
        : proof->write_cache == PLATFORM_CACHE_WRITE_THROUGH ? "write-through"
                                                             : "unknown",
        "flush_seen", proof->power.flush_seen, "flush_failed",
        proof->power.flush_failed, "stop_seen", proof->power.stop_seen,
        "stop_failed", proof->power.stop_failed, "practice", info->is_practice);
}

static void print_holders(struct cli_output *output,
                          const struct eject_info *info)
{
    for (size_t i = 0; i < info->holders.count; i++) {
        const struct platform_holder *holder = &info->holders.items[i];
        cli_complain(output, "%s is held by %s (pid %lld, user %s): %s %s",
                     cli_name(info->detail), cli_name(holder->command),
                     (long long)holder->pid, cli_name(holder->user),
                     platform_hold_name(holder->kind), cli_name(holder->path));
    }
    if (!info->holders.is_complete)
        cli_complain(output, "what other users hold cannot be seen without "
                             "rights");
}

static void print_verdict(struct cli_output *output,
                          const struct eject_info *info)
{
    const struct eject_judgement *judgement = &info->judgement;
    CLEANUP_FREE char *left = leftovers_words(&info->left);

    if (output->json) {
        cli_json_add(
            output, "ejected",
            json_pack(
                "{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o}", "drive",
                info->drive, "verdict", eject_verdict_name(judgement->verdict),
                "why", judgement->why, "remedy", judgement->remedy, "complete",
                leftovers_are_none(&info->left), "left", left, "time",
                cli_json_time(info->time_ns), "proof", proof_to_json(info)));
        return;
    }
    cli_print(output, "%s%s: %s (%s)%s%s\n",
              info->is_practice ? "[practice] " : "", cli_name(info->drive),
              eject_verdict_words(judgement->verdict), judgement->why,
              *judgement->remedy ? ": " : "", judgement->remedy);
    cli_print(output, "  %s\n", left);
}

void cli_print_eject(struct cli_output *output, struct event *event)
{
    const struct eject_info *info = &event->eject;

    if (info->step == EJECT_STEP_DONE) {
        print_verdict(output, info);
    } else if (info->is_waiting && !output->told_holders) {
        output->told_holders = true;
        print_holders(output, info);
    }
}

const struct cli_command cli_eject = {
    .name = "eject",
    .arguments = "DRIVE|VOLUME",
    .summary = "Flush, unmount and power off a drive; says when it is safe",
    .details =
        "SAFE TO UNPLUG: flushed, unmounted, powered off and gone, all seen.\n"
        "UNMOUNTED AND FLUSHED: power-off was not possible or not confirmed.\n"
        "DO NOT UNPLUG: anything else, with the reason. A drive is named by\n"
        "one of its volumes, its device, or its model.",
    .kind = COMMAND_EJECT,
    .least_words = 1,
    .most_words = 1,
    .print = cli_print_eject,
    .json_list = "ejected",
};

/* --- mount --- */

static void print_nothing(struct cli_output *output, struct event *event)
{
}

const struct cli_command cli_mount = {
    .name = "mount",
    .arguments = "VOLUME",
    .summary =
        "Mount a volume where the system would; by name, label or device",
    .kind = COMMAND_MOUNT,
    .least_words = 1,
    .most_words = 1,
    .print = print_nothing,
};
