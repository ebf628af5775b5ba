#include "ui/screen.h"

#include "core/base/quantity.h"
#include "core/names.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

static const struct drive *drive_of(const struct model *model)
{
    return model_find_drive(model, model->diff_drive);
}

/* --- header ----------------------------------------------------------------
 */

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct drive *drive = drive_of(model);
    char number[QUANTITY_SIZE], bytes[QUANTITY_SIZE], when[WORDS_SIZE];

    strbuf_adds(left, "Diff");
    if (!drive)
        return;
    strbuf_addf(left, " · %s", drive->title);
    struct drive_count count = model_count(model, drive);
    if (count.is_known && count.as_of_ns)
        strbuf_addf(right, "%s pending%s%s as of %s",
                    format_count(count.pending, number),
                    count.bytes ? " · " : "",
                    count.bytes ? format_bytes(count.bytes, bytes) : "",
                    words_time(model->now_ns, count.as_of_ns, when));
    if (count.error)
        strbuf_addf(right, "%snot all compared", right->length ? " · " : "");
    if (count.is_scanning && count.percent >= 0)
        strbuf_addf(right, "%sreading %d %%", right->length ? " · " : "",
                    count.percent);
    else if (count.is_scanning)
        strbuf_addf(right, "%sreading", right->length ? " · " : "");
}

/* --- the list --------------------------------------------------------------
 */

/* Jobs that could not be compared have no plan to show. */
static int draw_errors(const struct model *model, struct area area)
{
    const struct drive *drive = drive_of(model);
    int y = 0;

    for (size_t i = 0; drive && i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!target->error || !target_is_of(target, drive) || y > 2)
            continue;
        area_putf(area, 1, y++, STYLE_BAD, "✗ %s: %s", target->job,
                  target->error);
    }
    return y;
}

static void draw_empty(const struct model *model, struct area area)
{
    const struct drive *drive = drive_of(model);
    struct drive_count count = {.has_jobs = false};

    if (drive)
        count = model_count(model, drive);
    if (count.is_scanning)
        area_put(area, 2, 1, STYLE_DIM, "Comparing…");
    else if (!count.error)
        area_put(area, 2, 1, STYLE_DIM, "Nothing has been compared yet: R");
}

static void draw_info(const struct model *model, struct area area)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    struct diff_row row = diff_view_cursor_row(&model->diff);

    if (row.kind == DIFF_ROW_WAITING || !model->diff.tree)
        return;
    screen_describe_row(model, &row, &words);
    if (!words.length && row.kind == DIFF_ROW_JOB)
        strbuf_adds(&words, row.first == row.end ? "nothing is pending"
                                                 : "the whole job");
    CLEANUP_FREE char *path = diff_row_path(model->diff.tree, &row);
    if (*path) {
        if (words.length)
            strbuf_adds(&words, " · ");
        strbuf_adds(&words, path);
    }
    area_put_name(area, 1, 0, STYLE_DIM, words.text);
}

static void draw(const struct model *model, struct area area)
{
    const struct diff_view *diff = &model->diff;
    struct area inside = area_inside(area);
    CLEANUP_FREE char *title =
        *diff->filter
            ? xasprintf("Containing \"%s\"", diff->filter)
            : xasprintf("%s, %s",
                        diff->is_by_path ? "By path" : "Biggest first",
                        diff->is_flat ? "flat" : "as a tree");

    area_frame(area, title);
    int errors = draw_errors(model, inside);
    struct area rows = area_rows(inside, errors, inside.height - 1 - errors);
    if (diff_view_row_count(diff))
        screen_draw_rows(model, rows);
    else
        draw_empty(model, rows);
    draw_info(model, area_rows(inside, inside.height - 1, 1));
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_rows(const struct model *model)
{
    return diff_view_row_count(&model->diff) > 0;
}

static bool is_flat(const struct model *model)
{
    return model->diff.is_flat;
}

static bool is_tree(const struct model *model)
{
    return !model->diff.is_flat;
}

static bool is_by_path(const struct model *model)
{
    return model->diff.is_by_path;
}

static bool is_by_size(const struct model *model)
{
    return !model->diff.is_by_path;
}

static bool can_sync(const struct model *model)
{
    const struct drive *drive = drive_of(model);

    if (!drive || model_is_under_way(model, ROLE_RUN))
        return false;
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (volume_is_ready(&drive->volumes.items[i]))
            return true;
    return false;
}

static int64_t count_held(const struct model *model)
{
    const struct drive *drive = drive_of(model);
    int64_t held = 0;

    for (size_t i = 0; drive && i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (target->review && target_is_of(target, drive))
            held += target->review->held;
    }
    return held;
}

static bool has_approved(const struct model *model)
{
    const struct drive *drive = drive_of(model);

    for (size_t i = 0; drive && i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (target->review && target->review->held_are_approved &&
            target_is_of(target, drive))
            return true;
    }
    return false;
}

static bool can_approve(const struct model *model)
{
    return count_held(model) > 0 && !has_approved(model);
}

static bool has_filter(const struct model *model)
{
    return *model->diff.filter;
}

static bool has_exclusion(const struct model *model)
{
    return model->exclusion.written != NULL;
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "open",
     "open or close a directory; a file: both sides of it",
     has_rows},
    {{' '},
     INTENT_LEAVE_OUT,
     "leave out",
     "leave this, and all below it, out of this run; again: take it in",
     has_rows},
    {{'D'},
     INTENT_APPROVE,
     "approve held",
     "release the deletes that are held; asks with their number",
     can_approve},
    {{'D'},
     INTENT_APPROVE,
     "hold again",
     "hold the deletes that you have approved",
     has_approved},
    {{'s'}, INTENT_SYNC, "sync", "carry out exactly what is shown", can_sync},
    {{'E'},
     INTENT_SYNC_EJECT,
     "sync, eject",
     "the same, then flush, unmount and power off",
     can_sync},
    {{'/'},
     INTENT_FILTER,
     "filter",
     "show only paths that contain what you type",
     has_rows},
    {{UI_KEY_ESCAPE}, INTENT_CANCEL, NULL, "show everything again", has_filter},
    {{'q'}, INTENT_BACK, "back", NULL, NULL},
    {{'v'},
     INTENT_VERSIONS,
     "versions",
     "the copies that are kept of it, to get one back",
     has_rows},
    {{'x'},
     INTENT_EXCLUDE,
     "exclude",
     "show a pattern that keeps it out of the job for good; y writes it",
     has_rows},
    {{'u'},
     INTENT_UNDO,
     "undo exclude",
     "take the last exclusion out of the configuration again",
     has_exclusion},
    {{'t'}, INTENT_FLAT, "flat", "every path in one list", is_tree},
    {{'t'}, INTENT_FLAT, "tree", "directories that fold", is_flat},
    {{'o'}, INTENT_ORDER, "by path", "in the order of paths", is_by_size},
    {{'o'},
     INTENT_ORDER,
     "biggest first",
     "what is most comes first",
     is_by_path},
    {{'R'},
     INTENT_RESCAN,
     "read again",
     "compare again, the drive's directories included",
     NULL},
};

static void open_versions(struct model *model)
{
    struct diff_row row = diff_view_cursor_row(&model->diff);
    const struct target *target =
        row.kind == DIFF_ROW_WAITING || !model->diff.tree
            ? NULL
            : model_target_of_root(model, row.root);

    if (!target)
        return;
    CLEANUP_FREE char *path = diff_row_path(model->diff.tree, &row);
    CLEANUP_FREE char *subject =
        model_subject(model, target->job, target->volume, path);
    model_open_versions(model, subject);
}

static void ask_to_approve(struct model *model)
{
    const struct drive *drive = drive_of(model);
    struct question question = {.drive = drive_key(drive)};
    int64_t held = count_held(model), bytes = 0;
    char number[QUANTITY_SIZE], size[QUANTITY_SIZE];

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (target->review && target_is_of(target, drive))
            bytes += target->review->plan.totals.held_bytes;
    }
    question.title = xasprintf("%s %s held", format_count(held, number),
                               held == 1 ? "change is" : "changes are");
    question.text = xasprintf(
        "So many files at once are gone or different in the source (%s)\n"
        "that it may have been an accident.\n"
        "Approved, the next sync does it; what was there is kept as a "
        "version.",
        format_bytes(bytes, size));
    question_add(&question, 'y', "approve exactly these", ANSWER_APPROVE);
    model_ask(model, &question);
}

static void toggle_approval(struct model *model)
{
    const struct drive *drive = drive_of(model);

    if (!has_approved(model)) {
        ask_to_approve(model);
        return;
    }
    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        if (target->review && target_is_of(target, drive))
            target->review->held_are_approved = false;
    }
    model_say(model, "held again");
}

/* --- intents ---------------------------------------------------------------
 */

static void open_row(struct model *model)
{
    struct diff_row row = diff_view_cursor_row(&model->diff);

    if (row.kind == DIFF_ROW_ENTRY)
        model->shows_entry = true;
    else
        diff_view_toggle_open(&model->diff);
}

static void cancel(struct model *model)
{
    if (*model->diff.filter)
        diff_view_set_filter(&model->diff, "");
    else
        model_back(model);
}

static void read_again(struct model *model)
{
    const struct drive *drive = drive_of(model);

    if (!drive)
        return;
    model_list_jobs(model); /* one may have gone meanwhile */
    model_wish_drive(model, drive, WISH_FULL);
}

static void go_to(struct model *model, size_t row)
{
    if (row == model->diff.cursor)
        open_row(model);
    else
        diff_view_go_to(&model->diff, row);
}

static bool handle_moving(struct model *model, enum intent intent)
{
    struct diff_view *diff = &model->diff;
    long page = (long)diff->height - 1;

    switch (intent) {
    case INTENT_UP:
        diff_view_move(diff, -1);
        return true;
    case INTENT_DOWN:
        diff_view_move(diff, 1);
        return true;
    case INTENT_PAGE_UP:
        diff_view_move(diff, -page);
        return true;
    case INTENT_PAGE_DOWN:
        diff_view_move(diff, page);
        return true;
    case INTENT_TOP:
        diff_view_go_to(diff, 0);
        return true;
    case INTENT_BOTTOM:
        diff_view_go_to(diff, diff_view_row_count(diff));
        return true;
    case INTENT_LEFT:
        diff_view_close(diff);
        return true;
    case INTENT_RIGHT:
        diff_view_open(diff);
        return true;
    default:
        return false;
    }
}

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct drive *drive = drive_of(model);
    struct diff_view *diff = &model->diff;

    if (handle_moving(model, intent))
        return;
    switch (intent) {
    case INTENT_ENTER:
        open_row(model);
        break;
    case INTENT_GO_TO:
        go_to(model, (size_t)argument);
        break;
    case INTENT_LEAVE_OUT:
        diff_view_toggle_left_out(diff);
        break;
    case INTENT_APPROVE:
        toggle_approval(model);
        break;
    case INTENT_SYNC:
    case INTENT_SYNC_EJECT:
        if (drive)
            model_want_sync(model, drive, intent == INTENT_SYNC_EJECT);
        break;
    case INTENT_VERSIONS:
        open_versions(model);
        break;
    case INTENT_EXCLUDE:
        model_ask_to_exclude(model);
        break;
    case INTENT_UNDO:
        model_take_exclusion_back(model);
        break;
    case INTENT_FILTER:
        model->types_filter = true;
        break;
    case INTENT_FLAT:
        diff_view_set_flat(diff, !diff->is_flat);
        break;
    case INTENT_ORDER:
        diff_view_set_by_path(diff, !diff->is_by_path);
        break;
    case INTENT_RESCAN:
        read_again(model);
        break;
    case INTENT_CANCEL:
        cancel(model);
        break;
    case INTENT_BACK:
        model_back(model);
        break;
    default:
        break;
    }
}

const struct screen screen_diff = {
    .bindings = {"Diff", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
