#include "core/halves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct intent first_half(const char *from, const char *to)
{
    return (struct intent){
        .kind = INTENT_PLACE, .path = "", .from = from, .to = to};
}

static struct intent second_half(const char *from, const char *to)
{
    return (struct intent){.kind = INTENT_PLACE,
                           .path = to,
                           .old_path = "old",
                           .from = from,
                           .to = to};
}

static void a_second_half_finds_its_first(void **state)
{
    struct intent items[] = {
        first_half("b", ".berth/staging/2"),
        first_half("a", ".berth/staging/1"),
        second_half(".berth/staging/2", "B"),
        second_half(".berth/staging/1", "A"),
        second_half("c", "C"),
    };
    const struct intents intents = {.items = items, .count = 5};
    CLEANUP(halves_release) struct halves halves;

    halves_init(&halves, &intents);
    assert_ptr_equal(halves_first(&halves, &items[2]), &items[0]);
    assert_ptr_equal(halves_first(&halves, &items[3]), &items[1]);
    assert_null(halves_first(&halves, &items[4]));
    assert_null(halves_first(&halves, &items[0]));
}

/* Its source went between the two: in staging the drive's copy would be lost,
 * and no version of it kept. */
static void a_first_half_without_a_second_is_not_begun(void **state)
{
    struct intent items[] = {
        first_half("a", ".berth/staging/1"),
        first_half("b", ".berth/staging/2"),
        second_half(".berth/staging/2", "B"),
    };
    struct intents intents = {.items = items, .count = 3};

    halves_drop_lone(&intents);
    assert_int_equal(intents.count, 2);
    assert_string_equal(intents.items[0].from, "b");
    assert_string_equal(intents.items[1].to, "B");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_half_finds_its_first),
        cmocka_unit_test(a_first_half_without_a_second_is_not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
