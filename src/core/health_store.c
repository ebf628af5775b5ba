#include "core/health_store.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/hash.h"
#include "core/base/path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define BASELINE_LIMIT_BYTES ((size_t)16 * 1024)

struct reading {
    char *drive; /* id of the plugged device */
    struct platform_health health;
    struct health_baseline baseline;
    int64_t read_ns; /* monotonic */
    /* Then: a disk is there before its partitions. Fewer, and it is on its way
     * out: no time to ask it anything. */
    size_t volume_count;
    bool failed;
};

struct health_store {
    char *state_directory;
    struct reading *items;
    size_t count, capacity;
};

struct health_store *health_store_new(const char *state_directory)
{
    struct health_store *store = xcalloc(1, sizeof *store);

    store->state_directory = xstrdup(state_directory);
    return store;
}

static void drop_reading(struct health_store *store, size_t index)
{
    free(store->items[index].drive);
    platform_health_release(&store->items[index].health);
    store->items[index] = store->items[--store->count];
}

void health_store_forget(struct health_store *store)
{
    while (store->count)
        drop_reading(store, store->count - 1);
}

static bool is_plugged(const struct drives *drives, const char *id)
{
    for (size_t i = 0; i < drives->count; i++)
        if (drives->items[i].is_attached && !strcmp(drives->items[i].id, id))
            return true;
    return false;
}

void health_store_forget_gone(struct health_store *store,
                              const struct drives *drives)
{
    for (size_t i = store->count; i-- > 0;)
        if (!is_plugged(drives, store->items[i].drive))
            drop_reading(store, i);
}

void health_store_free(struct health_store *store)
{
    if (!store)
        return;
    health_store_forget(store);
    free(store->items);
    free(store->state_directory);
    free(store);
}

/* --- the baseline: a small file per serial number --- */

static char *baseline_path(const struct health_store *store,
                           const struct drive *drive)
{
    CLEANUP_FREE char *who = xasprintf("%s %s", drive->title, drive->serial);
    char hex[HASH_HEX_SIZE];
    struct hash hash = hash_of(who, strlen(who));

    hash_to_hex(&hash, hex);
    return xasprintf("%s/health/%s.json", store->state_directory, hex);
}

static bool read_baseline(const char *path, struct health_baseline *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read(path, BASELINE_LIMIT_BYTES, &text, NULL))
        return false;
    json_t *root = json_loadb(text.text, text.length, 0, NULL);
    json_t *raw = json_object_get(root, "critical");
    bool is_whole = json_array_size(raw) == HEALTH_CRITICAL_COUNT;
    for (size_t i = 0; is_whole && i < HEALTH_CRITICAL_COUNT; i++)
        out->raw[i] = json_integer_value(json_array_get(raw, i));
    out->media_errors =
        json_integer_value(json_object_get(root, "media_errors"));
    out->since_ns = json_integer_value(json_object_get(root, "since"));
    out->is_known = is_whole;
    json_decref(root);
    return is_whole;
}

static void write_baseline(const struct health_store *store, const char *path,
                           const struct drive *drive,
                           const struct health_baseline *baseline)
{
    CLEANUP_FREE char *directory = path_join(store->state_directory, "health");
    json_t *raw = json_array();

    for (size_t i = 0; i < HEALTH_CRITICAL_COUNT; i++)
        json_array_append_new(raw, json_integer(baseline->raw[i]));
    json_t *root = json_pack("{s:s, s:s, s:o, s:I, s:I}", "drive", drive->title,
                             "serial", drive->serial, "critical", raw,
                             "media_errors", (json_int_t)baseline->media_errors,
                             "since", (json_int_t)baseline->since_ns);
    CLEANUP_FREE char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    /* Without it the next reading becomes the baseline: nothing is lost. */
    if (!text || directory_ensure(directory, NULL) ||
        file_replace(path, text, strlen(text), 0600, NULL))
        return;
}

/* Old counts don't alarm: what is there at the first sight is the baseline. */
static struct health_baseline find_baseline(const struct health_store *store,
                                            const struct drive *drive,
                                            const struct platform_health *now)
{
    CLEANUP_FREE char *path = baseline_path(store, drive);
    struct health_baseline baseline = {.is_known = false};

    if (read_baseline(path, &baseline) || !now->attribute_count)
        return baseline;
    baseline = health_baseline_of(now);
    baseline.since_ns = clock_now_ns();
    write_baseline(store, path, drive, &baseline);
    return baseline;
}

/* --- readings --- */

static struct reading *find_reading(struct health_store *store,
                                    struct platform *platform,
                                    const struct drive *drive)
{
    int64_t now_ns = clock_monotonic_ns();

    for (size_t i = 0; i < store->count; i++) {
        if (strcmp(store->items[i].drive, drive->id) != 0)
            continue;
        if (now_ns - store->items[i].read_ns < HEALTH_FRESH_NS &&
            store->items[i].volume_count >= drive->volumes.count)
            return &store->items[i];
        drop_reading(store, i);
        break;
    }
    struct reading reading = {.drive = xstrdup(drive->id),
                              .read_ns = now_ns,
                              .volume_count = drive->volumes.count};
    reading.failed = platform_read_health(platform, drive->id, &reading.health,
                                          NULL) != ERR_OK;
    if (!reading.failed)
        reading.baseline = find_baseline(store, drive, &reading.health);
    ARRAY_PUSH(store, reading);
    return &store->items[store->count - 1];
}

static struct platform_health copy_health(const struct platform_health *from)
{
    struct platform_health copy = *from;

    copy.attributes = xcalloc(from->attribute_count, sizeof *copy.attributes);
    for (size_t i = 0; i < from->attribute_count; i++) {
        copy.attributes[i] = from->attributes[i];
        copy.attributes[i].name = xstrdup(from->attributes[i].name);
    }
    return copy;
}

void health_store_judge(struct health_store *store, struct platform *platform,
                        struct drive *drive)
{
    const struct health_evidence evidence = {
        .failed_flushes = drive->has_failed_flush || drive->has_lost_writes};

    if (!store)
        return;
    const struct reading *reading = find_reading(store, platform, drive);
    if (reading->failed)
        return;
    drive->readings = copy_health(&reading->health);
    drive->has_readings = true;
    drive->baseline = reading->baseline;
    drive->health =
        health_judge(&reading->health, &reading->baseline, &evidence);
    for (size_t v = 0; v < drive->volumes.count; v++)
        if (!drive->volumes.items[v].has_journal)
            drive->volumes.items[v].is_dirty = reading->health.is_dirty;
}
