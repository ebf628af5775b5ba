#include "core/execute_resume.h"

#include "core/db.h"
#include "core/journal.h"

static bool has_large_files(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].size_bytes >= RESUMABLE_BYTES)
            return true;
    return false;
}

/*
 * On a volume that was left uncleanly nothing is resumed: the last cluster of
 * what is half-way may be another file's, too. After a flush that failed
 * nothing of it is believed (ENGINE G8).
 */
err_code execute_open_resumes(const struct execute_options *options,
                              struct copy_context *copy, struct error *err)
{
    struct session *session = options->session;
    struct platform_stat stat;
    bool is_wanted = has_large_files(options->plan), has_failed = false;
    err_code code = ERR_OK;

    if (session->is_unclean || !session->id)
        return ERR_OK;
    if (!is_wanted)
        code =
            fsops_look(&session->ops, RESUMABLE_PATH, &is_wanted, &stat, err);
    if (code || !is_wanted)
        return code;
    code = journal_has_failed_flush(session->catalogue, &has_failed, err);
    if (!code)
        code = resumes_open(db_path(catalogue_db(session->catalogue)),
                            session->host, &copy->resumes, err);
    if (!code && has_failed)
        code = resumes_forget_all(copy->resumes, err);
    if (!code)
        code = resumes_tidy(copy->resumes, &session->ops, err);
    copy->owner = options->owner->id;
    return code;
}

err_code execute_close_resumes(const struct execute_options *options,
                               struct copy_context *copy, bool is_done,
                               struct error *err)
{
    struct fsops *ops = &options->session->ops;
    err_code code = ERR_OK;

    if (!copy->resumes)
        return ERR_OK;
    if (is_done)
        code = resumes_drop_stale(copy->resumes, ops, options->owner->id,
                                  options->plan, err);
    resumes_close(copy->resumes);
    copy->resumes = NULL;
    if (code || !is_done)
        return code;
    /* The directory goes with the last of them. */
    code = fsops_remove_directory(ops, RESUMABLE_PATH, err);
    return code == ERR_EXISTS || code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* What is there of it already takes no space any more. */
void execute_name_resumable(const struct execute_options *options,
                            const struct copy_context *copy,
                            struct stage_item *item)
{
    const struct action *action = item->step->action;
    struct resumable kept;

    if (!copy->resumes || item->from != STAGE_SOURCE ||
        action->size_bytes < RESUMABLE_BYTES)
        return;
    item->resumable =
        resumes_name(copy->resumes, options->owner->id, action->path);
    if (!resumes_find(copy->resumes, item->resumable, &kept, NULL) &&
        kept.source.size_bytes == action->size_bytes)
        item->kept_bytes = kept.offset;
}

err_code execute_forget_resumed(const struct copy_context *copy,
                                const struct batch *batch, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && copy->resumes && i < batch->intents.count;
         i++) {
        const char *from = batch->intents.items[i].from;
        if (from && !batch->codes[i] && resumes_is_name(from))
            code = resumes_forget(copy->resumes, from, err);
    }
    return code;
}
