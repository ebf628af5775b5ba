#include "core/claim.h"

#include "core/base/path.h"
#include "core/contents.h"
#include "core/db.h"
#include "core/names.h"
#include "core/peers.h"
#include "core/traits.h"

#include <stdlib.h>
#include <string.h>

static bool is_job_of(const struct owner *owner, const char *host,
                      const char *job, const char *directory)
{
    return !strcmp(owner->host, host) && !strcmp(owner->job, job) &&
           !strcmp(owner->directory, directory);
}

/* How often the host has claimed it; -1: it has nothing there. */
static int64_t claims_of(const struct owners *owners, const char *host,
                         const char *job, const char *directory)
{
    for (size_t i = 0; i < owners->count; i++)
        if (is_job_of(&owners->items[i], host, job, directory))
            return owners->items[i].claims;
    return -1;
}

static bool meet(const char *one, const char *other, bool is_case_insensitive)
{
    CLEANUP(strbuf_release) struct strbuf fold = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf other_fold = STRBUF_INIT;

    if (!is_case_insensitive)
        return path_overlaps(one, other);
    name_fold(one, &fold);
    name_fold(other, &other_fold);
    return path_overlaps(fold.text, other_fold.text);
}

/* NULL: nobody else is there. */
static const struct owner *find_rival(const struct owners *owners,
                                      const char *host, const char *job,
                                      const char *directory,
                                      bool is_case_insensitive)
{
    int64_t claims = claims_of(owners, host, job, directory);

    for (size_t i = 0; i < owners->count; i++) {
        const struct owner *owner = &owners->items[i];
        if (!strcmp(owner->host, host) ||
            !meet(owner->directory, directory, is_case_insensitive))
            continue;
        if (strcmp(owner->directory, directory) != 0 || owner->claims >= claims)
            return owner;
    }
    return NULL;
}

static err_code refuse(struct catalogue *catalogue, const struct owner *rival,
                       const char *job, const char *directory,
                       struct error *err)
{
    struct peer peer;
    err_code code = peers_get(catalogue, rival->host, &peer, err);

    if (code)
        return code;
    const char *label = *peer.label ? peer.label : rival->host;
    if (strcmp(rival->directory, directory) != 0)
        return error_set(err, ERR_REFUSED,
                         "job %s: its target /%s meets /%s, which belongs to "
                         "job %s of %s: choose another directory",
                         job, directory, rival->directory, rival->job, label);
    return error_set(err, ERR_REFUSED,
                     "job %s: its target /%s belongs to job %s of %s: choose "
                     "another directory, or, with the job in the "
                     "configuration, take it over with `berth job claim %s`",
                     job, directory, rival->job, label, job);
}

static err_code is_folded(struct catalogue *catalogue, bool *out,
                          struct error *err)
{
    struct traits traits;
    err_code code = traits_load(catalogue, &traits, err);

    *out = !code && traits.names.is_case_insensitive;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

err_code claim_check(struct catalogue *catalogue, const char *host,
                     const char *job, const char *directory, struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    bool is_case_insensitive;
    err_code code = is_folded(catalogue, &is_case_insensitive, err);

    if (!code)
        code = catalogue_list_owners(catalogue, &owners, err);
    if (code)
        return code;
    const struct owner *rival =
        find_rival(&owners, host, job, directory, is_case_insensitive);
    return rival ? refuse(catalogue, rival, job, directory, err) : ERR_OK;
}

/* --- taking over --- */

struct taking {
    struct catalogue *catalogue;
    const struct owner *owner;
};

/* Nothing that another host knows of its source is true of ours. */
static err_code take_row(void *context, const char *path,
                         const char *drive_path, const struct record *record,
                         struct error *err)
{
    const struct taking *taking = context;
    struct record claimed = *record;

    claimed.flags |= RECORD_CLAIMED;
    claimed.source.ctime_ns = claimed.source.btime_ns = 0;
    claimed.source.inode = 0;
    claimed.verified_ns = 0;
    return catalogue_put(taking->catalogue, taking->owner, path, &claimed, err);
}

static err_code move_versions(struct catalogue *catalogue, int64_t from,
                              int64_t to, struct error *err)
{
    struct statement *update;
    err_code code = db_prepare(catalogue_db(catalogue),
                               "UPDATE version SET owner = ?2 WHERE owner = ?1",
                               &update, err);

    if (code)
        return code;
    bind_int(update, 1, from);
    bind_int(update, 2, to);
    return statement_run(update, err);
}

/* Nor is what their rows said of owners and modes this host's word (G10). */
static err_code mark_versions(struct catalogue *catalogue, int64_t owner,
                              struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(version_list_release)
    struct version_list versions = {.items = NULL};
    err_code code =
        catalogue_list_versions(catalogue, owner, "", &arena, &versions, err);

    for (size_t i = 0; !code && i < versions.count; i++) {
        struct version *version = &versions.items[i];
        if (!version->has_record)
            continue;
        version->record.flags |= RECORD_CLAIMED;
        code = catalogue_remove_version(catalogue, owner, version->drive_path,
                                        err);
        if (!code)
            code = catalogue_add_version(catalogue, version, err);
    }
    return code;
}

/* The one whose rows are true: it was the last to have it. */
static const struct owner *find_holder(const struct owners *owners,
                                       const char *host, const char *directory)
{
    const struct owner *holder = NULL;

    for (size_t i = 0; i < owners->count; i++) {
        const struct owner *owner = &owners->items[i];
        if (strcmp(owner->host, host) != 0 &&
            !strcmp(owner->directory, directory) &&
            (!holder || owner->claims > holder->claims))
            holder = owner;
    }
    return holder;
}

static err_code absorb_others(struct catalogue *catalogue,
                              const struct owners *owners,
                              const struct owner *holder, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < owners->count; i++) {
        const struct owner *owner = &owners->items[i];
        if (owner->id == holder->id ||
            strcmp(owner->directory, holder->directory) != 0)
            continue;
        code = move_versions(catalogue, owner->id, holder->id, err);
        if (!code)
            code = catalogue_remove_owner(catalogue, owner, err);
    }
    return code;
}

static err_code take_over(struct catalogue *catalogue,
                          const struct owners *owners,
                          const struct owner *holder, const char *host,
                          const char *job, struct error *err)
{
    struct taking taking = {catalogue, holder};
    err_code code = absorb_others(catalogue, owners, holder, err);

    if (!code)
        code = catalogue_walk(catalogue, holder, take_row, &taking, err);
    if (!code)
        code = mark_versions(catalogue, holder->id, err);
    if (code)
        return code;
    CLEANUP(owner_release) struct owner taken = *holder;
    taken.host = xstrdup(host);
    taken.job = xstrdup(job);
    taken.directory = xstrdup(holder->directory);
    taken.source_identity = xstrdup("");
    taken.claims++;
    taken.last_full_ns = taken.last_sync_ns = 0;
    code = catalogue_update_owner(catalogue, &taken, err);
    if (!code)
        code = peers_mark_due(catalogue, host, err);
    return code;
}

/* --- another name of the same job --- */

static err_code doubt_row(void *context, const char *path,
                          const char *drive_path, const struct record *record,
                          struct error *err)
{
    const struct taking *taking = context;
    struct record doubted = *record;

    /* Perhaps another source has the name's place: nothing is deleted for what
     * that does not have. The drive's side is as it was verified. */
    doubted.flags |= RECORD_CLAIMED;
    doubted.source.ctime_ns = doubted.source.btime_ns = 0;
    doubted.source.inode = 0;
    return catalogue_put(taking->catalogue, taking->owner, path, &doubted, err);
}

static err_code rename_owner(struct catalogue *catalogue, struct owner *owner,
                             const char *job, struct error *err)
{
    struct taking taking = {catalogue, owner};
    err_code code = catalogue_walk(catalogue, owner, doubt_row, &taking, err);

    if (code)
        return code;
    free(owner->job);
    owner->job = xstrdup(job);
    owner->last_full_ns = owner->last_sync_ns = 0;
    return catalogue_update_owner(catalogue, owner, err);
}

static struct owner *find_forgotten(const struct owners *owners,
                                    const struct config *config,
                                    const char *host, const char *directory)
{
    struct owner *last = NULL;

    for (size_t i = 0; i < owners->count; i++) {
        struct owner *owner = &owners->items[i];
        if (!strcmp(owner->host, host) && strcmp(owner->job, CONTENTS_JOB) &&
            !strcmp(owner->directory, directory) &&
            !config_find_job(config, owner->job) &&
            (!last || owner->last_sync_ns > last->last_sync_ns))
            last = owner;
    }
    return last;
}

static err_code take_name(struct catalogue *catalogue, struct owner *old,
                          const struct owner *own, const char *job,
                          struct error *err)
{
    if (!own)
        return rename_owner(catalogue, old, job, err);
    err_code code = move_versions(catalogue, old->id, own->id, err);
    return code ? code : catalogue_remove_owner(catalogue, old, err);
}

err_code claim_renamed(struct catalogue *catalogue, const struct config *config,
                       const char *host, const char *job, const char *directory,
                       char **out_old, struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP_FREE char *name = NULL;
    struct db *db = catalogue_db(catalogue);
    const struct owner *own = NULL;
    err_code code = catalogue_list_owners(catalogue, &owners, err);

    *out_old = NULL;
    if (code)
        return code;
    struct owner *old = find_forgotten(&owners, config, host, directory);
    if (!old)
        return ERR_OK;
    for (size_t i = 0; i < owners.count; i++)
        if (is_job_of(&owners.items[i], host, job, directory))
            own = &owners.items[i];
    name = xstrdup(old->job);
    code = db_begin(db, err);
    if (code)
        return code;
    code = take_name(catalogue, old, own, job, err);
    if (!code)
        code = peers_mark_due(catalogue, host, err);
    code = db_end(db, code, err);
    if (!code)
        *out_old = TAKE_PTR(name);
    return code;
}

err_code claim_own(struct catalogue *catalogue, const char *host,
                   struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    err_code code = catalogue_list_owners(catalogue, &owners, err);

    for (size_t i = 0; !code && i < owners.count; i++) {
        struct owner *owner = &owners.items[i];
        struct taking taking = {catalogue, owner};
        if (strcmp(owner->host, host) != 0)
            continue;
        code = catalogue_walk(catalogue, owner, take_row, &taking, err);
        if (!code)
            code = mark_versions(catalogue, owner->id, err);
        free(owner->source_identity);
        owner->source_identity = xstrdup("");
        owner->last_full_ns = owner->last_sync_ns = 0;
        if (!code)
            code = catalogue_update_owner(catalogue, owner, err);
    }
    return code ? code : peers_mark_due(catalogue, host, err);
}

err_code claim_take(struct catalogue *catalogue, const char *host,
                    const char *job, const char *directory, bool *out_taken,
                    struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    struct db *db = catalogue_db(catalogue);
    bool is_case_insensitive;
    err_code code = is_folded(catalogue, &is_case_insensitive, err);

    *out_taken = false;
    if (!code)
        code = catalogue_list_owners(catalogue, &owners, err);
    if (code)
        return code;
    const struct owner *rival =
        find_rival(&owners, host, job, directory, is_case_insensitive);
    if (!rival)
        return ERR_OK;
    if (strcmp(rival->directory, directory) != 0)
        return refuse(catalogue, rival, job, directory, err);
    code = db_begin(db, err);
    if (code)
        return code;
    code = take_over(catalogue, &owners, find_holder(&owners, host, directory),
                     host, job, err);
    code = db_end(db, code, err);
    *out_taken = !code;
    return code;
}
