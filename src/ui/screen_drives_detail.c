#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <string.h>

/* From here on there is room for where a job's files come from. */
#define WIDE 90
#define SOURCE 52

static void put_volume_title(struct flow *flow,
                             const struct drive_volume *volume)
{
    struct area area = flow->area;
    int row = flow->row++;
    int name = area.width > 60 ? 24 : 17;

    area_put_name(area_columns(area, 0, name - 1), 0, row, STYLE_STRONG,
                  volume_title(volume));
    area_put(area_columns(area, name, 6), 0, row, STYLE_NORMAL,
             family_words(volume->family));
    area_put_name(area_columns(area, name + 8, area.width), 0, row, STYLE_DIM,
                  volume->is_mounted ? volume->mount_point : volume->device);
}

static void put_usage(struct flow *flow, const struct drive_volume *volume)
{
    char used[QUANTITY_SIZE], size[QUANTITY_SIZE];
    int64_t used_bytes = volume->size_bytes - volume->free_bytes;

    if (!volume->is_mounted || volume->free_bytes < 0)
        return;
    format_bytes(used_bytes, used);
    format_bytes(volume->size_bytes, size);
    char *unit = strchr(used, ' ');
    if (unit && !strcmp(unit, strchr(size, ' ')))
        *unit = '\0'; /* "3.1 of 5.0 TB" */
    CLEANUP_FREE char *words = xasprintf("%s of %s", used, size);
    int width = flow->area.width - text_width(words) - 2;
    if (width > 40)
        width = 40;
    widget_usage(flow->area, 0, flow->row, width, used_bytes,
                 volume->size_bytes);
    area_put(flow->area, width + 2, flow->row++, STYLE_NORMAL, words);
}

void screen_put_health(struct flow *flow, const struct drive *drive)
{
    static const enum style styles[] = {
        [HEALTH_UNKNOWN] = STYLE_NORMAL,
        [HEALTH_GOOD] = STYLE_GOOD,
        [HEALTH_WATCH] = STYLE_WATCH,
        [HEALTH_FAILING] = STYLE_BAD,
    };
    CLEANUP_FREE char *words =
        xasprintf("%s%s%s", health_state_name(drive->health.state),
                  *drive->health.why ? " · " : "", drive->health.why);

    flow_label(flow, "Health", styles[drive->health.state], words);
}

/* Speeds that USB names after itself; else the number alone. */
static const char *usb_words(int64_t mbit)
{
    if (mbit >= 20000)
        return "USB 3.2×2, ";
    if (mbit >= 5000)
        return "USB 3, ";
    if (mbit == 480)
        return "USB 2, ";
    return mbit < 480 ? "USB 1, " : "";
}

void screen_put_link(struct flow *flow, const struct drive *drive)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    if (!drive->is_attached)
        return;
    if (drive->bus == PLATFORM_BUS_USB && drive->link_mbit > 0)
        strbuf_adds(&words, usb_words(drive->link_mbit));
    else if (*platform_bus_name(drive->bus))
        strbuf_addf(&words, "%s%s", platform_bus_name(drive->bus),
                    drive->link_mbit > 0 ? ", " : "");
    if (drive->link_mbit >= 1000)
        strbuf_addf(&words, "%.3g Gb/s", (double)drive->link_mbit / 1000);
    else if (drive->link_mbit > 0)
        strbuf_addf(&words, "%" PRId64 " Mb/s", drive->link_mbit);
    if (words.length)
        flow_label(flow, "Link",
                   drive->bus == PLATFORM_BUS_USB && drive->link_mbit > 0 &&
                           drive->link_mbit <= 480
                       ? STYLE_WATCH
                       : STYLE_NORMAL,
                   words.text);
}

void screen_put_state(struct flow *flow, const struct drive_volume *volume)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    enum style style = STYLE_NORMAL;

    if (*volume->problem) {
        flow_label(flow, "Volume", STYLE_BAD, volume->problem);
        return;
    }
    if (!volume->is_mounted)
        strbuf_adds(&words, volume->is_locked ? "locked" : "not mounted");
    else if (volume->is_dirty > 0)
        strbuf_adds(&words, "was unplugged without eject");
    else
        strbuf_adds(&words, volume->is_dirty == 0 ? "clean" : "mounted");
    if (volume->is_dirty > 0)
        style = STYLE_WATCH;
    if (volume->is_mounted && volume->is_read_only)
        strbuf_adds(&words, " · read-only");
    else if (volume->is_mounted && !volume->has_journal && !volume->is_folder &&
             !volume->is_system)
        strbuf_adds(&words, " · no journal: eject before unplug");
    if (volume->is_folder)
        strbuf_adds(&words, " · a plain directory");
    flow_label(flow, "Volume", style, words.text);
}

/* Of what berth has put there, or was told to look after. */
static void put_verified(const struct model *model, struct flow *flow,
                         const struct drive_volume *volume)
{
    char ago[WORDS_SIZE];

    if (volume->verified_ns)
        flow_label(flow, "Verified", STYLE_NORMAL,
                   words_ago(model->now_ns, volume->verified_ns, ago));
    else if (volume->is_mounted &&
             (volume->last_sync_ns ||
              (*volume->name && volume->role == VOLUME_READ_ONLY)))
        flow_label(flow, "Verified", STYLE_NORMAL, "never");
}

static void put_unknown(struct flow *flow, const struct drive_volume *volume)
{
    if (*volume->name || !volume->is_mounted || volume->is_system)
        return;
    CLEANUP_FREE char *words =
        *volume->known_as
            ? xasprintf("known to another machine as %s: a joins it here",
                        volume->known_as)
            : xstrdup("not known yet: a makes it known");
    flow_label(flow, "berth", STYLE_DIM, words);
}

/* --- jobs ------------------------------------------------------------------
 */

static void describe_job(const struct model *model, const struct target *target,
                         struct strbuf *out, enum style *style)
{
    struct drive_count count = model_count_target(model, target);
    char number[QUANTITY_SIZE], bytes[QUANTITY_SIZE], ago[WORDS_SIZE];

    *style = STYLE_DIM;
    if (count.is_known && !count.error && !count.pending && !count.conflicts &&
        target->last_sync_ns) {
        strbuf_addf(out, "✓ in sync, %s",
                    words_ago(model->now_ns, target->last_sync_ns, ago));
        *style = STYLE_GOOD;
    } else if (count.is_known && !count.error && count.pending) {
        strbuf_addf(out, "▲ %6s", format_count(count.pending, number));
        if (count.bytes)
            strbuf_addf(out, "  %8s", format_bytes(count.bytes, bytes));
        *style = STYLE_WATCH;
    } else {
        *style = describe_count(model, &count, out);
    }
}

static void put_held(const struct model *model, struct flow *flow,
                     const struct target *target)
{
    struct drive_count count = model_count_target(model, target);
    char number[QUANTITY_SIZE];

    if (!count.held || count.error)
        return;
    area_putf(flow->area, 28, flow->row++, STYLE_WATCH, "? %6s held back",
              format_count(count.held, number));
}

static void put_job(const struct model *model, struct flow *flow,
                    const struct target *target, const char *label)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    struct area area = flow->area;
    int row = flow->row++;
    enum style style;

    area_put(area, 0, row, STYLE_DIM, label);
    area_put_name(area_columns(area, 9, 10), 0, row, STYLE_NORMAL, target->job);
    area_put(area, 20, row, STYLE_DIM, job_mode_name(target->mode));
    describe_job(model, target, &words, &style);
    area_put(area, 28, row, style, words.text);
    if (area.width >= WIDE)
        area_put_name(area_columns(area, SOURCE, area.width - SOURCE), 0, row,
                      STYLE_DIM, target->source);
    put_held(model, flow, target);
}

static void put_jobs(const struct model *model, struct flow *flow,
                     const struct drive_volume *volume)
{
    const char *label = "Jobs";

    for (size_t i = 0; *volume->name && i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (strcmp(target->volume, volume->name) != 0)
            continue;
        put_job(model, flow, target, label);
        label = "";
    }
}

static void put_past(const struct model *model, struct flow *flow,
                     const struct drive_volume *volume)
{
    const struct past *past = model_find_past(model, volume->name);
    char when[WORDS_SIZE], duration[QUANTITY_SIZE], bytes[QUANTITY_SIZE];

    if (!*volume->name || !past || !past->ended_ns)
        return;
    CLEANUP_FREE char *words = xasprintf(
        "%s · %s · %s · %s", words_time(model->now_ns, past->ended_ns, when),
        format_duration(past->duration_ns, duration),
        format_bytes(past->bytes, bytes), words_ended(past->exit_code));
    flow_label(flow, "Last run",
               past->exit_code > OUTCOME_DIFFERENCES ? STYLE_WATCH
                                                     : STYLE_NORMAL,
               words);
}

static void put_foreign(const struct model *model, struct flow *flow,
                        const struct drive_volume *volume)
{
    char bytes[QUANTITY_SIZE];

    if (!volume->run.pid)
        return;
    CLEANUP_FREE char *words = xasprintf(
        "%s (pid %" PRId64 ", %s): %d %% of %s", volume->run.command,
        volume->run.pid, volume->run.user,
        words_percent(volume->run.done_bytes, volume->run.total_bytes),
        format_bytes(volume->run.total_bytes, bytes));
    flow_label(flow, "At work", STYLE_WATCH, words);
}

static void put_volume(const struct model *model, struct flow *flow,
                       const struct drive *drive, size_t index)
{
    const struct drive_volume *volume = &drive->volumes.items[index];

    if (index)
        flow->row++;
    if (drive->is_attached || strcmp(volume_title(volume), drive->title) != 0)
        put_volume_title(flow, volume);
    put_usage(flow, volume);
    if (!index) {
        if (!volume->is_folder &&
            (drive->is_attached || drive->health.state != HEALTH_UNKNOWN))
            screen_put_health(flow, drive);
        screen_put_link(flow, drive);
    }
    if (drive->is_attached)
        screen_put_state(flow, volume);
    put_verified(model, flow, volume);
    put_unknown(flow, volume);
    put_foreign(model, flow, volume);
    put_jobs(model, flow, volume);
    put_past(model, flow, volume);
}

void screen_draw_drive(const struct model *model, const struct drive *drive,
                       struct area area)
{
    struct flow flow = {.area = area, .row = -model->detail_scroll};

    if (*drive->unsafe) {
        CLEANUP_FREE char *words = xasprintf(
            "%s%s", drive->is_attached ? "DO NOT UNPLUG: " : "", drive->unsafe);
        flow_text(&flow, STYLE_BAD, words);
        flow.row++;
    }
    if (*drive->unrepaired) {
        flow_text(&flow, STYLE_BAD, drive->unrepaired);
        flow.row++;
    }
    for (size_t i = 0; i < drive->volumes.count; i++)
        put_volume(model, &flow, drive, i);
    if (!drive->volumes.count) {
        flow_text(&flow, STYLE_DIM, "no volume that can be read");
        screen_put_health(&flow, drive);
        screen_put_link(&flow, drive);
    }
    if (drive->is_attached && *drive->no_eject)
        flow_label(&flow, "Eject", STYLE_DIM, drive->no_eject);
}
