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

static void forget_exclude(struct setup *setup)
{
    for (size_t i = 0; i < setup->exclude_count; i++)
        free(setup->exclude[i]);
    free(setup->exclude);
    setup->exclude = NULL;
    setup->exclude_count = 0;
}

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
    forget_exclude(setup);
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
    model_look_for_crons(model);
    model_go(model, SCREEN_SETUP);
}

void model_open_elsewhere(struct model *model)
{
    setup_release(&model->setup);
    model->setup.step = SETUP_ELSEWHERE;
    model_open_folder(model, NULL);
    model_open(model, SCREEN_SETUP);
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

/* --- what rsync does ---
 */

static bool has_source(const struct model *model, const char *source)
{
    for (size_t i = 0; i < model->targets.count; i++)
        if (!strcmp(model->targets.items[i].source, source))
            return true;
    return false;
}

static bool fills(const struct model *model, const struct rsync_line *line,
                  const char *mount_point)
{
    return path_is_within(line->target, mount_point) &&
           !has_source(model, line->source);
}

size_t setup_rsync_lines(const struct model *model, const char *mount_point)
{
    size_t count = 0;

    for (size_t i = 0; i < model->crons.lines.count; i++)
        count += fills(model, &model->crons.lines.items[i], mount_point);
    return count;
}

const struct rsync_line *setup_rsync_line(const struct model *model,
                                          size_t index)
{
    const struct setup *setup = &model->setup;
    const struct folders *folders = &setup->folders;
    const char *filter = folders->filter ? folders->filter : "";

    if (setup->step != SETUP_FOLDER || *filter || !folders->path ||
        !setup->home || strcmp(folders->path, setup->home) != 0)
        return NULL;
    for (size_t i = 0; i < model->crons.lines.count; i++) {
        const struct rsync_line *line = &model->crons.lines.items[i];
        if (fills(model, line, setup->mount_point) && !index--)
            return line;
    }
    return NULL;
}

/* Source, place, mode and exclusions as rsync has them. */
static void take_rsync_line(struct model *model, const struct rsync_line *line)
{
    struct setup *setup = &model->setup;
    const char *below = line->target + strlen(setup->mount_point);

    set_text(&setup->source, line->source);
    set_text(&setup->directory, below + strspn(below, "/"));
    setup->mode = line->deletes ? JOB_MIRROR : JOB_UPDATE;
    forget_exclude(setup);
    setup->exclude = xcalloc(line->exclude_count + 1, sizeof *setup->exclude);
    for (size_t i = 0; i < line->exclude_count; i++)
        setup->exclude[i] = xstrdup(line->exclude[i]);
    setup->exclude_count = line->exclude_count;
    free(setup->job_name);
    setup->job_name = setup_name(model, path_name(setup->source));
    setup->joins = false;
    enter_step(model, SETUP_NAMES);
}

static void take_folder(struct model *model)
{
    struct setup *setup = &model->setup;

    if (!setup->folders.path || setup->folders.error)
        return;
    set_text(&setup->source, setup->folders.path);
    forget_exclude(setup);
    free(setup->job_name);
    setup->job_name = setup_name(model, path_name(setup->source));
    setup_look_for_job(model);
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

    if (setup->step == SETUP_ELSEWHERE)
        return typed && *typed ? joined(setup->folders.path, typed)
                               : xstrdup(setup->folders.path);
    return path_join(setup_place_below(setup),
                     typed && *typed ? typed : path_name(setup->source));
}

/* Nothing is overwritten there: no further question. */
static void restore_there(struct model *model)
{
    const struct folders *folders = &model->setup.folders;

    if (!folders->path || folders->error)
        return;
    CLEANUP_FREE char *to = setup_new_place(&model->setup);
    model_back(model);
    model_restore(model, false, to);
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
    const char *folder =
        setup->is_known ? "" : "a small folder .berth on the drive, and ";
    question.title =
        xstrdup(setup->joins ? "One more drive for this job?" : "Set it up?");
    question.text = xasprintf(
        "Written is %s%s%s in berth's configuration: %s → %s:/%s, %s.%s\nNo "
        "file is copied yet: the diff comes first.",
        folder,
        setup->joins ? "this drive as one more target of job " : "the job ",
        setup->job_name, source, setup->volume_name, setup->directory,
        job_mode_name(setup->mode),
        setup->exclude_count ? " What rsync leaves out is left out." : "");
    question_add(&question, 'y', "yes", ANSWER_SET_UP);
    model_ask(model, &question);
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
    if (!setup->joins)
        enter_step(model, SETUP_MODE);
    else if (!setup->is_known)
        enter_step(model, SETUP_NAMES);
    else
        ask_to_write(model);
}

size_t setup_rows_before(const struct model *model)
{
    const struct setup *setup = &model->setup;
    size_t lines = 0;

    while (setup_rsync_line(model, lines))
        lines++;
    if (setup->step == SETUP_FOLDER || setup->step == SETUP_ELSEWHERE)
        return lines + 1;
    return setup->folders.path && *setup_place_below(setup) ? 2 : 1;
}

static void take_row(struct model *model)
{
    struct setup *setup = &model->setup;
    size_t before = setup_rows_before(model);
    const struct rsync_line *line = setup_rsync_line(model, setup->cursor);

    if (setup->cursor >= before)
        look_into(model, setup->cursor - before);
    else if (line)
        take_rsync_line(model, line);
    else if (setup->step == SETUP_FOLDER)
        take_folder(model);
    else if (setup->step == SETUP_PLACE)
        take_place(model);
    else
        restore_there(model);
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
    case SETUP_PLACE:
    case SETUP_ELSEWHERE:
        take_row(model);
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

bool setup_has_folders(const struct setup *setup)
{
    return setup->step == SETUP_FOLDER || setup->step == SETUP_PLACE ||
           setup->step == SETUP_ELSEWHERE;
}

bool model_setup_up(struct model *model)
{
    const struct setup *setup = &model->setup;
    const char *path = setup->folders.path;

    if (!setup_has_folders(setup) || !path || !strcmp(path, "/") ||
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
    if (setup->step == SETUP_ELSEWHERE)
        model_back(model);
    else if (setup->step == SETUP_DRIVE)
        model_go(model, SCREEN_DRIVES);
    else if (setup->joins && setup->step == SETUP_NAMES)
        enter_step(model, SETUP_PLACE);
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
    case SETUP_ELSEWHERE:
        return setup_rows_before(model) + folders_count(&setup->folders);
    case SETUP_MODE:
        return JOB_MOVE + 1;
    default:
        return setup->is_known || setup->joins ? 1 : 2;
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
            folders_count(&setup->folders) ? setup_rows_before(model) : 0;
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
    job->exclude = xcalloc(setup->exclude_count + 1, sizeof *job->exclude);
    for (size_t i = 0; i < setup->exclude_count; i++)
        job->exclude[i] = xstrdup(setup->exclude[i]);
    job->exclude_count = setup->exclude_count;
    model->setup.writing = SETUP_JOB;
    model_post(model, ROLE_SETUP, command);
}

void model_setup_write(struct model *model)
{
    set_text(&model->setup.error, NULL);
    if (!model->setup.is_known)
        post_volume(model);
    else if (model->setup.joins)
        setup_join_job(model);
    else
        post_job(model);
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
        model_setup_write(model);
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
