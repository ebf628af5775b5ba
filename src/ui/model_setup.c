#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "ui/keys.h"
#include "ui/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A name is typed in scripts: a long one would not be. */
#define NAME_MOST 40

void setup_release(struct setup *setup)
{
    folders_release(&setup->folders);
    free(setup->mount_point);
    free(setup->title);
    free(setup->known_as);
    free(setup->home);
    free(setup->source);
    free(setup->directory);
    free(setup->volume_name);
    free(setup->job_name);
    free(setup->error);
    *setup = (struct setup){.step = SETUP_DRIVE};
}

/* --- which volume ----------------------------------------------------------
 */

/* Not the running system's, and berth could write to it. */
static bool may_be_chosen(const struct drive *drive,
                          const struct drive_volume *volume)
{
    return drive->is_attached && volume->is_mounted && !volume->is_system &&
           !volume->is_read_only && !*volume->problem &&
           volume->role == VOLUME_BACKUP;
}

size_t setup_choices(const struct model *model, size_t index,
                     struct setup_choice *out)
{
    size_t count = 0;

    for (size_t d = 0; d < model->drives.count; d++) {
        const struct drive *drive = &model->drives.items[d];
        for (size_t v = 0; v < drive->volumes.count; v++) {
            if (!may_be_chosen(drive, &drive->volumes.items[v]))
                continue;
            if (count == index && out)
                *out = (struct setup_choice){d, v};
            count++;
        }
    }
    return count;
}

void model_open_setup(struct model *model)
{
    size_t count = setup_choices(model, 0, NULL);
    struct setup_choice choice = {0, 0};

    setup_release(&model->setup);
    for (size_t i = count; i-- > 0;) {
        setup_choices(model, i, &choice);
        if (choice.drive == model_selected_index(model))
            model->setup.cursor = i;
    }
    model_go(model, SCREEN_SETUP);
}

/* --- names -----------------------------------------------------------------
 */

static bool is_taken(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->targets.count; i++)
        if (!strcmp(model->targets.items[i].job, name))
            return true;
    return model_find_volume(model, name) != NULL;
}

char *setup_name(const struct model *model, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    for (; *text && name.length < NAME_MOST; text++) {
        unsigned char letter = (unsigned char)*text;
        bool is_plain = isalnum(letter) || letter >= 0x80 || letter == '_' ||
                        (letter == '.' && name.length) ||
                        (letter == '-' && name.length);
        if (is_plain || name.length)
            strbuf_addch(&name, is_plain ? *text : '_');
    }
    if (!name.length)
        strbuf_adds(&name, "drive");
    size_t length = name.length;
    for (int i = 2; is_taken(model, name.text); i++) {
        strbuf_truncate(&name, length);
        strbuf_addf(&name, "_%d", i);
    }
    return strbuf_detach(&name);
}

/* --- from step to step -----------------------------------------------------
 */

static void enter_step(struct model *model, enum setup_step step)
{
    struct setup *setup = &model->setup;

    setup->step = step;
    setup->cursor = 0;
    set_text(&setup->error, NULL);
    if (step == SETUP_FOLDER)
        model_open_folder(model, setup->home);
    else if (step == SETUP_PLACE)
        model_open_folder(model, setup->mount_point);
}

static void take_drive(struct model *model)
{
    struct setup *setup = &model->setup;
    struct setup_choice choice;

    if (setup->cursor >= setup_choices(model, setup->cursor, &choice))
        return;
    const struct drive *drive = &model->drives.items[choice.drive];
    const struct drive_volume *volume = &drive->volumes.items[choice.volume];
    set_text(&setup->mount_point, volume->mount_point);
    set_text(&setup->title, volume_title(volume));
    set_text(&setup->known_as, volume->known_as);
    setup->is_known = *volume->name != '\0';
    free(setup->volume_name);
    setup->volume_name =
        setup->is_known ? xstrdup(volume->name)
        : *volume->known_as
            ? setup_name(model, volume->known_as)
            : setup_name(model, *volume->label
                                    ? volume->label
                                    : path_name(volume->mount_point));
    enter_step(model, SETUP_FOLDER);
}

static char *joined(const char *directory, const char *name)
{
    return strcmp(directory, "/") ? path_join(directory, name)
                                  : xasprintf("/%s", name);
}

static void look_into(struct model *model, size_t index)
{
    const struct folders *folders = &model->setup.folders;
    const char *name = folders_at(folders, index);

    if (!name || !folders->path)
        return;
    CLEANUP_FREE char *path = joined(folders->path, name);
    model_open_folder(model, path);
}

static void take_folder(struct model *model)
{
    struct setup *setup = &model->setup;

    if (!setup->folders.path || setup->folders.error)
        return;
    set_text(&setup->source, setup->folders.path);
    free(setup->job_name);
    setup->job_name = setup_name(model, path_name(setup->source));
    enter_step(model, SETUP_PLACE);
}

const char *setup_place_below(const struct setup *setup)
{
    const char *path = setup->folders.path + strlen(setup->mount_point);

    return *path == '/' ? path + 1 : path;
}

char *setup_new_place(const struct setup *setup)
{
    const char *typed = setup->folders.filter;

    return path_join(setup_place_below(setup),
                     typed && *typed ? typed : path_name(setup->source));
}

static void take_place(struct model *model)
{
    struct setup *setup = &model->setup;

    if (!setup->folders.path || setup->folders.error)
        return;
    CLEANUP_FREE char *directory = setup->cursor == 0
                                       ? setup_new_place(setup)
                                       : xstrdup(setup_place_below(setup));
    set_text(&setup->directory, directory);
    enter_step(model, SETUP_MODE);
}

size_t setup_rows_before(const struct setup *setup)
{
    if (setup->step == SETUP_FOLDER)
        return 1;
    return setup->folders.path && *setup_place_below(setup) ? 2 : 1;
}

static void ask_to_write(struct model *model)
{
    struct setup *setup = &model->setup;
    struct question question = {.title = NULL};
    CLEANUP_FREE char *source = setup_short_path(setup, setup->source);

    if (!*setup->volume_name || !*setup->job_name) {
        set_text(&setup->error, "a name is missing");
        return;
    }
    question.title = xstrdup("Set it up?");
    question.text = xasprintf(
        "Written is %sthe job %s in berth's\nconfiguration: %s -> %s:/%s, "
        "%s.\nNo file is copied yet: the diff comes first.",
        setup->is_known ? "" : "a small folder .berth on the drive, and ",
        setup->job_name, source, setup->volume_name, setup->directory,
        job_mode_name(setup->mode));
    question_add(&question, 'y', "yes", ANSWER_SET_UP);
    model_ask(model, &question);
}

void model_setup_next(struct model *model)
{
    struct setup *setup = &model->setup;

    if (setup->writing)
        return;
    switch (setup->step) {
    case SETUP_DRIVE:
        take_drive(model);
        break;
    case SETUP_FOLDER:
        if (setup->cursor)
            look_into(model, setup->cursor - 1);
        else
            take_folder(model);
        break;
    case SETUP_PLACE:
        if (setup->cursor >= setup_rows_before(setup))
            look_into(model, setup->cursor - setup_rows_before(setup));
        else
            take_place(model);
        break;
    case SETUP_MODE:
        setup->mode = (enum job_mode)setup->cursor;
        enter_step(model, SETUP_NAMES);
        break;
    default:
        ask_to_write(model);
        break;
    }
}

bool model_setup_up(struct model *model)
{
    const struct setup *setup = &model->setup;
    const char *path = setup->folders.path;

    if ((setup->step != SETUP_FOLDER && setup->step != SETUP_PLACE) || !path ||
        !strcmp(path, "/") ||
        (setup->step == SETUP_PLACE && !*setup_place_below(setup)))
        return false;
    size_t length = path_parent_length(path);
    CLEANUP_FREE char *parent = xstrndup(path, length ? length : 1);
    model_open_folder(model, parent);
    return true;
}

void model_setup_back(struct model *model)
{
    struct setup *setup = &model->setup;

    if (setup->writing)
        return;
    if (setup->step == SETUP_DRIVE)
        model_go(model, SCREEN_DRIVES);
    else
        enter_step(model, (enum setup_step)(setup->step - 1));
}

size_t setup_rows(const struct model *model)
{
    const struct setup *setup = &model->setup;

    switch (setup->step) {
    case SETUP_DRIVE:
        return setup_choices(model, 0, NULL);
    case SETUP_FOLDER:
    case SETUP_PLACE:
        return setup_rows_before(setup) + folders_count(&setup->folders);
    case SETUP_MODE:
        return JOB_MOVE + 1;
    default:
        return setup->is_known ? 1 : 2;
    }
}

void model_setup_move(struct model *model, long rows)
{
    long at = (long)model->setup.cursor + rows;
    long last = (long)setup_rows(model) - 1;

    if (at > last)
        at = last;
    model->setup.cursor = at > 0 ? (size_t)at : 0;
}

/* --- what is typed ---------------------------------------------------------
 */

/* A name may have few characters; a filter any. */
static bool may_be_typed(const struct setup *setup, uint32_t key)
{
    if (key < ' ' || key >= UI_KEY_UP || key == 0x7f)
        return false;
    return setup->step != SETUP_NAMES || key >= 0x80 || isalnum((int)key) ||
           strchr("._-", (int)key);
}

static void edit_text(char **text, uint32_t key)
{
    CLEANUP(strbuf_release) struct strbuf edited = STRBUF_INIT;

    strbuf_adds(&edited, *text ? *text : "");
    if (key == UI_KEY_BACKSPACE)
        text_remove_character(&edited);
    else if (edited.length < NAME_MOST)
        text_add_character(&edited, key);
    set_text(text, edited.text);
}

void model_setup_type(struct model *model, uint32_t key)
{
    struct setup *setup = &model->setup;
    char **filter = &setup->folders.filter;
    bool is_backspace = key == UI_KEY_BACKSPACE;

    if (!is_backspace && !may_be_typed(setup, key))
        return;
    if (setup->step == SETUP_NAMES) {
        edit_text(setup->is_known || setup->cursor ? &setup->job_name
                                                   : &setup->volume_name,
                  key);
        set_text(&setup->error, NULL);
    } else if (is_backspace && (!*filter || !**filter)) {
        model_setup_up(model);
    } else {
        edit_text(filter, key);
        setup->cursor =
            folders_count(&setup->folders) ? setup_rows_before(setup) : 0;
    }
}

/* --- writing ---------------------------------------------------------------
 */

static void post_volume(struct model *model)
{
    const struct setup *setup = &model->setup;
    struct command *command = command_new(COMMAND_VOLUME_ADD);

    command->path = xstrdup(setup->mount_point);
    command->volume.name = xstrdup(setup->volume_name);
    model->setup.writing = SETUP_VOLUME;
    model_post(model, ROLE_SETUP, command);
}

static void post_job(struct model *model)
{
    const struct setup *setup = &model->setup;
    struct command *command = command_new(COMMAND_JOB_ADD);
    struct config_job *job = &command->job;

    job->name = xstrdup(setup->job_name);
    job->source = xstrdup(setup->source);
    job->mode = setup->mode;
    job->targets = xcalloc(1, sizeof *job->targets);
    job->target_count = 1;
    job->targets[0] = (struct config_target){xstrdup(setup->volume_name),
                                             xstrdup(setup->directory)};
    model->setup.writing = SETUP_JOB;
    model_post(model, ROLE_SETUP, command);
}

void model_setup_write(struct model *model)
{
    set_text(&model->setup.error, NULL);
    if (model->setup.is_known)
        post_job(model);
    else
        post_volume(model);
}

static void look_for_it(struct model *model)
{
    model->setup.writing = SETUP_LOOKING;
    if (!model_is_under_way(model, ROLE_JOBS))
        model_post(model, ROLE_JOBS, command_new(COMMAND_JOB_LIST));
    if (!model_is_under_way(model, ROLE_RESCAN))
        model_post(model, ROLE_RESCAN, command_new(COMMAND_RESCAN));
}

void model_apply_setup(struct model *model, const struct event *event)
{
    struct setup *setup = &model->setup;

    if (event->kind != EVENT_DONE)
        return;
    model->ids[ROLE_SETUP] = 0;
    if (event->code) {
        set_text(&setup->error, event->text);
        setup->writing = SETUP_NOT_YET;
    } else if (setup->writing == SETUP_VOLUME) {
        setup->is_known = true; /* a second try makes the job only */
        setup->cursor = 0;
        post_job(model);
    } else {
        look_for_it(model);
    }
}

void model_setup_follow(struct model *model)
{
    struct setup *setup = &model->setup;
    struct target *target;

    if (setup->writing != SETUP_LOOKING || model->screen != SCREEN_SETUP)
        return;
    target = model_find_target(model, setup->job_name, setup->volume_name);
    for (size_t i = 0; target && i < model->drives.count; i++) {
        if (!target_is_of(target, &model->drives.items[i]))
            continue;
        setup->writing = SETUP_NOT_YET;
        model_choose(model, i);
        model_open_diff(model, &model->drives.items[i]);
        model_say(model, "set up: this is what the first sync would copy");
        return;
    }
}
