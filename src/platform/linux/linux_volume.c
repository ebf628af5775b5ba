#include "platform/linux/linux_volume.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"
#include "platform/linux/linux_io.h"
#include "platform/linux/linux_sysfs.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

void linux_facts_release(struct linux_facts *facts)
{
    free(facts->type);
    free(facts->uuid);
    free(facts->label);
    free(facts->member);
    *facts = (struct linux_facts){.type = NULL};
}

/* --- devices ------------------------------------------------------------ */

/* The number of a block device node; false for anything else. */
static bool node_device(const char *path, dev_t *out)
{
    struct stat found;

    if (strncmp(path, "/dev/", 5) != 0 || stat(path, &found) ||
        !S_ISBLK(found.st_mode))
        return false;
    *out = found.st_rdev;
    return true;
}

bool linux_volume_device(const struct linux_mount_entry *entry, dev_t *out)
{
    if (entry->major) {
        *out = makedev(entry->major, entry->minor);
        return true;
    }
    return node_device(entry->source, out);
}

/*
 * sysfs shows the machine's devices in containers, too, where /dev does not.
 * Without sysfs nobody can say that a device is gone.
 */
static bool device_is_present(dev_t device)
{
    char path[64];

    snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(device),
             minor(device));
    return !access(path, F_OK) || access("/sys/dev/block", F_OK);
}

bool linux_volume_is_present(const struct linux_mount_entry *entry)
{
    dev_t device;

    return !linux_volume_device(entry, &device) || device_is_present(device);
}

bool linux_volume_is_on_disk(const struct linux_mount_entry *entry)
{
    dev_t device;

    if (linux_mount_is_disk(entry))
        return true;
    return !strncmp(entry->type, "fuse", 4) &&
           node_device(entry->source, &device);
}

/* --- udev --------------------------------------------------------------- */

static int hex_digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = character ? strchr(digits, character | 0x20) : NULL;

    return found ? (int)(found - digits) : -1;
}

char *linux_volume_decode_label(const char *encoded)
{
    struct strbuf label = STRBUF_INIT;

    while (*encoded) {
        int high = -1, low = -1;
        if (encoded[0] == '\\' && encoded[1] == 'x') {
            high = hex_digit(encoded[2]);
            low = high < 0 ? -1 : hex_digit(encoded[3]);
        }
        bool is_escape = low >= 0 && high + low > 0;
        strbuf_addch(&label, is_escape ? (char)(high * 16 + low) : *encoded);
        encoded += is_escape ? 4 : 1;
    }
    return strbuf_detach(&label);
}

char *linux_volume_canonical_uuid(const char *uuid)
{
    struct strbuf canonical = STRBUF_INIT;

    for (; *uuid; uuid++) {
        if (*uuid >= 'A' && *uuid <= 'Z')
            strbuf_addch(&canonical, (char)(*uuid | 0x20));
        else if ((*uuid >= 'a' && *uuid <= 'z') ||
                 (*uuid >= '0' && *uuid <= '9'))
            strbuf_addch(&canonical, *uuid);
    }
    return strbuf_detach(&canonical);
}

static char *property_of(struct udev_device *device, const char *name)
{
    const char *value = udev_device_get_property_value(device, name);

    return value && *value ? xstrdup(value) : NULL;
}

/* The udev database is files below /run/udev: no daemon is asked. */
static void ask_udev(dev_t number, struct linux_facts *out)
{
    struct udev *udev = udev_new();
    struct udev_device *device =
        udev ? udev_device_new_from_devnum(udev, 'b', number) : NULL;

    if (device) {
        CLEANUP_FREE char *encoded = property_of(device, "ID_FS_LABEL_ENC");
        out->type = property_of(device, "ID_FS_TYPE");
        out->uuid = property_of(device, "ID_FS_UUID");
        if (encoded)
            out->label = linux_volume_decode_label(encoded);
        udev_device_unref(device);
    }
    if (udev)
        udev_unref(udev);
}

/* The name below /dev/disk/by-… of a link to the device; NULL. free() it. */
static char *name_by(const char *directory, dev_t number)
{
    DIR *stream = opendir(directory);
    char *name = NULL;

    if (!stream)
        return NULL;
    const struct dirent *entry;
    while (!name && (entry = readdir(stream))) {
        struct stat found;
        if (!fstatat(dirfd(stream), entry->d_name, &found, 0) &&
            S_ISBLK(found.st_mode) && found.st_rdev == number)
            name = linux_volume_decode_label(entry->d_name);
    }
    closedir(stream);
    return name;
}

static void ask_links(dev_t number, struct linux_facts *out)
{
    out->uuid = name_by("/dev/disk/by-uuid", number);
    if (out->uuid && !out->label)
        out->label = name_by("/dev/disk/by-label", number);
}

/* --- the device itself -------------------------------------------------- */

static char *probed_value(blkid_probe probe, const char *name)
{
    const char *value;

    return blkid_probe_lookup_value(probe, name, &value, NULL) ? NULL
                                                               : xstrdup(value);
}

/*
 * Of a mounted device the driver is known: one superblock is read instead of
 * all the places where some filesystem has one (40 reads of a cold device
 * [seen]). blkid calls ext4 by what it has, and fuseblk can be anything.
 */
static int look_only_for(blkid_probe probe, const char *driver)
{
    static const char *const drivers[] = {"ext4", "xfs", "btrfs", "exfat",
                                          "vfat"};
    char ext3[] = "ext3", ext2[] = "ext2";

    for (size_t i = 0; i < COUNT_OF(drivers); i++) {
        if (strcmp(driver, drivers[i]) != 0)
            continue;
        CLEANUP_FREE char *own = xstrdup(driver);
        char *names[] = {own, !i ? ext3 : NULL, ext2, NULL};
        return blkid_probe_filter_superblocks_type(probe, BLKID_FLTR_ONLYIN,
                                                   names);
    }
    return 0;
}

static void probe_open_device(int fd, const char *driver,
                              struct linux_facts *out)
{
    blkid_probe probe = blkid_new_probe();

    if (!probe)
        return;
    if (!blkid_probe_set_device(probe, fd, 0, 0) &&
        !blkid_probe_enable_superblocks(probe, 1) &&
        !look_only_for(probe, driver) &&
        !blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE |
                                                      BLKID_SUBLKS_UUID |
                                                      BLKID_SUBLKS_LABEL) &&
        !blkid_do_safeprobe(probe)) {
        linux_facts_release(out);
        out->type = probed_value(probe, "TYPE");
        out->uuid = probed_value(probe, "UUID");
        out->label = probed_value(probe, "LABEL");
        out->member = probed_value(probe, "UUID_SUB");
    }
    blkid_free_probe(probe);
}

/* The node is found by the kernel's name: the mount's source may be a name
 * that was never one of a node ("/dev/root"). */
static void ask_device(dev_t number, const char *driver,
                       struct linux_facts *out)
{
    CLEANUP_FREE char *name = linux_sysfs_name_of(number);
    dev_t found;

    if (!name)
        return;
    for (char *at = name; *at; at++)
        if (*at == '!') /* sysfs' way to write "cciss/c0d0" */
            *at = '/';
    CLEANUP_FREE char *node = path_join("/dev", name);
    if (!node_device(node, &found) || found != number)
        return;
    CLEANUP_FD int fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat opened;
    if (fd >= 0 && !fstat(fd, &opened) && S_ISBLK(opened.st_mode) &&
        opened.st_rdev == number)
        probe_open_device(fd, driver, out);
}

void linux_facts_ask(dev_t device, const char *driver, bool may_open,
                     struct linux_facts *out)
{
    *out = (struct linux_facts){.type = NULL};
    ask_udev(device, out);
    if (!out->uuid)
        ask_links(device, out);
    if (!out->uuid && may_open)
        ask_device(device, driver, out);
}

/* --- values ------------------------------------------------------------- */

/*
 * ext4 may live without a journal (mkfs -O ^has_journal). The driver shows
 * "<none>" for its task then (fs/ext4/sysfs.c, journal_task_show). Where that
 * cannot be read, it has none: berth is more careful then than it must be.
 */
static bool ext4_has_journal(dev_t device)
{
    CLEANUP_FREE char *name = linux_sysfs_name_of(device);
    CLEANUP(strbuf_release) struct strbuf task = STRBUF_INIT;

    if (!name)
        return false;
    CLEANUP_FREE char *path = xasprintf("/sys/fs/ext4/%s/journal_task", name);
    return !file_read(path, 256, &task, NULL) && task.length &&
           task.text[0] != '<';
}

/*
 * With a journal a rename that was cut off by the power is either done or not
 * done, and the flush of a later batch may make it durable. Without one both
 * names or neither may be there (ENGINE, Committing): each batch of renames
 * gets a barrier of its own, and a sole copy is not renamed at all.
 */
static bool has_journal(const struct linux_mount_entry *entry,
                        const char *family, dev_t device)
{
    if (!linux_mount_is_journaled(entry))
        return false;
    return strcmp(family, "ext4") != 0 || ext4_has_journal(device);
}

void linux_volume_describe(const struct linux_mount_entry *entry, bool may_open,
                           struct platform_mount *out)
{
    CLEANUP(linux_facts_release) struct linux_facts facts = {.type = NULL};
    bool is_local_disk = linux_volume_is_on_disk(entry);
    dev_t device = 0;

    if (is_local_disk && linux_volume_device(entry, &device))
        linux_facts_ask(device, entry->type, may_open, &facts);
    const char *family =
        linux_family_of(entry->type, facts.type ? facts.type : "");
    *out = (struct platform_mount){
        .mount_id = entry->mount_id,
        .attachment = xstrdup(""),
        .plug = xstrdup(""),
        .mount_point = xstrdup(entry->mount_point),
        .source = xstrdup(entry->source),
        .driver = xstrdup(entry->type),
        .family = xstrdup(family),
        .subtree = xstrdup(entry->subtree),
        .fs_uuid = linux_volume_canonical_uuid(facts.uuid ? facts.uuid : ""),
        .fs_label = xstrdup(facts.label ? facts.label : ""),
        .is_read_only = linux_mount_is_read_only(entry),
        .is_network = linux_mount_is_network(entry),
        .is_local_disk = is_local_disk,
        .has_journal = has_journal(entry, family, device),
    };
}

/* --- of a descriptor ---------------------------------------------------- */

static err_code device_gone(struct error *err)
{
    return error_set(err, ERR_DEVICE_GONE,
                     "the drive is not plugged in any more");
}

/*
 * btrfs has several devices and no number of its own; sysfs links to each:
 * /sys/fs/btrfs/FSID/devices/sda1. A link that leads nowhere is a device that
 * is gone.
 */
static err_code check_btrfs_devices(int fd, struct error *err)
{
    struct btrfs_ioctl_fs_info_args info = {.num_devices = 0};
    struct strbuf path = STRBUF_INIT;

    if (ioctl(fd, BTRFS_IOC_FS_INFO, &info))
        return ERR_OK;
    strbuf_adds(&path, "/sys/fs/btrfs/");
    for (size_t i = 0; i < sizeof info.fsid; i++)
        strbuf_addf(&path, "%s%02x",
                    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                    info.fsid[i]);
    strbuf_adds(&path, "/devices");
    DIR *stream = opendir(path.text);
    strbuf_release(&path);
    if (!stream)
        return ERR_OK;
    bool is_gone = false;
    const struct dirent *entry;
    while (!is_gone && (entry = readdir(stream)))
        is_gone = faccessat(dirfd(stream), entry->d_name, F_OK, 0) != 0;
    closedir(stream);
    return is_gone ? device_gone(err) : ERR_OK;
}

err_code platform_check_attached(int fd, struct error *err)
{
    struct stat found;
    struct statfs filesystem;

    if (fstat(fd, &found))
        return error_set_errno(err, errno, "cannot examine an open file");
    if (major(found.st_dev))
        return device_is_present(found.st_dev) ? ERR_OK : device_gone(err);
    if (!fstatfs(fd, &filesystem) &&
        (unsigned)filesystem.f_type == BTRFS_SUPER_MAGIC)
        return check_btrfs_devices(fd, err);
    return ERR_OK;
}

/*
 * Mount ids are reused at once: yank, plug in and mount gives the old one
 * again. Since Linux 6.8 there is one that is not (STATX_MNT_ID_UNIQUE,
 * include/uapi/linux/stat.h); before, the number that the block layer gives
 * each disk that appears (diskseq, 5.15, Documentation/ABI/stable/sysfs-block)
 * tells a plugged device from the one that was there before.
 */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

static void add_disk_number(dev_t device, struct strbuf *out)
{
    static const char *const places[] = {"diskseq", "../diskseq"};

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        CLEANUP_FREE char *path = xasprintf(
            "/sys/dev/block/%u:%u/%s", major(device), minor(device), places[i]);
        if (!file_read(path, 64, out, NULL))
            return;
    }
}

static char *describe_plug(int fd)
{
    struct strbuf text = STRBUF_INIT;
    struct stat device;

    if (!fstat(fd, &device))
        add_disk_number(device.st_dev, &text);
    while (text.length && text.text[text.length - 1] == '\n')
        strbuf_truncate(&text, text.length - 1);
    return strbuf_detach(&text);
}

static char *describe_attachment(int fd, const char *plug)
{
    struct strbuf text = STRBUF_INIT;
    struct statx found;

    if (!statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &found) &&
        found.stx_mask & STATX_MNT_ID_UNIQUE)
        strbuf_addf(&text, "mount %llx", (unsigned long long)found.stx_mnt_id);
    else if (!statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found))
        strbuf_addf(&text, "mount-id %llx",
                    (unsigned long long)found.stx_mnt_id);
    strbuf_addf(&text, " disk %s", plug);
    return strbuf_detach(&text);
}

err_code platform_mount_of(int fd, struct platform_mount *out,
                           struct error *err)
{
    CLEANUP(linux_mount_table_release)
    struct linux_mount_table table = {.items = NULL};
    uint64_t mount_id;
    err_code code = linux_mount_table_read(&table, err);

    if (code)
        return code;
    int is_root = linux_is_mount_root(fd);
    if (is_root < 0 || linux_mount_id(fd, &mount_id))
        return error_set_errno(err, errno, "cannot tell which mount it is");
    const struct linux_mount_entry *entry =
        linux_mount_table_find(&table, mount_id);
    if (!entry)
        return error_set(err, ERR_CHANGED,
                         "the filesystem is not mounted any more");
    linux_volume_describe(entry, true, out);
    out->is_root = is_root;
    free(out->attachment);
    free(out->plug);
    out->plug = describe_plug(fd);
    out->attachment = describe_attachment(fd, out->plug);
    return ERR_OK;
}
