/*
 * Arenas and growing arrays: what was handed out stays whole.
 */
#include "core/base/arena.h"
#include "core/base/array.h"
#include "core/base/error.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* --- arenas -----------------------------------------------------------------
 */

struct piece {
    unsigned char *bytes;
    size_t size;
    unsigned char filled_with;
};

struct pieces {
    struct piece *items;
    size_t count, capacity;
};

static void take_pieces(struct dice *dice, struct arena *arena, size_t count,
                        struct pieces *pieces)
{
    for (size_t i = 0; i < count; i++) {
        size_t largest = dice_one_in(dice, 50) ? (size_t)3 << 20 : 300;
        struct piece piece = {
            .size = dice_below(dice, largest),
            .filled_with = (unsigned char)dice_next(dice),
        };
        piece.bytes = arena_alloc(arena, piece.size);
        memset(piece.bytes, piece.filled_with, piece.size);
        ARRAY_PUSH(pieces, piece);
    }
}

static void check_pieces(const struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++) {
        const struct piece *piece = &pieces->items[i];
        assert_int_equal((uintptr_t)piece->bytes % 8, 0);
        for (size_t j = 0; j < piece->size; j++)
            if (piece->bytes[j] != piece->filled_with)
                fail_msg("byte %zu of piece %zu was overwritten", j, i);
    }
}

static void pieces_of_an_arena_are_aligned_and_never_overlap(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(2));
    struct arena arena = ARENA_INIT;
    struct pieces pieces = {.items = NULL};

    for (int round = 0; round < 4; round++) {
        take_pieces(&dice, &arena, 300, &pieces);
        check_pieces(&pieces);
        pieces.count = 0;
        arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
    }
    arena_release(&arena);
    arena_release(&arena);
    arena_reset(&arena);
    free(pieces.items);
}

static void absorbed_pieces_stay_where_they_are(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(3));
    struct arena all = ARENA_INIT;
    struct pieces pieces = {.items = NULL};
    size_t used = 0;

    for (int round = 0; round < 20; round++) {
        struct arena part = ARENA_INIT;
        take_pieces(&dice, &part, dice_below(&dice, 40), &pieces);
        used += part.used_bytes;
        arena_absorb(&all, &part);
        assert_null(part.blocks);
        assert_int_equal(part.used_bytes, 0);
        size_t before = all.used_bytes;
        assert_int_equal(before, used);
        take_pieces(&dice, &all, dice_below(&dice, 40), &pieces);
        used += all.used_bytes - before;
        arena_release(&part);
    }
    check_pieces(&pieces);
    arena_release(&all);
    free(pieces.items);
}

static void a_reset_arena_needs_no_fresh_memory_for_the_same_again(void **state)
{
    struct arena arena = ARENA_INIT;

    for (int i = 0; i < 100; i++)
        arena_alloc(&arena, 1000);
    arena_reset(&arena);
    const struct arena_block *kept = arena.blocks;
    assert_non_null(kept);
    for (int i = 0; i < 50; i++)
        arena_alloc(&arena, 1000);
    assert_ptr_equal(arena.blocks, kept);
    arena_release(&arena);
}

static void strings_of_an_arena_are_copies(void **state)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    char text[] = "drive";
    char *whole = arena_strdup(&arena, text);
    char *part = arena_strndup(&arena, text, 3);
    char *none = arena_strndup(&arena, text, 0);
    char *bytes = arena_memdup(&arena, "a\0b", 3);

    memset(text, 'x', sizeof text - 1);
    assert_string_equal(whole, "drive");
    assert_string_equal(part, "dri");
    assert_string_equal(none, "");
    assert_memory_equal(bytes, "a\0b", 3);
    assert_non_null(arena_memdup(&arena, NULL, 0));
}

/* --- arrays -----------------------------------------------------------------
 */

static void an_array_keeps_its_items_while_it_grows(void **state)
{
    struct {
        uint64_t *items;
        size_t count, capacity;
    } numbers = {.items = NULL};

    for (uint64_t i = 0; i < 100000; i++)
        ARRAY_PUSH(&numbers, i * i);
    for (uint64_t i = 0; i < numbers.count; i++)
        assert_true(numbers.items[i] == i * i);
    assert_true(numbers.capacity >= numbers.count);
    assert_true(numbers.capacity < 2 * numbers.count);

    uint64_t *before = numbers.items;
    size_t capacity = numbers.capacity;
    ARRAY_RESERVE(numbers.items, capacity, numbers.capacity);
    ARRAY_RESERVE(numbers.items, 0, numbers.capacity);
    assert_ptr_equal(numbers.items, before);
    assert_int_equal(numbers.capacity, capacity);
    free(numbers.items);
}

static void an_array_that_no_memory_could_hold_ends_in_die(void **state)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        size_t capacity = 0;
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        array_reserve(NULL, SIZE_MAX / 8 + 1, &capacity, 16);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_an_arena_are_aligned_and_never_overlap),
        cmocka_unit_test(absorbed_pieces_stay_where_they_are),
        cmocka_unit_test(
            a_reset_arena_needs_no_fresh_memory_for_the_same_again),
        cmocka_unit_test(strings_of_an_arena_are_copies),
        cmocka_unit_test(an_array_keeps_its_items_while_it_grows),
        cmocka_unit_test(an_array_that_no_memory_could_hold_ends_in_die),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
