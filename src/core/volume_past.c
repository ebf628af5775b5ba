#include "core/volume_past.h"

#include "core/base/strbuf.h"
#include "core/catalogue.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/session.h"
#include "core/verify.h"

#include <stdlib.h>
#include <string.h>

static err_code read_sessions(struct volume_past *past,
                              struct catalogue *catalogue, struct error *err)
{
    CLEANUP(journal_session_release)
    struct journal_session session = {.id = 0};
    err_code code = journal_last_session(catalogue, &session, err);

    if (!code)
        code =
            journal_has_failed_flush(catalogue, &past->has_failed_flush, err);
    past->has_open_session = session.state == SESSION_OPEN;
    past->last_seen_ns = session.opened_ns;
    return code;
}

static err_code read_owners(struct volume_past *past,
                            struct catalogue *catalogue, const char *host,
                            struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    err_code code = catalogue_list_owners(catalogue, &owners, err);
    bool is_first = true;

    for (size_t i = 0; !code && i < owners.count; i++) {
        const struct owner *owner = &owners.items[i];
        CLEANUP(paths_release) struct paths poisoned = {.items = NULL};
        if (strcmp(owner->host, host) != 0)
            continue;
        if (is_first || owner->last_sync_ns < past->last_sync_ns)
            past->last_sync_ns = owner->last_sync_ns;
        is_first = false;
        code = journal_list_poisoned(catalogue, owner->id, &poisoned, err);
        past->has_failed_flush |= !code && poisoned.count;
    }
    return code;
}

static err_code read_catalogue(struct volume_past *past, const char *path,
                               const char *host, struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(strbuf_release) struct strbuf filesystem = STRBUF_INIT;
    err_code code = catalogue_open_reader(path, &catalogue, err);

    if (!code)
        code = read_sessions(past, catalogue, err);
    if (!code)
        code = verify_last_ns(catalogue, &past->verified_ns, err);
    if (!code)
        code = read_owners(past, catalogue, host, err);
    if (!code)
        code = session_known_filesystem(catalogue, &filesystem, err);
    past->filesystem = strbuf_detach(&filesystem);
    return code;
}

void volume_past_read(struct volume_past *past, const char *state_directory,
                      const char *host, const char *volume_id)
{
    CLEANUP_FREE char *path = NULL;
    struct error err = ERROR_INIT;

    *past = (struct volume_past){.is_read = true};
    /* A state directory that cannot even be made remembers nothing. */
    if (!host_catalogue_path(state_directory, volume_id, &path, NULL))
        past->code = read_catalogue(past, path, host, &err);
    if (past->code == ERR_NOT_FOUND)
        past->code = ERR_OK; /* never synced from here */
    if (past->code)
        past->message = xstrdup(err.message);
    if (!past->filesystem)
        past->filesystem = xstrdup("");
}

void volume_past_release(struct volume_past *past)
{
    free(past->message);
    free(past->filesystem);
    *past = (struct volume_past){.is_read = false};
}
