/*
 * The content hash: XXH3-128 as others compute it, byte by byte. Catalogues
 * on other machines hold these bytes, so they must never change.
 */
#include "core/base/hash.h"

#include "core/base/error.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * `xxhsum -H2` prints these. The first is the vector of length 0 in xxHash's
 * own sanity test; the other two are in its documentation.
 */
static void known_content_has_the_known_hash(void **state)
{
    static const struct {
        const char *content, *hex;
    } examples[] = {
        {"", "99aa06d3014798d86001c324468d497f"},
        {"a", "a96faf705af16834e6c632b61e964e1f"},
        {"abc", "06b05ab6733a618578af5f94892f3950"},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const char *content = examples[i].content;
        struct hash hash = hash_of(content, strlen(content));
        char hex[HASH_HEX_SIZE];
        hash_to_hex(&hash, hex);
        assert_string_equal(hex, examples[i].hex);
    }
}

static void the_high_half_comes_first(void **state)
{
    struct hash hash = hash_of("", 0);

    assert_int_equal(hash.bytes[0], 0x99);
    assert_int_equal(hash.bytes[15], 0x7f);
}

static void pieces_hash_as_the_whole_does(void **state)
{
    static unsigned char content[100000];
    struct dice dice = dice_new(dice_seed_of_environment(8));
    struct hasher *hasher = hasher_new();

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (unsigned char)dice_next(&dice);
    for (int round = 0; round < 200; round++) {
        size_t length = dice_below(&dice, sizeof content), done = 0;
        struct hash whole = hash_of(content, length);
        while (done < length) {
            size_t piece = dice_below(&dice, length - done + 1);
            hasher_add(hasher, content + done, piece);
            done += piece;
        }
        struct hash pieces = hasher_digest(hasher);
        struct hash again = hasher_digest(hasher);
        assert_true(hash_equal(&whole, &pieces));
        assert_true(hash_equal(&whole, &again));
        hasher_reset(hasher);
    }
    hasher_free(hasher);
    hasher_free(NULL);
}

static void one_bit_makes_another_hash(void **state)
{
    unsigned char content[300] = {0};
    struct hash zero = hash_of(content, sizeof content);

    for (size_t i = 0; i < 8 * sizeof content; i++) {
        content[i / 8] ^= (unsigned char)(1u << i % 8);
        struct hash other = hash_of(content, sizeof content);
        assert_false(hash_equal(&zero, &other));
        content[i / 8] ^= (unsigned char)(1u << i % 8);
    }
}

static void every_byte_of_a_hash_counts(void **state)
{
    for (size_t i = 0; i < HASH_BYTES; i++) {
        struct hash one = {{0}}, other = {{0}};
        other.bytes[i] = 1;
        assert_false(hash_equal(&one, &other));
    }
}

static void hexadecimal_is_read_back(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(9));

    for (int i = 0; i < 10000; i++) {
        struct hash hash, read;
        char hex[HASH_HEX_SIZE];
        for (size_t j = 0; j < HASH_BYTES; j++)
            hash.bytes[j] = (unsigned char)dice_next(&dice);
        hash_to_hex(&hash, hex);
        assert_int_equal(strlen(hex), 32);
        assert_true(hash_from_hex(hex, &read));
        assert_true(hash_equal(&hash, &read));
    }
}

static void other_text_is_no_hash(void **state)
{
    static const char *const texts[] = {
        "",
        "99aa06d3014798d86001c324468d497",
        "99aa06d3014798d86001c324468d497f0",
        "99AA06D3014798D86001C324468D497F",
        "99aa06d3014798d86001c324468d497g",
        "g9aa06d3014798d86001c324468d497f",
        " 9aa06d3014798d86001c324468d497f",
        "0x9a06d3014798d86001c324468d497f",
        "99aa06d3014798d8-6001c324468d497",
        "99aa06d3014798d86001c324468d497\xff",
    };
    struct hash hash = {{42}};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (hash_from_hex(texts[i], &hash))
            fail_msg("\"%s\"", texts[i]);
        assert_int_equal(hash.bytes[0], 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_content_has_the_known_hash),
        cmocka_unit_test(the_high_half_comes_first),
        cmocka_unit_test(pieces_hash_as_the_whole_does),
        cmocka_unit_test(one_bit_makes_another_hash),
        cmocka_unit_test(every_byte_of_a_hash_counts),
        cmocka_unit_test(hexadecimal_is_read_back),
        cmocka_unit_test(other_text_is_no_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
