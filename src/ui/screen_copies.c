#include "ui/screen.h"

#include "core/base/path.h"
#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct lookup *lookup = &model->lookup;

    strbuf_adds(left, "Copies");
    if (lookup->copies_job) {
        strbuf_addf(left, " · %s", lookup->copies_job);
        screen_describe_table(&lookup->copies, "copy", "copies", right);
    } else {
        screen_describe_table(&lookup->jobs, "job", "jobs", right);
    }
}

/* --- jobs ------------------------------------------------------------------
 */

#define JOB 2
#define JOB_WIDTH 14
#define COUNT_WIDTH_MOST 13

static const char *const job_heads[] = {
    "No copy", "1 copy", "2 copies", "3 or more", "Moved", "Unproven",
};

/* Columns of numbers, each with a blank before it. */
static int count_width(const struct area *line)
{
    int width = (line->width - JOB - JOB_WIDTH) / (int)COUNT_OF(job_heads);

    return width < COUNT_WIDTH_MOST ? width : COUNT_WIDTH_MOST;
}

static void job_head(const struct model *model, struct area line)
{
    int width = count_width(&line);

    area_put(line, JOB, 0, STYLE_DIM, "Job");
    for (size_t i = 0; i < COUNT_OF(job_heads); i++)
        column_put_right(line, JOB + JOB_WIDTH + (int)i * width, width,
                         STYLE_DIM, job_heads[i]);
}

static void job_row(const struct model *model, const struct table_row *row,
                    bool is_same, struct area line)
{
    const struct copies_info *info = &row->copies;
    const int64_t counts[] = {
        info->files[0],  info->files[1],
        info->files[2],  info->files[3] + info->files[COPIES_MOST],
        info->offloaded, info->unproven,
    };
    char number[QUANTITY_SIZE];
    int width = count_width(&line);

    column_put(line, JOB, JOB_WIDTH - 1, STYLE_STRONG, row->job);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        enum style style = !counts[i] ? STYLE_DIM
                           : i == 0   ? STYLE_BAD
                           : i == 5   ? STYLE_WATCH
                                      : STYLE_NORMAL;
        column_put_right(line, JOB + JOB_WIDTH + (int)i * width, width, style,
                         counts[i] ? format_count(counts[i], number) : "–");
    }
}

/* --- files -----------------------------------------------------------------
 */

#define COPIES_WIDTH 3
#define DRIVE_WIDTH 15
#define COPIED_WIDTH 14
#define STATE_WIDTH 22

struct columns {
    int path, drive, copied, state;
};

static struct columns columns_of(const struct area *line)
{
    struct columns columns = {.path = 2 + COPIES_WIDTH};

    columns.state = line->width - STATE_WIDTH;
    columns.copied = line->width >= 96 ? columns.state - COPIED_WIDTH : 0;
    columns.drive =
        (columns.copied ? columns.copied : columns.state) - DRIVE_WIDTH;
    return columns;
}

static void file_head(const struct model *model, struct area line)
{
    struct columns columns = columns_of(&line);

    area_put(line, 2, 0, STYLE_DIM, "#");
    area_put(line, columns.path, 0, STYLE_DIM, "File");
    area_put(line, columns.drive, 0, STYLE_DIM, "Drive");
    if (columns.copied)
        area_put(line, columns.copied, 0, STYLE_DIM, "Copied");
    area_put(line, columns.state, 0, STYLE_DIM, "Its copy");
}

static enum style describe_copy(const struct model *model,
                                const struct copy_info *copy,
                                struct strbuf *out)
{
    char when[WORDS_SIZE];

    if (!copy->is_there) {
        strbuf_adds(out, "✗ none");
        return STYLE_BAD;
    }
    if (!copy->is_current) {
        strbuf_adds(out, "▲ outdated");
        return STYLE_WATCH;
    }
    if (copy->verified_ns)
        strbuf_addf(out, "✓ read %s",
                    words_ago(model->now_ns, copy->verified_ns, when));
    else
        strbuf_adds(out, copy->is_compared ? "✓ compared only"
                                           : "✓ never read back");
    return copy->verified_ns ? STYLE_GOOD : STYLE_NORMAL;
}

static const char *below_source(const struct model *model, const char *path)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        size_t length = strlen(target->source);
        if (!strcmp(target->job, model->lookup.copies_job) && length &&
            path_is_within(path, target->source) && path[length] == '/')
            return path + length + 1;
    }
    return path;
}

static void file_row(const struct model *model, const struct table_row *row,
                     bool is_same, struct area line)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    struct columns columns = columns_of(&line);
    char when[WORDS_SIZE];
    enum style style = describe_copy(model, &row->copy, &words);

    if (!is_same) {
        area_putf(line, 2, 0, row->rank ? STYLE_DIM : STYLE_BAD, "%d",
                  row->rank);
        column_put(line, columns.path, columns.drive - columns.path - 1,
                   STYLE_NORMAL, below_source(model, row->path));
    }
    column_put(line, columns.drive, DRIVE_WIDTH - 1, STYLE_STRONG, row->volume);
    if (columns.copied && row->copy.is_there)
        area_put(line, columns.copied, 0, STYLE_NORMAL,
                 words_time(model->now_ns, row->copy.committed_ns, when));
    column_put(line, columns.state, STATE_WIDTH, style, words.text);
}

static void about_job(const struct model *model, const struct table_row *row,
                      struct strbuf *out)
{
    strbuf_adds(out, row->job);
    if (row->copies.offloaded)
        strbuf_adds(out, " · moved: only on drives, not here any more");
    if (row->copies.unproven)
        strbuf_adds(out, " · unproven: v on the drives reads them back");
}

static void about_file(const struct model *model, const struct table_row *row,
                       struct strbuf *out)
{
    strbuf_addf(out, "on %d drive%s as it is now · %s: %s", row->rank,
                row->rank == 1 ? "" : "s", row->job,
                below_source(model, row->path));
}

/* --- drawing ---------------------------------------------------------------
 */

static void open_job(struct model *model, const struct table_row *row)
{
    model_open_copies_of(model, row->job);
}

static void open_file(struct model *model, const struct table_row *row)
{
    model_open_versions(model, row->path);
}

static const struct table_look jobs_look = {
    "Files of each job, by how many drives have them as they are now",
    "No job yet.",
    job_head,
    job_row,
    about_job,
    open_job};
static const struct table_look files_look = {
    "Each file on each drive, fewest copies first",
    "Nothing of this job was copied yet.",
    file_head,
    file_row,
    about_file,
    open_file};

static void draw(const struct model *model, struct area area)
{
    const struct lookup *lookup = &model->lookup;

    if (lookup->copies_job) {
        screen_draw_words(model, area,
                          "#: drives that have the file as it is now.");
        screen_draw_table(model, area, &files_look);
    } else {
        screen_draw_words(
            model, area,
            "Unproven: no copy of it was ever read back from a drive.");
        screen_draw_table(model, area, &jobs_look);
    }
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_job(const struct model *model)
{
    return !model->lookup.copies_job && table_cursor(&model->lookup.jobs);
}

static bool has_file(const struct model *model)
{
    return model->lookup.copies_job && table_cursor(&model->lookup.copies);
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "its files",
     "every file of the job on every drive, fewest copies first",
     has_job},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "versions",
     "the copies that are kept of the file, to get one back",
     has_file},
    BINDING_FILTER,
    BINDING_BACK,
};

static void handle(struct model *model, enum intent intent, int argument)
{
    screen_handle_table(model,
                        model->lookup.copies_job ? &files_look : &jobs_look,
                        intent, argument);
}

const struct screen screen_copies = {
    .bindings = {"Copies", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
