#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

#define FREE_WIDTH 14 /* " 85.0 GB free" */

static bool is_listed(const struct drive_volume *volume)
{
    return *volume->name || volume->is_mounted || volume->is_locked ||
           (*volume->family && !volume->is_system);
}

static bool has_count(const struct model *model,
                      const struct drive_volume *volume)
{
    for (size_t i = 0; i < model->targets.count; i++)
        if (*volume->name &&
            !strcmp(model->targets.items[i].volume, volume->name))
            return true;
    return false;
}

static bool is_last_of_jobs(const struct model *model,
                            const struct drive *drive, size_t index)
{
    for (size_t i = index + 1; i < drive->volumes.count; i++)
        if (has_count(model, &drive->volumes.items[i]))
            return false;
    return has_count(model, &drive->volumes.items[index]);
}

static int rows_of(const struct model *model, const struct drive *drive)
{
    int rows = 1;

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (drive->is_attached && is_listed(volume))
            rows++;
        rows += is_last_of_jobs(model, drive, i);
    }
    return rows;
}

static enum style health_style(enum health_state state)
{
    static const enum style styles[] = {
        [HEALTH_UNKNOWN] = STYLE_DIM,
        [HEALTH_GOOD] = STYLE_GOOD,
        [HEALTH_WATCH] = STYLE_WATCH,
        [HEALTH_FAILING] = STYLE_BAD,
    };

    return styles[state];
}

/* Where bus, size and health of a drive are, or since when it is away. */
static int facts_column(const struct area *area)
{
    return area->width - 8 - 9 - 8;
}

static void draw_away(const struct model *model, const struct drive *drive,
                      struct area area, int y)
{
    int facts = facts_column(&area);
    int64_t seen_ns = 0;
    char when[WORDS_SIZE];

    for (size_t i = 0; i < drive->volumes.count; i++)
        if (drive->volumes.items[i].last_seen_ns > seen_ns)
            seen_ns = drive->volumes.items[i].last_seen_ns;
    area_put(area, 2, y, STYLE_DIM, "○");
    area_put_name(area_columns(area, 0, facts - 1), 4, y, STYLE_STRONG,
                  drive->title);
    if (seen_ns)
        area_putf(area, facts, y, STYLE_DIM, "away since %s",
                  words_since(model->now_ns, seen_ns, when));
    else
        area_put(area, facts, y, STYLE_DIM, "away");
}

static bool is_folder(const struct drive *drive)
{
    return drive->volumes.count && drive->volumes.items[0].is_folder;
}

static void draw_drive_line(const struct model *model,
                            const struct drive *drive, struct area area, int y)
{
    char size[QUANTITY_SIZE];
    int facts = facts_column(&area);

    if (!drive->is_attached) {
        draw_away(model, drive, area, y);
        return;
    }
    area_put(area, 2, y,
             *drive->unsafe || *drive->unrepaired ? STYLE_BAD : STYLE_GOOD,
             "●");
    area_put_name(area_columns(area, 0, facts - 1), 4, y, STYLE_STRONG,
                  drive->title);
    area_put(area_columns(area, facts, 8), 0, y, STYLE_NORMAL,
             is_folder(drive)     ? "folder"
             : drive->is_external ? platform_bus_name(drive->bus)
                                  : "internal");
    if (drive->size_bytes > 0)
        area_put_right(area_columns(area, facts + 9, 7), y, STYLE_NORMAL,
                       format_bytes(drive->size_bytes, size));
    if (is_folder(drive))
        return;
    area_put(area, facts + 8 + 9, y, health_style(drive->health.state),
             health_state_name(drive->health.state));
}

static void draw_volume_state(const struct drive_volume *volume,
                              struct area area, int y)
{
    char bytes[QUANTITY_SIZE];

    if (volume->is_locked) {
        area_put(area, 0, y, STYLE_DIM, "locked");
    } else if (!volume->is_mounted) {
        area_put(area, 0, y, STYLE_DIM, "not mounted");
    } else if (volume->free_bytes < 0) {
        area_put(area, 0, y, STYLE_DIM, volume->mount_point);
    } else {
        CLEANUP_FREE char *words =
            xasprintf("%s free", format_bytes(volume->free_bytes, bytes));
        int width = area.width - FREE_WIDTH - 1;
        if (width > 24)
            width = 24;
        widget_usage(area, 0, y, width, volume->size_bytes - volume->free_bytes,
                     volume->size_bytes);
        area_put_right(area_columns(area, 0, width + FREE_WIDTH), y,
                       STYLE_NORMAL, words);
    }
}

static void draw_read_only(const struct model *model,
                           const struct drive_volume *volume, struct area area,
                           int y)
{
    char age[WORDS_SIZE];
    int x = area_put(area, 0, y, STYLE_DIM, "read-only");

    if (volume->verified_ns)
        area_putf(area, x, y, STYLE_DIM, ", verified %s",
                  words_age(model->now_ns, volume->verified_ns, age));
}

static void draw_volume_line(const struct model *model,
                             const struct drive_volume *volume,
                             struct area area, int y)
{
    int name = area.width > 60 ? 20 : 13;

    area_put_name(area_columns(area, 4, name - 1), 0, y, STYLE_NORMAL,
                  volume_title(volume));
    area_put(area_columns(area, 4 + name, 6), 0, y, STYLE_DIM,
             family_words(volume->family));
    struct area state = area_columns(area, 4 + name + 7, area.width);
    if (volume->is_mounted &&
        (volume->role == VOLUME_READ_ONLY || volume->is_read_only))
        draw_read_only(model, volume, state, y);
    else
        draw_volume_state(volume, state, y);
}

static void draw_foreign(const struct drive_volume *volume, struct area area,
                         int y)
{
    int percent =
        words_percent(volume->run.done_bytes, volume->run.total_bytes);

    /* What it tells is of the job of the moment. */
    if (volume->run.total_bytes > volume->run.done_bytes)
        area_putf(area, 4, y, STYLE_WATCH, "%s is at work: %d %%",
                  volume->run.command, percent);
    else
        area_putf(area, 4, y, STYLE_WATCH, "%s is at work",
                  volume->run.command);
}

static void draw_own_run(const struct model *model, struct area area, int y)
{
    const struct progress *progress = &model->run.progress;

    area_putf(area, 4, y, STYLE_WATCH, "a sync is at work: %d %%",
              words_percent(progress->bytes_done, progress->bytes_total));
}

static void draw_count(const struct model *model, const struct drive *drive,
                       struct area area, int y)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    struct drive_count count = model_count(model, drive);
    const struct drive_volume *foreign = drive_foreign_run(drive);

    if (foreign) {
        draw_foreign(foreign, area, y);
        return;
    }
    if (model->run.is_active && drive_has_key(drive, model->run.drive)) {
        draw_own_run(model, area, y);
        return;
    }
    if (model->mend.drive && drive_has_key(drive, model->mend.drive)) {
        const struct progress *progress = &model->mend.progress;
        area_putf(area, 4, y, STYLE_WATCH, "reading it back: %d %%",
                  words_percent(progress->bytes_done, progress->bytes_total));
        return;
    }
    enum style style = describe_count(model, &count, &words);
    area_put(area, 4, y, style, words.text);
}

static int draw_drive(const struct model *model, const struct drive *drive,
                      struct area area, int y)
{
    int first = y;

    draw_drive_line(model, drive, area, y++);
    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (drive->is_attached && is_listed(volume))
            draw_volume_line(model, volume, area, y++);
        if (is_last_of_jobs(model, drive, i))
            draw_count(model, drive, area, y++);
    }
    return y - first;
}

static void draw_nothing(const struct model *model, struct area area)
{
    struct flow flow = {
        .area = area_part(area, 2, 1, area.width - 4, area.height - 1)};

    if (model->trouble) {
        flow_text(&flow, STYLE_BAD, model->trouble);
        flow.row++;
        flow_text(&flow, STYLE_NORMAL,
                  "Nothing is listed or copied before that is mended. R looks "
                  "again.");
    } else if (!model->has_drives)
        flow_text(&flow, STYLE_DIM, "Looking for drives…");
    else
        flow_text(&flow, STYLE_NORMAL,
                  "No drive is attached, and none is known. Plug one in: it "
                  "appears here by itself.");
}

void screen_draw_drives(const struct model *model, struct area area)
{
    size_t selected = model_selected_index(model);
    int rows = 0, first = 0;

    if (!model->drives.count) {
        draw_nothing(model, area);
        return;
    }
    for (size_t i = 0; i < model->drives.count; i++) {
        if (i == selected)
            first = rows;
        rows += rows_of(model, &model->drives.items[i]);
    }
    int length = rows_of(model, &model->drives.items[selected]);
    int hidden = widget_list_top(first, length, rows, area.height);
    int y = -hidden;
    for (size_t i = 0; i < model->drives.count; i++) {
        int height = draw_drive(model, &model->drives.items[i], area, y);
        int top = y < 0 ? 0 : y;
        if (i == selected) {
            area_put(area, 0, y, STYLE_KEY, ">");
            area_select(area, top, y + height - top);
        }
        area_hit(area_rows(area, top, y + height - top), INTENT_GO_TO, (int)i);
        y += height;
    }
    widget_list_marks(area, (size_t)hidden, (size_t)area.height, (size_t)rows);
}
