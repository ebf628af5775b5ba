#include "core/commit_file.h"
#include "core/commit_form.h"

#include "core/base/fdio.h"

#include <stdlib.h>
#include <string.h>

const char commit_magic[COMMIT_MAGIC_LENGTH + 1] = "berth commit\n";

#define FLUSH_BYTES ((size_t)64 * 1024)

/* --- integers and strings, as in record.c --- */

static void put_unsigned(struct strbuf *out, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        strbuf_addch(out, (char)((value & 0x7f) | 0x80));
    strbuf_addch(out, (char)value);
}

static void put_signed(struct strbuf *out, int64_t value)
{
    put_unsigned(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_bytes(struct strbuf *out, const void *bytes, size_t length)
{
    put_unsigned(out, length);
    strbuf_add(out, bytes, length);
}

static void put_string(struct strbuf *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

/* 0: none, else 1 and the string. */
static void put_optional(struct strbuf *out, const char *text)
{
    put_unsigned(out, text != NULL);
    if (text)
        put_string(out, text);
}

/* A directory's id means nothing elsewhere. */
static void put_record(struct strbuf *out, const struct record *record)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct record portable = *record;

    portable.child = 0;
    record_encode(&portable, &bytes);
    put_bytes(out, bytes.text, bytes.length);
}

static void put_path(struct commit_writer *writer, struct strbuf *out,
                     const char *path)
{
    size_t shared = 0;

    while (path[shared] && path[shared] == writer->path.text[shared])
        shared++;
    put_unsigned(out, shared);
    put_string(out, path + shared);
    strbuf_truncate(&writer->path, shared);
    strbuf_adds(&writer->path, path + shared);
}

/* --- the file --- */

static void flush(struct commit_writer *writer)
{
    if (writer->fd < 0 || writer->failed)
        return;
    writer->failed =
        fd_write_full(writer->fd, writer->bytes.text, writer->bytes.length);
    strbuf_truncate(&writer->bytes, 0);
}

static void emit(struct commit_writer *writer, const void *bytes, size_t length)
{
    hasher_add(writer->hasher, bytes, length);
    strbuf_add(&writer->bytes, bytes, length);
    writer->written_bytes += (int64_t)length;
    if (writer->bytes.length >= FLUSH_BYTES)
        flush(writer);
}

static void emit_item(struct commit_writer *writer, const struct strbuf *item)
{
    CLEANUP(strbuf_release) struct strbuf length = STRBUF_INIT;

    put_unsigned(&length, item->length);
    emit(writer, length.text, length.length);
    emit(writer, item->text, item->length);
}

void commit_writer_init(struct commit_writer *writer, int fd,
                        const struct commit_header *header)
{
    CLEANUP(strbuf_release) struct strbuf item = STRBUF_INIT;
    const char format = COMMIT_FORMAT;

    *writer = (struct commit_writer){.bytes = STRBUF_INIT,
                                     .fd = fd,
                                     .hasher = hasher_new(),
                                     .path = STRBUF_INIT};
    emit(writer, commit_magic, COMMIT_MAGIC_LENGTH);
    emit(writer, &format, 1);
    put_unsigned(&item, (uint64_t)header->kind);
    put_string(&item, header->volume);
    put_string(&item, header->host);
    put_string(&item, header->label);
    put_signed(&item, header->sequence);
    put_string(&item, header->generation);
    put_string(&item, header->parent);
    put_signed(&item, header->run);
    put_signed(&item, header->committed_ns);
    emit_item(writer, &item);
}

void commit_writer_release(struct commit_writer *writer)
{
    strbuf_release(&writer->bytes);
    strbuf_release(&writer->path);
    hasher_free(writer->hasher);
    writer->hasher = NULL;
}

static void put_owner(struct strbuf *out, const struct owner *owner)
{
    put_string(out, owner->job);
    put_string(out, owner->directory);
    put_string(out, owner->source_identity);
    put_signed(out, owner->claims);
    put_signed(out, owner->last_full_ns);
    put_signed(out, owner->last_sync_ns);
}

static void put_run(struct strbuf *out, const struct run *run)
{
    const struct run_counts *counts = &run->counts;
    const int64_t numbers[COMMIT_RUN_NUMBERS] = {
        run->id,
        run->started_ns,
        run->ended_ns,
        run->exit_code,
        counts->files_new,
        counts->files_updated,
        counts->files_renamed,
        counts->files_deleted,
        counts->directories_made,
        counts->directories_removed,
        counts->bytes_copied,
        counts->failed,
        counts->held,
        counts->skipped,
    };

    put_string(out, run->jobs);
    for (size_t i = 0; i < COMMIT_RUN_NUMBERS; i++)
        put_signed(out, numbers[i]);
}

static void put_intent(struct commit_writer *writer, struct strbuf *out,
                       const struct intent *intent)
{
    put_unsigned(out, (uint64_t)intent->kind);
    put_path(writer, out, intent->path);
    put_optional(out, intent->old_path);
    put_optional(out, intent->version);
    put_optional(out, intent_uses_version(intent) ? intent->from : NULL);
    put_unsigned(out, (uint64_t)intent->reason);
    put_signed(out, intent->before.size_bytes);
    put_signed(out, intent->before.mtime_ns);
    put_unsigned(out, intent->forget);
    put_record(out, &intent->record);
}

static void put_version(struct commit_writer *writer, struct strbuf *out,
                        const struct version *version)
{
    put_path(writer, out, version->path);
    put_string(out, version->drive_path);
    put_unsigned(out, (uint64_t)version->reason);
    put_signed(out, version->run);
    put_signed(out, version->created_ns);
    put_unsigned(out, version->has_record);
    if (version->has_record)
        put_record(out, &version->record);
}

void commit_write_item(struct commit_writer *writer,
                       const struct commit_item *item)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    put_unsigned(&out, (uint64_t)item->kind);
    if (item->kind != COMMIT_ITEM_OWNER && item->kind != COMMIT_ITEM_RUN)
        put_unsigned(&out, item->owner);
    switch (item->kind) {
    case COMMIT_ITEM_OWNER:
        put_owner(&out, &item->described);
        break;
    case COMMIT_ITEM_RUN:
        put_run(&out, &item->run);
        break;
    case COMMIT_ITEM_POISONED:
        put_path(writer, &out, item->path);
        break;
    case COMMIT_ITEM_INTENT:
        put_intent(writer, &out, &item->intent);
        break;
    case COMMIT_ITEM_ROW:
        put_path(writer, &out, item->path);
        put_record(&out, &item->record);
        break;
    case COMMIT_ITEM_VERSION:
        put_version(writer, &out, &item->version);
        break;
    case COMMIT_ITEM_END:
        return;
    }
    emit_item(writer, &out);
}

err_code commit_writer_finish(struct commit_writer *writer, const char *name,
                              struct error *err)
{
    emit(writer, "", 1); /* an item of length 0 */
    struct hash hash = hasher_digest(writer->hasher);
    emit(writer, hash.bytes, HASH_BYTES);
    flush(writer);
    if (writer->failed)
        return error_set_errno(err, writer->failed, "cannot write %s", name);
    return ERR_OK;
}
