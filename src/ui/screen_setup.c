#include "ui/screen.h"

#include "core/base/path.h"
#include "core/base/quantity.h"
#include "ui/widget.h"

#include <string.h>

#define EASILY_READ 110
#define LIST_ROW 6 /* above it: steps, question, explanation */

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    bool is_elsewhere = model->setup.step == SETUP_ELSEWHERE;

    strbuf_adds(left, is_elsewhere ? "Versions" : "Set up");
    if (is_elsewhere)
        return;
    if (model->setup.writing)
        strbuf_adds(right, "writing");
    else
        strbuf_adds(right, "nothing is written before the last yes");
}

/* --- what is asked ---------------------------------------------------------
 */

static const struct {
    const char *name, *question, *explanation;
} steps[SETUP_ELSEWHERE + 1] = {
    [SETUP_DRIVE] =
        {"Drive", "Which drive?",
         "A small folder .berth on it lets berth know it again. What is on it "
         "stays."},
    [SETUP_FOLDER] = {"Folder", "What goes on it?",
                      "One folder of this machine, with all in it. Letters "
                      "narrow the list."},
    [SETUP_PLACE] = {"Place", "Where on the drive?",
                     "Choose the folder that rsync filled, if one did: what "
                     "is equal is not copied again. Letters narrow the list, "
                     "or name a new one."},
    [SETUP_MODE] = {"Mode", "What may a sync do?", ""},
    [SETUP_NAMES] =
        {"Names", "What are they called?",
         "Short names, for lists and for the command line. What you type "
         "changes the marked one."},
    [SETUP_ELSEWHERE] = {"", "Where to?",
                         "What has the same name there stays. Letters narrow "
                         "the list, or name a new folder."},
};

static void draw_steps(const struct setup *setup, struct area area)
{
    int x = 0;

    for (int i = 0; i < SETUP_STEPS; i++) {
        bool is_done = i < (int)setup->step;
        enum style style = i == (int)setup->step ? STYLE_STRONG : STYLE_DIM;
        area_put(area, x, 0, is_done ? STYLE_GOOD : style,
                 is_done                 ? "✓"
                 : i == (int)setup->step ? ">"
                                         : "·");
        x = area_put(area, x + 2, 0, style, steps[i].name) + 3;
    }
}

/* --- rows of the list ------------------------------------------------------
 */

static enum style describe_choice(const struct model *model,
                                  const struct drive_volume *volume,
                                  struct strbuf *out)
{
    char used[QUANTITY_SIZE];
    int64_t bytes = volume->size_bytes - volume->free_bytes;

    size_t lines = setup_rsync_lines(model, volume->mount_point);

    if (lines)
        strbuf_adds(out, "rsync fills it: adopt what is there");
    else if (*volume->name)
        strbuf_adds(out, "known: give it a job");
    else if (*volume->known_as)
        strbuf_addf(out, "known elsewhere as %s: join", volume->known_as);
    else if (volume->free_bytes >= 0 && bytes * 100 > volume->size_bytes)
        strbuf_addf(out, "new to berth; its %s stay",
                    format_bytes(bytes, used));
    else
        strbuf_adds(out, "new and empty");
    return STYLE_DIM;
}

static void draw_drive_row(const struct model *model, size_t index,
                           struct area row)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    struct setup_choice choice = {0, 0};
    int name = row.width > 100 ? 30 : 21;
    char size[QUANTITY_SIZE];

    setup_choices(model, index, &choice);
    const struct drive *drive = &model->drives.items[choice.drive];
    const struct drive_volume *volume = &drive->volumes.items[choice.volume];
    area_put_name(area_columns(row, 2, name - 1), 0, 0, STYLE_STRONG,
                  volume_title(volume));
    int x = 2 + name;
    area_put(area_columns(row, x, 6), 0, 0, STYLE_NORMAL,
             family_words(volume->family));
    if (volume->size_bytes > 0)
        area_put_right(area_columns(row, x + 6, 8), 0, STYLE_NORMAL,
                       format_bytes(volume->size_bytes, size));
    enum style style = describe_choice(model, volume, &words);
    area_put(area_columns(row, x + 16, row.width), 0, 0, style, words.text);
}

/* "rsync  ~/media -> old/media, deletes, too · crontab" */
static void draw_rsync_line(const struct setup *setup,
                            const struct rsync_line *line, struct area area)
{
    const char *below = line->target + strlen(setup->mount_point);
    CLEANUP_FREE char *source = setup_short_path(setup, line->source);
    CLEANUP_FREE char *where = setup_short_path(setup, line->where);
    CLEANUP_FREE char *words = xasprintf("%s → %s:/%s", source, setup->title,
                                         below + strspn(below, "/"));
    CLEANUP_FREE char *how = xasprintf(
        "%s · %s", line->deletes ? "deletes" : "never deletes", where);
    int x = area_put(area, 0, 0, STYLE_KEY, "as rsync does");
    int width = text_width(how);

    area_put_name(area_columns(area, x + 1, area.width - x - width - 3), 0, 0,
                  STYLE_STRONG, words);
    area_put_right(area, 0, STYLE_DIM, how);
}

static void draw_folder_row(const struct model *model, size_t index,
                            struct area row)
{
    const struct setup *setup = &model->setup;
    const struct folders *folders = &setup->folders;
    size_t before = setup_rows_before(model);
    const struct rsync_line *line = setup_rsync_line(model, index);
    struct area text = area_columns(row, 2, row.width - 2);

    if (index >= before) {
        CLEANUP_FREE char *name =
            xasprintf("%s/", folders_at(folders, index - before));
        area_put_name(text, 2, 0, STYLE_NORMAL, name);
    } else if (line) {
        draw_rsync_line(setup, line, text);
    } else if (setup->step == SETUP_ELSEWHERE && folders->path) {
        CLEANUP_FREE char *place = setup_new_place(setup);
        CLEANUP_FREE char *shown = setup_short_path(setup, place);
        bool is_there = !strcmp(place, folders->path) ||
                        folders_have(folders, path_name(place));
        int x = area_put(text, 0, 0, STYLE_KEY, is_there ? "into" : "make");
        area_put_name(text, x + 1, 0, STYLE_STRONG, shown);
    } else if (setup->step == SETUP_FOLDER) {
        CLEANUP_FREE char *path =
            setup_short_path(setup, folders->path ? folders->path : "");
        int x = area_put(text, 0, 0, STYLE_KEY, "take");
        area_put_name(text, x + 1, 0, STYLE_STRONG, path);
    } else if (folders->path) {
        CLEANUP_FREE char *place =
            index ? xstrdup(setup_place_below(setup)) : setup_new_place(setup);
        CLEANUP_FREE char *shown = xasprintf("%s:/%s", setup->title, place);
        bool is_there = index || folders_have(folders, path_name(place));
        int x = area_put(text, 0, 0, STYLE_KEY, is_there ? "take" : "make");
        area_put_name(text, x + 1, 0, STYLE_STRONG, shown);
    }
}

static const struct {
    enum job_mode mode;
    const char *words;
} modes[] = {
    {JOB_MIRROR, "The drive becomes like the folder. What you delete or change "
                 "here is kept on it as a version for 30 days."},
    {JOB_UPDATE, "New and changed files are copied. Nothing is ever deleted on "
                 "the drive."},
    {JOB_MOVE, "Files leave this machine once they are on the drive, read back "
               "and equal. For what does not fit here."},
};

static void draw_mode(const struct model *model, struct flow *flow,
                      size_t index)
{
    int row = flow->row;
    bool is_here = model->setup.cursor == index;

    area_put(flow->area, 2, row, is_here ? STYLE_STRONG : STYLE_NORMAL,
             job_mode_name(modes[index].mode));
    flow_beside(flow, 11, is_here ? STYLE_NORMAL : STYLE_DIM,
                modes[index].words);
    if (is_here)
        area_put(flow->area, 0, row, STYLE_KEY, ">");
    area_hit(area_rows(flow->area, row, flow->row - row), INTENT_GO_TO,
             (int)index);
    flow->row++;
}

static void draw_name(const struct model *model, struct area area, int row,
                      const char *label, const char *name, bool is_here)
{
    area_put(area, 2, row, is_here ? STYLE_NORMAL : STYLE_DIM, label);
    int x = area_put_name(area_columns(area, 22, area.width - 22), 0, row,
                          STYLE_STRONG, name);
    if (!is_here)
        return;
    area_put(area, 0, row, STYLE_KEY, ">");
    area.canvas->cursor_x = area.x + 22 + x;
    area.canvas->cursor_y = area.y + row;
}

static void draw_names(const struct model *model, struct area area)
{
    const struct setup *setup = &model->setup;
    int row = 0;

    if (!setup->is_known) {
        draw_name(model, area, row, "name of the drive", setup->volume_name,
                  setup->cursor == 0);
        area_hit(area_rows(area, row, 1), INTENT_GO_TO, 0);
        row++;
    }
    if (setup->joins)
        return;
    draw_name(model, area, row, "name of the job", setup->job_name,
              setup->is_known || setup->cursor == 1);
    area_hit(area_rows(area, row, 1), INTENT_GO_TO, row);
}

static void draw_list(const struct model *model, struct area area)
{
    const struct setup *setup = &model->setup;
    int rows = (int)setup_rows(model);
    int top = widget_list_top((int)setup->cursor, 1, rows, area.height);

    for (int y = 0; y < area.height && top + y < rows; y++) {
        int at = top + y;
        size_t index = (size_t)at;
        struct area row =
            area_rows(area_columns(area, 0, area.width - 1), y, 1);
        if (setup->step == SETUP_DRIVE)
            draw_drive_row(model, index, row);
        else
            draw_folder_row(model, index, row);
        area_hit(row, INTENT_GO_TO, (int)index);
        if (index != setup->cursor)
            continue;
        area_put(row, 0, 0, STYLE_KEY, ">");
        area_select(row, 0, 1);
    }
    widget_list_marks(area, (size_t)top, (size_t)area.height, (size_t)rows);
}

/* What a list of folders says about itself, under its question. */
static void draw_folder_state(const struct setup *setup, struct area area)
{
    const struct folders *folders = &setup->folders;

    if (folders->error)
        area_put(area, 0, 0, STYLE_BAD, folders->error);
    else if (folders->filter && *folders->filter)
        area_putf(area, 0, 0, STYLE_STRONG, "/%s", folders->filter);
    else if (folders->is_loading)
        area_put(area, 0, 0, STYLE_DIM, "reading…");
}

/* --- the whole -------------------------------------------------------------
 */

static void draw_so_far(const struct setup *setup, struct area area)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    if (setup->error) {
        area_put_wrapped(area, 0, STYLE_BAD, setup->error);
        return;
    }
    if (setup->writing)
        strbuf_adds(&words, "Writing…");
    if (setup->step == SETUP_ELSEWHERE)
        return;
    if (!setup->writing && setup->step > SETUP_FOLDER) {
        CLEANUP_FREE char *source = setup_short_path(setup, setup->source);
        const char *volume = setup->step == SETUP_NAMES && *setup->volume_name
                                 ? setup->volume_name
                                 : setup->title;
        strbuf_addf(&words, "%s → %s:/%s", source, volume,
                    setup->step > SETUP_PLACE ? setup->directory : "…");
    }
    if (!setup->writing && setup->joins && setup->step > SETUP_FOLDER)
        strbuf_addf(&words, " · one more drive for job %s", setup->job_name);
    else if (!setup->writing && setup->step > SETUP_MODE)
        strbuf_addf(&words, " · %s", job_mode_name(setup->mode));
    area_put_name(area, 0, area.height - 1, STYLE_DIM, words.text);
}

static void draw_step(const struct model *model, struct area area)
{
    const struct setup *setup = &model->setup;
    struct flow flow = {.area = area};

    switch (setup->step) {
    case SETUP_MODE:
        for (size_t i = 0; i < COUNT_OF(modes); i++)
            draw_mode(model, &flow, i);
        break;
    case SETUP_NAMES:
        draw_names(model, area);
        break;
    case SETUP_DRIVE:
        if (!setup_rows(model))
            area_put_wrapped(area, 0, STYLE_WATCH,
                             "No drive is mounted that could be written to. "
                             "Plug one in, or mount it as the system does: it "
                             "appears here by itself.");
        draw_list(model, area);
        break;
    default:
        draw_list(model, area);
        break;
    }
}

static void draw(const struct model *model, struct area area)
{
    const struct setup *setup = &model->setup;
    struct area inside = area_inside(area);

    area_frame(area, setup->step == SETUP_ELSEWHERE ? "Get it back" : "Set up");
    inside = area_part(inside, 2, 1, inside.width - 4, inside.height - 1);
    if (inside.width > EASILY_READ)
        inside = area_columns(inside, 0, EASILY_READ);
    if (setup->step == SETUP_ELSEWHERE)
        screen_put_version(model, area_rows(inside, 0, 1));
    else
        draw_steps(setup, area_rows(inside, 0, 1));
    area_put(inside, 0, 2, STYLE_TITLE, steps[setup->step].question);
    bool has_lines = setup_rsync_line(model, 0) != NULL;
    area_put_wrapped(area_rows(inside, 3, 2), 0, STYLE_DIM,
                     has_lines ? "First, what rsync does by cron: what it has "
                                 "copied is not copied again. Else a folder "
                                 "of this machine."
                               : steps[setup->step].explanation);
    if (setup_has_folders(setup))
        draw_folder_state(setup, area_rows(inside, LIST_ROW - 1, 1));
    draw_step(model, area_rows(inside, LIST_ROW, inside.height - LIST_ROW - 3));
    draw_so_far(setup, area_rows(inside, inside.height - 2, 2));
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_folders(const struct model *model)
{
    return setup_has_folders(&model->setup);
}

static bool is_on_folder(const struct model *model)
{
    return has_folders(model) &&
           model->setup.cursor >= setup_rows_before(model);
}

static bool is_to_take(const struct model *model)
{
    return has_folders(model) && !is_on_folder(model);
}

static bool has_something_to_take(const struct model *model)
{
    return !has_folders(model) && setup_rows(model);
}

static bool is_typed(const struct model *model, uint32_t key)
{
    bool is_letter = (key > ' ' || (key == ' ' && has_folders(model))) &&
                     key < UI_KEY_UP && key != '?' && key != 0x7f;

    return (has_folders(model) || model->setup.step == SETUP_NAMES) &&
           !model->setup.writing && (is_letter || key == UI_KEY_BACKSPACE);
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "open",
     "look into the folder",
     is_on_folder},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "take this one",
     "take the folder, and on to the next step",
     is_to_take},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "next",
     "take what is marked, and on to the next step",
     has_something_to_take},
    {{UI_KEY_LEFT},
     INTENT_LEFT,
     "folder above",
     "to the folder above",
     has_folders},
    {{UI_KEY_ESCAPE}, INTENT_CANCEL, "back", "back one step", NULL},
};

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct setup *setup = &model->setup;
    int page = screen_height(model) - LIST_ROW - 5;

    switch (intent) {
    case INTENT_UP:
    case INTENT_DOWN:
        model_setup_move(model, intent == INTENT_UP ? -1 : 1);
        break;
    case INTENT_PAGE_UP:
    case INTENT_PAGE_DOWN:
        model_setup_move(model, intent == INTENT_PAGE_UP ? -page : page);
        break;
    case INTENT_TOP:
        model_setup_move(model, -(long)setup->cursor);
        break;
    case INTENT_BOTTOM:
        model_setup_move(model, (long)setup_rows(model));
        break;
    case INTENT_GO_TO: /* a second click takes it */
        if ((size_t)argument == setup->cursor)
            model_setup_next(model);
        else
            model_setup_move(model, argument - (long)setup->cursor);
        break;
    case INTENT_ENTER:
        model_setup_next(model);
        break;
    case INTENT_RIGHT:
        if (is_on_folder(model))
            model_setup_next(model);
        break;
    case INTENT_LEFT:
        if (has_folders(model))
            model_setup_up(model);
        break;
    case INTENT_CANCEL:
    case INTENT_BACK:
        model_setup_back(model);
        break;
    default:
        break;
    }
}

const struct screen screen_setup = {
    .bindings = {"Set up", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
    .is_typed = is_typed,
    .type = model_setup_type,
};
