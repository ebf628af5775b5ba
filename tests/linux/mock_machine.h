/*
 * A machine of umockdev's: /sys and the udev database as recorded in
 * tests/fixtures/devices (the format of umockdev-record). Included once by a
 * test program, which begins with run_below_umockdev(arguments).
 */
#ifndef BERTH_TESTS_LINUX_MOCK_MACHINE_H
#define BERTH_TESTS_LINUX_MOCK_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/fdio.h"
#include "core/base/strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <umockdev.h>
#include <unistd.h>

static char *read_fixture(const char *name, const char *kind)
{
    CLEANUP_FREE char *path =
        xasprintf("tests/fixtures/devices/%s.%s", name, kind);
    struct strbuf text = STRBUF_INIT;

    (void)!file_read(path, 1024 * 1024, &text, NULL); /* "": there is none */
    return strbuf_detach(&text);
}

static void load_devices(UMockdevTestbed *testbed, const char *name)
{
    CLEANUP_FREE char *recorded = read_fixture(name, "umockdev");
    GError *error = NULL;

    assert_true(*recorded);
    if (!umockdev_testbed_add_from_string(testbed, recorded, &error))
        fail_msg("%s: %s", name, error->message);
}

static void add_option(const char *variable, const char *option)
{
    const char *before = getenv(variable);
    CLEANUP_FREE char *options =
        xasprintf("%s:%s", before ? before : "", option);

    setenv(variable, options, 1);
}

/* Its library must be loaded before all others to stand between us and libc. */
static void run_below_umockdev(char **arguments)
{
    if (umockdev_in_mock_environment() || getenv("BERTH_TEST_BELOW_UMOCKDEV"))
        return; /* it is so, or it is not installed */
    setenv("BERTH_TEST_BELOW_UMOCKDEV", "1", 1);
    setenv("LD_PRELOAD", "libumockdev-preload.so.0", 1);
    /* ASan wants to be first, and need not be. */
    add_option("ASAN_OPTIONS", "verify_asan_link_order=0");
    /* GLib has locks that TSan does not see. */
    add_option("TSAN_OPTIONS", "ignore_noninstrumented_modules=1");
    execv("/proc/self/exe", arguments);
}

#endif
