#include "ui/screen.h"

#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

static const struct screen *const screens[] = {
    [SCREEN_DRIVES] = &screen_drives,     [SCREEN_DIFF] = &screen_diff,
    [SCREEN_SYNC] = &screen_sync,         [SCREEN_EJECT] = &screen_eject,
    [SCREEN_HISTORY] = &screen_history,   [SCREEN_VERSIONS] = &screen_versions,
    [SCREEN_LINES] = &screen_lines,       [SCREEN_FIND] = &screen_find,
    [SCREEN_COPIES] = &screen_copies,     [SCREEN_DRIFT] = &screen_drift,
    [SCREEN_SETUP] = &screen_setup,       [SCREEN_HEALTH] = &screen_health,
    [SCREEN_SETTINGS] = &screen_settings,
};

int screen_height(const struct model *model)
{
    return model->height - SCREEN_CHROME;
}

/* --- header and news -------------------------------------------------------
 */

/* Less of how it stands would say nothing. */
#define HEADER_LEAST 12

static bool is_practice(const struct model *model)
{
    return model->drives.count && model->drives.items[0].is_practice;
}

/* A long name leaves room for how it stands, but for half of the line. */
static int title_end(struct area area, const char *right)
{
    int taken = text_width(right) + 2;

    if (taken > area.width / 2)
        taken = area.width / 2;
    return area.width - 1 - taken;
}

static void draw_header(const struct model *model, struct area area)
{
    CLEANUP(strbuf_release) struct strbuf left = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf right = STRBUF_INIT;

    screens[model->screen]->describe(model, &left, &right);
    int x = area_put(area, 1, 0, STYLE_TITLE, "berth");
    if (is_practice(model))
        x = area_put(area, x + 2, 0, STYLE_WATCH, "practice");
    if (left.length)
        x = area_put_name(area_columns(area, 0, title_end(area, right.text)),
                          x + 2, 0, STYLE_NORMAL, left.text);
    struct area rest = area_columns(area, x + 2, area.width - x - 3);
    if (rest.width >= HEADER_LEAST)
        area_put_right(rest, 0, STYLE_DIM, right.text);
}

/* Its end, or -1 where there is no room. */
static int put_key(struct area area, int x, uint32_t key, const char *words,
                   enum intent intent, int argument)
{
    char name[KEY_NAME_SIZE];
    const char *shown = keys_name(key, area.canvas->is_ascii, name);
    int width = text_width(shown) + 1 + text_width(words);

    if (x + width > area.width)
        return -1;
    struct area place = area_columns(area, x, width);
    int end = area_put(place, 0, 0, STYLE_KEY, shown);
    area_put(place, end + 1, 0, STYLE_DIM, words);
    area_hit(place, (int)intent, argument);
    return x + width + 2;
}

static void draw_banner(const struct model *model, struct area area)
{
    int keys = area.canvas->is_ascii ? 23 : 20; /* "w why  Bksp dismiss" */
    if (text_width(model->news.line) + 2 > area.width - keys)
        keys = 9; /* the news are worth more than how to dismiss them */
    struct area text = area_columns(area, 1, area.width - keys);
    struct area right = area_columns(area, area.width - keys + 3, keys - 3);

    area_put(text, 0, 0, STYLE_BANNER, "!");
    area_put(text, 2, 0, model->news.is_bad ? STYLE_BAD : STYLE_BANNER,
             model->news.line);
    int x = put_key(right, 0, 'w', "why", INTENT_WHY, 0);
    if (x >= 0)
        put_key(right, x, UI_KEY_BACKSPACE, "dismiss", INTENT_DISMISS, 0);
}

/* Where a first run begins. */
static void draw_welcome(const struct model *model, struct area area)
{
    if (!model->has_targets || model->targets.count ||
        !setup_choices(model, 0, NULL))
        return;
    int x = area_put(area, 1, 0, STYLE_STRONG, "No job yet:");
    int start = x + 1;
    x = area_put(area, start, 0, STYLE_KEY, "a");
    x = area_put(area, x + 1, 0, STYLE_STRONG,
                 "says what goes on which drive, in five steps");
    area_hit(area_columns(area, start, x - start), INTENT_ADD, 0);
}

/* How an undo, a restore or a verify went: above the list, and where it is long
 * from the line above that on. */
static void draw_note(const struct model *model, struct area area)
{
    const char *note = model_note(model);
    int width = area.width - 2;

    if (note && text_width(note) <= width)
        area = area_part(area, 1, 2, width, 1);
    else
        area = area_part(area, 1, 1, width, 2);
    if (note)
        area_put_wrapped(area, 0, model->mend.is_bad ? STYLE_BAD : STYLE_GOOD,
                         note);
}

static void draw_news(const struct model *model, struct area area)
{
    if (model->message)
        area_put(area_columns(area, 1, area.width - 2), 0, 0, STYLE_STRONG,
                 model->message);
    else if (model->screen == SCREEN_DRIVES && model->news.line)
        draw_banner(model, area);
    else if (model->screen == SCREEN_DRIVES)
        draw_welcome(model, area);
}

/* --- footer ----------------------------------------------------------------
 */

/* Under this width a line of keys would be a line of noise. */
#define WIDE 100
#define FOOTER_KEYS_NARROW 6

static const struct binding *footer_binding(const struct model *model,
                                            const struct bindings *bindings,
                                            size_t *at)
{
    while (*at < bindings->count) {
        const struct binding *binding = &bindings->items[(*at)++];
        if (binding->words && (!binding->is_valid || binding->is_valid(model)))
            return binding;
    }
    return NULL;
}

static void draw_keys(const struct model *model, struct area area)
{
    const struct bindings *bindings = &screens[model->screen]->bindings;
    const struct binding *binding;
    int x = 1, room = area.width - text_width("  ? more ");
    int most = area.width < WIDE ? FOOTER_KEYS_NARROW : 100;
    size_t at = 0;

    for (int shown = 0; shown < most; shown++) {
        binding = footer_binding(model, bindings, &at);
        if (!binding)
            break;
        int next = put_key(area_columns(area, 0, room), x, binding->keys[0],
                           binding->words, binding->intent, 0);
        if (next < 0)
            break;
        x = next;
    }
    put_key(area, x, '?', "more", INTENT_HELP, 0);
}

static void draw_keys_of_question(const struct question *question,
                                  struct area area)
{
    int x = 1;

    for (size_t i = 0; x >= 0 && i < question->answer_count; i++)
        x = put_key(area, x, question->answers[i].key,
                    question->answers[i].words, INTENT_ANSWER, (int)i);
    if (x >= 0)
        put_key(area, x, UI_KEY_ESCAPE, "cancel", INTENT_CANCEL, 0);
}

static bool shows_box(const struct model *model)
{
    return model->shows_help || model->shows_entry || model->shows_why;
}

/* Of a box, which takes no key of the screen below it. */
static void draw_keys_of_box(const struct model *model, struct area area)
{
    int x = 1;

    if (model->shows_help &&
        screen_help_rows_below(model, screens[model->screen])) {
        x = put_key(area, x, UI_KEY_DOWN, "down", INTENT_DOWN, 0);
        x = put_key(area, x, UI_KEY_PAGE_DOWN, "page", INTENT_PAGE_DOWN, 0);
    }
    if (!model->shows_help && model->shows_why && model->news.leads)
        x = put_key(area, x, UI_KEY_ENTER, "look", INTENT_ENTER, 0);
    put_key(area, x, UI_KEY_ESCAPE, "close", INTENT_CANCEL, 0);
}

/* What is being typed: what is looked for, else a filter. */
static const char *typed_text(const struct model *model)
{
    const char *text = model->diff.filter;
    const struct table *table;

    if (model->screen == SCREEN_FIND) {
        text = model->lookup.pattern;
    } else if (model->screen != SCREEN_DIFF) {
        table = model_shown_table(model);
        text = table ? table->filter : NULL;
    }
    return text ? text : "";
}

static void set_typed_text(struct model *model, const char *text)
{
    if (model->screen == SCREEN_DIFF)
        diff_view_set_filter(&model->diff, text);
    else if (model->screen == SCREEN_FIND)
        model_set_pattern(model, text);
    else if (model_table(model))
        table_set_filter(model_table(model), text);
}

static void draw_filter(const struct model *model, struct area area)
{
    int x = area_put(area, 1, 0, STYLE_KEY, "/");

    x = area_put_name(area_columns(area, 0, area.width - 30), x, 0,
                      STYLE_STRONG, typed_text(model));
    area.canvas->cursor_x = area.x + x;
    area.canvas->cursor_y = area.y;
    area_put_right(area_columns(area, 0, area.width - 1), 0, STYLE_DIM,
                   model->screen == SCREEN_FIND
                       ? "Enter or ↓ to the list  Esc back"
                       : "Enter done  Esc everything");
}

static void draw_footer(const struct model *model, struct area area)
{
    if (model->question.title)
        draw_keys_of_question(&model->question, area);
    else if (shows_box(model))
        draw_keys_of_box(model, area);
    else if (model->types_filter)
        draw_filter(model, area);
    else
        draw_keys(model, area);
}

/* --- the whole -------------------------------------------------------------
 */

static void draw_too_small(const struct model *model, struct area area)
{
    CLEANUP_FREE char *text =
        xasprintf("This window is too small: %dx%d. berth needs 80x24. "
                  "q quits.",
                  model->width, model->height);

    area_put_wrapped(area, area.height > 4 ? area.height / 2 - 2 : 0,
                     STYLE_STRONG, text);
}

static void draw_over(const struct model *model, const struct screen *screen,
                      struct area area)
{
    if (model->shows_entry)
        screen_draw_entry(model, area);
    if (model->shows_why && model->news.why)
        widget_story(area, "Why", model->news.why,
                     model->news.leads ? "look" : NULL);
    if (model->shows_help)
        screen_draw_help(model, screen, area);
    if (model->question.title)
        widget_question(area, &model->question);
}

void screen_draw(const struct model *model, struct canvas *canvas)
{
    struct area all = canvas_area(canvas);
    const struct screen *screen = screens[model->screen];

    if (model_is_too_small(model)) {
        draw_too_small(model, all);
        return;
    }
    struct area body = area_rows(all, 2, screen_height(model));
    draw_header(model, area_rows(all, 0, 1));
    draw_news(model, area_rows(all, 1, 1));
    screen->draw(model, body);
    if (!model->message)
        draw_note(model, all);
    draw_footer(model, area_rows(all, all.height - 1, 1));
    draw_over(model, screen, body);
}

/* --- where a key goes ------------------------------------------------------
 */

/* Keys that mean the same even where nothing else is taken. */
static bool handle_always(struct model *model, enum intent intent)
{
    switch (intent) {
    case INTENT_SUSPEND:
        model_suspend(model);
        return true;
    case INTENT_INTERRUPT:
        model_interrupt(model);
        return true;
    case INTENT_REDRAW:
        model_request(model, REQUEST_REDRAW, ROLE_WATCH);
        return true;
    default:
        return false;
    }
}

static void answer_question(struct model *model, uint32_t key,
                            enum intent intent, int argument)
{
    const struct question *question = &model->question;

    for (size_t i = 0; i < question->answer_count; i++) {
        bool is_meant = intent == INTENT_ANSWER
                            ? (size_t)argument == i
                            : key == question->answers[i].key ||
                                  (intent == INTENT_ENTER &&
                                   question->answers[i].key == UI_KEY_ENTER);
        if (is_meant) {
            model_answer(model, question->answers[i].answer);
            return;
        }
    }
    if (intent == INTENT_CANCEL)
        model_answer(model, ANSWER_CLOSE);
}

static void handle_help(struct model *model, enum intent intent)
{
    int page = screen_height(model) - 4;
    int most = screen_help_rows_below(model, screens[model->screen]);

    if (model->help_scroll > most) /* the window has grown */
        model->help_scroll = most;
    switch (intent) {
    case INTENT_UP:
        model->help_scroll--;
        break;
    case INTENT_DOWN:
        model->help_scroll++;
        break;
    case INTENT_PAGE_UP:
        model->help_scroll -= page;
        break;
    case INTENT_PAGE_DOWN:
        model->help_scroll += page;
        break;
    case INTENT_TOP:
        model->help_scroll = 0;
        break;
    case INTENT_BOTTOM:
        model->help_scroll = most;
        break;
    case INTENT_HELP:
    case INTENT_CANCEL:
    case INTENT_BACK:
    case INTENT_ENTER:
        model->shows_help = false;
        break;
    default:
        break;
    }
    if (model->help_scroll > most)
        model->help_scroll = most;
    if (model->help_scroll < 0)
        model->help_scroll = 0;
}

static void close_box(struct model *model, enum intent intent)
{
    bool is_to_look =
        intent == INTENT_ENTER ||
        (intent == INTENT_DRIFT && model->news.leads == LEADS_TO_DRIFT);

    if (is_to_look && model->shows_why && model_follow_news(model))
        return;
    if (intent == INTENT_CANCEL || intent == INTENT_BACK ||
        intent == INTENT_ENTER || intent == INTENT_WHY)
        model->shows_entry = model->shows_why = false;
}

static void handle_intent(struct model *model, enum intent intent, int argument)
{
    switch (intent) {
    case INTENT_HELP:
        model->shows_help = true;
        model->help_scroll = 0;
        break;
    case INTENT_MOUSE: {
        const struct request request = {.kind = REQUEST_MOUSE,
                                        .on = !model->mouse_is_on};
        model->mouse_is_on = request.on;
        model_add_request(model, &request);
        model_say(model, "mouse %s", request.on ? "on" : "off");
        break;
    }
    case INTENT_WHY:
        model->shows_why = model->news.line != NULL;
        break;
    case INTENT_DISMISS:
        model_dismiss_news(model);
        break;
    default:
        screens[model->screen]->handle(model, intent, argument);
        break;
    }
}

static void type_filter(struct model *model, uint32_t key)
{
    CLEANUP(strbuf_release) struct strbuf filter = STRBUF_INIT;

    strbuf_adds(&filter, typed_text(model));
    if (key == UI_KEY_ENTER || key == '\n') {
        model->types_filter = false;
        return;
    }
    if (key == UI_KEY_ESCAPE) {
        model->types_filter = false;
        strbuf_truncate(&filter, 0);
        if (model->screen == SCREEN_FIND) {
            model_back(model);
            return;
        }
    } else if (key == UI_KEY_BACKSPACE) {
        text_remove_character(&filter);
    } else if (key >= ' ' && key < UI_KEY_UP) {
        text_add_character(&filter, key);
    } else {
        return;
    }
    set_typed_text(model, filter.length ? filter.text : "");
}

static void scroll(struct model *model, int rows)
{
    enum intent intent = rows < 0 ? INTENT_UP : INTENT_DOWN;

    for (int i = 0; i < (rows < 0 ? -rows : rows); i++) {
        if (model->shows_help)
            handle_help(model, intent);
        else if (!model->question.title)
            screens[model->screen]->handle(model, intent, 0);
    }
}

static void handle(struct model *model, uint32_t key, enum intent intent,
                   int argument)
{
    if (handle_always(model, intent))
        return;
    if (model_is_too_small(model)) {
        if (key == 'q')
            model_interrupt(model);
    } else if (model->question.title) {
        answer_question(model, key, intent, argument);
    } else if (model->shows_help) {
        handle_help(model, intent);
    } else if (model->shows_entry || model->shows_why) {
        /* Whatever it means on the screen below. */
        bool is_enter = key == UI_KEY_ENTER || key == '\n';
        close_box(model, is_enter ? INTENT_ENTER : intent);
    } else {
        handle_intent(model, intent, argument);
    }
}

/* These mean the same while something is typed; arrows go to what was found. */
static bool ends_typing(struct model *model, uint32_t key)
{
    if (key == UI_CONTROL('c') || key == UI_CONTROL('z'))
        return true;
    if (model->screen == SCREEN_DIFF || key < UI_KEY_UP || key > UI_KEY_END)
        return false;
    model->types_filter = false;
    return true;
}

static bool is_typed(const struct model *model, uint32_t key)
{
    const struct screen *screen = screens[model->screen];

    return screen->is_typed && screen->is_typed(model, key) &&
           !model->question.title && !model->shows_help &&
           !model_is_too_small(model);
}

/* A key that is somebody's habit, and does nothing now, says so. */
static void say_not_now(struct model *model, uint32_t key)
{
    const struct binding *binding =
        keys_find_invalid(&screens[model->screen]->bindings, model, key);
    const struct drive *drive =
        model->screen == SCREEN_DRIVES ? model_selected(model) : NULL;
    char name[KEY_NAME_SIZE];

    if (!binding || model->question.title || model->shows_help ||
        model->shows_entry || model->shows_why || model_is_too_small(model))
        return;
    if (drive && !drive->is_attached)
        model_say(model, "%s is not plugged in", drive->title);
    else
        model_say(model, "%s, %s: not possible now",
                  keys_name(key, false, name), binding->words);
}

static void handle_key(struct model *model, uint32_t key)
{
    enum intent intent =
        keys_find(&screens[model->screen]->bindings, model, key);

    if (!intent)
        say_not_now(model, key);
    handle(model, key, intent, 0);
}

void screen_input(struct model *model, const struct canvas *canvas,
                  const struct input *input)
{
    const struct hit *hit;

    if (input->kind == INPUT_RESIZE || input->kind == INPUT_NONE)
        return;
    set_text(&model->message, NULL);
    if (input->kind == INPUT_SCROLL) {
        scroll(model, input->rows);
    } else if (input->kind == INPUT_CLICK) {
        hit = canvas_hit_at(canvas, input->x, input->y);
        if (hit)
            handle(model, 0, (enum intent)hit->intent, hit->argument);
    } else if (model->types_filter && !ends_typing(model, input->key)) {
        type_filter(model, input->key);
    } else if (is_typed(model, input->key)) {
        screens[model->screen]->type(model, input->key);
    } else {
        handle_key(model, input->key);
    }
    model_scan_next(model);
    model_find_news(model);
    model_offer_silence(model);
    model_fit_table(model);
}
