#include "ui/model.h"

#include "core/base/array.h"
#include "ui/keys.h"
#include "ui/text.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MOST 1000

static void release_rows(struct setting *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].owner);
        free(rows[i].key);
        free(rows[i].value);
        free(rows[i].hint);
    }
    free(rows);
}

void settings_release(struct settings *settings)
{
    release_rows(settings->rows.items, settings->rows.count);
    release_rows(settings->incoming.items, settings->incoming.count);
    free(settings->typed);
    free(settings->error);
    *settings = (struct settings){.cursor = 0};
}

/* --- reading ---------------------------------------------------------------
 */

static void read_settings(struct model *model)
{
    if (!model_is_under_way(model, ROLE_SETTINGS))
        model_post(model, ROLE_SETTINGS, command_new(COMMAND_SETTINGS));
}

void model_open_settings(struct model *model)
{
    settings_release(&model->settings);
    model_go(model, SCREEN_SETTINGS);
    read_settings(model);
}

static void take_incoming(struct settings *settings)
{
    bool is_first = !settings->rows.count;

    release_rows(settings->rows.items, settings->rows.count);
    settings->rows.items = settings->incoming.items;
    settings->rows.count = settings->incoming.count;
    settings->rows.capacity = settings->incoming.capacity;
    settings->incoming.items = NULL;
    settings->incoming.count = settings->incoming.capacity = 0;
    if (settings->cursor >= settings->rows.count)
        settings->cursor = 0;
    while (is_first && settings->cursor + 1 < settings->rows.count &&
           settings->rows.items[settings->cursor].is_fixed)
        settings->cursor++;
}

void model_apply_settings(struct model *model, const struct event *event)
{
    struct settings *settings = &model->settings;

    if (event->kind == EVENT_SETTING && !strcmp(event->path, "name"))
        return; /* it is the title */
    if (event->kind == EVENT_SETTING) {
        const struct setting row = {
            .owner = xstrdup(event->job ? event->job : event->volume),
            .is_job = event->job != NULL,
            .key = xstrdup(event->path),
            .value = xstrdup(event->text),
            .hint = xstrdup(event->setting.hint),
            .is_default = event->setting.is_default,
            .is_fixed = event->setting.is_fixed,
        };
        ARRAY_PUSH(&settings->incoming, row);
    } else if (event->kind == EVENT_DONE) {
        model->ids[ROLE_SETTINGS] = 0;
        if (event->code)
            set_text(&settings->error, event->text);
        else
            take_incoming(settings);
    }
}

/* --- changing --------------------------------------------------------------
 */

static const struct setting *marked(const struct settings *settings)
{
    return settings->cursor < settings->rows.count
               ? &settings->rows.items[settings->cursor]
               : NULL;
}

void model_edit_setting(struct model *model)
{
    struct settings *settings = &model->settings;
    const struct setting *row = marked(settings);

    if (!row)
        return; /* its error, if any, is why there is nothing */
    set_text(&settings->error, NULL);
    if (row->is_fixed)
        model_say(model, "%s of %s stays: the drive and other entries know it",
                  row->key, row->owner);
    else
        set_text(&settings->typed, row->value);
}

void model_type_setting(struct model *model, uint32_t key)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct settings *settings = &model->settings;

    if (!settings->typed)
        return;
    strbuf_adds(&text, settings->typed);
    if (key == UI_KEY_BACKSPACE)
        text_remove_character(&text);
    else if (key == UI_CONTROL('u'))
        strbuf_truncate(&text, 0);
    else if (text.length < VALUE_MOST)
        text_add_character(&text, key);
    set_text(&settings->typed, text.length ? text.text : "");
    set_text(&settings->error, NULL);
}

static void post_set(struct model *model, const char *value)
{
    const struct setting *row = marked(&model->settings);
    struct command *command;

    if (!row || model_is_under_way(model, ROLE_SET))
        return;
    command = command_new(COMMAND_SET);
    command_add_name(command, row->owner);
    command->key = xstrdup(row->key);
    command->value = xstrdup(value);
    model_post(model, ROLE_SET, command);
}

void model_take_setting(struct model *model)
{
    const struct settings *settings = &model->settings;
    const struct setting *row = marked(settings);

    if (!settings->typed || !row)
        return;
    if (!strcmp(settings->typed, row->value))
        model_drop_setting(model);
    else
        post_set(model, settings->typed);
}

void model_drop_setting(struct model *model)
{
    set_text(&model->settings.typed, NULL);
    set_text(&model->settings.error, NULL);
}

void model_reset_setting(struct model *model)
{
    const struct setting *row = marked(&model->settings);

    if (row)
        set_text(&model->settings.error, NULL);
    if (row && !row->is_fixed && !row->is_default)
        post_set(model, "");
}

void model_apply_set(struct model *model, const struct event *event)
{
    struct settings *settings = &model->settings;

    if (event->kind != EVENT_DONE)
        return;
    model->ids[ROLE_SET] = 0;
    if (event->code) {
        set_text(&settings->error, event->text);
        return;
    }
    model_drop_setting(model);
    read_settings(model);
    /* Other rules: another plan. */
    model_list_jobs(model);
    model_wish_all(model);
    model_say(model, "saved");
}

void model_move_in_settings(struct model *model, long rows)
{
    struct settings *settings = &model->settings;
    long at = (long)settings->cursor + rows;
    long last = (long)settings->rows.count - 1;

    if (settings->typed || !settings->rows.count)
        return;
    set_text(&settings->error, NULL);
    if (at > last)
        at = last;
    settings->cursor = at > 0 ? (size_t)at : 0;
}
