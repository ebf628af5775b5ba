#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

/* From here on the detail is beside the list. */
#define TWO_PANES 100
#define LIST_WIDTH_LEAST 49
#define LIST_WIDTH_MOST 70

static bool has_two_panes(const struct model *model)
{
    return model->width >= TWO_PANES;
}

/* --- words -----------------------------------------------------------------
 */

const char *family_words(const char *family)
{
    static const struct {
        const char *family, *words;
    } names[] = {
        {"exfat", "exFAT"}, {"vfat", "FAT"},         {"ntfs", "NTFS"},
        {"ntfs3", "NTFS"},  {"apfs", "APFS"},        {"hfsplus", "HFS+"},
        {"hfs", "HFS+"},    {"crypto_LUKS", "LUKS"},
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!strcmp(names[i].family, family))
            return names[i].words;
    return family;
}

static enum style describe_pending(const struct model *model,
                                   const struct drive_count *count,
                                   struct strbuf *out)
{
    char number[QUANTITY_SIZE], bytes[QUANTITY_SIZE], when[WORDS_SIZE];

    if (!count->pending && !count->conflicts) {
        strbuf_addf(out, "✓ nothing pending as of %s",
                    words_time(model->now_ns, count->as_of_ns, when));
        return STYLE_GOOD;
    }
    if (count->pending)
        strbuf_addf(out, "▲ %s pending", format_count(count->pending, number));
    if (count->bytes)
        strbuf_addf(out, " · %s", format_bytes(count->bytes, bytes));
    if (count->held)
        strbuf_addf(out, " · %s held", format_count(count->held, number));
    if (count->conflicts)
        strbuf_addf(out, "%s! %s in conflict", out->length ? " · " : "",
                    format_count(count->conflicts, number));
    return STYLE_WATCH;
}

enum style describe_count(const struct model *model,
                          const struct drive_count *count, struct strbuf *out)
{
    enum style style = STYLE_DIM;

    if (count->error) {
        strbuf_addf(out, "✗ %s", count->error);
        return STYLE_BAD;
    }
    if (count->is_known)
        style = describe_pending(model, count, out);
    if (count->is_known && (count->is_sharp || !count->is_scanning))
        return style;
    if (count->is_known)
        strbuf_adds(out, " · ");
    if (!count->is_scanning)
        strbuf_adds(out, "not compared yet");
    else if (count->percent >= 0)
        strbuf_addf(out, "scanning %d %%", count->percent);
    else
        strbuf_adds(out, "scanning");
    return style;
}

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    char number[QUANTITY_SIZE], when[WORDS_SIZE];
    struct drive_count sum = {.is_known = true};
    int64_t attached = 0;

    for (size_t i = 0; i < model->drives.count; i++) {
        const struct drive *drive = &model->drives.items[i];
        struct drive_count count = model_count(model, drive);
        if (!drive->is_attached || !drive->is_external)
            continue;
        attached++;
        sum.is_known &= count.is_known || count.error;
        sum.is_scanning |= count.is_scanning;
        sum.pending += count.pending;
        if (count.has_jobs && count.is_known &&
            (!sum.as_of_ns || count.as_of_ns < sum.as_of_ns))
            sum.as_of_ns = count.as_of_ns;
        if (count.percent >= 0)
            sum.percent = count.percent;
    }
    if (!model->has_drives) {
        strbuf_adds(right, "looking for drives");
        return;
    }
    strbuf_adds(right, words_count(attached, "drive", when));
    if (sum.as_of_ns)
        strbuf_addf(right, " · %s pending as of %s",
                    format_count(sum.pending, number),
                    words_time(model->now_ns, sum.as_of_ns, when));
    else if (sum.is_scanning)
        strbuf_addf(right, " · scanning");
}

/* --- the list --------------------------------------------------------------
 */

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

static void draw_away(const struct model *model, const struct drive *drive,
                      struct area area, int y)
{
    int64_t seen_ns = 0;
    char when[WORDS_SIZE];

    for (size_t i = 0; i < drive->volumes.count; i++)
        if (drive->volumes.items[i].last_seen_ns > seen_ns)
            seen_ns = drive->volumes.items[i].last_seen_ns;
    area_put(area, 2, y, STYLE_DIM, "○");
    int x = area_put_name(area_columns(area, 0, area.width - 20), 4, y,
                          STYLE_STRONG, drive->title);
    x = x + 2 > 23 ? x + 2 : 23;
    if (seen_ns)
        area_putf(area, x, y, STYLE_DIM, "away since %s",
                  words_day(model->now_ns, seen_ns, when));
    else
        area_put(area, x, y, STYLE_DIM, "away");
}

static void draw_drive_line(const struct model *model,
                            const struct drive *drive, struct area area, int y)
{
    char size[QUANTITY_SIZE];
    int title = area.width - 9 - 8 - 9;

    if (!drive->is_attached) {
        draw_away(model, drive, area, y);
        return;
    }
    area_put(area, 2, y, *drive->unsafe ? STYLE_BAD : STYLE_GOOD, "●");
    area_put_name(area_columns(area, 0, title - 1), 4, y, STYLE_STRONG,
                  drive->title);
    area_put(area_columns(area, title, 8), 0, y, STYLE_NORMAL,
             drive->is_external ? platform_bus_name(drive->bus) : "internal");
    if (drive->size_bytes > 0)
        area_put_right(area_columns(area, title + 9, 7), y, STYLE_NORMAL,
                       format_bytes(drive->size_bytes, size));
    area_put(area, title + 9 + 9, y, health_style(drive->health.state),
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
        int width = area.width - 13;
        if (width > 24)
            width = 24;
        widget_usage(area, 0, y, width, volume->size_bytes - volume->free_bytes,
                     volume->size_bytes);
        area_put(area, width + 2, y, STYLE_NORMAL, words);
    }
}

static void draw_volume_line(const struct drive_volume *volume,
                             struct area area, int y)
{
    int name = area.width > 60 ? 20 : 13;

    area_put_name(area_columns(area, 4, name - 1), 0, y, STYLE_NORMAL,
                  volume_title(volume));
    area_put(area_columns(area, 4 + name, 6), 0, y, STYLE_DIM,
             family_words(volume->family));
    struct area state = area_columns(area, 4 + name + 7, area.width);
    if (volume->role == VOLUME_READ_ONLY || volume->is_read_only) {
        int x = area_put(state, 0, y, STYLE_DIM, "read-only");
        state = area_columns(state, x + 2, state.width);
    }
    draw_volume_state(volume, state, y);
}

static void draw_foreign(const struct drive_volume *volume, struct area area,
                         int y)
{
    int percent =
        words_percent(volume->run.done_bytes, volume->run.total_bytes);

    if (volume->run.total_bytes > 0)
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
            draw_volume_line(volume, area, y++);
        if (is_last_of_jobs(model, drive, i))
            draw_count(model, drive, area, y++);
    }
    return y - first;
}

static void draw_nothing(const struct model *model, struct area area)
{
    struct flow flow = {
        .area = area_part(area, 2, 1, area.width - 4, area.height - 1)};

    if (!model->has_drives)
        flow_text(&flow, STYLE_DIM, "Looking for drives…");
    else
        flow_text(&flow, STYLE_NORMAL,
                  "No drive is attached, and none is known. Plug one in: it "
                  "appears here by itself.");
}

static void draw_list(const struct model *model, struct area area)
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
    int y = -widget_list_top(first, length, rows, area.height);
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
}

/* --- drawing ---------------------------------------------------------------
 */

static int list_width(const struct area *area)
{
    int width = area->width * 2 / 5;

    if (width < LIST_WIDTH_LEAST)
        width = LIST_WIDTH_LEAST;
    return width > LIST_WIDTH_MOST ? LIST_WIDTH_MOST : width;
}

/* One frame around both, so that they share the line between them. */
static void draw_two_panes(const struct model *model, struct area area,
                           const struct drive *drive)
{
    int left = list_width(&area);

    area_frame(area, "Drives");
    for (int y = 1; y < area.height - 1; y++)
        area_put(area, left, y, STYLE_FRAME, "│");
    area_put(area, left, 0, STYLE_FRAME, "┬");
    area_put(area, left, area.height - 1, STYLE_FRAME, "┴");
    if (drive) {
        struct area title =
            area_part(area, left + 1, 0, area.width - left - 3, 1);
        int x = area_put_name(title, 1, 0, STYLE_TITLE, drive->title);
        area_put(title, 0, 0, STYLE_FRAME, " ");
        area_put(title, x, 0, STYLE_FRAME, " ");
    }
    draw_list(model, area_part(area, 1, 1, left - 1, area.height - 2));
    if (drive)
        screen_draw_drive(model, drive,
                          area_part(area, left + 2, 1, area.width - left - 4,
                                    area.height - 2));
}

static void draw(const struct model *model, struct area area)
{
    const struct drive *drive = model_selected(model);

    if (has_two_panes(model)) {
        draw_two_panes(model, area, drive);
    } else if (model->shows_detail && drive) {
        struct area inside = area_inside(area);
        area_frame(area, drive->title);
        screen_draw_drive(model, drive,
                          area_columns(inside, 1, inside.width - 2));
    } else {
        area_frame(area, "Drives");
        draw_list(model, area_inside(area));
    }
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_jobs(const struct model *model)
{
    const struct drive *drive = model_selected(model);

    return drive && model_count(model, drive).has_jobs;
}

static bool is_foreign(const struct model *model)
{
    const struct drive *drive = model_selected(model);

    return drive && drive_foreign_run(drive);
}

static bool is_own_run(const struct model *model)
{
    return model_is_under_way(model, ROLE_RUN);
}

static bool can_watch(const struct model *model)
{
    return is_foreign(model) || is_own_run(model);
}

static bool can_sync(const struct model *model)
{
    const struct drive *drive = model_selected(model);

    if (!drive || can_watch(model) || !has_jobs(model))
        return false;
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (volume_is_ready(&drive->volumes.items[i]))
            return true;
    return false;
}

static bool can_eject(const struct model *model)
{
    const struct drive *drive = model_selected(model);

    return drive && drive_can_be_ejected(drive) && !is_own_run(model);
}

static bool can_eject_at_once(const struct model *model)
{
    return can_eject(model) && !is_foreign(model);
}

static bool has_news(const struct model *model)
{
    return model->news.line != NULL;
}

static bool can_show_detail(const struct model *model)
{
    return !has_two_panes(model) && model->drives.count && !model->shows_detail;
}

static bool shows_detail(const struct model *model)
{
    return !has_two_panes(model) && model->shows_detail;
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_REVIEW,
     "review",
     "what has not reached the drive yet, file by file",
     has_jobs},
    {{'s'}, INTENT_SYNC, "watch", "the sync that is under way", can_watch},
    {{'s'}, INTENT_SYNC, "sync", "copy what is pending to the drive", can_sync},
    {{'E'},
     INTENT_SYNC_EJECT,
     "sync, eject",
     "copy, then flush, unmount and power off",
     can_eject},
    {{'e'},
     INTENT_EJECT,
     "eject",
     "flush, unmount and power off; asks when something is pending",
     can_eject_at_once},
    {{UI_KEY_RIGHT, 'l'},
     INTENT_RIGHT,
     "detail",
     "health, link, volumes and jobs of the drive",
     can_show_detail},
    {{UI_KEY_LEFT, 'h'}, INTENT_LEFT, "list", "back to the list", shows_detail},
    {{'R'},
     INTENT_RESCAN,
     "rescan",
     "look for drives, read their health, compare again",
     NULL},
    {{'w'},
     INTENT_WHY,
     NULL,
     "why the news at the top, and what to do",
     has_news},
    {{UI_KEY_BACKSPACE, UI_KEY_DELETE},
     INTENT_DISMISS,
     NULL,
     "dismiss the news at the top",
     has_news},
    {{'q'}, INTENT_BACK, "quit", "leave berth", NULL},
};

static void rescan(struct model *model)
{
    if (!model_is_under_way(model, ROLE_WATCH))
        model_post(model, ROLE_WATCH, command_new(COMMAND_WATCH));
    if (!model_is_under_way(model, ROLE_JOBS))
        model_post(model, ROLE_JOBS, command_new(COMMAND_JOB_LIST));
    if (!model_is_under_way(model, ROLE_RESCAN))
        model_post(model, ROLE_RESCAN, command_new(COMMAND_RESCAN));
    model_wish_all(model);
    model_say(model, "looking again");
}

static void watch_or_sync(struct model *model, const struct drive *drive)
{
    if (is_own_run(model))
        model_go(model, SCREEN_SYNC);
    else
        model_want_sync(model, drive, false);
}

static void go_to(struct model *model, size_t index)
{
    /* A second click on the same drive opens it. */
    if (index == model_selected_index(model) && has_jobs(model))
        model_open_diff(model, model_selected(model));
    else
        model_select(model, index);
}

static void move_by(struct model *model, long rows)
{
    long index = (long)model_selected_index(model) + rows;

    if (shows_detail(model))
        model->detail_scroll += (int)rows;
    else
        model_select(model, index < 0 ? 0 : (size_t)index);
    if (model->detail_scroll < 0)
        model->detail_scroll = 0;
}

static void handle_moving(struct model *model, enum intent intent)
{
    switch (intent) {
    case INTENT_UP:
        move_by(model, -1);
        break;
    case INTENT_DOWN:
        move_by(model, 1);
        break;
    case INTENT_PAGE_UP:
        model->detail_scroll -=
            model->detail_scroll > 5 ? 5 : model->detail_scroll;
        break;
    case INTENT_PAGE_DOWN:
        model->detail_scroll += 5;
        break;
    case INTENT_TOP:
        model_select(model, 0);
        break;
    case INTENT_BOTTOM:
        model_select(model, model->drives.count);
        break;
    case INTENT_RIGHT:
        model->shows_detail = true;
        break;
    case INTENT_LEFT:
    case INTENT_CANCEL:
        model->shows_detail = false;
        break;
    default:
        break;
    }
}

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct drive *drive = model_selected(model);

    if (intent == INTENT_BACK) {
        model_back(model);
        return;
    }
    if (intent == INTENT_RESCAN) {
        rescan(model);
        return;
    }
    if (!drive)
        return;
    switch (intent) {
    case INTENT_REVIEW:
        model_open_diff(model, drive);
        break;
    case INTENT_SYNC:
        watch_or_sync(model, drive);
        break;
    case INTENT_SYNC_EJECT:
        model_want_sync(model, drive, true);
        break;
    case INTENT_EJECT:
        model_want_eject(model, drive);
        break;
    case INTENT_GO_TO:
        go_to(model, (size_t)argument);
        break;
    default:
        handle_moving(model, intent);
        break;
    }
}

const struct screen screen_drives = {
    .bindings = {"Drives", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
