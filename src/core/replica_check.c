#include "core/base/path.h"
#include "core/marker.h"
#include "core/peers.h"
#include "core/replica.h"

#include <stdlib.h>
#include <string.h>

/* One file of the log; false as well when it is not there or not readable. */
static err_code reads_back(const struct volume *volume,
                           const struct log_name *name, bool *out,
                           struct error *err)
{
    CLEANUP_FREE char *path = path_join(COMMITS_PATH, name->name);
    CLEANUP_FD int fd = -1;
    enum platform_proof proof;
    struct platform_stat stat = {.size_bytes = 0};
    err_code code = platform_open_beneath(volume->root_fd, path,
                                          PLATFORM_OPEN_READ, &fd, NULL);
    const struct commit_source source = {
        .fd = fd,
        .limit_bytes =
            name->is_replica ? REPLICA_LIMIT_BYTES : COMMIT_LIMIT_BYTES,
        .name = name->name,
    };

    if (!code)
        code = platform_stat_fd(fd, &stat, NULL);
    if (!code)
        code = platform_drop_cache(fd, stat.size_bytes, &proof, NULL);
    if (!code)
        code = commit_check(&source, NULL);
    *out = code == ERR_OK;
    return code ? volume_check(volume, err) : ERR_OK;
}

/* The last replica up to `peer`, which everything before it is in. */
static int64_t first_needed(const struct log_names *names, const char *host,
                            const struct peer *peer)
{
    int64_t first = 0;

    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->items[i].host, host) && names->items[i].is_replica &&
            names->items[i].sequence <= peer->sequence)
            first = names->items[i].sequence; /* they are sorted */
    return first;
}

err_code replica_reads_back(const struct volume *volume,
                            struct catalogue *catalogue, const char *host,
                            bool all, bool *out, struct error *err)
{
    CLEANUP(log_names_release) struct log_names names = {.items = NULL};
    struct peer peer;
    err_code code = peers_get(catalogue, host, &peer, err);
    bool has_last = false;

    *out = true;
    if (code || !peer.sequence)
        return code;
    code = replica_list(volume->root_fd, &names, err);
    int64_t first = all ? first_needed(&names, host, &peer) : peer.sequence;
    for (size_t i = 0; !code && *out && i < names.count; i++) {
        const struct log_name *name = &names.items[i];
        if (strcmp(name->host, host) != 0 || name->sequence < first ||
            name->sequence > peer.sequence)
            continue;
        bool is_last = name->sequence == peer.sequence &&
                       !strcmp(name->generation, peer.generation);
        has_last |= is_last;
        if (all || is_last)
            code = reads_back(volume, name, out, err);
    }
    *out &= has_last;
    return code;
}
