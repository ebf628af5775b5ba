#include "ui/screen.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

/* From here on the detail is beside the list. */
#define TWO_PANES 100
#define LIST_WIDTH_LEAST 48
#define LIST_WIDTH_MOST 70
#define DAY_NS (24 * 3600 * NS_PER_SECOND)

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
    if (count->is_known && !count->is_scanning)
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
        if (!drive->is_attached || (!drive->is_external && !count.has_jobs))
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
        if (count.error)
            sum.error = count.error;
    }
    if (!model->has_drives) {
        strbuf_adds(right, model->trouble ? "no drives" : "looking for drives");
        return;
    }
    strbuf_adds(right, words_count(attached, "drive", when));
    if (sum.as_of_ns)
        strbuf_addf(right, " · %s pending as of %s",
                    format_count(sum.pending, number),
                    words_time(model->now_ns, sum.as_of_ns, when));
    else if (sum.is_scanning)
        strbuf_adds(right, " · scanning");
    if (sum.error)
        strbuf_adds(right, " · not all compared");
    if (model->next_run_ns) {
        const char *words = words_time(model->now_ns, model->next_run_ns, when);
        bool is_soon = model->next_run_ns - model->now_ns < DAY_NS;
        const char *clock = is_soon ? strrchr(words, ' ') : NULL;
        strbuf_addf(right, " · next run %s", clock ? clock + 1 : words);
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
    screen_draw_drives(model, area_part(area, 1, 1, left - 1, area.height - 2));
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
        screen_draw_drives(model, area_inside(area));
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

/* A first run begins with the key that everybody tries. */
static bool can_set_up(const struct model *model)
{
    const struct drive *drive = model_selected(model);

    return drive && drive->is_attached && drive->is_external &&
           !has_jobs(model) && setup_choices(model, 0, NULL);
}

static bool can_mount(const struct model *model)
{
    const struct drive *drive = model_selected(model);

    return drive && drive_volume_to_mount(drive);
}

static bool can_sync_eject(const struct model *model)
{
    return can_eject(model) && has_jobs(model) && !can_mount(model);
}

static bool can_eject_at_once(const struct model *model)
{
    return can_eject(model) && !is_foreign(model);
}

/* What is only looked after can be read back, too. */
static bool has_read_only(const struct drive *drive)
{
    for (size_t i = 0; drive && i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (*volume->name && volume->is_mounted &&
            volume->role == VOLUME_READ_ONLY)
            return true;
    }
    return false;
}

static bool can_verify(const struct model *model)
{
    return !model_at_work(model) && !can_watch(model) &&
           (can_sync(model) || has_read_only(model_selected(model)));
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

static bool has_drive(const struct model *model)
{
    return model->drives.count > 0;
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_REVIEW,
     "review",
     "what has not reached the drive yet, file by file",
     has_jobs},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ADD,
     "set up",
     "make the drive known and say what goes on it",
     can_set_up},
    {{'s'}, INTENT_SYNC, "watch", "the sync that is under way", can_watch},
    {{'s'}, INTENT_SYNC, "sync", "copy what is pending to the drive", can_sync},
    {{'E'},
     INTENT_SYNC_EJECT,
     "sync, eject",
     "copy, then flush, unmount and power off",
     can_sync_eject},
    {{'e'},
     INTENT_EJECT,
     "eject",
     "flush, unmount and power off; asks when something is pending",
     can_eject_at_once},
    {{'a'},
     INTENT_ADD,
     "add",
     "make a drive known, or give it a job: nothing is written before yes",
     NULL},
    {{'m'},
     INTENT_MOUNT,
     "mount",
     "mount the drive's volumes, to read and write them",
     can_mount},
    {{UI_KEY_RIGHT, 'l'},
     INTENT_RIGHT,
     "detail",
     "health, link, volumes and jobs of the drive",
     can_show_detail},
    {{UI_KEY_LEFT, 'h'}, INTENT_LEFT, "list", "back to the list", shows_detail},
    {{'v'},
     INTENT_VERIFY,
     "verify",
     "read the drive back and compare every file with its hash; asks first",
     can_verify},
    {{'R'},
     INTENT_RESCAN,
     "rescan",
     "look for drives, read their health, compare again",
     NULL},
    {{'q'}, INTENT_BACK, "quit", "leave berth", NULL},
    {{'d'},
     INTENT_DRIFT,
     "drift",
     "what on the drive is not as berth left it",
     has_jobs},
    {{'/'},
     INTENT_FIND,
     "find",
     "where a file is, on any drive, attached or not",
     NULL},
    {{'H'},
     INTENT_HISTORY,
     "history",
     "past runs, what each did to which file, and undo",
     NULL},
    {{'C'},
     INTENT_COPIES,
     "copies",
     "how many drives have each file, and which none has",
     NULL},
    {{'i'},
     INTENT_HEALTH,
     "health",
     "what the drive tells about itself, and how its counts have grown",
     has_drive},
    {{','}, INTENT_SETTINGS, "settings", "volumes, jobs and their rules", NULL},
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
};

static void rescan(struct model *model)
{
    if (!model_is_under_way(model, ROLE_WATCH))
        model_post(model, ROLE_WATCH, command_new(COMMAND_WATCH));
    model_list_jobs(model);
    if (!model_is_under_way(model, ROLE_RESCAN))
        model_post(model, ROLE_RESCAN, command_new(COMMAND_RESCAN));
    model_wish_all(model);
    model_say(model, LOOKING_AGAIN);
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
        model_choose(model, index);
}

static void move_by(struct model *model, long rows)
{
    long index = (long)model_selected_index(model) + rows;

    if (shows_detail(model))
        model->detail_scroll += (int)rows;
    else
        model_choose(model, index < 0 ? 0 : (size_t)index);
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
        model_choose(model, 0);
        break;
    case INTENT_BOTTOM:
        model_choose(model, model->drives.count);
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

/* What is not about a drive. */
static bool handle_everywhere(struct model *model, enum intent intent)
{
    switch (intent) {
    case INTENT_BACK:
        model_back(model);
        return true;
    case INTENT_RESCAN:
        rescan(model);
        return true;
    case INTENT_FIND:
        model_open_find(model);
        return true;
    case INTENT_HISTORY:
        model_open_history(model);
        return true;
    case INTENT_COPIES:
        model_open_copies(model);
        return true;
    case INTENT_ADD:
        model_open_setup(model);
        return true;
    case INTENT_HEALTH:
        model->health_scroll = 0;
        model_go(model, SCREEN_HEALTH);
        return true;
    case INTENT_SETTINGS:
        model_open_settings(model);
        return true;
    default:
        return false;
    }
}

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct drive *drive = model_selected(model);

    if (handle_everywhere(model, intent) || !drive)
        return;
    if (intent == INTENT_REVIEW || intent == INTENT_SYNC ||
        intent == INTENT_SYNC_EJECT || intent == INTENT_EJECT)
        model_choose(model, model_selected_index(model));
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
    case INTENT_VERIFY:
        model_ask_to_verify(model, drive);
        break;
    case INTENT_MOUNT:
        model_mount(model, drive);
        break;
    case INTENT_DRIFT:
        model_open_drift(model, drive);
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
