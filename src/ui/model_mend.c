#include "ui/model.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/names.h"
#include "ui/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void mend_release(struct mend *mend)
{
    free(mend->note);
    free(mend->drive);
    free(mend->first_failure);
    *mend = (struct mend){.note = NULL};
}

const char *model_at_work(const struct model *model)
{
    static const struct {
        enum role role;
        const char *words;
    } work[] = {
        {ROLE_RUN, "a sync"},          {ROLE_EJECT, "an ejection"},
        {ROLE_UNDO, "an undo"},        {ROLE_RESTORE, "a restore"},
        {ROLE_VERIFY, "reading back"}, {ROLE_PRUNE, "pruning"},
    };

    for (size_t i = 0; i < COUNT_OF(work); i++)
        if (model_is_under_way(model, work[i].role))
            return work[i].words;
    return NULL;
}

/* True when something is; the person is told. */
static bool is_busy(struct model *model)
{
    const char *words = model_at_work(model);

    if (words)
        model_say(model, "one thing at a time: %s is still at work", words);
    return words != NULL;
}

static void begin(struct model *model, enum role role, struct command *command)
{
    mend_release(&model->mend);
    if (model_is_under_way(model, ROLE_SCAN))
        model_request(model, REQUEST_STOP, ROLE_SCAN);
    model->mend.screen = role == ROLE_VERIFY    ? SCREEN_DRIFT
                         : role == ROLE_RESTORE ? SCREEN_VERSIONS
                                                : SCREEN_HISTORY;
    model_post(model, role, command);
}

const char *model_note(const struct model *model)
{
    return model->mend.screen == (int)model->screen ? model->mend.note : NULL;
}

static void note(struct mend *mend, bool is_bad, char *words_taking)
{
    free(mend->note);
    mend->note = words_taking;
    mend->is_bad = is_bad;
}

/* --- undo ------------------------------------------------------------------
 */

static char *describe_undo(const struct run_counts *counts)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_add_part(&out, counts->files_new, "new file becomes a version",
                    "new files become versions");
    strbuf_add_part(&out, counts->files_updated, "changed file is as before",
                    "changed files are as before");
    strbuf_add_part(&out, counts->files_renamed, "gets its old name",
                    "get their old names");
    strbuf_add_part(&out, counts->files_deleted, "deleted file comes back",
                    "deleted files come back");
    return strbuf_detach(&out);
}

static bool did_anything(const struct run_counts *counts)
{
    return counts->files_new || counts->files_updated ||
           counts->files_renamed || counts->files_deleted ||
           counts->directories_made || counts->directories_removed;
}

void model_ask_to_undo(struct model *model)
{
    struct lookup *lookup = &model->lookup;
    const struct table_row *row = table_cursor(&lookup->runs);
    struct question question = {.title = NULL};
    char when[WORDS_SIZE];

    if (!row || is_busy(model))
        return;
    if (!lookup->shows_items) {
        lookup->run = row->run;
        set_text(&lookup->run_volume, row->volume);
    }
    const struct drive_volume *volume = model_find_volume(model, row->volume);
    if (!volume || !volume_is_ready(volume)) {
        model_say(model, "plug %s in first: the run is taken back there",
                  row->volume);
        return;
    }
    if (row->run.ended_ns && !did_anything(&row->run.counts)) {
        model_say(model, "run %" PRId64 " changed nothing on %s", row->run.id,
                  row->volume);
        return;
    }
    CLEANUP_FREE char *what = describe_undo(&row->run.counts);
    question.title = xasprintf(
        "Take back run %" PRId64 " on %s, %s?", row->run.id, row->volume,
        words_time(model->now_ns, row->run.started_ns, when));
    question.text = xasprintf(
        "%s%sNothing on this computer is touched. The next sync does it all "
        "again, unless a source or a job changes first.",
        *what ? what : "Whatever it did is taken back", ".\n");
    question_add(&question, 'y', "take it back", ANSWER_UNDO);
    model_ask(model, &question);
}

void model_undo(struct model *model)
{
    const struct lookup *lookup = &model->lookup;
    struct command *command = command_new(COMMAND_UNDO);

    command->run = lookup->run.id;
    command->run_volume = xstrdup(lookup->run_volume);
    begin(model, ROLE_UNDO, command);
}

static void tell_undone(struct model *model, const struct event *event)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    const struct run_counts *counts = &event->run.counts;

    strbuf_add_part(&out, counts->files_new, "file is back", "files are back");
    strbuf_add_part(&out, counts->files_updated, "is as before",
                    "are as before");
    strbuf_add_part(&out, counts->files_renamed, "has its old name",
                    "have their old names");
    strbuf_add_part(&out, counts->files_deleted, "went into the versions",
                    "went into the versions");
    note(&model->mend, false,
         xasprintf("✓ run %s on %s taken back%s%s", event->text, event->volume,
                   out.length ? ": " : "", out.length ? out.text : ""));
}

/* --- restore ---------------------------------------------------------------
 */

bool model_can_read_version(struct model *model, const struct table_row *row)
{
    const struct drive_volume *volume = model_find_volume(model, row->volume);

    if (volume && volume->is_mounted)
        return true;
    model_say(model, "plug %s in first: this copy is on it", row->volume);
    return false;
}

char *model_place_of_version(const struct model *model,
                             const struct table_row *row)
{
    const struct target *target =
        model_find_target(model, row->job, row->volume);

    return target ? xasprintf("%s:%s/%s", row->volume, target->directory,
                              row->path)
                  : xstrdup(model->lookup.subject);
}

/* A job of another machine has no place here. */
static bool has_place_here(const struct model *model,
                           const struct table_row *row)
{
    const struct target *target =
        model_find_target(model, row->job, row->volume);

    return target && *target->source;
}

void model_ask_to_restore(struct model *model)
{
    const struct table_row *row = table_cursor(&model->lookup.versions);
    struct question question = {.title = NULL};
    char when[WORDS_SIZE], bytes[QUANTITY_SIZE] = "of unknown size";

    if (!row || is_busy(model) || !model_can_read_version(model, row))
        return;
    const char *slash = strrchr(row->path, '/');
    if (row->version.size_bytes >= 0)
        format_bytes(row->version.size_bytes, bytes);
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    name_display(slash ? slash + 1 : row->path, &name);
    question.title = xasprintf("Get back %s?", name.text);
    question.text = xasprintf(
        "%s, copied %s, from %s.\nNothing is lost: what is there now stays "
        "under its name or is kept beside it, with the date.",
        bytes,
        row->version.committed_ns
            ? words_time(model->now_ns, row->version.committed_ns, when)
            : "nobody knows when",
        row->volume);
    if (has_place_here(model, row)) {
        question_add(&question, 'b', "beside what is there", ANSWER_RESTORE);
        question_add(&question, 'i', "in its place", ANSWER_RESTORE_IN_PLACE);
    }
    question_add(&question, 't', "to another folder", ANSWER_RESTORE_ELSEWHERE);
    model_ask(model, &question);
}

void model_restore(struct model *model, bool replaces, const char *to)
{
    const struct table_row *row = table_cursor(&model->lookup.versions);

    if (!row)
        return;
    struct command *command = command_new(COMMAND_RESTORE);
    CLEANUP_FREE char *place = model_place_of_version(model, row);
    command_add_name(command, place);
    if (!row->version.is_present) /* when it had the name for the last time */
        command->at_ns = row->version.created_ns - 1;
    command->replace = replaces;
    command->to = to ? xstrdup(to) : NULL;
    begin(model, ROLE_RESTORE, command);
}

static const char *how_words(enum restore_how how)
{
    switch (how) {
    case RESTORE_PLACED:
        return "is back";
    case RESTORE_SAME:
        return "is there already, with the same content";
    case RESTORE_BESIDE:
        return "is beside what is there";
    case RESTORE_REPLACED:
        return "is back; what was there is kept beside it";
    }
    return "is back";
}

static void tell_restored(struct model *model, const struct event *event)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    name_display(event->text, &name);
    note(&model->mend, false,
         xasprintf("✓ %s %s%s", name.text, how_words(event->restore.how),
                   event->restore.is_older ? ", an older version" : ""));
}

/* Of a directory: in numbers, with one of the names. */
static void sum_restored(struct model *model, const struct event *event)
{
    const struct restore_info *info = &event->restore;
    char files[WORDS_SIZE], number[QUANTITY_SIZE];

    if (info->files <= 1)
        return;
    note(&model->mend, false,
         xasprintf("✓ %s back, %s there already",
                   words_count(info->files - info->same, "file", files),
                   format_count(info->same, number)));
}

/* --- verify ----------------------------------------------------------------
 */

static int64_t bytes_of_jobs(const struct model *model,
                             const struct drive *drive)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (target->review && target_is_of(target, drive))
            bytes += target->review->plan.totals.rows_bytes;
    }
    return bytes;
}

void model_ask_to_verify(struct model *model, const struct drive *drive)
{
    struct question question = {.drive = drive_key(drive)};
    int64_t bytes = bytes_of_jobs(model, drive);
    char size[QUANTITY_SIZE];

    if (is_busy(model)) {
        question_release(&question);
        return;
    }
    question.title = xasprintf("Read %s back?", drive->title);
    question.text = xasprintf(
        "%s%sthat berth put there is read and compared with its hash. Nothing "
        "is written; c stops it.",
        bytes ? format_bytes(bytes, size) : "Every file",
        bytes ? ": every file " : " ");
    question_add(&question, 'y', "all of it", ANSWER_VERIFY);
    question_add(&question, 'x', "5 % of the files", ANSWER_VERIFY_SAMPLE);
    model_ask(model, &question);
}

void model_verify(struct model *model, const struct drive *drive, double sample)
{
    struct command *command = command_new(COMMAND_VERIFY);

    command->sample = sample;
    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (*volume->name && volume->is_mounted)
            command_add_name(command, volume->name);
    }
    begin(model, ROLE_VERIFY, command);
    model->mend.drive = drive_key(drive);
    model->mend.progress.phase = PHASE_VERIFYING;
    table_release(&model->lookup.drift);
    model_open_drift(model, drive);
}

static void add_finding(struct model *model, const struct event *event)
{
    const struct table_row row = {
        .volume = event->volume,
        .job = event->job,
        .path = event->path,
        .text = event->text,
        .finding = {.is_of_verify = true},
        .rank = 1,
    };

    table_add(&model->lookup.drift, &row);
}

static void tell_verified(struct model *model, const struct event *event)
{
    const struct verify_info *info = &event->verify;
    int64_t bad =
        info->rotten + info->drifted + info->missing + info->unreadable;
    int64_t good = info->verified + info->compared + info->adopted;
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE], number[QUANTITY_SIZE];
    const char *how = info->compared ? "as recorded, some perhaps from memory"
                                     : "read from the device, as recorded";

    words_count(good, "file", files);
    format_bytes(info->bytes, bytes);
    if (bad)
        note(&model->mend, true,
             xasprintf("✗ %s of %s not as recorded, %s read",
                       format_count(bad, number),
                       words_count(good + bad, "file", files), bytes));
    else
        note(&model->mend, false, xasprintf("✓ %s, %s: %s", files, bytes, how));
}

/* --- what is told ----------------------------------------------------------
 */

static void keep_failure(struct mend *mend, const struct event *event)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    mend->failures++;
    if (mend->first_failure)
        return;
    name_display(event->path ? event->path : "", &name);
    mend->first_failure =
        xasprintf("%s: %s", name.text, event->text ? event->text : "failed");
}

void model_apply_mend(struct model *model, int role, struct event *event)
{
    switch (event->kind) {
    case EVENT_PROGRESS:
        model->mend.progress = event->progress;
        break;
    case EVENT_FILE_FAILED:
        keep_failure(&model->mend, event);
        break;
    case EVENT_FINDING:
        add_finding(model, event);
        break;
    case EVENT_UNDONE:
        tell_undone(model, event);
        break;
    case EVENT_RESTORED:
        tell_restored(model, event);
        break;
    case EVENT_RESTORE_DONE:
        sum_restored(model, event);
        break;
    case EVENT_VERIFIED:
        tell_verified(model, event);
        break;
    case EVENT_MESSAGE:
        set_text(&model->message, event->text);
        break;
    default:
        break;
    }
}

static void tell_failures(struct mend *mend)
{
    char number[QUANTITY_SIZE];

    if (mend->failures == 1)
        note(mend, true, xasprintf("✗ %s", mend->first_failure));
    else if (mend->failures)
        note(mend, true,
             xasprintf("✗ %s files failed, first %s",
                       format_count(mend->failures, number),
                       mend->first_failure));
}

static void look_again(struct model *model, int role)
{
    if (role == ROLE_UNDO && model->screen == SCREEN_HISTORY) {
        struct table *runs = &model->lookup.runs;
        table_clear(runs);
        model_post(model, ROLE_RUNS, command_new(COMMAND_HISTORY));
    }
    if (role == ROLE_UNDO)
        model_wish_all(model);
    if (role == ROLE_VERIFY)
        model_list_drift(model);
}

void model_mend_done(struct model *model, int role, const struct event *event)
{
    struct mend *mend = &model->mend;

    tell_failures(mend);
    if (event->code == ERR_CANCELLED || event->outcome == OUTCOME_INTERRUPTED)
        note(mend, true,
             xstrdup(role == ROLE_VERIFY
                         ? "stopped: not everything was read"
                         : "stopped: what was done until then stays"));
    else if (event->code)
        note(mend, true, xasprintf("✗ %s", event->text));
    set_text(&mend->drive, NULL);
    look_again(model, role);
}
