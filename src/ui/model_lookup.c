#include "ui/model.h"

#include "core/base/path.h"
#include "ui/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void lookup_release(struct lookup *lookup)
{
    table_release(&lookup->runs);
    table_release(&lookup->items);
    table_release(&lookup->versions);
    table_release(&lookup->lines);
    table_release(&lookup->found);
    table_release(&lookup->jobs);
    table_release(&lookup->copies);
    table_release(&lookup->drift);
    free(lookup->run_volume);
    free(lookup->run_jobs);
    free(lookup->subject);
    free(lookup->lines_before);
    free(lookup->lines_after);
    free(lookup->pattern);
    free(lookup->copies_job);
    free(lookup->drift_drive);
    *lookup = (struct lookup){.subject = NULL};
}

/* What was asked before is not waited for: its events have no role then. */
static void ask(struct model *model, enum role role, struct command *command,
                struct table *table)
{
    if (model_is_under_way(model, role))
        model_request(model, REQUEST_STOP, role);
    table_clear(table);
    model_post(model, role, command);
}

static void forget_filter(struct table *table)
{
    table_set_filter(table, NULL);
}

const struct table *model_shown_table(const struct model *model)
{
    const struct lookup *lookup = &model->lookup;

    switch (model->screen) {
    case SCREEN_HISTORY:
        return lookup->shows_items ? &lookup->items : &lookup->runs;
    case SCREEN_VERSIONS:
        return &lookup->versions;
    case SCREEN_LINES:
        return &lookup->lines;
    case SCREEN_FIND:
        return &lookup->found;
    case SCREEN_COPIES:
        return lookup->copies_job ? &lookup->copies : &lookup->jobs;
    case SCREEN_DRIFT:
        return &lookup->drift;
    default:
        return NULL;
    }
}

/* The same one, of a model that may be changed. */
struct table *model_table(struct model *model)
{
    return (struct table *)(uintptr_t)model_shown_table(model);
}

/* --- history ---------------------------------------------------------------
 */

static void ask_for_runs(struct model *model)
{
    ask(model, ROLE_RUNS, command_new(COMMAND_HISTORY), &model->lookup.runs);
}

void model_open_history(struct model *model)
{
    model->lookup.shows_items = false;
    set_text(&model->mend.note, NULL);
    forget_filter(&model->lookup.runs);
    ask_for_runs(model);
    model_open(model, SCREEN_HISTORY);
}

void model_open_run(struct model *model, const struct table_row *run)
{
    struct lookup *lookup = &model->lookup;
    struct command *command = command_new(COMMAND_HISTORY);

    lookup->run = run->run;
    set_text(&lookup->run_volume, run->volume);
    set_text(&lookup->run_jobs, run->text);
    lookup->shows_items = true;
    command->run = run->run.id;
    command->run_volume = xstrdup(run->volume);
    forget_filter(&lookup->items);
    ask(model, ROLE_ITEMS, command, &lookup->items);
}

static int newest_first(const void *one, const void *other)
{
    int64_t a = ((const struct table_row *)one)->run.started_ns;
    int64_t b = ((const struct table_row *)other)->run.started_ns;

    return a < b ? 1 : a > b ? -1 : 0;
}

static int failed_first(const void *one, const void *other)
{
    const struct table_row *a = one, *b = other;

    return a->rank == b->rank ? strcmp(a->path, b->path) : a->rank - b->rank;
}

void model_leave_table(struct model *model)
{
    struct table *table = model_table(model);

    if (table->filter)
        table_set_filter(table, NULL);
    else if (model->screen == SCREEN_HISTORY && model->lookup.shows_items)
        model->lookup.shows_items = false;
    else if (model->screen == SCREEN_COPIES && model->lookup.copies_job)
        model_open_copies(model);
    else
        model_back(model);
}

/* --- versions --------------------------------------------------------------
 */

char *model_subject(const struct model *model, const char *job,
                    const char *volume, const char *path)
{
    const struct target *target = model_find_target(model, job, volume);

    if (target && *target->source)
        return path_join(target->source, path);
    return target ? xasprintf("%s:%s/%s", volume, target->directory, path)
                  : xasprintf("%s:/%s", volume, path);
}

void model_open_versions(struct model *model, const char *subject)
{
    struct command *command = command_new(COMMAND_VERSIONS);

    set_text(&model->lookup.subject, subject);
    model->lookup.marked = NULL;
    set_text(&model->mend.note, NULL);
    command_add_name(command, subject);
    forget_filter(&model->lookup.versions);
    ask(model, ROLE_VERSIONS, command, &model->lookup.versions);
    model_open(model, SCREEN_VERSIONS);
}

/* By path; what is on a drive now, then what was, newest first. */
static int by_path_and_age(const void *one, const void *other)
{
    const struct table_row *a = one, *b = other;
    int order = strcmp(a->path, b->path);

    if (order)
        return order;
    if (a->version.is_present != b->version.is_present)
        return a->version.is_present ? -1 : 1;
    if (a->version.created_ns != b->version.created_ns)
        return a->version.created_ns < b->version.created_ns ? 1 : -1;
    return strcmp(a->volume, b->volume);
}

/* --- two of them -----------------------------------------------------------
 */

const struct table_row *model_marked_version(const struct model *model)
{
    const struct table *table = &model->lookup.versions;

    for (size_t i = 0; model->lookup.marked && i < table->count; i++)
        if (table->items[i].volume == model->lookup.marked)
            return &table->items[i];
    return NULL;
}

void model_mark_version(struct model *model)
{
    const struct table_row *row = table_cursor(&model->lookup.versions);
    const char *name = row ? row->volume : NULL;

    model->lookup.marked = name == model->lookup.marked ? NULL : name;
}

static bool is_older(const struct version_info *one,
                     const struct version_info *other)
{
    if (one->is_present != other->is_present)
        return other->is_present;
    return one->is_present ? one->committed_ns < other->committed_ns
                           : one->created_ns < other->created_ns;
}

static char *version_title(const struct model *model,
                           const struct table_row *row)
{
    char when[WORDS_SIZE];

    return row->version.is_present
               ? xasprintf("on %s now", row->volume)
               : xasprintf(
                     "on %s until %s", row->volume,
                     words_time(model->now_ns, row->version.created_ns, when));
}

/* When it had the name for the last time; 0: it has it now. */
static int64_t moment_of(const struct table_row *row)
{
    return row->version.is_present ? 0 : row->version.created_ns - 1;
}

/* The file that was asked about; of a directory, the row's. */
static char *subject_now(const struct model *model, const struct table_row *row)
{
    const char *subject = model->lookup.subject;
    char *own = model_subject(model, row->job, row->volume, row->path);

    if (strcmp(own, subject) != 0 && path_is_within(own, subject))
        return own;
    free(own);
    return xstrdup(subject);
}

/* The older one comes first. */
void model_open_lines(struct model *model)
{
    struct lookup *lookup = &model->lookup;
    const struct table_row *row = table_cursor(&lookup->versions);
    const struct table_row *other = model_marked_version(model);
    struct command *command;

    if (other == row)
        other = NULL;
    if (!row || !model_can_read_version(model, row) ||
        (other && !model_can_read_version(model, other)))
        return;
    if (other && is_older(&other->version, &row->version)) {
        const struct table_row *older = other;
        other = row;
        row = older;
    }
    CLEANUP_FREE char *before = model_place_of_version(model, row);
    CLEANUP_FREE char *after =
        other ? model_place_of_version(model, other) : subject_now(model, row);
    free(lookup->lines_before);
    free(lookup->lines_after);
    lookup->lines_before = version_title(model, row);
    lookup->lines_after = other           ? version_title(model, other)
                          : *after == '/' ? xstrdup("here now")
                                          : xstrdup("there now");
    command = command_new(COMMAND_LINES);
    command_add_name(command, before);
    command_add_name(command, after);
    command->at_ns = moment_of(row);
    command->other_at_ns = other ? moment_of(other) : 0;
    forget_filter(&lookup->lines);
    ask(model, ROLE_LINES, command, &lookup->lines);
    model_open(model, SCREEN_LINES);
}

/* --- find ------------------------------------------------------------------
 */

/* One letter is everything. */
#define PATTERN_LEAST 2

/* A part of a name or path in any case, unless it is a pattern already. */
static char *pattern_of(const char *typed)
{
    struct strbuf pattern = STRBUF_INIT;

    if (strpbrk(typed, "*?[") || *typed == '/')
        return xstrdup(typed);
    strbuf_adds(&pattern, strchr(typed, '/') ? "**/*" : "*");
    for (const char *at = typed; *at; at++) {
        if (isalpha((unsigned char)*at))
            strbuf_addf(&pattern, "[%c%c]", tolower((unsigned char)*at),
                        toupper((unsigned char)*at));
        else
            strbuf_addf(&pattern, "%s%c", *at == '\\' ? "\\" : "", *at);
    }
    strbuf_adds(&pattern, "*");
    return strbuf_detach(&pattern);
}

static void ask_where(struct model *model)
{
    struct lookup *lookup = &model->lookup;

    lookup->asks_again = false;
    if (!lookup->pattern || strlen(lookup->pattern) < PATTERN_LEAST) {
        table_clear(&lookup->found);
        return;
    }
    struct command *command = command_new(COMMAND_FIND);
    command->path = pattern_of(lookup->pattern);
    ask(model, ROLE_FIND, command, &lookup->found);
}

void model_set_pattern(struct model *model, const char *pattern)
{
    struct lookup *lookup = &model->lookup;

    set_text(&lookup->pattern, pattern);
    lookup->asks_again = true;
    if (model_is_under_way(model, ROLE_FIND))
        model_request(model, REQUEST_STOP, ROLE_FIND);
    else
        ask_where(model);
}

void model_open_find(struct model *model)
{
    model_open(model, SCREEN_FIND);
    model->types_filter = true;
}

static int by_path_and_volume(const void *one, const void *other)
{
    const struct table_row *a = one, *b = other;
    int order = strcmp(a->path, b->path);

    if (!order)
        order = (int)a->found.state - (int)b->found.state;
    return order ? order : strcmp(a->volume, b->volume);
}

/* --- copies ----------------------------------------------------------------
 */

void model_open_copies(struct model *model)
{
    struct lookup *lookup = &model->lookup;

    set_text(&lookup->copies_job, NULL);
    forget_filter(&lookup->jobs);
    ask(model, ROLE_COPIES, command_new(COMMAND_COPIES), &lookup->jobs);
    model_open(model, SCREEN_COPIES);
}

static const char *source_of(const struct model *model, const char *job)
{
    for (size_t i = 0; i < model->targets.count; i++)
        if (!strcmp(model->targets.items[i].job, job))
            return model->targets.items[i].source;
    return "";
}

void model_open_copies_of(struct model *model, const char *job)
{
    struct lookup *lookup = &model->lookup;
    const char *source = source_of(model, job);

    if (!*source) {
        model_say(model, "job %s is not in the configuration any more", job);
        return;
    }
    struct command *command = command_new(COMMAND_COPIES);
    command->path = xstrdup(source);
    set_text(&lookup->copies_job, job);
    forget_filter(&lookup->copies);
    ask(model, ROLE_COPIES, command, &lookup->copies);
}

static bool counts(const struct table_row *row)
{
    return row->copy.is_there && row->copy.is_current;
}

/* A file's rows are neighbours as long as nothing was sorted. */
static void rank_copies(struct table *table)
{
    size_t end;

    for (size_t i = 0; i < table->count; i = end) {
        int copies = 0;
        for (end = i; end < table->count &&
                      !strcmp(table->items[end].path, table->items[i].path);
             end++)
            copies += counts(&table->items[end]);
        for (size_t row = i; row < end; row++)
            table->items[row].rank = copies;
    }
}

static int fewest_first(const void *one, const void *other)
{
    const struct table_row *a = one, *b = other;
    int order = a->rank - b->rank;

    if (!order)
        order = strcmp(a->path, b->path);
    return order ? order : strcmp(a->volume, b->volume);
}

/* --- what is told ----------------------------------------------------------
 */

static struct table_row row_of(const struct event *event)
{
    return (struct table_row){.volume = event->volume,
                              .job = event->job,
                              .path = event->path,
                              .text = event->text};
}

/* Enough is enough: the rest is not waited for. */
static void add(struct model *model, enum role role, struct table *table,
                const struct table_row *row)
{
    if (!table_add(table, row) && table->left_out == 1)
        model_request(model, REQUEST_STOP, role);
}

void model_apply_lookup(struct model *model, int role, struct event *event)
{
    struct lookup *lookup = &model->lookup;
    struct table_row row = row_of(event);
    struct table *table = NULL;

    switch (event->kind) {
    case EVENT_RUN:
        row.run = event->run;
        table = role == ROLE_RUNS ? &lookup->runs : NULL;
        break;
    case EVENT_RUN_ITEM:
        row.item = event->item;
        table = &lookup->items;
        /* What failed comes first; the rest as it was done. */
        row.rank = event->item.deed == DEED_FAILED ? 0 : (int)table->count + 1;
        break;
    case EVENT_VERSION:
        row.version = event->version;
        table = &lookup->versions;
        break;
    case EVENT_LINE:
        row.line = event->line;
        table = &lookup->lines;
        break;
    case EVENT_FOUND:
        row.found = event->found;
        table = &lookup->found;
        break;
    case EVENT_COPIES:
        row.copies = event->copies;
        table = &lookup->jobs;
        break;
    case EVENT_COPY:
        row.copy = event->copy;
        table = &lookup->copies;
        break;
    default:
        break;
    }
    if (table)
        add(model, (enum role)role, table, &row);
}

static struct table *table_of(struct lookup *lookup, int role)
{
    switch (role) {
    case ROLE_RUNS:
        return &lookup->runs;
    case ROLE_ITEMS:
        return &lookup->items;
    case ROLE_VERSIONS:
        return &lookup->versions;
    case ROLE_LINES:
        return &lookup->lines;
    case ROLE_FIND:
        return &lookup->found;
    default:
        return lookup->copies_job ? &lookup->copies : &lookup->jobs;
    }
}

static void go_to_first_difference(struct table *table)
{
    size_t first = 0;

    while (first < table_count(table) &&
           table_row(table, first)->line.kind != LINE_GONE &&
           table_row(table, first)->line.kind != LINE_NEW)
        first++;
    if (!table->cursor)
        table_go_to(table, (long)first);
}

static void put_in_order(struct lookup *lookup, struct table *table)
{
    if (table == &lookup->runs)
        table_sort(table, newest_first);
    else if (table == &lookup->items)
        table_sort(table, failed_first);
    else if (table == &lookup->versions)
        table_sort(table, by_path_and_age);
    else if (table == &lookup->found)
        table_sort(table, by_path_and_volume);
    else if (table == &lookup->copies) {
        rank_copies(table);
        table_sort(table, fewest_first);
    } else if (table == &lookup->lines) {
        go_to_first_difference(table);
    }
}

void model_lookup_done(struct model *model, int role, const struct event *event)
{
    struct lookup *lookup = &model->lookup;
    struct table *table = table_of(lookup, role);

    if (role == ROLE_FIND && lookup->asks_again) {
        ask_where(model);
        return;
    }
    table->is_whole = true;
    if (event->code && event->code != ERR_CANCELLED)
        set_text(&table->error, event->text);
    put_in_order(lookup, table);
}
