#include "ui/screen.h"

#include "core/base/quantity.h"
#include "core/names.h"
#include "ui/widget.h"
#include "ui/words.h"

static const char *kind_words(const struct action *action)
{
    static const char *const words[ACTION_KIND_COUNT] = {
        [ACTION_NEW] = "new: copied to the drive",
        [ACTION_UPDATE] = "changed: copied; the drive's becomes a version",
        [ACTION_RENAME] = "renamed on the drive, not copied again",
        [ACTION_DELETE] = "gone in the source: becomes a version",
        [ACTION_MKDIR] = "new directory",
        [ACTION_RMDIR] = "directory gone in the source: removed",
        [ACTION_TOUCH] = "permissions or owner only",
        [ACTION_NOTE] = "equal on both sides",
        [ACTION_CONFLICT] = "conflict: left alone until you decide",
        [ACTION_SKIP] = "left alone",
        [ACTION_FOREIGN] = "on the drive, not of this job: kept",
    };

    return words[action->kind];
}

static char *shown(const char *raw)
{
    struct strbuf out = STRBUF_INIT;

    name_display(raw, &out);
    return strbuf_detach(&out);
}

static void put_drive_side(const struct model *model, struct flow *flow,
                           const struct action *action)
{
    char bytes[QUANTITY_SIZE], when[WORDS_SIZE];

    if (action->before.size_bytes < 0) {
        flow_label(flow, "Drive", STYLE_DIM, "nothing");
        return;
    }
    CLEANUP_FREE char *words =
        xasprintf("%s, %s", format_bytes(action->before.size_bytes, bytes),
                  words_time(model->now_ns, action->before.mtime_ns, when));
    flow_label(flow, "Drive", STYLE_NORMAL, words);
}

static void put_source_side(struct flow *flow, const struct action *action)
{
    char bytes[QUANTITY_SIZE];
    bool is_gone = action->kind == ACTION_DELETE ||
                   action->kind == ACTION_RMDIR ||
                   action->kind == ACTION_FOREIGN;

    flow_label(flow, "Here", is_gone ? STYLE_DIM : STYLE_NORMAL,
               is_gone ? "nothing" : format_bytes(action->size_bytes, bytes));
}

static void put_names(struct flow *flow, const struct action *action)
{
    CLEANUP_FREE char *path = shown(action->path);

    flow_label(flow, "Path", STYLE_STRONG, path);
    if (action->drive) {
        CLEANUP_FREE char *drive = shown(action->drive);
        flow_label(flow, "There as", STYLE_NORMAL, drive);
    }
    if (action->kind == ACTION_RENAME) {
        CLEANUP_FREE char *before = shown(action->rename->path);
        flow_label(flow, "Was", STYLE_NORMAL, before);
    }
}

static void put_all(const struct model *model, struct flow *flow,
                    const struct diff_row *row)
{
    const struct action *action = row->action;

    put_names(flow, action);
    if (action->type != ENTRY_DIRECTORY) {
        put_source_side(flow, action);
        put_drive_side(model, flow, action);
    }
    flow_label(flow, "What", STYLE_NORMAL, kind_words(action));
    if (action->reason && action->reason < REASON_COUNT)
        flow_label(flow, "Why", STYLE_NORMAL,
                   action_reason_text(action->reason));
    if (action->flags & ACTION_HELD)
        flow_label(flow, "Held", STYLE_WATCH,
                   screen_diff_is_approved(model, row)
                       ? "approved by you: the next sync does it"
                       : "so many at once look wrong: D approves them");
}

void screen_draw_entry(const struct model *model, struct area area)
{
    struct diff_row row = diff_view_cursor_row(&model->diff);
    int width = area.width < 76 ? area.width : 76;

    if (!row.action)
        return;
    /* Drawn once where it cannot be seen, to know how long it is. */
    struct flow flow = {.area = area_part(area, 0, 0, width - 4, 0)};
    put_all(model, &flow, &row);
    struct area box = widget_box(area, width, flow.row + 5, "Both sides");
    flow = (struct flow){.area = area_rows(box, 1, box.height - 3)};
    put_all(model, &flow, &row);
    int x = area_put(box, 0, box.height - 1, STYLE_KEY, "Esc");
    area_put(box, x + 1, box.height - 1, STYLE_NORMAL, "close");
}
