#include "platform/linux/linux_block.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"
#include "core/base/thread.h"
#include "platform/linux/linux_volume.h"

#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { SECTOR_BYTES = 512 }; /* of the attribute "size", whatever the disk's */

bool linux_has_udev(void)
{
    return !access("/run/udev/control", F_OK);
}

/* --- probes --- */

struct probe {
    dev_t number;
    char *path; /* in sysfs: another device with the number is another probe */
    struct linux_facts facts;
};

struct linux_probes {
    pthread_mutex_t mutex; /* guards the rest; held while devices are read */
    struct probe *items;
    size_t count, capacity;
};

struct linux_probes *linux_probes_new(void)
{
    struct linux_probes *probes = xcalloc(1, sizeof *probes);

    mutex_init(&probes->mutex);
    return probes;
}

static void probes_drop(struct linux_probes *probes)
{
    for (size_t i = 0; i < probes->count; i++) {
        free(probes->items[i].path);
        linux_facts_release(&probes->items[i].facts);
    }
    probes->count = 0;
}

void linux_probes_free(struct linux_probes *probes)
{
    if (!probes)
        return;
    probes_drop(probes);
    free(probes->items);
    mutex_destroy(&probes->mutex);
    free(probes);
}

void linux_probes_forget(struct linux_probes *probes)
{
    mutex_lock(&probes->mutex);
    probes_drop(probes);
    mutex_unlock(&probes->mutex);
}

/* Borrowed; the mutex is held. */
static const struct linux_facts *probe_of(struct linux_probes *probes,
                                          const struct linux_block *block)
{
    struct probe probe = {.number = block->number};

    for (size_t i = 0; i < probes->count; i++)
        if (probes->items[i].number == block->number &&
            !strcmp(probes->items[i].path, block->path))
            return &probes->items[i].facts;
    probe.path = xstrdup(block->path);
    linux_facts_ask(block->number, "", true, &probe.facts);
    ARRAY_PUSH(probes, probe);
    return &probes->items[probes->count - 1].facts;
}

static void set(char **field, const char *value)
{
    char *copy = xstrdup(value ? value : "");

    free(*field);
    *field = copy;
}

static void add_probe(struct linux_probes *probes, struct linux_block *block)
{
    mutex_lock(&probes->mutex);
    const struct linux_facts *facts = probe_of(probes, block);
    set(&block->fs_type, facts->type);
    set(&block->fs_label, facts->label);
    set(&block->fs_member, facts->member);
    free(block->fs_uuid);
    block->fs_uuid =
        linux_volume_canonical_uuid(facts->uuid ? facts->uuid : "");
    mutex_unlock(&probes->mutex);
    block->is_known = true;
}

/* --- what udev says --- */

static const char *property(struct udev_device *device, const char *name)
{
    const char *value = udev_device_get_property_value(device, name);

    return value ? value : "";
}

/* "Expansion\x20\x20\x20" -> "Expansion" */
static char *decoded_property(struct udev_device *device, const char *name)
{
    char *text = linux_volume_decode_label(property(device, name));
    size_t length = strlen(text);
    size_t blanks = strspn(text, " ");

    while (length > blanks && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    memmove(text, text + blanks, length - blanks + 1);
    return text;
}

/*
 * Where a USB bridge lets ATA IDENTIFY through, ID_MODEL is that of the disk
 * in the case ("ST5000LM000-2AN170") and ID_BUS says "ata"; what is printed on
 * the case is kept as ID_USB_… (60-persistent-storage.rules: ata_id runs
 * before usb_id, which then leaves ID_MODEL alone).
 */
static void add_names(struct udev_device *device, struct linux_block *block)
{
    free(block->vendor);
    free(block->model);
    block->vendor = decoded_property(device, "ID_USB_VENDOR_ENC");
    block->model = decoded_property(device, "ID_USB_MODEL_ENC");
    if (*block->model)
        return;
    free(block->vendor);
    free(block->model);
    block->vendor = decoded_property(device, "ID_VENDOR_ENC");
    block->model = decoded_property(device, "ID_MODEL_ENC");
}

/*
 * The database is files below /run/udev: no daemon is asked. The kernel's node
 * comes first, what blkid found on it after: a device that udev is not done
 * with (it has no USEC_INITIALIZED) says nothing of its filesystem yet.
 */
static void add_udev(struct udev *udev, struct linux_block *block)
{
    struct udev_device *device =
        udev ? udev_device_new_from_syspath(udev, block->path) : NULL;

    if (!device)
        return;
    const char *since = property(device, "USEC_INITIALIZED");
    block->is_known = *since != '\0';
    block->known_since_us = strtoll(since, NULL, 10);
    block->is_ignored = !strcmp(property(device, "UDISKS_IGNORE"), "1");
    block->has_disc = !strcmp(property(device, "ID_CDROM_MEDIA"), "1");
    set(&block->fs_type, property(device, "ID_FS_TYPE"));
    set(&block->fs_member, property(device, "ID_FS_UUID_SUB"));
    free(block->fs_label);
    block->fs_label =
        linux_volume_decode_label(property(device, "ID_FS_LABEL_ENC"));
    free(block->fs_uuid);
    block->fs_uuid =
        linux_volume_canonical_uuid(property(device, "ID_FS_UUID"));
    set(&block->serial, property(device, "ID_SERIAL_SHORT"));
    if (!*block->disk)
        add_names(device, block);
    udev_device_unref(device);
}

/* --- what the kernel says --- */

/* Memory, floppies that cannot be asked, and the boot areas of an eMMC. */
static bool is_skipped(const char *name)
{
    static const char *const prefixes[] = {"ram", "zram", "fd"};

    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return true;
    return !strncmp(name, "mmcblk", 6) &&
           (strstr(name, "boot") || strstr(name, "rpmb"));
}

static bool read_number(const char *path, dev_t *out)
{
    CLEANUP_FREE char *text = linux_sysfs_text(path, "dev");
    unsigned major_number, minor_number;

    if (sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
        return false;
    *out = makedev(major_number, minor_number);
    return true;
}

/* "cciss!c0d0" -> "/dev/cciss/c0d0" */
static char *node_of(const struct linux_block *block)
{
    if (*block->dm_name)
        return path_join("/dev/mapper", block->dm_name);
    char *node = path_join("/dev", block->name);
    for (char *at = node; *at; at++)
        if (*at == '!')
            *at = '/';
    return node;
}

/*
 * The words of SCSI for a disk that udev says nothing of. "ATA" is what libata
 * says of every disk (drivers/ata/libata-scsi.c, ata_scsiop_inq_std); of a
 * virtio disk "vendor" is a number.
 */
static void add_kernel_names(struct linux_block *block)
{
    CLEANUP_FREE char *device = path_join(block->path, "device");
    CLEANUP_FREE char *subsystem = linux_sysfs_link_name(device, "subsystem");

    if (!*block->model && *block->backing_file)
        set(&block->model, path_name(block->backing_file));
    if (!*block->model) {
        bool is_scsi = !strcmp(subsystem, "scsi");
        bool is_card = !strcmp(subsystem, "mmc");
        free(block->model);
        block->model = linux_sysfs_text(device, is_card ? "name" : "model");
        free(block->vendor);
        block->vendor =
            is_scsi ? linux_sysfs_text(device, "vendor") : xstrdup("");
    }
    if (!strcmp(block->vendor, "ATA"))
        *block->vendor = '\0';
    if (!*block->serial) {
        free(block->serial);
        block->serial = linux_sysfs_text(device, "serial");
    }
    if (!*block->serial) {
        free(block->serial);
        block->serial = linux_sysfs_text(block->path, "serial");
    }
}

static void block_release(struct linux_block *block)
{
    free(block->name);
    free(block->path);
    free(block->node);
    free(block->disk);
    free(block->fs_type);
    free(block->fs_label);
    free(block->fs_uuid);
    free(block->fs_member);
    free(block->dm_name);
    free(block->dm_uuid);
    free(block->backing_file);
    free(block->vendor);
    free(block->model);
    free(block->serial);
    linux_names_release(&block->slaves);
    linux_names_release(&block->holders);
}

static char *disk_of(const char *path)
{
    if (!linux_sysfs_has(path, "partition"))
        return xstrdup("");
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
    return xstrdup(path_name(parent));
}

/* False for what is not there, has no medium or is never shown. */
static bool read_kernel(const char *name, struct linux_block *out)
{
    CLEANUP_FREE char *path = linux_sysfs_of_block(name);
    dev_t number;

    if (is_skipped(name) || !path || !read_number(path, &number))
        return false;
    int64_t sectors = linux_sysfs_number(path, "size", 0);
    if (sectors <= 0 || linux_sysfs_number(path, "hidden", 0))
        return false;
    CLEANUP_FREE char *holders = path_join(path, "holders");
    CLEANUP_FREE char *slaves = path_join(path, "slaves");
    *out = (struct linux_block){
        .name = xstrdup(name),
        .disk = disk_of(path),
        .number = number,
        .size_bytes = sectors * SECTOR_BYTES,
        .is_read_only = linux_sysfs_number(path, "ro", 0) != 0,
        .fs_type = xstrdup(""),
        .fs_label = xstrdup(""),
        .fs_uuid = xstrdup(""),
        .fs_member = xstrdup(""),
        .dm_name = linux_sysfs_text(path, "dm/name"),
        .dm_uuid = linux_sysfs_text(path, "dm/uuid"),
        .backing_file = linux_sysfs_text(path, "loop/backing_file"),
        .vendor = xstrdup(""),
        .model = xstrdup(""),
        .serial = xstrdup(""),
    };
    linux_sysfs_list(holders, &out->holders);
    linux_sysfs_list(slaves, &out->slaves);
    out->path = TAKE_PTR(path);
    out->node = node_of(out);
    return true;
}

void linux_blocks_read(struct linux_probes *probes, struct linux_blocks *out)
{
    CLEANUP(linux_names_release) struct linux_names names = {.items = NULL};
    struct udev *udev = udev_new();

    *out = (struct linux_blocks){.items = NULL};
    linux_sysfs_list("/sys/class/block", &names);
    for (size_t i = 0; i < names.count; i++) {
        struct linux_block block;
        if (!read_kernel(names.items[i], &block))
            continue;
        add_udev(udev, &block);
        if (!*block.disk)
            add_kernel_names(&block);
        if (probes && !*block.fs_type)
            add_probe(probes, &block);
        ARRAY_PUSH(out, block);
    }
    if (udev)
        udev_unref(udev);
}

void linux_blocks_release(struct linux_blocks *blocks)
{
    for (size_t i = 0; i < blocks->count; i++)
        block_release(&blocks->items[i]);
    free(blocks->items);
    *blocks = (struct linux_blocks){.items = NULL};
}

const struct linux_block *linux_blocks_find(const struct linux_blocks *blocks,
                                            const char *name)
{
    for (size_t i = 0; i < blocks->count; i++)
        if (!strcmp(blocks->items[i].name, name))
            return &blocks->items[i];
    return NULL;
}
