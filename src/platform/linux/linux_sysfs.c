#include "platform/linux/linux_sysfs.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/posix_io.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { ATTRIBUTE_LIMIT_BYTES = 64 * 1024 };

/* SCSI pads vendor and model with blanks: "Expansion       ". */
static char *trimmed(const char *text)
{
    size_t length;

    while (isspace((unsigned char)*text))
        text++;
    length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    return xstrndup(text, length);
}

char *linux_sysfs_text(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read(path, ATTRIBUTE_LIMIT_BYTES, &text, NULL))
        return xstrdup("");
    return trimmed(text.text);
}

int64_t linux_sysfs_number(const char *directory, const char *name,
                           int64_t fallback)
{
    CLEANUP_FREE char *text = linux_sysfs_text(directory, name);
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 0);
    return end == text || *end || errno ? fallback : number;
}

void linux_sysfs_numbers(const char *directory, const char *name, int64_t *out,
                         size_t count)
{
    CLEANUP_FREE char *text = linux_sysfs_text(directory, name);
    char *at = text;

    for (size_t i = 0; i < count; i++)
        out[i] = strtoll(at, &at, 10);
}

bool linux_sysfs_has(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);

    return !access(path, F_OK);
}

char *linux_sysfs_link_name(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);
    CLEANUP_FREE char *target = NULL;

    if (posix_read_link_at(AT_FDCWD, path, path, &target, NULL))
        return xstrdup("");
    return xstrdup(path_name(target));
}

char *linux_sysfs_of_block(const char *name)
{
    CLEANUP_FREE char *link = path_join("/sys/class/block", name);

    return realpath(link, NULL);
}

char *linux_sysfs_name_of(dev_t device)
{
    CLEANUP_FREE char *link =
        xasprintf("/sys/dev/block/%u:%u", major(device), minor(device));
    CLEANUP_FREE char *target = NULL;

    if (posix_read_link_at(AT_FDCWD, link, link, &target, NULL))
        return NULL;
    return xstrdup(path_name(target));
}

char *linux_sysfs_ancestor(const char *path, const char *subsystem,
                           const char *attribute)
{
    char *at = xstrdup(path);

    while (path_is_within(at, "/sys/devices") && strcmp(at, "/sys/devices")) {
        CLEANUP_FREE char *found = linux_sysfs_link_name(at, "subsystem");
        if (!strcmp(found, subsystem) &&
            (!attribute || linux_sysfs_has(at, attribute)))
            return at;
        at[path_parent_length(at)] = '\0';
    }
    free(at);
    return NULL;
}

static int compare_items(const void *one, const void *other)
{
    return linux_name_compare(*(char *const *)one, *(char *const *)other);
}

void linux_sysfs_list(const char *directory, struct linux_names *out)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;

    *out = (struct linux_names){.items = NULL};
    if (!stream)
        return;
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.')
            ARRAY_PUSH(out, xstrdup(entry->d_name));
    closedir(stream);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, compare_items);
}

void linux_names_release(struct linux_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct linux_names){.items = NULL};
}

/* The run of digits at `text` without leading zeros, and its end. */
static size_t digits_at(const char **text, const char **out_end)
{
    while (**text == '0' && isdigit((unsigned char)(*text)[1]))
        (*text)++;
    const char *end = *text;
    while (isdigit((unsigned char)*end))
        end++;
    *out_end = end;
    return (size_t)(end - *text);
}

int linux_name_compare(const char *one, const char *other)
{
    while (*one && *other) {
        const char *one_end, *other_end;
        if (!isdigit((unsigned char)*one) || !isdigit((unsigned char)*other)) {
            if (*one != *other)
                break;
            one++;
            other++;
            continue;
        }
        size_t one_count = digits_at(&one, &one_end);
        size_t other_count = digits_at(&other, &other_end);
        if (one_count != other_count)
            return one_count < other_count ? -1 : 1;
        int order = memcmp(one, other, one_count);
        if (order)
            return order;
        one = one_end;
        other = other_end;
    }
    return (unsigned char)*one - (unsigned char)*other;
}
