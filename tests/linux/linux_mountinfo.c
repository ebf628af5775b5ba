/*
 * The mount table: recorded lines, odd ones, and what lies on top of what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/linux/linux_mountinfo.h"
#include "platform/linux/linux_volume.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *line;
    uint64_t mount_id, parent_id;
    unsigned major, minor;
    const char *subtree, *mount_point, *type, *source, *super_options;
} lines[] = {
    /* proc(5) */
    {"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root "
     "rw,errors=continue",
     36, 35, 98, 0, "/mnt1", "/mnt2", "ext3", "/dev/root",
     "rw,errors=continue"},
    {"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard", 27, 1, 254, 0,
     "/", "/", "ext4", "/dev/vda", "rw,discard"},
    /* several optional fields */
    {"512 27 8:17 / /media/me/TV rw,nosuid shared:290 master:3 "
     "propagate_from:2 "
     "- exfat /dev/sdb1 rw,uid=1000",
     512, 27, 8, 17, "/", "/media/me/TV", "exfat", "/dev/sdb1", "rw,uid=1000"},
    /* a space, a tab, a newline, a backslash and a '#' in names */
    {"60 27 8:33 / /media/me/My\\040Pass\\011port\\012x\\134y\\043 rw - ntfs3 "
     "/dev/sdc1 rw",
     60, 27, 8, 33, "/", "/media/me/My Pass\tport\nx\\y#", "ntfs3", "/dev/sdc1",
     "rw"},
    /* bytes beyond ASCII come as they are */
    {"61 27 8:34 / /media/me/M\303\274sik rw - vfat /dev/sdc2 rw", 61, 27, 8,
     34, "/", "/media/me/M\303\274sik", "vfat", "/dev/sdc2", "rw"},
    /* an escape that is none, and one cut short by the end of its field */
    {"62 27 8:34 / /a\\0zz\\999\\04 rw - vfat x rw", 62, 27, 8, 34, "/",
     "/a\\0zz\\999\\04", "vfat", "x", "rw"},
    /* a NUL would cut the name in two */
    {"63 27 8:34 / /a\\000b rw - vfat x rw", 63, 27, 8, 34, "/", "/a\\000b",
     "vfat", "x", "rw"},
    /* a btrfs subvolume */
    {"80 27 0:44 /@home /home rw,relatime shared:40 - btrfs /dev/nvme0n1p2 "
     "rw,ssd,subvolid=257,subvol=/@home",
     80, 27, 0, 44, "/@home", "/home", "btrfs", "/dev/nvme0n1p2",
     "rw,ssd,subvolid=257,subvol=/@home"},
    /* an empty source: two spaces in a row */
    {"90 27 0:50 / /mnt rw - tmpfs  rw,size=4k", 90, 27, 0, 50, "/", "/mnt",
     "tmpfs", "", "rw,size=4k"},
    /* a source of several words */
    {"91 27 0:51 / /net rw - cifs //nas/my\\040share rw,vers=3.1.1", 91, 27, 0,
     51, "/", "/net", "cifs", "//nas/my share", "rw,vers=3.1.1"},
    /* the root of a namespace that is not the one of its filesystem */
    {"4026531836 1 0:4 mnt:[4026533011] /run/snapd/ns/lxd.mnt rw - nsfs nsfs "
     "rw",
     4026531836, 1, 0, 4, "mnt:[4026533011]", "/run/snapd/ns/lxd.mnt", "nsfs",
     "nsfs", "rw"},
    {"700 27 8:17 / /x rw - fuse.exfat /dev/sdb1 rw,user_id=0", 700, 27, 8, 17,
     "/", "/x", "fuse.exfat", "/dev/sdb1", "rw,user_id=0"},
    /* something that a later kernel adds */
    {"27 1 254:0 / / rw - ext4 /dev/vda rw and more", 27, 1, 254, 0, "/", "/",
     "ext4", "/dev/vda", "rw"},
};

static void every_recorded_line_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct linux_mount_entry entry;
        assert_true(linux_mountinfo_parse_line(lines[i].line,
                                               strlen(lines[i].line), &entry));
        assert_true(entry.mount_id == lines[i].mount_id);
        assert_true(entry.parent_id == lines[i].parent_id);
        assert_int_equal(entry.major, lines[i].major);
        assert_int_equal(entry.minor, lines[i].minor);
        assert_string_equal(entry.subtree, lines[i].subtree);
        assert_string_equal(entry.mount_point, lines[i].mount_point);
        assert_string_equal(entry.type, lines[i].type);
        assert_string_equal(entry.source, lines[i].source);
        assert_string_equal(entry.super_options, lines[i].super_options);
        linux_mount_entry_release(&entry);
    }
}

static void what_is_no_line_is_refused(void **state)
{
    static const char *const broken[] = {
        "",
        " ",
        "27",
        "27 1 254:0 / / rw,relatime",             /* cut short */
        "27 1 254:0 / / rw,relatime shared:1",    /* no dash */
        "27 1 254:0 / / rw - ext4",               /* no source */
        "27 1 254:0 / / rw - ext4 /dev/vda",      /* no options */
        "x 1 254:0 / / rw - ext4 /dev/vda rw",    /* no number */
        "-1 1 254:0 / / rw - ext4 /dev/vda rw",   /* a sign */
        "27  254:0 / / rw - ext4 /dev/vda rw",    /* no parent */
        "27 1 254 / / rw - ext4 /dev/vda rw",     /* no minor */
        "27 1 254: / / rw - ext4 /dev/vda rw",    /* an empty minor */
        "27 1 4294967296:0 / / rw - ext4 x rw",   /* too large */
        "27 1 254:0 / mnt rw - ext4 /dev/vda rw", /* not absolute */
        "99999999999999999999 1 1:0 / / rw - ext4 x rw",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct linux_mount_entry entry;
        assert_false(
            linux_mountinfo_parse_line(broken[i], strlen(broken[i]), &entry));
    }
    struct linux_mount_entry entry;
    assert_false(linux_mountinfo_parse_line(
        "27 1 254:0 / /\0 rw - ext4 x rw",
        sizeof "27 1 254:0 / /\0 rw - ext4 x rw" - 1, &entry));
}

static void parse(const char *text, struct linux_mount_table *out)
{
    linux_mount_table_parse(text, strlen(text), out);
}

static void a_line_that_cannot_be_read_hides_no_other(void **state)
{
    CLEANUP(linux_mount_table_release)
    struct linux_mount_table table = {.items = NULL};

    (void)state;
    parse("27 1 254:0 / / rw - ext4 /dev/vda rw\n"
          "nonsense\n"
          "\n"
          "28 27 8:1 / /a rw - ext4 /dev/sda1 rw",
          &table);
    assert_int_equal(table.count, 2);
    assert_non_null(linux_mount_table_find(&table, 28));
    assert_null(linux_mount_table_find(&table, 29));
}

/* Whether each mount of a table can be seen, as a string of 1 and 0. */
static void expect_visible(const char *text, const char *expected)
{
    CLEANUP(linux_mount_table_release)
    struct linux_mount_table table = {.items = NULL};
    char found[32] = "";

    parse(text, &table);
    for (size_t i = 0; i < table.count; i++)
        strcat(found,
               linux_mount_is_visible(&table, &table.items[i]) ? "1" : "0");
    assert_string_equal(found, expected);
}

static void of_mounts_on_one_place_the_topmost_counts(void **state)
{
    (void)state;
    expect_visible("1 0 8:1 / / rw - ext4 a rw\n"
                   "2 1 8:2 / /mnt rw - ext4 b rw\n"
                   "3 2 8:3 / /mnt rw - ext4 c rw\n"
                   "4 3 8:4 / /mnt rw - ext4 d rw\n",
                   "1001");
}

static void a_mount_above_hides_those_below(void **state)
{
    (void)state;
    expect_visible("1 0 8:1 / / rw - ext4 a rw\n"
                   "2 1 8:2 / /media/tv rw - ext4 b rw\n"
                   "3 1 8:3 / /media rw - ext4 c rw\n"
                   "4 3 8:4 / /media/tv rw - ext4 d rw\n"
                   "5 1 8:5 / /mediathek rw - ext4 e rw\n"
                   "6 2 8:6 / /media/tv/x rw - ext4 f rw\n",
                   "101110");
}

/* An initramfs root below the real one, as switch_root leaves it. */
static void a_root_over_a_root_counts(void **state)
{
    (void)state;
    expect_visible("1 1 0:2 / / rw - rootfs rootfs rw\n"
                   "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                   "21 20 8:2 / /home rw - ext4 /dev/sda2 rw\n",
                   "011");
}

/* In a chroot the mount below us is not in the list. */
static void a_parent_that_is_not_listed_is_no_obstacle(void **state)
{
    (void)state;
    expect_visible("50 49 8:2 / /data rw - ext4 a rw\n"
                   "51 50 8:3 / /data/deep rw - ext4 b rw\n",
                   "11");
}

static void a_table_that_bites_its_tail_ends(void **state)
{
    (void)state;
    expect_visible("2 3 8:2 / /a rw - ext4 a rw\n"
                   "3 2 8:3 / /a rw - ext4 b rw\n"
                   "3 2 8:3 / /a rw - ext4 b rw\n",
                   "000");
}

static void an_option_is_a_whole_word(void **state)
{
    (void)state;
    assert_true(linux_mount_has_option("ro", "ro"));
    assert_true(linux_mount_has_option("noatime,ro,x", "ro"));
    assert_true(linux_mount_has_option("noatime,ro", "ro"));
    assert_false(linux_mount_has_option("rw,errors=remount-ro", "ro"));
    assert_false(linux_mount_has_option("rootcontext=x,row", "ro"));
    assert_false(linux_mount_has_option("", "ro"));
}

static void the_family_is_the_same_under_every_driver(void **state)
{
    static const struct {
        const char *driver, *probed, *family;
    } cases[] = {
        {"exfat", "", "exfat"},
        {"exfat", "exfat", "exfat"},
        {"texfat", "", "exfat"},
        {"fuseblk", "exfat", "exfat"},
        {"fuse.exfat", "", "exfat"},
        {"fuseblk.exfat-fuse", "", "exfat"},
        {"sdfat", "exfat", "exfat"},
        {"vfat", "vfat", "vfat"},
        {"msdos", "", "vfat"},
        {"sdfat", "vfat", "vfat"},
        {"ntfs", "", "ntfs"},
        {"ntfs3", "ntfs", "ntfs"},
        {"fuseblk", "ntfs", "ntfs"},
        {"fuseblk.ntfs-3g", "", "ntfs"},
        {"ufsd", "ntfs", "ntfs"},
        {"ext2", "ext2", "ext4"},
        {"ext3", "ext3", "ext4"},
        {"ext4", "ext3", "ext4"},
        {"btrfs", "btrfs", "btrfs"},
        {"zfs", "", "zfs"},
        {"fuse.zfs-fuse", "zfs_member", "zfs"},
        {"fuse", "apfs", "apfs"},
        {"fuseblk", "", "fuseblk"},
        {"fuseblk", "something", "something"},
        {"fuse.sshfs", "", "sshfs"},
        {"tmpfs", "", "tmpfs"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(linux_family_of(cases[i].driver, cases[i].probed),
                            cases[i].family);
}

static struct linux_mount_entry entry_of(const char *line)
{
    struct linux_mount_entry entry;

    assert_true(linux_mountinfo_parse_line(line, strlen(line), &entry));
    return entry;
}

static void each_kind_of_mount_is_told_apart(void **state)
{
    static const struct {
        const char *line;
        bool is_network, is_disk, is_image, is_journaled, is_read_only;
    } cases[] = {
        {"1 0 8:1 / / rw - ext4 /dev/sda1 rw", false, true, false, true, false},
        {"1 0 8:1 / / ro - ext4 /dev/sda1 rw", false, true, false, true, true},
        {"1 0 8:1 / / rw - ext4 /dev/sda1 ro", false, true, false, true, true},
        {"1 0 8:1 / / rw - ext4 x rw,nobarrier", false, true, false, false,
         false},
        {"1 0 8:1 / / rw - ext2 /dev/sda1 rw", false, true, false, false,
         false},
        {"1 0 0:40 /@ / rw - btrfs /dev/sda1 rw", false, true, false, true,
         false},
        {"1 0 0:40 / / rw - zfs tank/home rw", false, true, false, true, false},
        {"1 0 8:1 / / rw - exfat /dev/sda1 rw", false, true, false, false,
         false},
        {"1 0 8:1 / / rw - ntfs3 /dev/sda1 rw", false, true, false, false,
         false},
        {"1 0 8:1 / / rw - hfsplus /dev/sda1 rw", false, true, false, false,
         false},
        {"1 0 8:1 / / rw - fuseblk /dev/sda1 rw", false, true, false, false,
         false},
        {"1 0 7:1 / / ro - squashfs /dev/loop1 ro", false, true, true, false,
         true},
        {"1 0 0:40 / / rw - nfs4 nas:/x rw", true, false, false, false, false},
        {"1 0 0:40 / / rw - cifs //nas/x rw", true, false, false, false, false},
        {"1 0 0:40 / / rw - fuse.sshfs nas:/ rw", true, false, false, false,
         false},
        {"1 0 0:40 / / rw - 9p host rw", true, false, false, false, false},
        {"1 0 0:40 / / rw - virtiofs host rw", true, false, false, false,
         false},
        {"1 0 0:40 / / rw - fuse.portal portal rw", false, false, false, false,
         false},
        {"1 0 0:40 / / rw - overlay overlay rw", false, false, false, false,
         false},
        {"1 0 0:40 / / rw - tmpfs /dev/sda1 rw", false, false, false, false,
         false},
        {"1 0 0:40 / / rw - autofs systemd-1 rw", false, false, false, false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct linux_mount_entry entry = entry_of(cases[i].line);
        assert_int_equal(linux_mount_is_network(&entry), cases[i].is_network);
        assert_int_equal(linux_mount_is_disk(&entry), cases[i].is_disk);
        assert_int_equal(linux_mount_is_image(&entry), cases[i].is_image);
        assert_int_equal(linux_mount_is_journaled(&entry),
                         cases[i].is_journaled);
        assert_int_equal(linux_mount_is_read_only(&entry),
                         cases[i].is_read_only);
        linux_mount_entry_release(&entry);
    }
}

/* exFAT after a bad sector in its FAT, as 6.1 shows it. */
static void filesystem_that_was_made_read_only_after_an_error_is_known(
    void **state)
{
    static const struct {
        const char *line;
        bool was_made_read_only;
    } cases[] = {
        {"1 0 8:1 / / rw - exfat /dev/sda1 ro,errors=remount-ro", true},
        {"1 0 8:1 / / rw - ext4 /dev/sda1 ro", true},
        {"1 0 0:40 / / rw - btrfs /dev/sda1 ro,ssd", true},
        {"1 0 8:1 / / rw - exfat /dev/sda1 rw,errors=remount-ro", false},
        {"1 0 8:1 / / ro - exfat /dev/sda1 ro", false},
        {"1 0 8:1 / / ro - ext4 /dev/sda1 rw", false},
        {"1 0 8:1 / / rw - hfsplus /dev/sda1 ro", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct linux_mount_entry entry = entry_of(cases[i].line);
        assert_int_equal(linux_mount_was_made_read_only(&entry),
                         cases[i].was_made_read_only);
        linux_mount_entry_release(&entry);
    }
}

/* "fuse" with the source /dev/fuse is what old servers without a name say. */
static void a_fuse_mount_counts_as_a_disk_only_on_a_block_device(void **state)
{
    struct linux_mount_entry fuse =
        entry_of("1 0 0:40 / / rw - fuse /dev/fuse rw");
    struct linux_mount_entry null =
        entry_of("1 0 0:40 / / rw - fuse.x /dev/null rw");
    struct linux_mount_entry shared =
        entry_of("1 0 0:40 / / rw - tmpfs /dev/loop0 rw");

    (void)state;
    assert_false(linux_volume_is_on_disk(&fuse));
    assert_false(linux_volume_is_on_disk(&null));
    assert_false(linux_volume_is_on_disk(&shared));
    linux_mount_entry_release(&fuse);
    linux_mount_entry_release(&null);
    linux_mount_entry_release(&shared);
}

/* 4095:1048575 is the highest number there is; no machine has it. */
static void a_device_that_sysfs_does_not_know_is_not_present(void **state)
{
    struct linux_mount_entry gone =
        entry_of("1 0 4095:1048575 / / rw - ext4 /dev/sdz rw");
    struct linux_mount_entry none = entry_of("1 0 0:5 / / rw - tmpfs x rw");

    (void)state;
    assert_false(linux_volume_is_present(&gone));
    assert_true(linux_volume_is_present(&none));
    linux_mount_entry_release(&gone);
    linux_mount_entry_release(&none);
}

static void a_label_is_decoded(void **state)
{
    static const struct {
        const char *encoded, *label;
    } cases[] = {
        {"TV", "TV"},
        {"My\\x20Passport", "My Passport"},
        {"M\303\274sik", "M\303\274sik"},
        {"a\\x2Fb\\x2fc", "a/b/c"},
        {"\\x5c", "\\"},
        {"\\x", "\\x"},
        {"\\x2", "\\x2"},
        {"\\xzz", "\\xzz"},
        {"\\x00a", "\\x00a"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP_FREE char *label = linux_volume_decode_label(cases[i].encoded);
        assert_string_equal(label, cases[i].label);
    }
}

static void a_uuid_is_lower_case_without_dashes(void **state)
{
    static const struct {
        const char *uuid, *canonical;
    } cases[] = {
        {"1234-ABCD", "1234abcd"},
        {"01D9F3A2B4C5D6E7", "01d9f3a2b4c5d6e7"},
        {"0e3f1a44-9a49-4b6c-8c07-5d3d6c6f9a10",
         "0e3f1a449a494b6c8c075d3d6c6f9a10"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP_FREE char *uuid = linux_volume_canonical_uuid(cases[i].uuid);
        assert_string_equal(uuid, cases[i].canonical);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_line_is_read),
        cmocka_unit_test(what_is_no_line_is_refused),
        cmocka_unit_test(a_line_that_cannot_be_read_hides_no_other),
        cmocka_unit_test(of_mounts_on_one_place_the_topmost_counts),
        cmocka_unit_test(a_mount_above_hides_those_below),
        cmocka_unit_test(a_root_over_a_root_counts),
        cmocka_unit_test(a_parent_that_is_not_listed_is_no_obstacle),
        cmocka_unit_test(a_table_that_bites_its_tail_ends),
        cmocka_unit_test(an_option_is_a_whole_word),
        cmocka_unit_test(the_family_is_the_same_under_every_driver),
        cmocka_unit_test(each_kind_of_mount_is_told_apart),
        cmocka_unit_test(
            filesystem_that_was_made_read_only_after_an_error_is_known),
        cmocka_unit_test(a_fuse_mount_counts_as_a_disk_only_on_a_block_device),
        cmocka_unit_test(a_device_that_sysfs_does_not_know_is_not_present),
        cmocka_unit_test(a_label_is_decoded),
        cmocka_unit_test(a_uuid_is_lower_case_without_dashes),
    };

    return cmocka_run_group_tests_name("linux_mountinfo", tests, NULL, NULL);
}
