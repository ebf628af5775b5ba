/*
 * Errors as values: the code follows from the cause, the words survive.
 */
#include "core/base/error.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const err_code last_code = ERR_INTERNAL;

static void each_cause_asks_for_its_reaction(void **state)
{
    static const struct {
        int os_errno;
        err_code code;
    } examples[] = {
        {ENOENT, ERR_NOT_FOUND},     {ENOTDIR, ERR_NOT_FOUND},
        {EEXIST, ERR_EXISTS},        {ENOTEMPTY, ERR_EXISTS},
        {EACCES, ERR_DENIED},        {EPERM, ERR_DENIED},
        {EBUSY, ERR_BUSY},           {EAGAIN, ERR_BUSY},
        {ENOSPC, ERR_NO_SPACE},      {EDQUOT, ERR_NO_SPACE},
        {EROFS, ERR_READ_ONLY},      {EIO, ERR_IO},
        {ENODEV, ERR_DEVICE_GONE},   {ENXIO, ERR_DEVICE_GONE},
        {ENOTCONN, ERR_DEVICE_GONE}, {ESTALE, ERR_DEVICE_GONE},
        {ELOOP, ERR_CHANGED},        {EXDEV, ERR_CHANGED},
        {ENOSYS, ERR_UNSUPPORTED},   {EOPNOTSUPP, ERR_UNSUPPORTED},
        {EINVAL, ERR_INVALID},       {ENAMETOOLONG, ERR_INVALID},
        {EMFILE, ERR_INTERNAL},      {ENOMEM, ERR_INTERNAL},
        {0, ERR_INTERNAL},           {-1, ERR_INTERNAL},
        {99999, ERR_INTERNAL},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct error err = ERROR_INIT;
        err_code code =
            error_set_errno(&err, examples[i].os_errno, "cannot %s", "open /x");
        if (code != examples[i].code)
            fail_msg("errno %d: %s", examples[i].os_errno,
                     error_code_name(code));
        assert_int_equal(err.code, code);
        assert_int_equal(err.os_errno, examples[i].os_errno);
        assert_memory_equal(err.message, "cannot open /x: ", 16);
        assert_true(strlen(err.message) > 16);
    }
}

static void every_code_has_a_name_of_its_own(void **state)
{
    for (int i = 0; i <= (int)last_code; i++) {
        const char *name = error_code_name((err_code)i);
        assert_non_null(name);
        assert_string_not_equal(name, "unknown");
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
                         strlen(name));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, error_code_name((err_code)j));
    }
    assert_string_equal(error_code_name((err_code)(last_code + 1)), "unknown");
    assert_string_equal(error_code_name((err_code)-1), "unknown");
}

static void only_the_device_itself_is_a_device_failure(void **state)
{
    for (int i = 0; i <= (int)last_code; i++)
        assert_int_equal(error_is_device_failure((err_code)i),
                         i == ERR_IO || i == ERR_DEVICE_GONE ||
                             i == ERR_READ_ONLY);
}

static void nobody_has_to_want_the_words(void **state)
{
    assert_int_equal(error_set(NULL, ERR_BUSY, "%s", "x"), ERR_BUSY);
    assert_int_equal(error_set_errno(NULL, EIO, "%s", "x"), ERR_IO);
    error_prefix(NULL, "%s", "x");
}

static void a_message_names_the_longest_path(void **state)
{
    static char path[PATH_MAX];
    struct error err = ERROR_INIT;

    memset(path, 'p', sizeof path - 1);
    error_set_errno(&err, ENOENT, "cannot open %s", path);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, strerror(ENOENT)));
    error_prefix(&err, "job %s", "media");
    assert_memory_equal(err.message, "job media: cannot open ppp", 26);
    assert_non_null(strstr(err.message, strerror(ENOENT)));
}

static void too_long_a_message_is_cut_at_its_end(void **state)
{
    static char long_text[2 * ERROR_MESSAGE_SIZE];
    struct error err = ERROR_INIT;

    memset(long_text, 'm', sizeof long_text - 1);
    error_set(&err, ERR_INVALID, "%s", long_text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
    error_set_errno(&err, EIO, "%s", long_text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
    error_set_errno(&err, EIO, "%.*s", ERROR_MESSAGE_SIZE - 2, long_text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
    assert_int_equal(err.message[ERROR_MESSAGE_SIZE - 2], ':');
}

static void a_prefix_in_a_full_message_cuts_its_end_only(void **state)
{
    static char long_text[2 * ERROR_MESSAGE_SIZE];
    struct error err = ERROR_INIT;

    for (int length = ERROR_MESSAGE_SIZE - 8; length < ERROR_MESSAGE_SIZE;
         length++) {
        memset(long_text, 'm', sizeof long_text - 1);
        error_set(&err, ERR_CHANGED, "%.*s", length, long_text);
        error_prefix(&err, "%s", "ab");
        assert_memory_equal(err.message, "ab: mmm", 7);
        int expected = length + 4 < ERROR_MESSAGE_SIZE ? length + 4
                                                       : ERROR_MESSAGE_SIZE - 1;
        assert_int_equal(strlen(err.message), expected);
        assert_int_equal(err.code, ERR_CHANGED);
    }
    memset(long_text, 'q', sizeof long_text - 1);
    for (int i = 0; i < 10; i++) { /* each is cut, all stay inside */
        error_prefix(&err, "%s", long_text);
        assert_true(strlen(err.message) < ERROR_MESSAGE_SIZE);
        assert_int_equal(err.message[0], 'q');
        assert_non_null(strstr(err.message, "q: "));
    }
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
}

static void prefixes_pile_up_in_front(void **state)
{
    struct error err = ERROR_INIT;

    error_prefix(&err, "nothing yet");
    assert_string_equal(err.message, "nothing yet: ");
    error_set(&err, ERR_IO, "c");
    error_prefix(&err, "%s", "b");
    error_prefix(&err, "%s", "100 %");
    assert_string_equal(err.message, "100 %: b: c");
}

static void small_memory_is_never_null(void **state)
{
    char *nothing = xmalloc(0), *none = xcalloc(0, 8), *text;

    assert_non_null(nothing);
    assert_non_null(none);
    none = xrealloc(none, 0);
    assert_non_null(none);
    free(nothing);
    free(none);
    text = xstrndup("drive", 2);
    assert_string_equal(text, "dr");
    free(text);
    text = xasprintf("%s-%05d", "x", 42);
    assert_string_equal(text, "x-00042");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_asks_for_its_reaction),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(only_the_device_itself_is_a_device_failure),
        cmocka_unit_test(nobody_has_to_want_the_words),
        cmocka_unit_test(a_message_names_the_longest_path),
        cmocka_unit_test(too_long_a_message_is_cut_at_its_end),
        cmocka_unit_test(a_prefix_in_a_full_message_cuts_its_end_only),
        cmocka_unit_test(prefixes_pile_up_in_front),
        cmocka_unit_test(small_memory_is_never_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
