#include "core/commit_file.h"
#include "core/commit_form.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/marker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Five paths and a record fit in well; no item is larger. */
#define ITEM_LIMIT_BYTES ((size_t)256 * 1024)
#define BUFFER_BYTES (2 * ITEM_LIMIT_BYTES)
/* One file; and all files of a host. */
#define SIZE_LIMIT_BYTES ((int64_t)1 << 50)
#define TOTAL_LIMIT_BYTES ((int64_t)1 << 60)
#define OWNER_LIMIT 10000
/* What paths share is written once: so much more may come out than lies in
 * the file, or a small one would fill the disk. */
#define EXPANSION_LIMIT 8
#define EXPANSION_FREE_BYTES ((int64_t)16 * 1024 * 1024)
#define NAME_LIMIT_BYTES 255

static err_code corrupt(const struct commit_reader *reader, struct error *err)
{
    return error_set(err, ERR_CORRUPT, "%s is damaged or not of this volume",
                     reader->source.name);
}

/* --- bytes --- */

static ssize_t read_source(struct commit_reader *reader, void *to, size_t room)
{
    struct commit_source *source = &reader->source;

    if (source->fd >= 0)
        return fd_read_full(source->fd, to, room);
    if (room > source->length)
        room = source->length;
    if (room)
        memcpy(to, source->bytes, room);
    source->bytes = (const char *)source->bytes + room;
    source->length -= room;
    return (ssize_t)room;
}

/* Makes `length` bytes lie at buffer[at], if there are as many. */
static err_code fill(struct commit_reader *reader, size_t length,
                     struct error *err)
{
    if (reader->end - reader->at >= length || reader->is_exhausted)
        return ERR_OK;
    memmove(reader->buffer, reader->buffer + reader->at,
            reader->end - reader->at);
    reader->end -= reader->at;
    reader->at = 0;
    size_t room = BUFFER_BYTES - reader->end;
    ssize_t got = read_source(reader, reader->buffer + reader->end, room);
    if (got < 0)
        return error_set_errno(err, errno, "cannot read %s",
                               reader->source.name);
    reader->end += (size_t)got;
    reader->is_exhausted = (size_t)got < room;
    reader->taken_bytes += got;
    if (reader->taken_bytes > reader->source.limit_bytes)
        return error_set(err, ERR_CORRUPT, "%s is too large",
                         reader->source.name);
    return ERR_OK;
}

/* Steps over `length` bytes that are there, hashing them. */
static const unsigned char *take(struct commit_reader *reader, size_t length)
{
    const unsigned char *bytes = reader->buffer + reader->at;

    hasher_add(reader->hasher, bytes, length);
    reader->at += length;
    return bytes;
}

/* --- an item: a cursor that remembers its first failure --- */

struct cursor {
    const unsigned char *at, *end;
    struct arena *arena;
    bool failed;
};

static uint64_t get_unsigned(struct cursor *in)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        unsigned char byte = *in->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    in->failed = true;
    return 0;
}

static int64_t get_signed(struct cursor *in)
{
    uint64_t bits = get_unsigned(in);

    return (int64_t)(bits >> 1 ^ (bits & 1 ? UINT64_MAX : 0));
}

static uint64_t get_below(struct cursor *in, uint64_t limit)
{
    uint64_t value = get_unsigned(in);

    if (value >= limit)
        in->failed = true;
    return in->failed ? 0 : value;
}

static const unsigned char *get_bytes(struct cursor *in, size_t *out_length)
{
    uint64_t length = get_unsigned(in);
    const unsigned char *bytes = in->at;

    if (in->failed || length > (uint64_t)(in->end - in->at)) {
        in->failed = true;
        *out_length = 0;
        return bytes;
    }
    in->at += length;
    *out_length = (size_t)length;
    return bytes;
}

static const char *get_string(struct cursor *in)
{
    size_t length;
    const unsigned char *bytes = get_bytes(in, &length);

    if (length && memchr(bytes, '\0', length))
        in->failed = true;
    return in->failed ? ""
                      : arena_strndup(in->arena, (const char *)bytes, length);
}

static void require(struct cursor *in, bool is_true)
{
    in->failed |= !is_true;
}

/* --- what a value may be --- */

static bool is_hex(const char *text, size_t length)
{
    return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

bool commit_generation_is_valid(const char *text)
{
    return is_hex(text, GENERATION_LENGTH);
}

/* Shown to people: short, and nothing that a terminal obeys. */
static bool is_plain_text(const char *text, size_t limit)
{
    size_t length = 0;

    for (; text[length]; length++)
        if ((unsigned char)text[length] < ' ' || text[length] == 0x7f)
            return false;
    return length <= limit;
}

/* What a walk can go down. */
static bool is_entry_path(const char *path)
{
    size_t depth = 1;

    for (const char *at = path; (at = strchr(at, '/')); at++)
        depth++;
    return depth < CATALOGUE_DEPTH_LIMIT && path_is_plain_relative(path);
}

static bool is_component(const char *name)
{
    return path_is_plain_relative(name) && !strchr(name, '/');
}

static bool is_on_volume(const char *path)
{
    return path_is_plain_relative(path) &&
           !path_is_within(path, BERTH_DIRECTORY);
}

static const char *get_key_path(struct cursor *in, struct strbuf *last)
{
    uint64_t shared = get_below(in, last->length + 1);
    const char *rest = get_string(in);

    if (in->failed)
        return "";
    strbuf_truncate(last, (size_t)shared);
    strbuf_adds(last, rest);
    return arena_strdup(in->arena, last->text);
}

/* `kept` says how much of it the catalogue will hold. */
enum kept { KEPT_NAME, KEPT_PATH };

static const char *get_path_of_entry(struct commit_reader *reader,
                                     struct cursor *in, enum kept kept)
{
    const char *path = get_key_path(in, &reader->path);

    require(in, is_entry_path(path));
    reader->path_bytes +=
        (int64_t)strlen(kept == KEPT_PATH ? path : path_name(path));
    require(in,
            reader->path_bytes <=
                EXPANSION_FREE_BYTES + EXPANSION_LIMIT * reader->taken_bytes);
    return path;
}

static const char *get_version_path(struct cursor *in)
{
    const char *path = get_string(in);

    require(in, path_is_plain_relative(path) &&
                    path_is_within(path, VERSIONS_PATH) &&
                    strcmp(path, VERSIONS_PATH) != 0);
    return path;
}

static void get_record(struct commit_reader *reader, struct cursor *in,
                       struct record *out)
{
    size_t length;
    const unsigned char *bytes = get_bytes(in, &length);

    *out = (struct record){.type = ENTRY_FILE};
    if (in->failed || record_decode(bytes, length, in->arena, out, NULL)) {
        in->failed = true;
        return;
    }
    require(in, !out->raw || is_component(out->raw));
    require(in, !out->drive || is_component(out->drive));
    require(in, out->stamp.size_bytes >= NO_SIZE &&
                    out->stamp.size_bytes <= SIZE_LIMIT_BYTES);
    require(in, out->source.size_bytes >= NO_SIZE &&
                    out->source.size_bytes <= SIZE_LIMIT_BYTES);
    out->child = 0;
    if (in->failed)
        return;
    reader->total_bytes += out->stamp.size_bytes + 1;
    require(in, reader->total_bytes <= TOTAL_LIMIT_BYTES);
}

static size_t get_owner_index(struct commit_reader *reader, struct cursor *in)
{
    reader->has_content = true;
    return (size_t)get_below(in, reader->owner_count);
}

/* --- items --- */

static void get_owner(struct commit_reader *reader, struct cursor *in,
                      struct owner *out)
{
    const char *job = get_string(in);
    const char *directory = get_string(in);
    const char *identity = get_string(in);

    *out = (struct owner){
        .job = arena_strdup(in->arena, job),
        .directory = arena_strdup(in->arena, directory),
        .source_identity = arena_strdup(in->arena, identity),
    };
    out->claims = get_signed(in);
    out->last_full_ns = get_signed(in);
    out->last_sync_ns = get_signed(in);
    require(in, *job && is_plain_text(job, NAME_LIMIT_BYTES));
    require(in, !*directory || is_on_volume(directory));
    require(in, is_plain_text(identity, ITEM_LIMIT_BYTES));
    require(in, out->claims >= 0 && out->claims < INT32_MAX);
    require(in, !reader->has_content && reader->owner_count < OWNER_LIMIT);
    reader->owner_count++;
}

static void get_run(struct cursor *in, struct run *out)
{
    int64_t numbers[COMMIT_RUN_NUMBERS];
    const char *jobs = get_string(in);

    require(in, is_plain_text(jobs, ITEM_LIMIT_BYTES));
    for (size_t i = 0; i < COMMIT_RUN_NUMBERS; i++)
        numbers[i] = get_signed(in);
    *out = (struct run){
        .id = numbers[0],
        .started_ns = numbers[1],
        .ended_ns = numbers[2],
        .jobs = jobs,
        .exit_code = (int)(numbers[3] & 0xff),
        .counts = {numbers[4], numbers[5], numbers[6], numbers[7], numbers[8],
                   numbers[9], numbers[10], numbers[11], numbers[12],
                   numbers[13]},
    };
}

static const char *get_optional(struct cursor *in)
{
    return get_below(in, 2) ? get_string(in) : NULL;
}

static void get_intent(struct commit_reader *reader, struct cursor *in,
                       struct intent *out)
{
    *out = (struct intent){
        .kind = (enum intent_kind)get_below(in, (uint64_t)INTENT_PRUNE + 1)};
    require(in, out->kind >= INTENT_PLACE);
    out->path = get_path_of_entry(reader, in, KEPT_NAME);
    out->old_path = get_optional(in);
    if (get_below(in, 2))
        out->version = get_version_path(in);
    if (get_below(in, 2))
        out->from = get_version_path(in);
    require(in, out->kind != INTENT_PRUNE || out->from);
    out->reason =
        (enum version_reason)get_below(in, (uint64_t)VERSION_FOREIGN + 1);
    out->before.size_bytes = get_signed(in);
    out->before.mtime_ns = get_signed(in);
    out->forget = get_below(in, 2) != 0;
    get_record(reader, in, &out->record);
    require(in, !out->old_path || is_entry_path(out->old_path));
    /* A directory is placed by a rename only, and not into itself. */
    require(in,
            out->kind != INTENT_PLACE || out->record.type != ENTRY_DIRECTORY ||
                (out->old_path && !path_is_within(out->path, out->old_path)));
}

static void get_version(struct commit_reader *reader, struct cursor *in,
                        struct version *out)
{
    *out = (struct version){.path = get_path_of_entry(reader, in, KEPT_PATH)};
    out->drive_path = get_version_path(in);
    out->reason =
        (enum version_reason)get_below(in, (uint64_t)VERSION_FOREIGN + 1);
    out->run = get_signed(in);
    out->created_ns = get_signed(in);
    out->has_record = get_below(in, 2) != 0;
    if (out->has_record)
        get_record(reader, in, &out->record);
}

static void get_item(struct commit_reader *reader, struct cursor *in,
                     struct commit_item *out)
{
    *out = (struct commit_item){.kind = (enum commit_item_kind)get_below(
                                    in, (uint64_t)COMMIT_ITEM_VERSION + 1)};
    if (out->kind > COMMIT_ITEM_RUN)
        out->owner = get_owner_index(reader, in);
    switch (out->kind) {
    case COMMIT_ITEM_OWNER:
        get_owner(reader, in, &out->described);
        break;
    case COMMIT_ITEM_RUN:
        get_run(in, &out->run);
        break;
    case COMMIT_ITEM_POISONED:
        out->path = get_path_of_entry(reader, in, KEPT_PATH);
        break;
    case COMMIT_ITEM_INTENT:
        require(in, reader->header.kind == COMMIT_BATCH);
        get_intent(reader, in, &out->intent);
        break;
    case COMMIT_ITEM_ROW:
        require(in, reader->header.kind != COMMIT_BATCH);
        out->path = get_path_of_entry(reader, in, KEPT_NAME);
        get_record(reader, in, &out->record);
        break;
    case COMMIT_ITEM_VERSION:
        require(in, reader->header.kind != COMMIT_BATCH);
        get_version(reader, in, &out->version);
        break;
    case COMMIT_ITEM_END:
        in->failed = true;
        break;
    }
    require(in, in->at == in->end);
}

/* --- the file --- */

/* The bytes of the next item, length 0 at the end of them all. */
static err_code next_item(struct commit_reader *reader, struct cursor *out,
                          struct error *err)
{
    err_code code = fill(reader, 10, err);

    if (code)
        return code;
    struct cursor length = {.at = reader->buffer + reader->at,
                            .end = reader->buffer + reader->end};
    uint64_t bytes = get_unsigned(&length);
    if (length.failed || bytes > ITEM_LIMIT_BYTES)
        return corrupt(reader, err);
    take(reader, (size_t)(length.at - (reader->buffer + reader->at)));
    code = fill(reader, (size_t)bytes, err);
    if (code)
        return code;
    if (reader->end - reader->at < bytes)
        return corrupt(reader, err);
    out->at = take(reader, (size_t)bytes);
    out->end = out->at + bytes;
    out->failed = false;
    return ERR_OK;
}

static err_code read_magic(struct commit_reader *reader, struct error *err)
{
    err_code code = fill(reader, COMMIT_MAGIC_LENGTH + 1, err);

    if (code)
        return code;
    if (reader->end < COMMIT_MAGIC_LENGTH + 1)
        return corrupt(reader, err);
    const unsigned char *magic = take(reader, COMMIT_MAGIC_LENGTH + 1);
    if (memcmp(magic, commit_magic, COMMIT_MAGIC_LENGTH) != 0 ||
        !magic[COMMIT_MAGIC_LENGTH])
        return corrupt(reader, err);
    if (magic[COMMIT_MAGIC_LENGTH] <= COMMIT_FORMAT)
        return ERR_OK;
    return error_set(err, ERR_TOO_NEW,
                     "%s was written by a newer berth (format %d, this one "
                     "knows %d): update berth on this machine",
                     reader->source.name, magic[COMMIT_MAGIC_LENGTH],
                     COMMIT_FORMAT);
}

static err_code read_header(struct commit_reader *reader, struct error *err)
{
    struct commit_header *header = &reader->header;
    struct cursor in = {.arena = &reader->kept};
    err_code code = next_item(reader, &in, err);

    if (code)
        return code;
    header->kind =
        (enum commit_kind)get_below(&in, (uint64_t)COMMIT_RESTATED + 1);
    header->volume = get_string(&in);
    header->host = get_string(&in);
    header->label = get_string(&in);
    header->sequence = get_signed(&in);
    header->generation = get_string(&in);
    header->parent = get_string(&in);
    header->run = get_signed(&in);
    header->committed_ns = get_signed(&in);
    require(&in, header->kind >= COMMIT_BATCH && in.at == in.end);
    require(&in, is_hex(header->volume, VOLUME_ID_HEX_LENGTH));
    require(&in, is_hex(header->host, HOST_ID_HEX_LENGTH));
    require(&in, is_plain_text(header->label, NAME_LIMIT_BYTES));
    require(&in, header->sequence > 0);
    require(&in, commit_generation_is_valid(header->generation));
    require(&in,
            !*header->parent || commit_generation_is_valid(header->parent));
    return in.failed ? corrupt(reader, err) : ERR_OK;
}

err_code commit_reader_open(struct commit_reader *reader,
                            const struct commit_source *source,
                            struct error *err)
{
    *reader = (struct commit_reader){.source = *source,
                                     .buffer = xmalloc(BUFFER_BYTES),
                                     .hasher = hasher_new(),
                                     .path = STRBUF_INIT,
                                     .kept = ARENA_INIT,
                                     .arena = ARENA_INIT};
    err_code code = read_magic(reader, err);
    return code ? code : read_header(reader, err);
}

void commit_reader_release(struct commit_reader *reader)
{
    free(reader->buffer);
    reader->buffer = NULL;
    hasher_free(reader->hasher);
    reader->hasher = NULL;
    strbuf_release(&reader->path);
    arena_release(&reader->kept);
    arena_release(&reader->arena);
}

/* After the last item: the hash, and nothing more. */
static err_code check_whole(struct commit_reader *reader, struct error *err)
{
    struct hash hash = hasher_digest(reader->hasher);
    err_code code = fill(reader, HASH_BYTES + 1, err);

    if (code)
        return code;
    if (reader->end - reader->at != HASH_BYTES ||
        memcmp(reader->buffer + reader->at, hash.bytes, HASH_BYTES) != 0)
        return corrupt(reader, err);
    return ERR_OK;
}

err_code commit_read_item(struct commit_reader *reader, struct commit_item *out,
                          struct error *err)
{
    struct cursor in = {.arena = &reader->arena};

    arena_reset(&reader->arena);
    err_code code = next_item(reader, &in, err);
    if (code)
        return code;
    if (in.at == in.end) {
        *out = (struct commit_item){.kind = COMMIT_ITEM_END};
        return check_whole(reader, err);
    }
    get_item(reader, &in, out);
    return in.failed ? corrupt(reader, err) : ERR_OK;
}

err_code commit_check(const struct commit_source *source, struct error *err)
{
    struct commit_reader reader;
    struct commit_item item = {.kind = COMMIT_ITEM_OWNER};
    err_code code = commit_reader_open(&reader, source, err);

    while (!code && item.kind != COMMIT_ITEM_END)
        code = commit_read_item(&reader, &item, err);
    commit_reader_release(&reader);
    return code;
}
