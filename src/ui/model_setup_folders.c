#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "ui/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void forget_names(struct folders *folders)
{
    for (size_t i = 0; i < folders->names.count; i++)
        free(folders->names.items[i]);
    folders->names.count = 0;
}

void folders_release(struct folders *folders)
{
    forget_names(folders);
    free(folders->names.items);
    free(folders->path);
    free(folders->filter);
    free(folders->error);
    *folders = (struct folders){.path = NULL};
}

/* --- reading ---------------------------------------------------------------
 */

/* What still comes of an earlier reading is of another command. */
void model_open_folder(struct model *model, const char *path)
{
    struct setup *setup = &model->setup;
    struct command *command = command_new(COMMAND_FOLDERS);

    if (path)
        command->path = xstrdup(path);
    folders_release(&setup->folders);
    setup->folders.path = path ? xstrdup(path) : NULL;
    setup->folders.is_loading = true;
    setup->cursor = 0;
    model_post(model, ROLE_FOLDERS, command);
}

/* As a person looks for them: by letters, not by bytes. */
static void insert_name(struct folders *folders, const char *name)
{
    size_t at = folders->names.count;

    ARRAY_PUSH(&folders->names, NULL);
    while (at && strcasecmp(folders->names.items[at - 1], name) > 0) {
        folders->names.items[at] = folders->names.items[at - 1];
        at--;
    }
    folders->names.items[at] = xstrdup(name);
}

void model_apply_folder(struct model *model, const struct event *event)
{
    struct setup *setup = &model->setup;
    struct folders *folders = &setup->folders;

    if (event->kind == EVENT_DONE) {
        model->ids[ROLE_FOLDERS] = 0;
        folders->is_loading = false;
        if (event->code && event->code != ERR_CANCELLED)
            set_text(&folders->error, event->text);
        /* Nobody means all of the home directory by a first Enter. */
        if (setup->step == SETUP_FOLDER && !setup->cursor && folders->path &&
            !folders->filter && !strcmp(folders->path, setup->home) &&
            !setup_rsync_line(model, 0))
            setup->cursor = folders_count(folders) > 0;
    } else if (event->kind == EVENT_FOLDER && !event->text) {
        if (!folders->path && !setup->home)
            setup->home = xstrdup(event->path);
        set_text(&folders->path, event->path);
    } else if (event->kind == EVENT_FOLDER) {
        insert_name(folders, event->text);
    }
}

/* --- what is shown ---------------------------------------------------------
 */

/* Hidden ones only for somebody who looks for them; berth's own never. */
static bool is_shown(const struct folders *folders, const char *name)
{
    const char *filter = folders->filter ? folders->filter : "";

    if (!strcmp(name, ".berth") || (*name == '.' && *filter != '.'))
        return false;
    return !*filter || text_contains(name, filter);
}

const char *folders_at(const struct folders *folders, size_t index)
{
    for (size_t i = 0; i < folders->names.count; i++)
        if (is_shown(folders, folders->names.items[i]) && !index--)
            return folders->names.items[i];
    return NULL;
}

size_t folders_count(const struct folders *folders)
{
    size_t count = 0;

    for (size_t i = 0; i < folders->names.count; i++)
        count += is_shown(folders, folders->names.items[i]);
    return count;
}

bool folders_have(const struct folders *folders, const char *name)
{
    for (size_t i = 0; i < folders->names.count; i++)
        if (!strcmp(folders->names.items[i], name))
            return true;
    return false;
}

char *setup_short_path(const struct setup *setup, const char *path)
{
    if (setup->home && path_is_within(path, setup->home))
        return xasprintf("~%s", path + strlen(setup->home));
    return xstrdup(path);
}
