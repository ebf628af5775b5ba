#include "core/base/array.h"
#include "core/marker.h"
#include "core/replica.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a drive holds is not trusted to be few. */
#define NAME_LIMIT 100000

void log_names_release(struct log_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
    *names = (struct log_names){.items = NULL};
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
static bool parse_name(const char *name, struct log_name *out)
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
    struct log_names *names = context;
    struct log_name name = {.name = NULL};

    if (names->count >= NAME_LIMIT || !parse_name(entry->name, &name))
        return ERR_OK;
    name.name = xstrdup(entry->name);
    ARRAY_PUSH(names, name);
    return ERR_OK;
}

static int compare_names(const void *one, const void *other)
{
    const struct log_name *left = one, *right = other;

    return strcmp(left->name, right->name);
}

err_code replica_list(int root_fd, struct log_names *out, struct error *err)
{
    struct log_names names = {.items = NULL};
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(root_fd, COMMITS_PATH,
                                          PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (!code)
        code = platform_list_directory(fd, collect, &names, err);
    /* Something else stands there: as good as nothing. */
    if (code == ERR_NOT_FOUND || code == ERR_CHANGED)
        code = ERR_OK;
    if (code) {
        log_names_release(&names);
        return code;
    }
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    *out = names;
    return ERR_OK;
}
