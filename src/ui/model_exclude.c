#include "ui/model.h"

#include "core/names.h"

#include <stdlib.h>
#include <string.h>

void exclusion_release(struct exclusion *exclusion)
{
    free(exclusion->drive);
    free(exclusion->job);
    free(exclusion->pattern);
    free(exclusion->kind);
    free(exclusion->written);
    *exclusion = (struct exclusion){.drive = NULL};
}

/* What means something in a pattern means itself. */
static void add_quoted(struct strbuf *out, const char *text)
{
    for (; *text; text++)
        strbuf_addf(out, "%s%c", strchr("*?[\\", *text) ? "\\" : "", *text);
}

/* "/films/long.mkv", "/cache/": this one, from the top of the source. */
static char *pattern_of(const char *path, bool is_directory)
{
    struct strbuf pattern = STRBUF_INIT;

    strbuf_adds(&pattern, "/");
    add_quoted(&pattern, path);
    strbuf_adds(&pattern, is_directory ? "/" : "");
    return strbuf_detach(&pattern);
}

/* "*.tmp"; NULL where the name has no ending. */
static char *kind_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    struct strbuf pattern = STRBUF_INIT;

    if (!dot || dot == name || !dot[1])
        return NULL;
    strbuf_adds(&pattern, "*");
    add_quoted(&pattern, dot);
    return strbuf_detach(&pattern);
}

static void ask(struct model *model)
{
    const struct exclusion *exclusion = &model->exclusion;
    struct question question = {.title = NULL};
    CLEANUP(strbuf_release) struct strbuf this = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf kind = STRBUF_INIT;

    name_display(exclusion->pattern, &this);
    name_display(exclusion->kind ? exclusion->kind : "", &kind);
    question.title = xasprintf("Keep it out of job %s?", exclusion->job);
    question.text = xasprintf("y   %s%s%s\n\nThe pattern goes into the "
                              "configuration, as `exclude` of "
                              "the job; u takes it out again.",
                              this.text, exclusion->kind ? "\na   " : "",
                              exclusion->kind ? kind.text : "");
    question_add(&question, 'y', "this one", ANSWER_EXCLUDE);
    if (exclusion->kind)
        question_add(&question, 'a', "all such files", ANSWER_EXCLUDE_KIND);
    model_ask(model, &question);
}

void model_ask_to_exclude(struct model *model)
{
    struct diff_row row = diff_view_cursor_row(&model->diff);
    const struct target *target =
        row.kind == DIFF_ROW_ENTRY || row.kind == DIFF_ROW_DIRECTORY
            ? model_target_of_root(model, row.root)
            : NULL;

    if (!target) {
        model_say(model, "x is about a file or a directory: mark one first");
        return;
    }
    if (model_is_under_way(model, ROLE_EXCLUDE))
        return;
    struct exclusion *exclusion = &model->exclusion;
    CLEANUP_FREE char *path = diff_row_path(model->diff.tree, &row);
    bool is_directory = row.kind == DIFF_ROW_DIRECTORY ||
                        (row.action && row.action->type == ENTRY_DIRECTORY);
    exclusion_release(exclusion);
    exclusion->drive = xstrdup(model->diff_drive);
    exclusion->job = xstrdup(target->job);
    exclusion->pattern = pattern_of(path, is_directory);
    exclusion->kind = is_directory ? NULL : kind_of(path);
    ask(model);
}

static void post(struct model *model, const char *pattern, bool takes_back)
{
    struct command *command = command_new(COMMAND_EXCLUDE);

    command_add_name(command, model->exclusion.job);
    command->path = xstrdup(pattern);
    command->take_back = takes_back;
    model->exclusion.takes_back = takes_back;
    model_post(model, ROLE_EXCLUDE, command);
}

void model_exclude(struct model *model, bool whole_kind)
{
    struct exclusion *exclusion = &model->exclusion;

    set_text(&exclusion->written,
             whole_kind ? exclusion->kind : exclusion->pattern);
    post(model, exclusion->written, false);
}

void model_take_exclusion_back(struct model *model)
{
    if (model->exclusion.written && !model_is_under_way(model, ROLE_EXCLUDE))
        post(model, model->exclusion.written, true);
}

void model_exclude_done(struct model *model, const struct event *event)
{
    struct exclusion *exclusion = &model->exclusion;
    const struct drive *drive = model_find_drive(model, exclusion->drive);
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;

    if (event->code) {
        model_say(model, "%s", event->text);
        if (!exclusion->takes_back)
            set_text(&exclusion->written, NULL);
        return;
    }
    name_display(exclusion->written, &shown);
    if (exclusion->takes_back) {
        model_say(model, "job %s does not exclude %s any more", exclusion->job,
                  shown.text);
        set_text(&exclusion->written, NULL);
    } else {
        model_say(model, "job %s excludes %s now; u takes it back",
                  exclusion->job, shown.text);
    }
    if (drive)
        model_wish_drive(model, drive, WISH_AUTO);
}
