#include "ui/model.h"

#include "core/base/quantity.h"
#include "ui/keys.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

enum obstacle {
    OBSTACLE_DIRTY = 1u << 0,
    OBSTACLE_HELD = 1u << 1,
};

static bool has_targets(const struct model *model,
                        const struct drive_volume *volume)
{
    for (size_t i = 0; *volume->name && i < model->targets.count; i++)
        if (!strcmp(model->targets.items[i].volume, volume->name))
            return true;
    return false;
}

static struct question begin_question(const struct drive *drive,
                                      bool wants_eject, unsigned passed)
{
    return (struct question){.drive = drive_key(drive),
                             .wants_eject = wants_eject,
                             .passed = passed};
}

/* --- before the first byte -------------------------------------------------
 */

static bool ask_about_read_only(struct model *model, const struct drive *drive,
                                bool wants_eject)
{
    const struct drive_volume *found = NULL;

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (!has_targets(model, volume) || !volume->is_mounted)
            continue;
        if (volume_is_ready(volume))
            return false; /* some of it can be done */
        if (volume->is_read_only)
            found = volume;
    }
    if (!found)
        return false;
    struct question question = begin_question(drive, wants_eject, 0);
    question.title = xasprintf("%s is mounted read-only", found->name);
    question.text = xasprintf(
        "Nothing can be copied to it now. The system mounts a volume so\n"
        "when its filesystem has errors, or the drive a write lock. Unmount\n"
        "it, check %s, and plug it in again.",
        *found->device ? found->device : found->name);
    question_add(&question, 'x', "eject without a sync", ANSWER_EJECT_ANYWAY);
    model_ask(model, &question);
    return true;
}

static bool ask_about_dirty(struct model *model, const struct drive *drive,
                            bool wants_eject, unsigned passed)
{
    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (volume->is_dirty <= 0 || volume->has_journal ||
            !has_targets(model, volume))
            continue;
        struct question question =
            begin_question(drive, wants_eject, passed | OBSTACLE_DIRTY);
        question.title =
            xasprintf("%s was unplugged without eject", volume->name);
        question.text = xasprintf(
            "Its filesystem was not closed, and may have errors. Better: e "
            "ejects,\nthen check it (%s %s), plug it in, and sync.\nWhat "
            "berth's own last run left open is repaired either way.",
            strcmp(volume->family, "exfat") ? "fsck" : "fsck.exfat",
            *volume->device ? volume->device : volume->name);
        question_add(&question, 'g', "sync all the same", ANSWER_GO_PAST);
        question_add(&question, 'x', "eject without a sync",
                     ANSWER_EJECT_ANYWAY);
        model_ask(model, &question);
        return true;
    }
    return false;
}

/* Who syncs only sees it in the counts; who leaves should decide. */
static bool ask_about_held(struct model *model, const struct drive *drive,
                           bool wants_eject, unsigned passed)
{
    struct drive_count count = model_count(model, drive);
    char held[WORDS_SIZE];

    if (!wants_eject || !count.held)
        return false;
    struct question question =
        begin_question(drive, wants_eject, passed | OBSTACLE_HELD);
    question.title =
        xasprintf("%s held", words_count(count.held, "delete", held));
    question.text =
        xstrdup("More than a job deletes at once (delete_cap). Until they are\n"
                "approved these files stay on the drive as they are; the rest\n"
                "is synced.");
    question_add(&question, UI_KEY_ENTER, "look at them", ANSWER_LOOK);
    question_add(&question, 'g', "go without them", ANSWER_GO_PAST);
    model_ask(model, &question);
    return true;
}

bool model_ask_before(struct model *model, const struct drive *drive,
                      bool wants_eject, unsigned passed)
{
    return ask_about_read_only(model, drive, wants_eject) ||
           (!(passed & OBSTACLE_DIRTY) &&
            ask_about_dirty(model, drive, wants_eject, passed)) ||
           (!(passed & OBSTACLE_HELD) &&
            ask_about_held(model, drive, wants_eject, passed)) ||
           model_lacks_space(model, drive, wants_eject);
}

/* --- after a run, before an ejection ---------------------------------------
 */

static int64_t count_not_arrived(const struct sync_run *run)
{
    int64_t count = 0;

    for (size_t i = 0; i < run->parts.count; i++)
        count += run->parts.items[i].info.counts.failed +
                 run->parts.items[i].info.unreadable;
    return count;
}

/* Why a job ended early: the first that did. */
static const char *why_ended(const struct sync_run *run)
{
    for (size_t i = 0; i < run->parts.count; i++)
        if (run->parts.items[i].text)
            return run->parts.items[i].text;
    return run->error ? run->error : "Not everything was copied";
}

static bool all_were_changing(const struct sync_run *run)
{
    for (size_t i = 0; i < run->failures.count; i++)
        if (!strstr(run->failures.items[i].text, "changing"))
            return false;
    return run->failures.count > 0;
}

static void describe_missing(const struct sync_run *run, int64_t missing,
                             struct question *question)
{
    char files[WORDS_SIZE];

    words_count(missing, "file", files);
    if (run->outcome == OUTCOME_NO_SPACE) {
        question->title = xasprintf("Full: %s did not arrive", files);
        question->text = xasprintf(
            "There was no room for %s. A retry asks which old versions may\n"
            "go. %s is still plugged in and mounted.",
            missing == 1 ? "it" : "them", run->title);
    } else if (all_were_changing(run)) {
        question->title = xasprintf("%s still changing: not copied", files);
        question->text = xasprintf(
            "A half-written copy would be worse than none. Stop what writes\n"
            "to %s, then retry. %s is still mounted.",
            missing == 1 ? "it" : "them", run->title);
    } else {
        question->title = xasprintf("%s did not arrive", files);
        question->text =
            xasprintf("%s is still plugged in and mounted.", run->title);
    }
}

void model_ask_after(struct model *model, const struct drive *drive)
{
    const struct sync_run *run = &model->run;
    struct question question = {.drive = drive_key(drive), .wants_eject = true};
    int64_t missing = count_not_arrived(run);

    if (run->outcome == OUTCOME_DEVICE) {
        question.title = xstrdup("DO NOT UNPLUG: the drive failed");
        question.text = xasprintf(
            "%s.\nWhat was written may be lost: a retry writes it again.\nIf "
            "that fails, too: another cable, another port.",
            why_ended(run));
    } else if (missing) {
        describe_missing(run, missing, &question);
        question_add(&question, UI_KEY_ENTER, "list", ANSWER_LIST_FAILED);
    } else {
        question.title = xstrdup("The sync did not end well");
        question.text = xasprintf("%s.\n%s is still plugged in and mounted.",
                                  why_ended(run), run->title);
    }
    question_add(&question, 'r', "retry", ANSWER_RETRY);
    question_add(&question, 'x', "eject without them",
                 ANSWER_EJECT_WITHOUT_THEM);
    model_ask(model, &question);
}
