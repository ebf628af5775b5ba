/*
 * Volumes, jobs and their rules, as the configuration has them: read, changed
 * one by one, checked by the engine before the file is replaced.
 */
#ifndef BERTH_UI_SETTINGS_H
#define BERTH_UI_SETTINGS_H

#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>

struct model;

struct setting {
    char *owner; /* name of the volume or job */
    bool is_job;
    char *key, *value;
    char *hint;
    bool is_default, is_fixed;
};

struct settings {
    struct {
        struct setting *items;
        size_t count, capacity;
    } rows, incoming; /* the second takes the first's place when it is whole */
    size_t cursor;
    char *typed; /* the value under the cursor, while it is changed; NULL */
    char *error; /* why it was not taken; NULL */
};

void settings_release(struct settings *settings);
void model_open_settings(struct model *model);
void model_apply_settings(struct model *model, const struct event *event);
void model_apply_set(struct model *model, const struct event *event);
/* Begins to change the value under the cursor. */
void model_edit_setting(struct model *model);
void model_type_setting(struct model *model, uint32_t key);
void model_take_setting(struct model *model);
void model_drop_setting(struct model *model);
/* The default again: taken out of the file. */
void model_reset_setting(struct model *model);
void model_move_in_settings(struct model *model, long rows);

#endif
