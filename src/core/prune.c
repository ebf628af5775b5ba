#include "core/prune.h"

#include "core/apply.h"
#include "core/base/array.h"
#include "core/commit.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_FILES ((size_t)4096)

void prune_items_release(struct prune_items *items)
{
    free(items->items);
    *items = (struct prune_items){.items = NULL};
}

bool prune_may(const struct version *version)
{
    return !version->has_record || !(version->record.flags & RECORD_OFFLOADED);
}

/*
 * --- which ---
 */

static bool is_same_path(const struct prune_item *one,
                         const struct prune_item *other)
{
    return !strcmp(one->version->path, other->version->path);
}

/* How many newer versions of its path there are. */
static void keep_newest(struct prune_item *items, size_t count, int64_t amount)
{
    size_t end;

    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count; end++)
            if (!is_same_path(&items[i], &items[end]))
                break;
        for (size_t j = i; j < end; j++)
            items[j].goes = (int64_t)(end - j) > amount;
    }
}

static int compare_age(const void *one, const void *other)
{
    const struct prune_item *a = *(struct prune_item *const *)one;
    const struct prune_item *b = *(struct prune_item *const *)other;

    if (a->since_ns != b->since_ns)
        return a->since_ns < b->since_ns ? -1 : 1;
    return (a->version->id > b->version->id) -
           (a->version->id < b->version->id);
}

/* Oldest first; free() it. */
static struct prune_item **by_age(struct prune_item *items, size_t count)
{
    struct prune_item **sorted = xcalloc(count + 1, sizeof *sorted);

    for (size_t i = 0; i < count; i++)
        sorted[i] = &items[i];
    qsort(sorted, count, sizeof *sorted, compare_age);
    return sorted;
}

static void keep_bytes(struct prune_item *items, size_t count, int64_t amount)
{
    CLEANUP_FREE struct prune_item **sorted = by_age(items, count);
    int64_t kept = 0;

    for (size_t i = count; i-- > 0;) {
        kept += sorted[i]->size_bytes;
        sorted[i]->goes = kept > amount;
    }
}

void prune_by_rule(const struct keep_rule *rule, struct prune_item *items,
                   size_t count, int64_t now_ns)
{
    if (rule->kind == KEEP_COUNT)
        keep_newest(items, count, rule->amount);
    else if (rule->kind == KEEP_BYTES)
        keep_bytes(items, count, rule->amount);
    for (size_t i = 0; i < count; i++) {
        if (rule->kind == KEEP_TIME)
            items[i].goes = now_ns - items[i].since_ns > rule->amount;
        items[i].goes = items[i].goes && prune_may(items[i].version);
    }
}

static int64_t in_clusters(int64_t size_bytes, int64_t cluster_bytes)
{
    int64_t cluster = cluster_bytes > 0 ? cluster_bytes : 1;

    return (size_bytes + cluster - 1) / cluster * cluster;
}

int64_t prune_bytes(const struct prune_items *items, int64_t cluster_bytes)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < items->count; i++)
        if (items->items[i].goes)
            bytes += in_clusters(items->items[i].size_bytes, cluster_bytes);
    return bytes;
}

void prune_oldest(struct prune_items *items, int64_t wanted_bytes,
                  int64_t cluster_bytes)
{
    CLEANUP_FREE struct prune_item **sorted =
        by_age(items->items, items->count);
    int64_t going = prune_bytes(items, cluster_bytes);

    for (size_t i = 0; i < items->count && going < wanted_bytes; i++) {
        if (sorted[i]->goes || !prune_may(sorted[i]->version))
            continue;
        sorted[i]->goes = true;
        going += in_clusters(sorted[i]->size_bytes, cluster_bytes);
    }
}

/*
 * --- removing ---
 */

static void collect(const struct prune_items *items, size_t *next,
                    struct batch *batch)
{
    struct intents *intents = &batch->intents;

    for (; *next < items->count && intents->count < BATCH_FILES; (*next)++) {
        const struct prune_item *item = &items->items[*next];
        if (!item->goes)
            continue;
        struct intent intent = {
            .kind = INTENT_PRUNE,
            .owner = item->version->owner,
            .path = item->version->path,
            .from = item->version->drive_path,
            .before = STAMP_NOTHING,
            .record = {.type = ENTRY_FILE,
                       .stamp = {.size_bytes = item->size_bytes}},
        };
        ARRAY_PUSH(intents, intent);
    }
    batch->codes = xcalloc(intents->count, sizeof *batch->codes);
}

static void note_failure(struct prune_failures *failures,
                         const struct intent *intent, const char *message)
{
    failures->files++;
    failures->bytes += intent->record.stamp.size_bytes;
    if (!failures->first)
        failures->first = xasprintf("%s: %s", intent->from, message);
}

/* A version that cannot be removed stays listed, and is tried next time. */
static err_code apply(struct session *session, struct batch *batch,
                      struct prune_failures *failures, struct error *err)
{
    for (size_t i = 0; i < batch->intents.count; i++) {
        struct intent *intent = &batch->intents.items[i];
        err_code code = apply_intent(session, intent, err);
        batch->codes[i] = code;
        if (error_is_device_failure(code))
            return code;
        if (code)
            note_failure(failures, intent, err->message);
    }
    return ERR_OK;
}

static err_code carry_out(struct session *session, const struct owners *owners,
                          struct batch *batch, struct prune_failures *failures,
                          struct error *err)
{
    struct run_counts counts = {0};
    err_code code = volume_check(session->volume, err);

    if (!code)
        code = session_barrier(session, err);
    if (!code)
        code = journal_record(session->catalogue, session->id, &batch->intents,
                              &batch->id, err);
    if (!code)
        code = apply(session, batch, failures, err);
    if (!code)
        code = session_barrier(session, err);
    if (!code)
        code = commit_batch(session, owners, batch, &counts, err);
    return code;
}

err_code prune_marked(struct session *session, const struct prune_items *items,
                      struct prune_failures *out, struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    size_t next = 0;

    *out = (struct prune_failures){.first = NULL};
    err_code code = catalogue_list_owners(session->catalogue, &owners, err);

    while (!code && next < items->count) {
        CLEANUP(batch_release) struct batch batch = BATCH_INIT;
        collect(items, &next, &batch);
        if (batch.intents.count)
            code = carry_out(session, &owners, &batch, out, err);
    }
    return code;
}
