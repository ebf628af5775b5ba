/*
 * A sandbox of drives of paper for each test, a platform that plays it, and
 * what the tests of practice ask of both. Included once by a test program.
 */
#ifndef BERTH_TESTS_PRACTICE_STAGE_H
#define BERTH_TESTS_PRACTICE_STAGE_H

#include "contract/scenery.h"

#include "core/base/clock.h"
#include "platform/platform.h"
#include "platform/practice/practice.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>

struct stage {
    char *sandbox;
    struct platform *platform;
    struct error err;
};

static inline int set_up(void **state)
{
    const char *temporary = getenv("TMPDIR");
    CLEANUP_FREE char *fresh =
        xasprintf("%s/practice-devices-XXXXXX", temporary ? temporary : "/tmp");
    struct stage *stage = xcalloc(1, sizeof *stage);

    if (!mkdtemp(fresh) || !(stage->sandbox = realpath(fresh, NULL)))
        return -1;
    setenv("BERTH_PRACTICE", stage->sandbox, 1);
    setenv("BERTH_PRACTICE_DELAY_MS", "0", 1);
    *state = stage;
    return 0;
}

static inline int tear_down(void **state)
{
    struct stage *stage = *state;

    platform_free(stage->platform);
    remove_tree(stage->sandbox);
    free(stage->sandbox);
    free(stage);
    return 0;
}

static inline char *in_sandbox(struct stage *stage, const char *name)
{
    return path_join(stage->sandbox, name);
}

static inline void append(struct stage *stage, const char *name,
                          const char *text)
{
    CLEANUP_FREE char *path = in_sandbox(stage, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
    close(fd);
}

static inline char *read_text(struct stage *stage, const char *name)
{
    CLEANUP_FREE char *path = in_sandbox(stage, name);
    struct strbuf text = STRBUF_INIT;

    assert_int_equal(file_read(path, 100000, &text, NULL), ERR_OK);
    return text.length ? strbuf_detach(&text) : xstrdup("");
}

static inline bool is_there(struct stage *stage, const char *name)
{
    CLEANUP_FREE char *path = in_sandbox(stage, name);

    return access(path, F_OK) == 0;
}

static inline void make_directory(struct stage *stage, const char *name)
{
    CLEANUP_FREE char *path = in_sandbox(stage, name);

    assert_int_equal(directory_ensure(path, NULL), ERR_OK);
}

static inline void start(struct stage *stage)
{
    assert_null(stage->platform);
    assert_int_equal(platform_new(&stage->platform, &stage->err), ERR_OK);
}

static inline void restart(struct stage *stage)
{
    platform_free(stage->platform);
    stage->platform = NULL;
    start(stage);
}

/* The script of most tests: one drive with one volume. */
static const char one_drive[] =
    "drive hdd vendor=Seagate model=\"Expansion Portable\" serial=NA8F bus=usb "
    "size=5TB link=5000 rotational=yes\n"
    "volume films drive=hdd family=exfat label=FILMS uuid=1a2b3c4d\n";

static inline void start_with(struct stage *stage, const char *more)
{
    append(stage, "script", one_drive);
    append(stage, "script", more);
    start(stage);
}

/* Appends a line to the control file and waits until it was carried out. */
static inline void control(struct stage *stage, const char *line)
{
    CLEANUP_FREE char *text = xasprintf("%s\n", line);
    struct stat found;
    CLEANUP_FREE char *path = in_sandbox(stage, "control");
    bool is_done = false;

    append(stage, "control", text);
    assert_int_equal(stat(path, &found), 0);
    for (int i = 0; i < 500 && !is_done; i++) {
        poll(NULL, 0, 10);
        if (!is_there(stage, "control.done"))
            continue;
        CLEANUP_FREE char *done = read_text(stage, "control.done");
        is_done = strtoll(done, NULL, 10) == found.st_size;
    }
    assert_true(is_done);
    assert_false(is_there(stage, "control.errors"));
}

static inline struct platform_devices list(struct stage *stage)
{
    struct platform_devices devices;

    assert_int_equal(platform_list_devices(stage->platform, &devices, NULL),
                     ERR_OK);
    return devices;
}

/* "hdd[films*] …": drives by their names, the mounted volumes with a star. */
static inline void expect_devices(struct stage *stage, const char *expected)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;

    for (size_t i = 0; i < devices.drives.count; i++) {
        const struct platform_drive *drive = &devices.drives.items[i];
        strbuf_addf(&found, "%s%s[", found.length ? " " : "",
                    drive->device + strlen("practice:"));
        const char *blank = "";
        for (size_t v = 0; v < devices.volumes.count; v++) {
            const struct platform_volume *volume = &devices.volumes.items[v];
            if (strcmp(volume->drive, drive->id) != 0)
                continue;
            strbuf_addf(&found, "%s%s%s", blank,
                        volume->device + strlen("practice:"),
                        volume->mount_point_count ? "*" : "");
            blank = " ";
        }
        strbuf_addch(&found, ']');
    }
    assert_string_equal(found.text, expected);
}

static inline void expect_mounts(struct stage *stage, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    struct platform_mounts mounts;

    assert_int_equal(platform_list_mounts(stage->platform, &mounts, NULL),
                     ERR_OK);
    for (size_t i = 0; i < mounts.count; i++)
        strbuf_addf(&found, "%s%s", i ? " " : "", mounts.items[i].fs_label);
    platform_mounts_release(&mounts);
    assert_string_equal(found.text, expected);
}

/* The id of the only drive. */
static inline char *only_id(struct stage *stage)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);

    assert_int_equal(devices.drives.count, 1);
    return xstrdup(devices.drives.items[0].id);
}

static inline int open_root(struct stage *stage, const char *volume)
{
    CLEANUP_FREE char *path = xasprintf("%s/drives/%s", stage->sandbox, volume);
    int fd = -1;

    assert_int_equal(platform_open_root(path, &fd, &stage->err), ERR_OK);
    return fd;
}

static inline int create_at(int root_fd, const char *path)
{
    return openat(root_fd, path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

static inline void make_file_at(int root_fd, const char *path, const char *text)
{
    int fd = create_at(root_fd, path);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
    close(fd);
}

static inline err_code wait_for(struct stage *stage,
                                struct platform_request *request)
{
    bool is_done = false;
    err_code code = ERR_OK;

    for (int i = 0; i < 100 && !code && !is_done; i++)
        code = platform_wait(request, 100, &is_done, &stage->err);
    assert_true(is_done);
    platform_request_free(request);
    return code;
}

static inline err_code unmount(struct stage *stage, const char *device)
{
    return wait_for(stage, platform_unmount(stage->platform, device));
}

static inline err_code power_off(struct stage *stage)
{
    CLEANUP_FREE char *id = only_id(stage);

    return wait_for(stage, platform_power_off(stage->platform, id));
}

static inline bool is_woken(struct stage *stage, int timeout_ms)
{
    struct pollfd wake = {.fd = platform_wake_fd(stage->platform),
                          .events = POLLIN};

    return poll(&wake, 1, timeout_ms) == 1;
}

#define STAGE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
