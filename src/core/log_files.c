#include "core/log_files.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/marker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a drive holds is not trusted to be few. */
#define NAME_LIMIT 100000

void log_files_release(struct log_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i].name);
    free(files->items);
    *files = (struct log_files){.items = NULL};
}

static bool take_hex(const char **at, size_t length, char *out)
{
    if (strspn(*at, "0123456789abcdef") != length)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
    return true;
}

/* HOST-SEQUENCE-GENERATION.KIND, the sequence as 16 hexadecimal digits. */
static bool parse_name(const char *name, struct log_file *out)
{
    char sequence[17];
    const char *at = name;

    if (!take_hex(&at, HOST_ID_HEX_LENGTH, out->host) || *at++ != '-' ||
        !take_hex(&at, 16, sequence) || *at++ != '-' ||
        !take_hex(&at, GENERATION_LENGTH, out->generation))
        return false;
    uint64_t number = strtoull(sequence, NULL, 16);
    out->is_replica = !strcmp(at, ".replica");
    out->sequence = (int64_t)number;
    return number && number < INT64_MAX / 2 &&
           (out->is_replica || !strcmp(at, ".commit"));
}

static err_code collect(void *context, const struct platform_entry *entry,
                        struct error *err)
{
    struct log_files *files = context;
    struct log_file file = {.name = NULL};

    if (files->count >= NAME_LIMIT || !parse_name(entry->name, &file))
        return ERR_OK;
    file.name = xstrdup(entry->name);
    ARRAY_PUSH(files, file);
    return ERR_OK;
}

static int compare_names(const void *one, const void *other)
{
    const struct log_file *left = one, *right = other;

    return strcmp(left->name, right->name);
}

err_code log_files_list(int root_fd, struct log_files *out, struct error *err)
{
    struct log_files files = {.items = NULL};
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(root_fd, COMMITS_PATH,
                                          PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (!code)
        code = platform_list_directory(fd, collect, &files, err);
    /* Something else stands there: as good as nothing. */
    if (code == ERR_NOT_FOUND || code == ERR_CHANGED)
        code = ERR_OK;
    if (code) {
        log_files_release(&files);
        return code;
    }
    if (files.count)
        qsort(files.items, files.count, sizeof *files.items, compare_names);
    *out = files;
    return ERR_OK;
}

err_code log_file_open(const struct volume *volume, const struct log_file *file,
                       int *out_fd, struct commit_source *out,
                       struct error *err)
{
    CLEANUP_FREE char *path = path_join(COMMITS_PATH, file->name);
    err_code code = platform_open_beneath(volume->root_fd, path,
                                          PLATFORM_OPEN_READ, out_fd, err);

    if (code)
        return code;
    *out = (struct commit_source){
        .fd = *out_fd,
        .limit_bytes =
            file->is_replica ? REPLICA_LIMIT_BYTES : COMMIT_LIMIT_BYTES,
        .name = file->name,
    };
    return ERR_OK;
}

bool log_file_is_as_named(const struct volume *volume,
                          const struct log_file *file,
                          const struct commit_header *header)
{
    return !strcmp(header->volume, volume->marker.id) &&
           !strcmp(header->host, file->host) &&
           header->sequence == file->sequence &&
           !strcmp(header->generation, file->generation) &&
           (header->kind != COMMIT_BATCH) == file->is_replica;
}
