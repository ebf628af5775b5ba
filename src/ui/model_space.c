#include "ui/model.h"

#include "core/base/quantity.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

/* A run keeps 4 MiB or 64 clusters free (execute.c); clusters of 128 kiB are
 * what large exFAT drives have. */
#define KEPT_FREE (INT64_C(8) * 1024 * 1024)

void shortage_release(struct shortage *shortage)
{
    free(shortage->drive);
    free(shortage->volume);
    *shortage = (struct shortage){.drive = NULL};
}

static int64_t bytes_needed(const struct model *model, const char *volume)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!strcmp(target->volume, volume))
            bytes += model_count_target(model, target).bytes;
    }
    return bytes;
}

static void post(struct model *model, enum role role)
{
    const struct shortage *shortage = &model->shortage;
    struct command *command = command_new(COMMAND_PRUNE);

    command_add_name(command, shortage->volume);
    command->free_bytes = shortage->needed + KEPT_FREE;
    command->dry_run = role == ROLE_SPACE;
    model_post(model, role, command);
}

/* What may go is asked first: the question says it in numbers. */
bool model_lacks_space(struct model *model, const struct drive *drive,
                       bool wants_eject)
{
    struct shortage *shortage = &model->shortage;

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        int64_t bytes = *volume->name ? bytes_needed(model, volume->name) : 0;
        if (volume->free_bytes < 0 || !bytes ||
            bytes + KEPT_FREE <= volume->free_bytes)
            continue;
        if (model_is_under_way(model, ROLE_SPACE))
            return true;
        shortage_release(shortage);
        *shortage = (struct shortage){.drive = drive_key(drive),
                                      .volume = xstrdup(volume->name),
                                      .needed = bytes,
                                      .free = volume->free_bytes,
                                      .wants_eject = wants_eject};
        post(model, ROLE_SPACE);
        return true;
    }
    return false;
}

static void ask(struct model *model)
{
    const struct shortage *shortage = &model->shortage;
    struct question question = {.drive = xstrdup(shortage->drive),
                                .wants_eject = shortage->wants_eject};
    char needed[QUANTITY_SIZE], free_bytes[QUANTITY_SIZE];
    char bytes[QUANTITY_SIZE], files[WORDS_SIZE];

    format_bytes(shortage->needed, needed);
    format_bytes(shortage->free, free_bytes);
    question.title = xasprintf("%s is too full", shortage->volume);
    question.text =
        shortage->prunable_files
            ? xasprintf("Needs %s, free %s.\n%s of versions may go, in %s.",
                        needed, free_bytes,
                        format_bytes(shortage->prunable_bytes, bytes),
                        words_count(shortage->prunable_files, "file", files))
            : xasprintf("Needs %s, free %s; no version may go.", needed,
                        free_bytes);
    if (shortage->prunable_files)
        question_add(&question, 'X', "prune", ANSWER_PRUNE);
    question_add(&question, 'f', "what fits, in the order of the jobs",
                 ANSWER_WHAT_FITS);
    model_ask(model, &question);
}

void model_ask_to_prune(struct model *model)
{
    const struct shortage *shortage = &model->shortage;
    struct question question = {.drive = xstrdup(shortage->drive)};
    char bytes[QUANTITY_SIZE], files[WORDS_SIZE];

    words_count(shortage->prunable_files, "version", files);
    question.title = xasprintf("Prune %s of %s?", files, shortage->volume);
    question.text =
        xasprintf("%s of old copies go, the oldest first. They cannot be got "
                  "back. Then the sync goes on.",
                  format_bytes(shortage->prunable_bytes, bytes));
    question_add(&question, 'y', "prune, then sync", ANSWER_PRUNE_NOW);
    model_ask(model, &question);
}

void model_prune(struct model *model)
{
    if (model->shortage.volume && !model_at_work(model))
        post(model, ROLE_PRUNE);
}

static void set_free(struct model *model, const char *name, int64_t bytes)
{
    for (size_t d = 0; d < model->drives.count; d++) {
        struct drive *drive = &model->drives.items[d];
        for (size_t v = 0; v < drive->volumes.count; v++)
            if (!strcmp(drive->volumes.items[v].name, name))
                drive->volumes.items[v].free_bytes = bytes;
    }
}

void model_apply_space(struct model *model, const struct event *event)
{
    struct shortage *shortage = &model->shortage;
    const struct prune_info *info = &event->prune;

    shortage->prunable_files = info->files;
    shortage->prunable_bytes = info->bytes;
    if (!info->is_dry_run && info->free_bytes >= 0)
        set_free(model, event->volume, info->free_bytes);
}

void model_space_done(struct model *model, enum role role,
                      const struct event *event)
{
    const struct drive *drive = model_find_drive(model, model->shortage.drive);

    if (event->text)
        model_say(model, "%s", event->text);
    if (!drive || model->quits)
        return;
    if (role == ROLE_SPACE)
        ask(model);
    else if (!event->code)
        model_start_run(model, drive, model->shortage.wants_eject);
}
