#include "core/record.h"

#include "core/base/clock.h"

#include <stdlib.h>
#include <string.h>

#define CODEC_VERSION 1
/* The same, with extended attributes before the hash. */
#define CODEC_WITH_ATTRIBUTES 2

const char *record_raw(const struct record *record)
{
    return record->raw ? record->raw : record->key;
}

const char *record_drive(const struct record *record)
{
    return record->drive ? record->drive : record->key;
}

bool record_same_attributes(const struct record *one,
                            const struct record *other)
{
    size_t length = one->attributes_length;

    return length == other->attributes_length &&
           (!length || !memcmp(one->attributes, other->attributes, length));
}

static const char *keep(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

void record_keep(struct record *record, struct arena *arena)
{
    record->key = keep(arena, record->key);
    record->raw = keep(arena, record->raw);
    record->drive = keep(arena, record->drive);
    record->link_target = keep(arena, record->link_target);
    if (record->attributes_length)
        record->attributes =
            arena_memdup(arena, record->attributes, record->attributes_length);
}

/* --- encoding: LEB128 integers, zigzag where they can be negative --- */

static void put_unsigned(struct strbuf *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t count = 0;

    do {
        bytes[count] = value & 0x7f;
        value >>= 7;
        if (value)
            bytes[count] |= 0x80;
        count++;
    } while (value);
    strbuf_add(out, bytes, count);
}

static void put_signed(struct strbuf *out, int64_t value)
{
    uint64_t bits = (uint64_t)value;

    put_unsigned(out, bits << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* 0: no string; else length + 1 and the bytes. */
static void put_string(struct strbuf *out, const char *text)
{
    if (!text) {
        put_unsigned(out, 0);
        return;
    }
    size_t length = strlen(text);
    put_unsigned(out, length + 1);
    strbuf_add(out, text, length);
}

/* Differences wrap around: any two times have one. */
static int64_t difference(int64_t of, int64_t from)
{
    return (int64_t)((uint64_t)of - (uint64_t)from);
}

void record_encode(const struct record *record, struct strbuf *out)
{
    int64_t mtime = record->source.mtime_ns;

    strbuf_addch(out, record->attributes_length ? CODEC_WITH_ATTRIBUTES
                                                : CODEC_VERSION);
    put_unsigned(out, (uint64_t)record->type);
    put_unsigned(out, record->flags);
    put_signed(out, record->source.size_bytes);
    put_signed(out, mtime);
    put_signed(out, difference(record->source.ctime_ns, mtime));
    put_signed(out, difference(record->source.btime_ns, mtime));
    put_unsigned(out, record->source.inode);
    put_unsigned(out, record->source.side);
    put_signed(out,
               difference(record->stamp.size_bytes, record->source.size_bytes));
    put_signed(out, difference(record->stamp.mtime_ns, mtime));
    put_unsigned(out, record->mode);
    put_unsigned(out, record->uid);
    put_unsigned(out, record->gid);
    put_signed(out, record->committed_ns);
    put_signed(out, record->verified_ns);
    put_signed(out, record->child);
    put_string(out, record->raw);
    put_string(out, record->drive);
    put_string(out, record->link_target);
    if (record->attributes_length) {
        put_unsigned(out, record->attributes_length);
        strbuf_add(out, record->attributes, record->attributes_length);
    }
    if (record->type == ENTRY_FILE && !(record->flags & RECORD_UNHASHED))
        strbuf_add(out, record->hash.bytes, HASH_BYTES);
}

/* --- decoding: a cursor that remembers its first failure --- */

struct cursor {
    const unsigned char *at, *end;
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

static int64_t get_difference(struct cursor *in, int64_t from)
{
    return (int64_t)((uint64_t)get_signed(in) + (uint64_t)from);
}

static uint32_t get_32(struct cursor *in)
{
    uint64_t value = get_unsigned(in);

    if (value > UINT32_MAX)
        in->failed = true;
    return (uint32_t)value;
}

static const char *get_string(struct cursor *in, struct arena *arena)
{
    uint64_t length = get_unsigned(in);

    if (!length || in->failed)
        return NULL;
    length--;
    if (length > (uint64_t)(in->end - in->at) ||
        memchr(in->at, '\0', (size_t)length)) {
        in->failed = true;
        return NULL;
    }
    const char *text =
        arena_strndup(arena, (const char *)in->at, (size_t)length);
    in->at += length;
    return text;
}

static void get_attributes(struct cursor *in, struct arena *arena,
                           struct record *out)
{
    uint64_t length = get_unsigned(in);

    if (in->failed || !length || length > PLATFORM_ATTRIBUTES_MOST ||
        length > (uint64_t)(in->end - in->at)) {
        in->failed = true;
        return;
    }
    out->attributes = arena_memdup(arena, in->at, (size_t)length);
    out->attributes_length = (size_t)length;
    in->at += length;
}

static void get_hash(struct cursor *in, struct hash *hash)
{
    if (in->end - in->at < HASH_BYTES) {
        in->failed = true;
        return;
    }
    memcpy(hash->bytes, in->at, HASH_BYTES);
    in->at += HASH_BYTES;
}

static enum entry_type get_type(struct cursor *in)
{
    uint64_t type = get_unsigned(in);

    if (type > ENTRY_SYMLINK)
        in->failed = true;
    return (enum entry_type)type;
}

err_code record_decode(const void *bytes, size_t length, struct arena *arena,
                       struct record *out, struct error *err)
{
    struct cursor in = {.at = bytes};
    struct record record = {.key = NULL};

    if (length < 1 ||
        (*in.at != CODEC_VERSION && *in.at != CODEC_WITH_ATTRIBUTES))
        return error_set(err, ERR_CORRUPT, "a catalogue row of unknown form %d",
                         length ? *in.at : -1);
    in.end = in.at + length;
    bool has_attributes = *in.at++ == CODEC_WITH_ATTRIBUTES;
    record.type = get_type(&in);
    record.flags = get_32(&in);
    record.source.size_bytes = get_signed(&in);
    record.source.mtime_ns = get_signed(&in);
    int64_t mtime = record.source.mtime_ns;
    record.source.ctime_ns = get_difference(&in, mtime);
    record.source.btime_ns = get_difference(&in, mtime);
    record.source.inode = get_unsigned(&in);
    record.source.side = get_unsigned(&in);
    record.stamp.size_bytes = get_difference(&in, record.source.size_bytes);
    record.stamp.mtime_ns = get_difference(&in, mtime);
    record.mode = get_32(&in);
    record.uid = get_32(&in);
    record.gid = get_32(&in);
    record.committed_ns = get_signed(&in);
    record.verified_ns = get_signed(&in);
    record.child = get_signed(&in);
    record.raw = get_string(&in, arena);
    record.drive = get_string(&in, arena);
    record.link_target = get_string(&in, arena);
    if (has_attributes)
        get_attributes(&in, arena, &record);
    if (record.type == ENTRY_FILE && !(record.flags & RECORD_UNHASHED))
        get_hash(&in, &record.hash);
    if (in.failed || in.at != in.end)
        return error_set(err, ERR_CORRUPT, "a damaged catalogue row");
    *out = record;
    return ERR_OK;
}

/* --- comparing --- */

struct signature signature_of(const struct platform_stat *stat)
{
    return (struct signature){
        .size_bytes = stat->size_bytes,
        .mtime_ns = stat->mtime_ns,
        .ctime_ns = stat->ctime_ns,
        .btime_ns = stat->btime_ns,
        .inode = stat->inode,
    };
}

/* A tick of the coarsest kernel clock (100 Hz), doubled. */
#define TICK_NS (20 * NS_PER_MS)
/* Of filesystems that keep whole seconds (ext3, HFS+; FAT: every second one).
 */
#define COARSE_TICK_NS (2 * NS_PER_SECOND)

static int64_t tick_of(int64_t time_ns)
{
    return time_ns % NS_PER_SECOND ? TICK_NS : COARSE_TICK_NS;
}

bool signature_is_racy(const struct signature *signature, int64_t read_ns)
{
    int64_t changed = signature->ctime_ns, modified = signature->mtime_ns;

    /* FAT's change time is none. A time set into the future is not recent. */
    return changed > read_ns - tick_of(changed) ||
           (modified > read_ns - tick_of(modified) &&
            modified <= read_ns + COARSE_TICK_NS);
}

uint64_t side_digest(const struct platform_stat *wal)
{
    const int64_t parts[] = {wal->size_bytes, wal->mtime_ns,
                             (int64_t)wal->inode};
    uint64_t digest;

    if (!wal->size_bytes)
        return 0;
    struct hash hash = hash_of(parts, sizeof parts);
    memcpy(&digest, hash.bytes, sizeof digest);
    return digest ? digest : 1;
}

enum signature_match signature_compare(const struct signature *recorded,
                                       const struct signature *now)
{
    if (recorded->size_bytes != now->size_bytes ||
        recorded->mtime_ns != now->mtime_ns || recorded->side != now->side)
        return SIGNATURE_CHANGED;
    if (recorded->ctime_ns != now->ctime_ns || recorded->inode != now->inode ||
        recorded->btime_ns != now->btime_ns)
        return SIGNATURE_DOUBTFUL;
    return SIGNATURE_SAME;
}

bool stamp_equal(struct stamp one, struct stamp other, int64_t tolerance_ns)
{
    uint64_t apart = one.mtime_ns > other.mtime_ns
                         ? (uint64_t)one.mtime_ns - (uint64_t)other.mtime_ns
                         : (uint64_t)other.mtime_ns - (uint64_t)one.mtime_ns;

    return one.size_bytes == other.size_bytes &&
           apart <= (uint64_t)tolerance_ns;
}

struct stamp stamp_of(const struct platform_stat *stat)
{
    return (struct stamp){.size_bytes = stat->size_bytes,
                          .mtime_ns = stat->mtime_ns};
}

bool entry_type_of(enum platform_type type, enum entry_type *out)
{
    switch (type) {
    case PLATFORM_FILE:
        *out = ENTRY_FILE;
        return true;
    case PLATFORM_DIRECTORY:
        *out = ENTRY_DIRECTORY;
        return true;
    case PLATFORM_SYMLINK:
        *out = ENTRY_SYMLINK;
        return true;
    case PLATFORM_OTHER:
        break;
    }
    return false;
}
