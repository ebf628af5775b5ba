/*
 * Drives of paper: what a script describes is what is listed, how fast and how
 * large it is, and how healthy.
 */
#include "unit/practice_stage.h"

/* --- what is described --- */

static void a_described_drive_is_listed_as_described(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "set hdd write-cache=through\n");
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    assert_int_equal(devices.drives.count, 1);
    const struct platform_drive *drive = &devices.drives.items[0];
    assert_string_equal(drive->id, "practice:hdd#1");
    assert_string_equal(drive->device, "practice:hdd");
    assert_string_equal(drive->vendor, "Seagate");
    assert_string_equal(drive->model, "Expansion Portable");
    assert_string_equal(drive->serial, "NA8F");
    assert_int_equal(drive->bus, PLATFORM_BUS_USB);
    assert_true(drive->size_bytes == INT64_C(5000000000000));
    assert_int_equal(drive->link_mbit, 5000);
    assert_int_equal(drive->write_cache, PLATFORM_CACHE_WRITE_THROUGH);
    assert_true(drive->is_external);
    assert_true(drive->is_rotational);
    struct platform_mount mount = {.source = devices.volumes.items[0].device};
    assert_true(platform_volume_spins(stage->platform, &mount));
    assert_true(platform_is_practice());
}

static void a_described_volume_is_mounted_with_its_drive(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    CLEANUP_FREE char *mount_point = in_sandbox(stage, "drives/films");
    assert_int_equal(devices.volumes.count, 1);
    const struct platform_volume *volume = &devices.volumes.items[0];
    assert_string_equal(volume->device, "practice:films");
    assert_string_equal(volume->drive, devices.drives.items[0].id);
    assert_string_equal(volume->family, "exfat");
    assert_string_equal(volume->fs_label, "FILMS");
    assert_string_equal(volume->fs_uuid, "1a2b3c4d");
    assert_int_equal(volume->mount_point_count, 1);
    assert_string_equal(volume->mount_points[0], mount_point);
    assert_false(volume->is_read_only || volume->is_locked ||
                 volume->is_system);
    assert_string_equal(volume->no_eject, "");
    expect_mounts(stage, "FILMS");
}

static void a_mount_says_what_its_volume_says(void **state)
{
    struct stage *stage = *state;
    struct platform_mount mount;

    start_with(stage, "volume root drive=hdd family=ext4 read-only=yes\n");
    int fd = open_root(stage, "films");
    assert_int_equal(platform_mount_of(fd, &mount, NULL), ERR_OK);
    assert_string_equal(mount.source, "practice:films");
    assert_string_equal(mount.family, "exfat");
    assert_string_equal(mount.attachment, "practice-1-1");
    assert_true(mount.is_root);
    assert_false(mount.has_journal || mount.is_read_only);
    platform_mount_release(&mount);
    close(fd);
    fd = open_root(stage, "root");
    assert_int_equal(platform_mount_of(fd, &mount, NULL), ERR_OK);
    assert_true(mount.has_journal && mount.is_read_only);
    platform_mount_release(&mount);
    close(fd);
}

static void a_directory_without_a_script_is_a_drive_of_its_own(void **state)
{
    struct stage *stage = *state;

    make_directory(stage, "drives/paper");
    start(stage);
    expect_devices(stage, "paper[paper*]");
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    assert_int_equal(devices.drives.items[0].bus, PLATFORM_BUS_PRACTICE);
    assert_true(devices.drives.items[0].is_external);
    assert_true(devices.drives.items[0].size_bytes > 0);
    assert_string_equal(devices.volumes.items[0].family, "practice");
    assert_false(is_there(stage, "cards"));
}

static void a_drive_that_is_away_is_not_listed(void **state)
{
    struct stage *stage = *state;

    make_directory(stage, "drives/box/kept");
    start_with(stage, "drive second away=yes\nvolume box drive=second\n");
    expect_devices(stage, "hdd[films*]");
    expect_mounts(stage, "FILMS");
    assert_true(is_there(stage, "shelf/box/kept"));
    control(stage, "plug second");
    expect_devices(stage, "hdd[films*] second[box*]");
    assert_true(is_there(stage, "drives/box/kept"));
}

static void internal_and_system_are_said(void **state)
{
    struct stage *stage = *state;

    append(stage, "script",
           "drive disk bus=nvme no-eject=\"part of the LVM group vg0\"\n"
           "volume root drive=disk family=ext4 system=yes\n");
    start(stage);
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    assert_int_equal(devices.drives.items[0].bus, PLATFORM_BUS_NVME);
    assert_false(devices.drives.items[0].is_external);
    assert_true(devices.volumes.items[0].is_system);
    assert_string_equal(devices.volumes.items[0].no_eject,
                        "part of the LVM group vg0");
}

static void a_locked_volume_shows_nothing_and_cannot_be_mounted(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "volume secret drive=hdd family=ext4 locked=yes\n");
    expect_devices(stage, "hdd[films* secret]");
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    assert_true(devices.volumes.items[1].is_locked);
    assert_string_equal(devices.volumes.items[1].family, "");
    assert_string_equal(devices.volumes.items[1].fs_label, "");
    assert_int_equal(
        wait_for(stage, platform_mount(stage->platform, "practice:secret")),
        ERR_DENIED);
    control(stage, "set secret locked=no");
    assert_int_equal(
        wait_for(stage, platform_mount(stage->platform, "practice:secret")),
        ERR_OK);
    expect_devices(stage, "hdd[films* secret*]");
}

static void a_wrong_script_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *line, *words;
    } wrong[] = {
        {"launch hdd", "\"launch\" is nothing that happens"},
        {"drive", "drive: of which drive?"},
        {"drive a/b", "\"a/b\" is no name"},
        {"drive x colour=red", "colour is not a key"},
        {"drive x size=big", "size=big: use a number"},
        {"drive x bus=isa", "bus=isa: use one of usb"},
        {"drive x model=\"open", "has no second one"},
        {"drive x size", "use KEY=VALUE"},
        {"set nothing full=yes", "no practice drive or volume nothing"},
        {"at soon unplug x", "at SECONDS"},
        {"at 5", "at SECONDS"},
        {"on fire hdd", "on: use"},
        {"volume v\nbusy v 1 vlc", "busy NAME PID COMMAND PATH"},
        {"volume w\nbusy w vlc 1 x", "vlc is no process id"},
        {"volume u\nbusy u 1 vlc x until=never", "none of for="},
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct stage *stage = *state;
        CLEANUP_FREE char *script = in_sandbox(stage, "script");
        unlink(script);
        append(stage, "script", "# comment\n\n");
        append(stage, "script", wrong[i].line);
        assert_int_equal(platform_new(&stage->platform, &stage->err),
                         strstr(wrong[i].line, "nothing") ? ERR_NOT_FOUND
                                                          : ERR_INVALID);
        assert_non_null(strstr(stage->err.message, wrong[i].words));
        assert_non_null(strstr(stage->err.message, strchr(wrong[i].line, '\n')
                                                       ? "script:4: "
                                                       : "script:3: "));
        assert_null(stage->platform);
    }
}

static void a_wrong_control_line_is_told_and_the_next_one_done(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    append(stage, "control", "explode hdd\n");
    append(stage, "control", "unplug hdd\n");
    for (int i = 0; i < 500 && !is_there(stage, "drives/films/.detached"); i++)
        poll(NULL, 0, 10);
    CLEANUP_FREE char *errors = read_text(stage, "control.errors");
    assert_non_null(strstr(errors, "explode hdd: \"explode\" is nothing"));
    expect_devices(stage, "");
}

/* --- flushing, space --- */

static void a_flush_fails_once_when_it_is_told_to(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "fail flush hdd");
    int fd = open_root(stage, "films");
    assert_int_equal(platform_flush_volume(fd, fd, &stage->err), ERR_IO);
    assert_int_equal(platform_flush_volume(fd, fd, &stage->err), ERR_OK);
    close(fd);
}

static err_code open_to_read(struct stage *stage, int root_fd, const char *path)
{
    int fd = -1;
    err_code code = platform_open_beneath(root_fd, path, PLATFORM_OPEN_READ,
                                          &fd, &stage->err);

    if (!code)
        close(fd);
    return code;
}

static void a_drive_that_fails_writes_does_so_until_it_is_mended(void **state)
{
    struct stage *stage = *state;
    struct error *err = &stage->err;

    start_with(stage, "");
    int fd = open_root(stage, "films");
    make_file_at(fd, "file", "text");
    control(stage, "fail writes films");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(platform_flush_volume(fd, fd, err), ERR_IO);
        assert_int_equal(platform_rename_noreplace(fd, "file", fd, "f", err),
                         ERR_IO);
    }
    assert_int_equal(open_to_read(stage, fd, "file"), ERR_OK);
    control(stage, "mend hdd");
    assert_int_equal(platform_rename_noreplace(fd, "file", fd, "f", err),
                     ERR_OK);
    assert_int_equal(platform_flush_volume(fd, fd, err), ERR_OK);
    close(fd);
}

static void one_file_or_all_but_ours_cannot_be_read(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    make_directory(stage, "drives/films/.berth");
    make_directory(stage, "drives/films/a");
    int fd = open_root(stage, "films");
    make_file_at(fd, ".berth/volume", "ours");
    make_file_at(fd, "a/b", "text");
    make_file_at(fd, "a/bb", "text");
    control(stage, "fail reads hdd a/b");
    assert_int_equal(open_to_read(stage, fd, "a/b"), ERR_IO);
    assert_int_equal(open_to_read(stage, fd, "a/bb"), ERR_OK);
    control(stage, "fail reads hdd b");
    assert_int_equal(open_to_read(stage, fd, "a/b"), ERR_IO);
    assert_int_equal(open_to_read(stage, fd, "a/bb"), ERR_OK);
    control(stage, "fail reads films");
    assert_int_equal(open_to_read(stage, fd, "a/bb"), ERR_IO);
    assert_int_equal(open_to_read(stage, fd, ".berth/volume"), ERR_OK);
    control(stage, "mend films");
    assert_int_equal(open_to_read(stage, fd, "a/b"), ERR_OK);
    close(fd);
}

struct flushing {
    int fd;
    err_code code;
};

static void *flush_in_a_thread(void *argument)
{
    struct flushing *flushing = argument;

    flushing->code = platform_flush_volume(flushing->fd, flushing->fd, NULL);
    return NULL;
}

static void write_bytes_at(int root_fd, const char *path, size_t bytes)
{
    CLEANUP_FREE char *block = xcalloc(1, bytes);
    int fd = create_at(root_fd, path);

    assert_int_equal(fd_write_full(fd, block, bytes), 0);
    platform_write_back(fd, 0, (int64_t)bytes / 2, false);
    platform_write_back(fd, 0, (int64_t)bytes / 2, true);
    close(fd);
}

/* 600 kB at 1 MB/s, half of it announced. */
static void a_slow_drive_takes_its_time_and_says_what_is_left(void **state)
{
    struct stage *stage = *state;
    struct platform_unwritten unwritten = {.system_bytes = 0};
    int64_t most = 0, started_ns = clock_monotonic_ns();

    start_with(stage, "set hdd slow=1MB\n");
    CLEANUP_FREE char *id = only_id(stage);
    make_directory(stage, "drives/films/old");
    append(stage, "drives/films/old/file", "written long ago");
    int fd = open_root(stage, "films");
    write_bytes_at(fd, "file", 600000);
    struct flushing flushing = {.fd = fd};
    pthread_t thread = thread_start(flush_in_a_thread, &flushing);
    for (int i = 0; i < 500 && most <= 100000; i++) {
        assert_int_equal(platform_read_unwritten(stage->platform, id,
                                                 &unwritten, &stage->err),
                         ERR_OK);
        most = unwritten.system_bytes > most ? unwritten.system_bytes : most;
        poll(NULL, 0, 10);
    }
    thread_join(thread);
    int64_t took_ns = clock_monotonic_ns() - started_ns;
    assert_int_equal(flushing.code, ERR_OK);
    assert_true(took_ns >= 590 * NS_PER_MS);
    assert_true(most > 100000 && most <= 600000);
    assert_int_equal(
        platform_read_unwritten(stage->platform, id, &unwritten, &stage->err),
        ERR_OK);
    assert_int_equal(unwritten.system_bytes, 0);
    assert_int_equal(unwritten.in_flight, 0);
    assert_int_equal(unwritten.written_bytes, 600000);
    /* Nothing new: nothing to wait for. */
    int64_t least_ns = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        started_ns = clock_monotonic_ns();
        assert_int_equal(platform_flush_volume(fd, fd, &stage->err), ERR_OK);
        took_ns = clock_monotonic_ns() - started_ns;
        least_ns = took_ns < least_ns ? took_ns : least_ns;
    }
    assert_true(least_ns < 400 * NS_PER_MS);
    close(fd);
}

static void a_yank_ends_a_slow_flush(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "set hdd slow=10kB\n");
    struct flushing flushing = {.fd = open_root(stage, "films")};
    write_bytes_at(flushing.fd, "file", 9000);
    make_file_at(flushing.fd, "second", "text");
    int fd = create_at(flushing.fd, "big");
    assert_int_equal(ftruncate(fd, 10 * 1000 * 1000), 0);
    close(fd);
    pthread_t thread = thread_start(flush_in_a_thread, &flushing);
    poll(NULL, 0, 200);
    control(stage, "unplug hdd");
    thread_join(thread); /* it would take a quarter of an hour */
    assert_int_equal(flushing.code, ERR_DEVICE_GONE);
    close(flushing.fd);
}

static struct platform_space space_of(int fd)
{
    struct platform_space space;

    assert_int_equal(platform_space(fd, &space, NULL), ERR_OK);
    return space;
}

static void a_volume_has_the_space_that_it_is_said_to_have(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "set films size=10MB used=4MB\n");
    int fd = open_root(stage, "films");
    struct platform_space space = space_of(fd);
    assert_int_equal(space.total_bytes, 10000000);
    assert_int_equal(space.free_bytes, 6000000);
    make_file_at(fd, "file", "one byte takes a cluster");
    assert_int_equal(space_of(fd).free_bytes, 6000000 - space.cluster_bytes);
    assert_int_equal(mkdirat(fd, "dir", 0700), 0);
    int big_fd = create_at(fd, "dir/big");
    assert_int_equal(ftruncate(big_fd, 8000000), 0);
    close(big_fd);
    assert_int_equal(space_of(fd).free_bytes, 0);
    assert_int_equal(platform_open_beneath(fd, "more", PLATFORM_OPEN_CREATE,
                                           &big_fd, &stage->err),
                     ERR_NO_SPACE);
    close(fd);
}

static void a_full_volume_takes_no_file(void **state)
{
    struct stage *stage = *state;
    int created;

    start_with(stage, "");
    control(stage, "full hdd");
    int fd = open_root(stage, "films");
    assert_int_equal(space_of(fd).free_bytes, 0);
    assert_int_equal(platform_open_beneath(fd, "x", PLATFORM_OPEN_CREATE,
                                           &created, &stage->err),
                     ERR_NO_SPACE);
    control(stage, "set hdd full=no");
    assert_true(space_of(fd).free_bytes > 0);
    assert_int_equal(platform_open_beneath(fd, "x", PLATFORM_OPEN_CREATE,
                                           &created, &stage->err),
                     ERR_OK);
    close(created);
    control(stage, "set films read-only=yes");
    assert_int_equal(platform_open_beneath(fd, "y", PLATFORM_OPEN_CREATE,
                                           &created, &stage->err),
                     ERR_READ_ONLY);
    close(fd);
}

/* --- health --- */

static struct platform_health health_of(struct stage *stage)
{
    CLEANUP_FREE char *id = only_id(stage);
    struct platform_health health;

    assert_int_equal(
        platform_read_health(stage->platform, id, &health, &stage->err),
        ERR_OK);
    return health;
}

static void health_is_what_the_script_says(void **state)
{
    struct stage *stage = *state;

    start_with(stage,
               "set hdd smart=failing temperature=61 hours=4120 io-errors=3 "
               "link-resets=2 under-voltage=yes "
               "attribute-5=Reallocated_Sector_Ct,10,9,36,300,failing "
               "attribute-197=Current_Pending_Sector,,,,8 "
               "attribute-0=media_errors,,,,1,failed\n");
    CLEANUP(platform_health_release)
    struct platform_health health = health_of(stage);
    assert_int_equal(health.smart, PLATFORM_SMART_FAILING);
    assert_int_equal(health.temperature_c, 61);
    assert_int_equal(health.power_on_hours, 4120);
    assert_int_equal(health.io_errors, 3);
    assert_int_equal(health.fs_errors, -1);
    assert_int_equal(health.link_resets, 2);
    assert_int_equal(health.has_under_voltage, 1);
    assert_int_equal(health.attribute_count, 3);
    const struct platform_attribute *attribute = &health.attributes[0];
    assert_int_equal(attribute->id, 5);
    assert_string_equal(attribute->name, "Reallocated_Sector_Ct");
    assert_int_equal(attribute->value, 10);
    assert_int_equal(attribute->worst, 9);
    assert_int_equal(attribute->threshold, 36);
    assert_int_equal(attribute->raw, 300);
    assert_true(attribute->is_failing_now);
    assert_int_equal(health.attributes[1].value, -1);
    assert_int_equal(health.attributes[1].raw, 8);
    assert_false(health.attributes[1].is_failing_now);
    assert_int_equal(health.attributes[2].id, 0);
    assert_true(health.attributes[2].failed_before);
}

static void without_a_word_nothing_is_known_of_its_health(void **state)
{
    struct stage *stage = *state;
    struct platform_health unused;
    struct platform_unwritten unwritten;

    start_with(stage, "");
    CLEANUP(platform_health_release)
    struct platform_health health = health_of(stage);
    assert_int_equal(health.smart, PLATFORM_SMART_UNKNOWN);
    assert_int_equal(health.temperature_c, -1);
    assert_int_equal(health.has_under_voltage, -1);
    assert_int_equal(health.is_dirty, 0);
    assert_int_equal(health.attribute_count, 0);
    assert_int_equal(platform_read_health(stage->platform, "practice:hdd#9",
                                          &unused, &stage->err),
                     ERR_DEVICE_GONE);
    assert_int_equal(platform_read_unwritten(stage->platform, "elsewhere",
                                             &unwritten, &stage->err),
                     ERR_DEVICE_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_described_drive_is_listed_as_described),
        STAGE_TEST(a_described_volume_is_mounted_with_its_drive),
        STAGE_TEST(a_mount_says_what_its_volume_says),
        STAGE_TEST(a_directory_without_a_script_is_a_drive_of_its_own),
        STAGE_TEST(a_drive_that_is_away_is_not_listed),
        STAGE_TEST(internal_and_system_are_said),
        STAGE_TEST(a_locked_volume_shows_nothing_and_cannot_be_mounted),
        STAGE_TEST(a_wrong_script_is_refused_with_its_line),
        STAGE_TEST(a_wrong_control_line_is_told_and_the_next_one_done),
        STAGE_TEST(a_flush_fails_once_when_it_is_told_to),
        STAGE_TEST(a_drive_that_fails_writes_does_so_until_it_is_mended),
        STAGE_TEST(one_file_or_all_but_ours_cannot_be_read),
        STAGE_TEST(a_slow_drive_takes_its_time_and_says_what_is_left),
        STAGE_TEST(a_yank_ends_a_slow_flush),
        STAGE_TEST(a_volume_has_the_space_that_it_is_said_to_have),
        STAGE_TEST(a_full_volume_takes_no_file),
        STAGE_TEST(health_is_what_the_script_says),
        STAGE_TEST(without_a_word_nothing_is_known_of_its_health),
    };

    return cmocka_run_group_tests_name("practice_devices", tests, NULL, NULL);
}
