/*
 * A commit file or a replica from bytes of all kinds: it is refused, or it can
 * be taken into a catalogue, in which everything then stays below where it
 * belongs, can be walked, and nothing of this host has changed.
 *
 * The first byte says whether the hash at the end is made right, so that what
 * lies behind it is reached, too.
 */
#include "core/base/path.h"
#include "core/catalogue.h"
#include "core/db.h"
#include "core/import_file.h"
#include "core/marker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VOLUME "0123456789abcdef0123456789abcdef"
#define OWN_HOST "00000000000000000000000000000001"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct catalogue *catalogue;
static struct owner own;

static void require(bool is_true)
{
    if (!is_true)
        abort();
}

static void prepare(void)
{
    const char *temporary = getenv("TMPDIR");
    CLEANUP_FREE char *path =
        xasprintf("%s/commit-fuzz-%ld.db", temporary ? temporary : "/tmp",
                  (long)getpid());
    const struct record record = {.type = ENTRY_FILE,
                                  .flags = RECORD_UNHASHED,
                                  .stamp = {.size_bytes = 7}};

    require(!catalogue_open(path, VOLUME, &catalogue, NULL));
    require(
        !catalogue_add_owner(catalogue, OWN_HOST, "docs", "docs", &own, NULL));
    require(!catalogue_put(catalogue, &own, "a", &record, NULL));
    unlink(path);
}

static err_code check_row(void *context, const char *path,
                          const char *drive_path, const struct record *record,
                          struct error *err)
{
    require(path_is_plain_relative(path));
    require(path_is_plain_relative(drive_path));
    require(!strchr(record_raw(record), '/') && *record_raw(record));
    return ERR_OK;
}

static err_code check_version(void *context, const struct version *version,
                              struct error *err)
{
    require(path_is_plain_relative(version->path));
    require(path_is_plain_relative(version->drive_path));
    require(path_is_within(version->drive_path, VERSIONS_PATH));
    return ERR_OK;
}

static void check_owner(const struct owner *owner)
{
    require(!*owner->directory || path_is_plain_relative(owner->directory));
    require(!catalogue_walk(catalogue, owner, check_row, NULL, NULL));
    require(!catalogue_walk_versions(catalogue, owner->id, "", check_version,
                                     NULL, NULL));
}

static void check_catalogue(void)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    bool has_own = false;
    int64_t files, bytes;

    require(!catalogue_list_owners(catalogue, &owners, NULL));
    for (size_t i = 0; i < owners.count; i++) {
        has_own |= owners.items[i].id == own.id;
        check_owner(&owners.items[i]);
    }
    require(has_own);
    require(!catalogue_count(catalogue, &own, &files, &bytes, NULL));
    require(files == 1 && bytes == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error err = ERROR_INIT;

    if (!catalogue)
        prepare();
    if (!size)
        return 0;
    strbuf_add(&bytes, data + 1, size - 1);
    if (data[0]) {
        struct hash hash = hash_of(bytes.text, bytes.length);
        strbuf_add(&bytes, hash.bytes, HASH_BYTES);
    }
    const struct commit_source source = {
        .fd = -1,
        .bytes = bytes.text,
        .length = bytes.length,
        .limit_bytes = COMMIT_LIMIT_BYTES,
        .name = "fuzz",
    };
    err_code checked = commit_check(&source, &err);
    require(checked == ERR_OK || checked == ERR_CORRUPT ||
            checked == ERR_TOO_NEW);
    require(checked == ERR_OK || *err.message);
    require(!db_begin(catalogue_db(catalogue), NULL));
    err_code code = import_file(catalogue, OWN_HOST, &source, &err);
    require(code || !checked); /* what is not whole is not taken */
    if (!code)
        check_catalogue();
    db_rollback(catalogue_db(catalogue));
    return 0;
}
