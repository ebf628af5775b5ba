#include "platform/linux/linux_mountinfo.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- one line ----------------------------------------------------------- */

/* What is left of a line. Fields stand between single spaces. */
struct cursor {
    const char *at, *end;
};

/*
 * Takes the next field, which may be empty: so is the source of a mount that
 * was given "" for it. False at the end of the line.
 */
static bool next_field(struct cursor *rest, struct cursor *out)
{
    if (!rest->at)
        return false;
    const char *space = memchr(rest->at, ' ', (size_t)(rest->end - rest->at));
    *out = (struct cursor){rest->at, space ? space : rest->end};
    rest->at = space ? space + 1 : NULL;
    return true;
}

static bool field_is(const struct cursor *field, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(field->end - field->at) == length &&
           !memcmp(field->at, text, length);
}

static int octal_digit(char character)
{
    return character >= '0' && character <= '7' ? character - '0' : -1;
}

/* The value of "\040" at `at`; -1 when it is none, or a NUL. */
static int escape_at(const char *at, const char *end)
{
    if (end - at < 4 || at[0] != '\\')
        return -1;
    int high = octal_digit(at[1]), middle = octal_digit(at[2]);
    int low = octal_digit(at[3]);
    if (high < 0 || high > 3 || middle < 0 || low < 0)
        return -1;
    int value = high * 64 + middle * 8 + low;
    return value ? value : -1;
}

/* The kernel escapes space, tab, newline, backslash and '#' (mangle()). */
static char *decode(const struct cursor *field)
{
    struct strbuf text = STRBUF_INIT;

    for (const char *at = field->at; at < field->end;) {
        int value = escape_at(at, field->end);
        strbuf_addch(&text, value < 0 ? *at : (char)value);
        at += value < 0 ? 1 : 4;
    }
    return strbuf_detach(&text);
}

/* Digits only, no sign, up to 18 of them. */
static bool read_number(const char *at, const char *end, uint64_t *out)
{
    uint64_t number = 0;

    if (at == end || end - at > 18)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *out = number;
    return true;
}

static bool read_device(const struct cursor *field,
                        struct linux_mount_entry *out)
{
    const char *colon =
        memchr(field->at, ':', (size_t)(field->end - field->at));
    uint64_t major, minor;

    if (!colon || !read_number(field->at, colon, &major) ||
        !read_number(colon + 1, field->end, &minor) || major > UINT32_MAX ||
        minor > UINT32_MAX)
        return false;
    out->major = (unsigned)major;
    out->minor = (unsigned)minor;
    return true;
}

/* "shared:5"; anything else leaves the number alone. */
static void read_group(const struct cursor *field, const char *name,
                       uint64_t *out)
{
    size_t length = strlen(name);

    if ((size_t)(field->end - field->at) > length &&
        !memcmp(field->at, name, length))
        read_number(field->at + length, field->end, out);
}

bool linux_mountinfo_parse_line(const char *line, size_t length,
                                struct linux_mount_entry *out)
{
    struct cursor rest = {line, line + length};
    struct cursor id, parent, device, subtree, mount_point, options;
    struct cursor optional, type, source, super_options;
    struct linux_mount_entry entry = {.mount_id = 0};

    if (memchr(line, '\0', length) || !next_field(&rest, &id) ||
        !next_field(&rest, &parent) || !next_field(&rest, &device) ||
        !next_field(&rest, &subtree) || !next_field(&rest, &mount_point) ||
        !next_field(&rest, &options))
        return false;
    do { /* "shared:1 master:2", any number of them, end with a dash */
        if (!next_field(&rest, &optional))
            return false;
        read_group(&optional, "shared:", &entry.peers);
        read_group(&optional, "master:", &entry.master);
    } while (!field_is(&optional, "-"));
    if (!next_field(&rest, &type) || !next_field(&rest, &source) ||
        !next_field(&rest, &super_options) ||
        !read_number(id.at, id.end, &entry.mount_id) ||
        !read_number(parent.at, parent.end, &entry.parent_id) ||
        !read_device(&device, &entry) || mount_point.at == mount_point.end ||
        *mount_point.at != '/')
        return false;
    entry.subtree = decode(&subtree);
    entry.mount_point = decode(&mount_point);
    entry.options = decode(&options);
    entry.type = decode(&type);
    entry.source = decode(&source);
    entry.super_options = decode(&super_options);
    *out = entry;
    return true;
}

void linux_mount_entry_release(struct linux_mount_entry *entry)
{
    free(entry->subtree);
    free(entry->mount_point);
    free(entry->options);
    free(entry->type);
    free(entry->source);
    free(entry->super_options);
    *entry = (struct linux_mount_entry){.mount_id = 0};
}

/* --- the table ---------------------------------------------------------- */

void linux_mount_table_parse(const char *text, size_t length,
                             struct linux_mount_table *out)
{
    const char *end = text + length;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        struct linux_mount_entry entry;
        if (linux_mountinfo_parse_line(text, (size_t)(line_end - text), &entry))
            ARRAY_PUSH(out, entry);
        text = newline ? newline + 1 : end;
    }
}

err_code linux_mount_table_read(struct linux_mount_table *out,
                                struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code =
        file_read("/proc/self/mountinfo", 64 * 1024 * 1024, &text, err);

    if (!code)
        linux_mount_table_parse(text.text, text.length, out);
    return code;
}

void linux_mount_table_release(struct linux_mount_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        linux_mount_entry_release(&table->items[i]);
    free(table->items);
    *table = (struct linux_mount_table){.items = NULL};
}

const struct linux_mount_entry *linux_mount_table_find(
    const struct linux_mount_table *table, uint64_t mount_id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].mount_id == mount_id)
            return &table->items[i];
    return NULL;
}

/* Whether `entry` is mounted on `parent`, or, for NULL, on nothing we see. */
static bool is_mounted_on(const struct linux_mount_table *table,
                          const struct linux_mount_entry *entry,
                          const struct linux_mount_entry *parent)
{
    if (parent)
        return entry != parent && entry->parent_id == parent->mount_id;
    return entry->parent_id == entry->mount_id ||
           !linux_mount_table_find(table, entry->parent_id);
}

/*
 * The mount that a walk along `path` steps into first, once it is on
 * `parent`. Of two at one place the later line is the one on top.
 */
static const struct linux_mount_entry *step_into(
    const struct linux_mount_table *table,
    const struct linux_mount_entry *parent, const char *path)
{
    const struct linux_mount_entry *found = NULL;

    for (size_t i = 0; i < table->count; i++) {
        const struct linux_mount_entry *entry = &table->items[i];
        if (path_is_within(path, entry->mount_point) &&
            (!found ||
             strlen(entry->mount_point) <= strlen(found->mount_point)) &&
            is_mounted_on(table, entry, parent))
            found = entry;
    }
    return found;
}

bool linux_mount_is_visible(const struct linux_mount_table *table,
                            const struct linux_mount_entry *entry)
{
    const struct linux_mount_entry *reached = NULL;

    /* A tree of mounts cannot be deeper than their number. */
    for (size_t i = 0; i < table->count; i++) {
        const struct linux_mount_entry *next =
            step_into(table, reached, entry->mount_point);
        if (!next)
            break;
        reached = next;
    }
    return reached == entry;
}

bool linux_mount_has_option(const char *options, const char *option)
{
    size_t length = strlen(option);

    for (;;) {
        size_t found = strcspn(options, ",");
        if (found == length && !strncmp(options, option, length))
            return true;
        if (!options[found])
            return false;
        options += found + 1;
    }
}

bool linux_mount_is_read_only(const struct linux_mount_entry *entry)
{
    return linux_mount_has_option(entry->options, "ro") ||
           linux_mount_has_option(entry->super_options, "ro");
}

bool linux_mount_was_made_read_only(const struct linux_mount_entry *entry)
{
    static const char *const types[] = {"exfat", "vfat", "msdos", "ext2",
                                        "ext3",  "ext4", "btrfs", "f2fs"};

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (!strcmp(entry->type, types[i]))
            return !linux_mount_has_option(entry->options, "ro") &&
                   linux_mount_has_option(entry->super_options, "ro");
    return false;
}

/* --- names of filesystems ----------------------------------------------- */

static bool is_listed(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* "fuse.sshfs" -> "sshfs", "nfs4" -> "nfs4": the program or the driver. */
static const char *driver_name(const char *type)
{
    if (!strncmp(type, "fuse.", 5))
        return type + 5;
    return strncmp(type, "fuseblk.", 8) ? type : type + 8;
}

bool linux_mount_is_network(const struct linux_mount_entry *entry)
{
    /*
     * 9p and virtiofs, too: another machine, the host, may write there, and
     * neither locks nor caches are shared with it.
     */
    static const char *const names[] = {
        "9p",      "afp",       "afpfs",     "afs",         "beegfs",
        "ceph",    "ceph-fuse", "cifs",      "coda",        "curlftpfs",
        "davfs",   "davfs2",    "glusterfs", "goofys",      "gvfsd-fuse",
        "juicefs", "kafs",      "lustre",    "ncpfs",       "nfs",
        "nfs4",    "orangefs",  "prl_fs",    "pvfs2",       "rclone",
        "s3fs",    "smb3",      "smbfs",     "smbnetfs",    "sshfs",
        "vboxsf",  "virtiofs",  "vmhgfs",    "vmhgfs-fuse",
    };

    return is_listed(driver_name(entry->type), names, COUNT_OF(names));
}

bool linux_mount_is_disk(const struct linux_mount_entry *entry)
{
    /* They span devices, so that the kernel numbers them as it does tmpfs. */
    static const char *const spanning[] = {"bcachefs", "btrfs", "zfs"};

    return entry->major != 0 ||
           is_listed(entry->type, spanning, COUNT_OF(spanning));
}

bool linux_mount_has_files(const struct linux_mount_entry *entry)
{
    static const char *const names[] = {
        "binder",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "cpuset",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "gvfsd-fuse",
        "hugetlbfs",
        "lxcfs",
        "mqueue",
        "nfsd",
        "nsfs",
        "portal",
        "proc",
        "pstore",
        "resctrl",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "smackfs",
        "sysfs",
        "tracefs",
        "usbfs",
        "xenfs",
        "xdp-document-portal",
    };

    return !is_listed(driver_name(entry->type), names, COUNT_OF(names));
}

bool linux_mount_is_image(const struct linux_mount_entry *entry)
{
    static const char *const names[] = {"cramfs", "erofs", "iso9660", "romfs",
                                        "squashfs"};

    return is_listed(entry->type, names, COUNT_OF(names));
}

/*
 * The family is a cross-check of a volume's identity, so it must be the same
 * under every driver that can mount the disk. One driver mounts ext2, ext3 and
 * ext4, and any of the three names may be the one that was used: so they are
 * one family. Whether there is a journal is asked separately.
 */
static const struct {
    const char *name, *family;
} families[] = {
    {"exfat", "exfat"},       {"texfat", "exfat"},      {"exfat-fuse", "exfat"},
    {"vfat", "vfat"},         {"msdos", "vfat"},        {"ntfs", "ntfs"},
    {"ntfs3", "ntfs"},        {"ntfs-3g", "ntfs"},      {"lowntfs-3g", "ntfs"},
    {"ext2", "ext4"},         {"ext3", "ext4"},         {"ext4", "ext4"},
    {"ext4dev", "ext4"},      {"fuse2fs", "ext4"},      {"btrfs", "btrfs"},
    {"xfs", "xfs"},           {"f2fs", "f2fs"},         {"zfs", "zfs"},
    {"zfs_member", "zfs"},    {"apfs", "apfs"},         {"apfs-fuse", "apfs"},
    {"hfsplus", "hfsplus"},   {"hfs", "hfs"},           {"udf", "udf"},
    {"bcachefs", "bcachefs"}, {"reiserfs", "reiserfs"}, {"jfs", "jfs"},
    {"nilfs2", "nilfs2"},
};

static const char *known_family(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (!strcmp(name, families[i].name))
            return families[i].family;
    return NULL;
}

const char *linux_family_of(const char *driver, const char *probed)
{
    const char *family = known_family(driver_name(driver));

    /* fuseblk, ufsd, sdfat mount several formats: the device knows which. */
    if (!family && *probed)
        family = known_family(probed);
    if (family)
        return family;
    return *probed ? probed : driver_name(driver);
}

/*
 * Not ntfs3 and not hfsplus, whose formats have a journal that Linux only
 * replays, or not even that (Documentation/filesystems/ntfs3.rst, "ToDo list";
 * fs/hfsplus/super.c mounts journaled volumes read-only). Not FUSE: what its
 * server does is unknown, and exFAT's and NTFS's servers keep no journal.
 * Without barriers the device may reorder journal and data.
 */
bool linux_mount_is_journaled(const struct linux_mount_entry *entry)
{
    static const char *const drivers[] = {
        "apfs", "bcachefs", "btrfs",    "ext3", "ext4", "f2fs",
        "jfs",  "nilfs2",   "reiserfs", "xfs",  "zfs",
    };

    return is_listed(entry->type, drivers, COUNT_OF(drivers)) &&
           !linux_mount_has_option(entry->super_options, "nobarrier") &&
           !linux_mount_has_option(entry->super_options, "barrier=0");
}
