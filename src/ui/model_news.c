#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "ui/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void news_release(struct news *news)
{
    free(news->key);
    free(news->line);
    free(news->why);
    free(news->drive);
    *news = (struct news){.key = NULL};
}

static bool is_dismissed(const struct model *model, const char *key)
{
    for (size_t i = 0; i < model->dismissed.count; i++)
        if (!strcmp(model->dismissed.items[i], key))
            return true;
    return false;
}

/* True when it is the news: not dismissed, so that nothing lesser counts. */
static bool offer(struct model *model, struct news news)
{
    if (is_dismissed(model, news.key)) {
        news_release(&news);
        return false;
    }
    news_release(&model->news);
    model->news = news;
    return true;
}

/* --- worst first -----------------------------------------------------------
 */

static bool offer_trouble(struct model *model)
{
    if (!model->trouble)
        return false;
    return offer(model, (struct news){
                            .key = xasprintf("trouble %s", model->trouble),
                            .line = xstrdup(model->trouble),
                            .why = xstrdup(model->trouble),
                            .is_bad = true,
                        });
}

static bool offer_unsafe(struct model *model, const struct drive *drive)
{
    const char *words = drive->is_attached ? "DO NOT UNPLUG: " : "";

    if (!*drive->unsafe)
        return false;
    return offer(model,
                 (struct news){
                     .key = xasprintf("unsafe %s %s", drive_short_title(drive),
                                      drive->unsafe),
                     .line = xasprintf("%s: %s%s", drive_short_title(drive),
                                       words, drive->unsafe),
                     .why = xasprintf("%s\n\nEject says the same until a "
                                      "flush and a read-back have succeeded.",
                                      drive->unsafe),
                     .is_bad = true,
                 });
}

static bool is_here(const struct model *model, const char *volume)
{
    const struct drive_volume *found = model_find_volume(model, volume);

    return found && found->is_mounted;
}

/* Not red: what is on it may go, but not all is on it. */
static bool offer_unrepaired(struct model *model, const struct drive *drive)
{
    if (!*drive->unrepaired)
        return false;
    return offer(
        model, (struct news){
                   .key = xasprintf("unrepaired %s", drive_short_title(drive)),
                   .line = xasprintf("%s: %s", drive_short_title(drive),
                                     drive->unrepaired),
                   .why = xasprintf("%s\n\nThe drive may be ejected "
                                    "before, but not all is on it.",
                                    drive->unrepaired),
                   .is_bad = true,
               });
}

/* Back again it is an interrupted drive as any other. */
static bool offer_pulled(struct model *model)
{
    if (!model->pulled.line || is_here(model, model->pulled_volume))
        return false;
    return offer(model, (struct news){
                            .key = xstrdup(model->pulled.key),
                            .line = xstrdup(model->pulled.line),
                            .why = xstrdup(model->pulled.why),
                            .is_bad = true,
                        });
}

static bool offer_health(struct model *model, const struct drive *drive)
{
    if (!drive->is_attached || drive->health.state != HEALTH_FAILING)
        return false;
    return offer(model,
                 (struct news){
                     .key = xasprintf("failing %s", drive->title),
                     .line = xasprintf("%s is failing: %s", drive->title,
                                       drive->health.why),
                     .why = xasprintf("%s\n\nCopy what is only on it, and "
                                      "replace it.",
                                      drive->health.why),
                     .is_bad = true,
                 });
}

static bool offer_problem(struct model *model, const struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (*volume->problem &&
            offer(model,
                  (struct news){
                      .key = xasprintf("problem %s %s", volume_title(volume),
                                       volume->problem),
                      .line = xasprintf("%s: %s", volume_title(volume),
                                        volume->problem),
                      .why = xstrdup(volume->problem),
                      .is_bad = true,
                  }))
            return true;
    }
    return false;
}

/* A drive that is back, or was read: somebody else wrote to it. */
static bool offer_drift(struct model *model, const struct drive *drive)
{
    int64_t drifted = model_count_drift(model, drive);

    if (!drive->is_attached || !drifted)
        return false;
    return offer(
        model,
        (struct news){
            .key = xasprintf("drift %s %" PRId64, drive_short_title(drive),
                             drifted),
            .line = xasprintf("%s: %" PRId64 " not as berth left %s",
                              drive_short_title(drive), drifted,
                              drifted == 1 ? "it" : "them"),
            .why = xasprintf(
                "On %s something else has changed, removed or added what "
                "berth had written.\n\nEnter or d lists it, with what the next "
                "sync "
                "does about it. Nothing that berth did not write is lost: it "
                "becomes a version, or stays.",
                drive_short_title(drive)),
            .leads = LEADS_TO_DRIFT,
            .drive = drive_key(drive),
        });
}

static bool offer_error(struct model *model, const struct target *target)
{
    if (!target->error)
        return false;
    return offer(
        model, (struct news){
                   .key = xasprintf("error %s %s %s", target->job,
                                    target->volume, target->error),
                   .line = xstrdup(target->error),
                   .why = xasprintf("Job %s to %s was not compared:"
                                    "\n\n%s",
                                    target->job, target->volume, target->error),
               });
}

static const char *outcome_words(int exit_code)
{
    static const char *const words[] = {
        [OUTCOME_FAILED_FILES] = "some files did not arrive",
        [OUTCOME_REFUSED] = "refused for safety",
        [OUTCOME_BUSY] = "the drive was busy",
        [OUTCOME_DEVICE] = "the drive failed or vanished",
        [OUTCOME_NO_SPACE] = "not enough space",
    };

    if (exit_code < 0 || (size_t)exit_code >= COUNT_OF(words))
        return NULL;
    return words[exit_code];
}

static const char *remedy_words(int exit_code)
{
    switch (exit_code) {
    case OUTCOME_FAILED_FILES:
        return "What failed is pending again: s tries it.";
    case OUTCOME_REFUSED:
        return "Nothing was written. s says the reason again; when it is as "
               "you want it, go on from there.";
    case OUTCOME_BUSY:
        return "Something else wrote to it then. s copies what is pending now.";
    case OUTCOME_DEVICE:
        return "Plug it in: the next sync repairs what was begun, and copies "
               "the rest.";
    case OUTCOME_NO_SPACE:
        return "s says what is missing, which versions may go to make room, or "
               "copies what fits.";
    default:
        return "";
    }
}

static bool offer_past(struct model *model, const struct past *past)
{
    const char *words = outcome_words(past->exit_code);
    char when[WORDS_SIZE];

    if (!words || !past->ended_ns)
        return false;
    words_time(model->now_ns, past->ended_ns, when);
    return offer(
        model,
        (struct news){
            .key = xasprintf("run %s %" PRId64, past->volume, past->ended_ns),
            .line =
                xasprintf("%s: last run, %s: %s", past->volume, when, words),
            .why = xasprintf("The last run on %s ended %s with exit code %d: "
                             "%s.\n\n%s\n\nEnter lists the runs, and what "
                             "each did to which file.",
                             past->volume, when, past->exit_code, words,
                             remedy_words(past->exit_code)),
            .leads = LEADS_TO_HISTORY,
        });
}

static const char *age_words(int64_t age_ns, char buffer[WORDS_SIZE])
{
    int64_t hours = age_ns / NS_PER_SECOND / 3600;

    return hours < 24 ? words_count(hours, "hour", buffer)
                      : words_count(hours / 24, "day", buffer);
}

static bool offer_stale(struct model *model, const struct target *target)
{
    const struct drive_count count = model_count_target(model, target);
    int64_t age_ns = model->now_ns - target->last_sync_ns;
    bool is_mounted = is_here(model, target->volume);
    char age[WORDS_SIZE];

    if (!target->last_sync_ns || age_ns <= target->stale_after_ns ||
        (count.is_known && !count.pending))
        return false;
    age_words(age_ns, age);
    return offer(model,
                 (struct news){
                     .key = xasprintf("stale %s %s %" PRId64, target->job,
                                      target->volume, target->last_sync_ns),
                     .line = xasprintf("%s: %s not copied for %s",
                                       target->volume, target->job, age),
                     .why = xasprintf("Job %s was last complete on %s %s "
                                      "ago. %s.",
                                      target->job, target->volume, age,
                                      is_mounted ? "It is here: s syncs it"
                                                 : "Plug it in and sync"),
                 });
}

static bool find_of_drives(struct model *model,
                           bool (*offer_of)(struct model *,
                                            const struct drive *))
{
    for (size_t i = 0; i < model->drives.count; i++)
        if (offer_of(model, &model->drives.items[i]))
            return true;
    return false;
}

static bool find_of_targets(struct model *model,
                            bool (*offer_of)(struct model *,
                                             const struct target *))
{
    for (size_t i = 0; i < model->targets.count; i++)
        if (offer_of(model, &model->targets.items[i]))
            return true;
    return false;
}

static bool find_of_pasts(struct model *model)
{
    for (size_t i = 0; i < model->pasts.count; i++)
        if (offer_past(model, &model->pasts.items[i]))
            return true;
    return false;
}

void model_find_news(struct model *model)
{
    bool has_news = offer_trouble(model) || offer_pulled(model) ||
                    find_of_drives(model, offer_unsafe) ||
                    find_of_drives(model, offer_unrepaired) ||
                    find_of_drives(model, offer_health) ||
                    find_of_drives(model, offer_problem) ||
                    find_of_targets(model, offer_error) ||
                    find_of_pasts(model) ||
                    find_of_drives(model, offer_drift) ||
                    find_of_targets(model, offer_stale);

    if (has_news)
        return;
    news_release(&model->news);
    model->shows_why = false;
}

bool model_follow_news(struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->news.drive);

    if (model->news.leads == LEADS_TO_HISTORY)
        model_open_history(model);
    else if (model->news.leads == LEADS_TO_DRIFT && drive)
        model_open_drift(model, drive);
    else
        return false;
    return true;
}

void model_dismiss_news(struct model *model)
{
    if (!model->news.line)
        return;
    ARRAY_PUSH(&model->dismissed, xstrdup(model->news.key));
    model->shows_why = false;
    model_find_news(model);
}

/* The engine counts; when it was, and what helps, is said here. */
void model_apply_pulled(struct model *model, const struct event *event)
{
    char when[WORDS_SIZE], files[WORDS_SIZE];

    words_time(model->now_ns, model->now_ns, when);
    words_count(event->in_flight, "file", files);
    CLEANUP_FREE char *words =
        xasprintf("PULLED %s: %s in flight, plug in to repair", when, files);
    if (model->run.is_active && !model->run.is_foreign)
        set_text(&model->run.pulled, words);
    news_release(&model->pulled);
    set_text(&model->pulled_volume, event->volume);
    model->pulled = (struct news){
        .key = xasprintf("pulled %s %" PRId64, event->volume, model->now_ns),
        .line = xasprintf("%s: %s", event->volume, words),
        .why = xasprintf(
            "%s was pulled at %s in the middle of a run. No file under its "
            "final name is half written; %s had not arrived.\n\nPlug it in: "
            "the next sync repairs what was begun and copies the rest.",
            event->volume, when, files),
        .is_bad = true,
    };
}

void model_forget_pulled(struct model *model, const char *volume)
{
    if (!model->pulled_volume || strcmp(model->pulled_volume, volume) != 0)
        return;
    news_release(&model->pulled);
    set_text(&model->pulled_volume, NULL);
}
