/*
 * The growing string, against a naive model of fixed size.
 */
#include "core/base/strbuf.h"

#include "core/base/error.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void an_empty_buffer_is_an_empty_string_that_owns_nothing(void **state)
{
    struct strbuf buffer = STRBUF_INIT;

    strbuf_add(&buffer, NULL, 0);
    strbuf_adds(&buffer, "");
    strbuf_reset(&buffer);
    strbuf_truncate(&buffer, 0);
    assert_string_equal(buffer.text, "");
    assert_int_equal(buffer.length, 0);
    assert_int_equal(buffer.capacity, 0);
    strbuf_release(&buffer);
    strbuf_release(&buffer);
    assert_string_equal(buffer.text, "");
    assert_int_equal(*strbuf_empty, 0);
}

static void detaching_hands_over_the_text_and_leaves_an_empty_buffer(
    void **state)
{
    struct strbuf buffer = STRBUF_INIT;
    char *empty = strbuf_detach(&buffer);

    assert_string_equal(empty, "");
    *empty = '\0'; /* its own memory, not the shared "" */
    free(empty);
    strbuf_adds(&buffer, "first");
    char *first = strbuf_detach(&buffer);
    assert_int_equal(buffer.capacity, 0);
    strbuf_adds(&buffer, "second");
    assert_string_equal(first, "first");
    assert_string_equal(buffer.text, "second");
    free(first);
    strbuf_release(&buffer);
}

static void nul_bytes_inside_are_kept(void **state)
{
    CLEANUP(strbuf_release) struct strbuf buffer = STRBUF_INIT;

    strbuf_add(&buffer, "a\0b", 3);
    strbuf_addch(&buffer, '\0');
    strbuf_adds(&buffer, "c");
    assert_int_equal(buffer.length, 5);
    assert_memory_equal(buffer.text, "a\0b\0c", 6);
    strbuf_splice(&buffer, 1, 1, "\0\0", 2);
    assert_memory_equal(buffer.text, "a\0\0b\0c", 7);
}

static void formatted_text_of_any_length_fits(void **state)
{
    CLEANUP(strbuf_release) struct strbuf buffer = STRBUF_INIT;

    for (int length = 0; length < 300; length++) {
        strbuf_reset(&buffer);
        strbuf_addf(&buffer, "%*s|%d", length, "", length);
        assert_int_equal(strlen(buffer.text), buffer.length);
        assert_int_equal(atoi(strchr(buffer.text, '|') + 1), length);
    }
    strbuf_addf(&buffer, "%100000d", 7);
    assert_int_equal(buffer.text[buffer.length - 1], '7');
}

/* --- the model --------------------------------------------------------------
 */

struct model {
    char text[8192];
    size_t length;
};

static void model_splice(struct model *model, size_t offset, size_t length,
                         const char *with, size_t with_length)
{
    memmove(model->text + offset + with_length, model->text + offset + length,
            model->length - offset - length);
    memcpy(model->text + offset, with, with_length);
    model->length += with_length - length;
}

static void mutate(struct dice *dice, struct strbuf *buffer,
                   struct model *model)
{
    char bytes[65] = {0};
    size_t length = dice_below(dice, sizeof bytes - 1);
    size_t at = dice_below(dice, model->length + 1);
    size_t cut = dice_below(dice, model->length - at + 1);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)('a' + dice_below(dice, 26));
    switch (dice_below(dice, 6)) {
    case 0:
        strbuf_add(buffer, bytes, length);
        model_splice(model, model->length, 0, bytes, length);
        break;
    case 1:
        strbuf_adds(buffer, bytes);
        model_splice(model, model->length, 0, bytes, length);
        break;
    case 2:
        strbuf_addf(buffer, "%s", bytes);
        model_splice(model, model->length, 0, bytes, length);
        break;
    case 3:
        strbuf_truncate(buffer, at);
        model->length = at;
        break;
    case 4:
        strbuf_reserve(buffer, length);
        break;
    default:
        strbuf_splice(buffer, at, cut, bytes, length);
        model_splice(model, at, cut, bytes, length);
    }
}

static void every_operation_does_what_the_model_does(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(1));

    for (int round = 0; round < 300; round++) {
        CLEANUP(strbuf_release) struct strbuf buffer = STRBUF_INIT;
        struct model model = {.length = 0};
        for (int i = 0; i < 100; i++) {
            mutate(&dice, &buffer, &model);
            assert_int_equal(buffer.length, model.length);
            assert_memory_equal(buffer.text, model.text, model.length);
            assert_int_equal(buffer.text[buffer.length], '\0');
            assert_true(!buffer.capacity || buffer.capacity > buffer.length);
        }
    }
}

/* --- what must not happen ---------------------------------------------------
 */

static void truncate_too_far(void)
{
    struct strbuf buffer = STRBUF_INIT;

    strbuf_adds(&buffer, "abc");
    strbuf_truncate(&buffer, 4);
}

static void splice_behind_the_end(void)
{
    struct strbuf buffer = STRBUF_INIT;

    strbuf_adds(&buffer, "abc");
    strbuf_splice(&buffer, 4, 0, "x", 1);
}

static void splice_more_than_there_is(void)
{
    struct strbuf buffer = STRBUF_INIT;

    strbuf_adds(&buffer, "abc");
    strbuf_splice(&buffer, 2, SIZE_MAX, "x", 1); /* 2 + SIZE_MAX is 1 */
}

static bool dies(void (*deed)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        deed();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void what_lies_beyond_the_end_is_never_touched(void **state)
{
    assert_true(dies(truncate_too_far));
    assert_true(dies(splice_behind_the_end));
    assert_true(dies(splice_more_than_there_is));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string_that_owns_nothing),
        cmocka_unit_test(
            detaching_hands_over_the_text_and_leaves_an_empty_buffer),
        cmocka_unit_test(nul_bytes_inside_are_kept),
        cmocka_unit_test(formatted_text_of_any_length_fits),
        cmocka_unit_test(every_operation_does_what_the_model_does),
        cmocka_unit_test(what_lies_beyond_the_end_is_never_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
