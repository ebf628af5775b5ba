/*
 * Rows of a catalogue from bytes of all kinds: they come back from drives.
 * What is read holds nothing that its bytes did not say: encoding it again
 * gives the same record.
 */
#include "core/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_string(const char *text, size_t size)
{
    require(!text || strlen(text) < size);
}

static bool same_string(const char *one, const char *other)
{
    return one == other || (one && other && !strcmp(one, other));
}

static bool same_record(const struct record *one, const struct record *other)
{
    return one->type == other->type && one->flags == other->flags &&
           same_string(one->raw, other->raw) &&
           same_string(one->drive, other->drive) &&
           same_string(one->link_target, other->link_target) &&
           signature_compare(&one->source, &other->source) == SIGNATURE_SAME &&
           stamp_equal(one->stamp, other->stamp, 0) &&
           hash_equal(&one->hash, &other->hash) && one->mode == other->mode &&
           one->uid == other->uid && one->gid == other->gid &&
           one->committed_ns == other->committed_ns &&
           one->verified_ns == other->verified_ns && one->child == other->child;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error err = ERROR_INIT;
    struct record record, again;
    err_code code = record_decode(data, size, &arena, &record, &err);

    require(code == ERR_OK || code == ERR_CORRUPT);
    require(code == ERR_OK || *err.message);
    if (code)
        return 0;
    require(record.type <= ENTRY_SYMLINK);
    check_string(record.raw, size);
    check_string(record.drive, size);
    check_string(record.link_target, size);
    record_encode(&record, &bytes);
    require(bytes.length <= size);
    require(!record_decode(bytes.text, bytes.length, &arena, &again, NULL));
    require(same_record(&record, &again));
    return 0;
}
