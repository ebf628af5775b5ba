/*
 * The mount table from bytes of all kinds: nothing may crash, every string is
 * there, and nothing that was read holds a byte that no field can hold.
 */
/* The file itself: fuzzers are linked with practice, and this part of the
 * Linux backend needs nothing of Linux. */
#include "platform/linux/linux_mountinfo.c"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_entry(const struct linux_mount_table *table,
                        const struct linux_mount_entry *entry, size_t size)
{
    check(entry->mount_point[0] == '/');
    check(strlen(entry->subtree) + strlen(entry->mount_point) +
              strlen(entry->options) + strlen(entry->type) +
              strlen(entry->source) + strlen(entry->super_options) <
          size);
    check(linux_mount_table_find(table, entry->mount_id) != NULL);
    check(*linux_family_of("fuseblk", entry->type) != '\0');
    check(linux_family_of(entry->type, "") != NULL);
    (void)linux_mount_is_visible(table, entry);
    (void)linux_mount_is_network(entry);
    (void)linux_mount_is_disk(entry);
    (void)linux_mount_is_image(entry);
    (void)linux_mount_is_journaled(entry);
    (void)linux_mount_is_read_only(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct linux_mount_table table = {.items = NULL};

    linux_mount_table_parse((const char *)data, size, &table);
    for (size_t i = 0; i < table.count; i++)
        check_entry(&table, &table.items[i], size);
    linux_mount_table_release(&table);
    return 0;
}
