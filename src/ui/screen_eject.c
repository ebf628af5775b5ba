#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <string.h>

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct ejection *eject = &model->eject;

    strbuf_addf(left, "Eject · %s", eject->title ? eject->title : "");
    if (eject->is_active && eject->info.is_waiting)
        strbuf_adds(right, "busy · goes on when it is free");
    else if (eject->is_active)
        strbuf_adds(right, "ejecting");
}

/* --- steps -----------------------------------------------------------------
 */

enum step_state { STEP_AHEAD, STEP_NOW, STEP_DONE, STEP_FAILED, STEP_NONE };

/* After the verdict what was seen counts, not how far it came. */
static enum step_state judge_step(const struct ejection *eject,
                                  enum eject_step step)
{
    const struct eject_proof *proof = &eject->info.proof;

    if (eject->info.step != EJECT_STEP_DONE) {
        if (eject->info.step > step)
            return STEP_DONE;
        if (eject->info.step < step || !eject->has_info)
            return STEP_AHEAD;
        return eject->is_active ? STEP_NOW : STEP_FAILED;
    }
    switch (step) {
    case EJECT_STEP_FLUSH:
        return proof->barrier_ok ? STEP_DONE : STEP_FAILED;
    case EJECT_STEP_UNMOUNT:
        if (!proof->volumes_unmounted && !proof->barrier_ok)
            return STEP_NONE;
        return proof->volumes_unmounted >= proof->volumes_mounted ? STEP_DONE
                                                                  : STEP_FAILED;
    case EJECT_STEP_POWER_OFF:
        if (!proof->power_off_tried)
            return STEP_NONE;
        return proof->power_off_ok ? STEP_DONE : STEP_FAILED;
    default:
        return STEP_DONE;
    }
}

static void describe_flush(const struct ejection *eject, enum step_state state,
                           struct strbuf *out)
{
    char bytes[QUANTITY_SIZE];
    const struct eject_info *info = &eject->info;

    if (state == STEP_NOW && info->unwritten_bytes > 0)
        strbuf_addf(out, "flushing %s: %s to go%s", info->detail,
                    format_bytes(info->unwritten_bytes, bytes),
                    info->unwritten_is_global ? " on this machine" : "");
    else if (state == STEP_NOW)
        strbuf_addf(out, "flushing %s", info->detail);
    else if (state == STEP_DONE && eject->most_unwritten > 0 &&
             !info->unwritten_is_global)
        strbuf_addf(out, "%s flushed",
                    format_bytes(eject->most_unwritten, bytes));
    else
        strbuf_adds(out, state == STEP_FAILED ? "not flushed" : "flushed");
}

static void describe_unmounted(const struct eject_proof *proof,
                               enum step_state state, struct strbuf *out)
{
    char volumes[WORDS_SIZE];

    if (state == STEP_NONE) {
        strbuf_adds(out, "not unmounted");
        return;
    }
    if (proof->volumes_unmounted < proof->volumes_mounted)
        strbuf_addf(out, "%d of ", proof->volumes_unmounted);
    strbuf_addf(out, "%s unmounted",
                words_count(proof->volumes_mounted, "volume", volumes));
}

static void describe_step(const struct ejection *eject, enum eject_step step,
                          enum step_state state, struct strbuf *out)
{
    const struct eject_proof *proof = &eject->info.proof;

    switch (step) {
    case EJECT_STEP_JOBS:
        strbuf_adds(out,
                    state == STEP_FAILED ? "jobs are at work" : "jobs stopped");
        break;
    case EJECT_STEP_FLUSH:
        describe_flush(eject, state, out);
        break;
    case EJECT_STEP_UNMOUNT:
        if (state == STEP_NOW)
            strbuf_addf(out, "unmounting %s", eject->info.detail);
        else if (eject->info.step == EJECT_STEP_DONE)
            describe_unmounted(proof, state, out);
        else
            strbuf_adds(out, "volumes unmounted");
        break;
    case EJECT_STEP_POWER_OFF:
        strbuf_adds(out, state == STEP_NOW      ? "powering off"
                         : state == STEP_FAILED ? "power-off was refused"
                         : state == STEP_NONE   ? "not powered off"
                                                : "powered off");
        break;
    case EJECT_STEP_DONE:
        break;
    }
}

static void draw_steps(const struct ejection *eject, struct area area)
{
    static const struct {
        const char *mark;
        enum style mark_style, style;
    } looks[] = {
        [STEP_AHEAD] = {" ", STYLE_DIM, STYLE_DIM},
        [STEP_NOW] = {"…", STYLE_KEY, STYLE_STRONG},
        [STEP_DONE] = {"✓", STYLE_GOOD, STYLE_NORMAL},
        [STEP_FAILED] = {"✗", STYLE_BAD, STYLE_BAD},
        [STEP_NONE] = {"–", STYLE_WATCH, STYLE_NORMAL},
    };

    for (int step = EJECT_STEP_JOBS; step < EJECT_STEP_DONE; step++) {
        enum step_state state = judge_step(eject, (enum eject_step)step);
        CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
        describe_step(eject, (enum eject_step)step, state, &words);
        area_put(area, 1, step, looks[state].mark_style, looks[state].mark);
        area_put(area, 3, step, looks[state].style, words.text);
    }
}

/* --- who holds it ----------------------------------------------------------
 */

/* Where on the volume: what is above it says nothing new. */
static const char *path_on_volume(const struct model *model, const char *path)
{
    const struct drive *drive = model_find_drive(model, model->eject.drive);

    for (size_t i = 0; drive && i < drive->volumes.count; i++) {
        const char *root = drive->volumes.items[i].mount_point;
        size_t length = strlen(root);
        if (length > 1 && !strncmp(path, root, length) && path[length] == '/')
            return path + length + 1;
    }
    return path;
}

static void draw_holder(const struct model *model,
                        const struct platform_holder *holder, struct area line,
                        bool is_selected)
{
    if (holder->pid)
        area_putf(line, 2, 0, STYLE_NORMAL, "%7" PRId64, holder->pid);
    else
        area_put(line, 3, 0, STYLE_DIM, "kernel");
    area_put_name(area_columns(line, 11, 9), 0, 0, STYLE_NORMAL, holder->user);
    area_put_name(area_columns(line, 21, 16), 0, 0, STYLE_STRONG,
                  holder->command);
    area_put(area_columns(line, 38, 18), 0, 0, STYLE_NORMAL,
             platform_hold_name(holder->kind));
    area_put_name(area_columns(line, 57, line.width - 58), 0, 0, STYLE_DIM,
                  path_on_volume(model, holder->path));
    if (is_selected) {
        area_put(line, 0, 0, STYLE_KEY, ">");
        area_select(line, 0, 1);
    }
}

static void draw_holders(const struct model *model, struct area area)
{
    const struct ejection *eject = &model->eject;
    const struct platform_holders *holders = &eject->info.holders;
    int height = area.height - 4, y = 2;
    int top =
        widget_list_top((int)eject->cursor, 1, (int)holders->count, height);

    area_putf(area, 1, 0, STYLE_WATCH, "%s is held by", eject->info.detail);
    for (size_t i = (size_t)top; i < holders->count && y < height + 2; i++) {
        struct area line = area_part(area, 1, y++, area.width - 2, 1);
        draw_holder(model, &holders->items[i], line, i == eject->cursor);
        area_hit(line, INTENT_GO_TO, (int)i);
    }
    if (!holders->is_complete)
        area_put(area, 1, y++, STYLE_DIM,
                 holders->count
                     ? "others may hold it that cannot be seen without rights"
                     : "somebody who cannot be seen without rights");
    for (size_t i = 0; i < holders->count; i++)
        if (holders->items[i].is_ancestor) {
            area_put(area, 1, y + 1, STYLE_STRONG,
                     "That is the shell you started berth from: cd out of it.");
            break;
        }
}

/* --- the verdict -----------------------------------------------------------
 */

static const char *remedy_of(err_code code)
{
    switch (code) {
    case ERR_BUSY:
        return "wait until it is free, then eject again";
    case ERR_DENIED:
        return "the rights to do it are missing: eject it as the system does, "
               "or run berth with them";
    case ERR_CANCELLED:
        return "it was stopped on request";
    default:
        return "eject again";
    }
}

static int count_rows(const char *text, int width)
{
    int rows = 0;

    for (size_t next; *text; text += next, rows++)
        text_wrap(text, width, &next);
    return rows;
}

/* As few rows as there can be, none much shorter than the others. */
static int even_width(const char *text, int most)
{
    int rows = count_rows(text, most), width = most;

    while (width > most / 2 && count_rows(text, width - 1) == rows)
        width--;
    return width;
}

/* Words, wrapped and centred; returns the row below them. */
static int put_centred(struct area area, int row, enum style style,
                       const char *text)
{
    int width = even_width(text, area.width - 4);

    while (*text) {
        size_t next;
        size_t length = text_wrap(text, width, &next);
        CLEANUP_FREE char *line = xstrndup(text, length);
        area_put_centred(area, row++, style, line);
        text += next;
    }
    return row;
}

static int put_verdict_lines(const struct model *model, struct area area,
                             enum style style)
{
    const struct ejection *eject = &model->eject;
    bool has_verdict = eject->has_info && eject->info.step == EJECT_STEP_DONE;
    const char *why = has_verdict    ? eject->info.judgement.why
                      : eject->error ? eject->error
                                     : "it did not come to an end";
    const char *remedy =
        has_verdict ? eject->info.judgement.remedy : remedy_of(eject->code);
    char when[WORDS_SIZE];
    CLEANUP_FREE char *words =
        xasprintf("%s%s · %s", eject->is_practice ? "PRACTICE: " : "",
                  eject_verdict_words(ejection_verdict(eject)),
                  words_time(model->now_ns, eject->ended_ns, when));

    area_put_centred(area, 1, style, words);
    int row = put_centred(area, 3, style, eject->completeness);
    row = put_centred(area, row, style, why);
    return put_centred(area, row, style, remedy);
}

/* Returns the rows that it took. */
static int draw_verdict(const struct model *model, struct area area)
{
    static const enum style styles[] = {
        [EJECT_NONE] = STYLE_NORMAL,
        [EJECT_GREEN] = STYLE_GREEN,
        [EJECT_YELLOW] = STYLE_YELLOW,
        [EJECT_RED] = STYLE_RED,
    };
    enum style style = styles[ejection_verdict(&model->eject)];
    int rows = put_verdict_lines(model, area_rows(area, 0, 0), style) + 1;

    area = area_rows(area, 0, rows);
    area_clear(area, style);
    put_verdict_lines(model, area, style);
    return rows;
}

static void draw(const struct model *model, struct area area)
{
    const struct ejection *eject = &model->eject;

    if (!eject->is_active) {
        int rows = draw_verdict(model, area);
        area = area_rows(area, rows + 1, area.height);
    }
    draw_steps(eject, area_rows(area, 0, EJECT_STEP_DONE));
    if (eject->is_active && eject->info.is_waiting)
        draw_holders(model, area_rows(area, EJECT_STEP_DONE + 1, area.height));
    else if (eject->is_practice && eject->is_active)
        area_put(area, 1, EJECT_STEP_DONE + 1, STYLE_DIM,
                 "practice: a drive of paper");
}

/* --- keys ------------------------------------------------------------------
 */

static const struct platform_holder *selected(const struct model *model)
{
    const struct ejection *eject = &model->eject;

    if (!eject->is_active || !eject->info.is_waiting ||
        eject->cursor >= eject->info.holders.count)
        return NULL;
    return &eject->info.holders.items[eject->cursor];
}

static bool can_ask(const struct model *model)
{
    const struct platform_holder *holder = selected(model);

    return holder && holder->pid && holder->is_same_user &&
           !holder->is_ancestor;
}

static bool is_active(const struct model *model)
{
    return model->eject.is_active;
}

static bool is_over(const struct model *model)
{
    return !model->eject.is_active;
}

static const struct binding bindings[] = {
    {{'t'},
     INTENT_ASK_TO_QUIT,
     "ask it to quit",
     "ask the marked program of yours to quit",
     can_ask},
    {{UI_KEY_ESCAPE, 'q'},
     INTENT_CANCEL,
     "give up",
     "stop; what was unmounted is mounted again",
     is_active},
    {{UI_KEY_ENTER, UI_KEY_ESCAPE, 'q'},
     INTENT_BACK,
     "back to the drives",
     NULL,
     is_over},
};

static void ask_to_quit(struct model *model)
{
    const struct platform_holder *holder = selected(model);
    struct question question = {.title = NULL};

    if (!can_ask(model))
        return;
    question.title = xasprintf("Ask %s to quit?", holder->command);
    question.text = xasprintf("Process %" PRId64
                              " is asked to end, as when you log out. What it "
                              "has\nnot saved it may lose.",
                              holder->pid);
    question.pid = holder->pid;
    question_add(&question, 'y', "ask it", ANSWER_QUIT_HOLDER);
    model_ask(model, &question);
}

static void move_by(struct model *model, long rows)
{
    long at = (long)model->eject.cursor + rows;
    long last = (long)model->eject.info.holders.count - 1;

    if (at > last)
        at = last;
    model->eject.cursor = at > 0 ? (size_t)at : 0;
}

static void handle(struct model *model, enum intent intent, int argument)
{
    if (!model->eject.is_active) {
        model_leave_eject(model); /* any key will do */
        return;
    }
    switch (intent) {
    case INTENT_ASK_TO_QUIT:
        ask_to_quit(model);
        break;
    case INTENT_CANCEL:
    case INTENT_BACK:
        model_request(model, REQUEST_STOP, ROLE_EJECT);
        model_say(model, GIVING_UP);
        break;
    case INTENT_UP:
        move_by(model, -1);
        break;
    case INTENT_DOWN:
        move_by(model, 1);
        break;
    case INTENT_GO_TO:
        model->eject.cursor = (size_t)argument;
        move_by(model, 0);
        break;
    default:
        break;
    }
}

const struct screen screen_eject = {
    .bindings = {"Eject", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
