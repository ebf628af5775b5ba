#include "ui/model.h"

#include "core/base/array.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

/* Rows in a slice: a few milliseconds' worth. */
#define SUM_ROWS ((size_t)60000)
#define LIST_ROWS ((size_t)20000)

void target_release(struct target *target)
{
    free(target->job);
    free(target->volume);
    free(target->directory);
    free(target->source);
    free(target->error);
    review_free(target->review);
    review_free(target->incoming);
}

struct target *model_find_target(const struct model *model, const char *job,
                                 const char *volume)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        if (!strcmp(target->job, job) && !strcmp(target->volume, volume))
            return target;
    }
    return NULL;
}

static struct target *need_target(struct model *model, const char *job,
                                  const char *volume)
{
    struct target *target = model_find_target(model, job, volume);

    if (target)
        return target;
    const struct target fresh = {
        .job = xstrdup(job),
        .volume = xstrdup(volume),
        .directory = xstrdup(""),
        .source = xstrdup(""),
        .is_listed = true,
    };
    ARRAY_PUSH(&model->targets, fresh);
    return &model->targets.items[model->targets.count - 1];
}

const struct target *model_target_of_root(const struct model *model,
                                          size_t root)
{
    const struct review *review = model->diff.tree->roots.items[root].review;

    for (size_t i = 0; i < model->targets.count; i++)
        if (model->targets.items[i].review == review ||
            model->targets.items[i].incoming == review)
            return &model->targets.items[i];
    return NULL;
}

/* --- jobs ------------------------------------------------------------------
 */

void model_list_jobs(struct model *model)
{
    if (!model_is_under_way(model, ROLE_JOBS))
        model_post(model, ROLE_JOBS, command_new(COMMAND_JOB_LIST));
}

void model_apply_job(struct model *model, struct event *event)
{
    struct target *target = need_target(model, event->job, event->volume);
    const char *colon = strchr(event->job_info.target, ':');

    set_text(&target->directory, colon ? colon + 1 : "");
    set_text(&target->source,
             event->job_info.source ? event->job_info.source : "");
    target->mode = event->job_info.mode;
    target->last_sync_ns = event->job_info.last_sync_ns;
    target->stale_after_ns = event->job_info.stale_after_ns;
    target->is_listed = true;
}

static void drop_target(struct model *model, size_t index)
{
    struct target *target = &model->targets.items[index];

    model_hide_target(model, target);
    target_release(target);
    model->targets.count--;
    memmove(target, target + 1,
            (model->targets.count - index) * sizeof *target);
}

void model_jobs_done(struct model *model)
{
    for (size_t i = model->targets.count; i-- > 0;)
        if (!model->targets.items[i].is_listed)
            drop_target(model, i);
    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        if (!target->review && !target->error && !model->has_targets)
            target->wish = WISH_QUICK;
        target->is_listed = false; /* the next list says it again */
    }
    model->has_targets = true;
    set_text(&model->trouble, NULL);
    model_preselect(model);
}

/* --- what is compared next -------------------------------------------------
 */

void model_wish(struct model *model, const char *volume, enum wish wish)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        if (!strcmp(target->volume, volume) && target->wish < wish)
            target->wish = wish;
    }
}

void model_wish_drive(struct model *model, const struct drive *drive,
                      enum wish wish)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name)
            model_wish(model, drive->volumes.items[i].name, wish);
}

/* What was only compared with the catalogue is compared as a sync would. */
void model_wish_sharp(struct model *model, const struct drive *drive)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (target_is_of(target, drive) && !target->is_sharp)
            model_wish(model, target->volume, WISH_AUTO);
    }
}

void model_wish_all(struct model *model)
{
    for (size_t i = 0; i < model->targets.count; i++)
        model_wish(model, model->targets.items[i].volume, WISH_AUTO);
}

static bool can_be_read(const struct model *model, const char *volume)
{
    const struct drive_volume *found = model_find_volume(model, volume);

    return found && volume_is_ready(found);
}

/* Attached ones first, then what the shallower comparison is wanted of: a
 * first answer for everything before a sharp one for something. */
static const struct target *choose_target(const struct model *model)
{
    const struct target *best = NULL;
    int best_rank = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        const struct drive_volume *volume =
            model_find_volume(model, target->volume);
        if (target->wish == WISH_NOTHING || (volume && volume->run.pid))
            continue;
        int rank =
            10 - 2 * (int)target->wish + can_be_read(model, target->volume);
        if (rank > best_rank) {
            best = target;
            best_rank = rank;
        }
    }
    return best;
}

static void post_scan(struct model *model, const struct target *target)
{
    struct command *command = command_new(COMMAND_DIFF);
    bool is_here = can_be_read(model, target->volume);
    enum wish depth = is_here ? target->wish : WISH_QUICK;

    command->depth = depth == WISH_QUICK  ? DIFF_DEPTH_QUICK
                     : depth == WISH_AUTO ? DIFF_DEPTH_AUTO
                                          : DIFF_DEPTH_FULL;
    command_add_name(command, target->volume);
    set_text(&model->scanned_volume, target->volume);
    model->scan_depth = depth;
    model->scan_progress = (struct progress){.phase = PHASE_SCANNING};
    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *other = &model->targets.items[i];
        if (!strcmp(other->volume, model->scanned_volume) &&
            (other->wish <= depth || !is_here))
            other->wish = WISH_NOTHING;
    }
    model_post(model, ROLE_SCAN, command);
}

void model_scan_next(struct model *model)
{
    if (model->quits || !model->has_drives || !model->has_targets ||
        model_is_under_way(model, ROLE_SCAN) || model_at_work(model))
        return;
    const struct target *target = choose_target(model);
    if (target)
        post_scan(model, target);
}

int model_scan_percent(const struct model *model)
{
    int64_t expected = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (strcmp(target->volume, model->scanned_volume) != 0)
            continue;
        if (!target->files_seen)
            return -1;
        expected += target->files_seen;
    }
    int percent = words_percent(model->scan_progress.files_done, expected);
    return percent > 99 ? 99 : percent;
}

/* --- trees that show plans ---------------------------------------------------
 */

static bool is_in_tree(const struct diff_tree *tree,
                       const struct review *review)
{
    for (size_t i = 0; review && tree && i < tree->roots.count; i++)
        if (tree->roots.items[i].review == review)
            return true;
    return false;
}

static bool is_of_diff(const struct model *model, const struct target *target)
{
    const struct drive *drive = model_find_drive(model, model->diff_drive);

    return drive && target_is_of(target, drive);
}

static void drop_next_tree(struct model *model, const struct review *review)
{
    if (!is_in_tree(model->diff.next, review))
        return;
    diff_tree_free(model->diff.next);
    model->diff.next = NULL;
}

/* No tree may show what is about to be freed or given away. */
void model_hide_target(struct model *model, const struct target *target)
{
    if (is_in_tree(model->diff.tree, target->review) ||
        is_in_tree(model->diff.tree, target->incoming))
        diff_view_clear(&model->diff);
    drop_next_tree(model, target->review);
    drop_next_tree(model, target->incoming);
}

static void show_reviews(struct model *model)
{
    CLEANUP_FREE struct review **reviews =
        xcalloc(model->targets.count + 1, sizeof *reviews);
    size_t count = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        struct review *newest =
            target->incoming ? target->incoming : target->review;
        if (newest && is_of_diff(model, target))
            reviews[count++] = newest;
    }
    if (model->diff.tree && model->diff.tree->roots.count != count)
        diff_view_clear(&model->diff); /* another job: nothing to keep */
    diff_view_show(&model->diff, reviews, count);
}

void model_open_diff(struct model *model, const struct drive *drive)
{
    diff_view_clear(&model->diff);
    free(model->diff_drive);
    model->diff_drive = drive_key(drive);
    diff_view_set_filter(&model->diff, "");
    model_go(model, SCREEN_DIFF);
    model_wish_sharp(model, drive);
    show_reviews(model);
}

/* --- plans -----------------------------------------------------------------
 */

void model_apply_plan(struct model *model, struct event *event)
{
    struct target *target = need_target(model, event->job, event->volume);

    if (event->code == ERR_CANCELLED)
        return; /* by us: it is compared again later */
    if (event->code) {
        set_text(&target->error, event->text);
        target->is_sharp = false;
        return;
    }
    set_text(&target->error, NULL);
    target->files_seen = event->plan.totals.files_seen;
    drop_next_tree(model, target->incoming);
    review_free(target->incoming);
    if (!event->plan.made_ns)
        event->plan.made_ns = model->now_ns;
    target->incoming = review_new(&event->plan);
    target->incoming_is_sharp = model->scan_depth != WISH_QUICK;
}

static void end_scan_of(struct model *model, struct target *target,
                        const struct event *event)
{
    enum wish depth = model->scan_depth;
    bool is_here = can_be_read(model, target->volume);

    if (event->code == ERR_CANCELLED || event->outcome == OUTCOME_INTERRUPTED)
        target->wish = target->wish > depth ? target->wish : depth;
    else if (depth == WISH_QUICK && is_here && target->wish < WISH_AUTO)
        target->wish = WISH_AUTO;
    else if (event->code)
        set_text(&target->error, event->text);
}

void model_scan_done(struct model *model, const struct event *event)
{
    CLEANUP_FREE char *volume = model->scanned_volume;

    model->scanned_volume = NULL;
    for (size_t i = 0; i < model->targets.count; i++)
        if (!strcmp(model->targets.items[i].volume, volume))
            end_scan_of(model, &model->targets.items[i], event);
}

/* --- slices of work --------------------------------------------------------
 */

/* Plans are summed before anybody sees them. */
static bool has_summed_all(struct model *model)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        struct review *incoming = model->targets.items[i].incoming;
        if (incoming && review_work(incoming, SUM_ROWS))
            return false;
    }
    return true;
}

static void take_incoming(struct target *target)
{
    if (target->review)
        review_carry_over(target->incoming, target->review);
    review_free(target->review);
    target->review = target->incoming;
    target->incoming = NULL;
    target->is_sharp = target->incoming_is_sharp;
    target->has_left = false;
}

/*
 * A new plan takes the old one's place at once where nobody looks at the old
 * one, else when the tree with the new one has done so. True when a tree has
 * to be made anew.
 */
static bool take_settled(struct model *model)
{
    struct diff_view *diff = &model->diff;
    bool needs_tree = false;

    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        if (!target->incoming)
            continue;
        bool is_shown = is_in_tree(diff->tree, target->review) ||
                        is_in_tree(diff->next, target->review);
        bool is_taken = is_in_tree(diff->tree, target->incoming);
        if (is_shown && !is_in_tree(diff->next, target->incoming))
            needs_tree = true;
        if (is_shown)
            continue;
        take_incoming(target);
        if (model->screen == SCREEN_DRIFT)
            model_list_drift(model);
        needs_tree |= !is_taken && diff->tree && is_of_diff(model, target);
    }
    return needs_tree;
}

/* Only when all that was wanted of the drive has come. */
static void go_on_waiting(struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->waiting_drive);

    if (!model->waiting_drive || model->waiting_for_other ||
        (drive && model_count(model, drive).is_scanning))
        return;
    set_text(&model->waiting_drive, NULL);
    if (drive)
        model_want_sync(model, drive, model->waiting_wants_eject);
}

bool model_work_on_plans(struct model *model)
{
    if (!has_summed_all(model))
        return true;
    if (take_settled(model))
        show_reviews(model);
    if (diff_view_work(&model->diff, LIST_ROWS))
        return true;
    if (take_settled(model))
        return true;
    if (!model->diff.tree && model->screen == SCREEN_DIFF) {
        show_reviews(model);
        return true;
    }
    go_on_waiting(model);
    return false;
}
