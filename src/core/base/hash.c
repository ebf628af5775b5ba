#include "core/base/hash.h"

#include "core/base/error.h"

#include <string.h>
#include <xxhash.h>

struct hasher *hasher_new(void)
{
    XXH3_state_t *state = XXH3_createState();

    if (!state)
        die("out of memory for a hash state");
    XXH3_128bits_reset(state);
    return (struct hasher *)state;
}

void hasher_free(struct hasher *hasher)
{
    XXH3_freeState((XXH3_state_t *)hasher);
}

void hasher_reset(struct hasher *hasher)
{
    XXH3_128bits_reset((XXH3_state_t *)hasher);
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t length)
{
    XXH3_128bits_update((XXH3_state_t *)hasher, bytes, length);
}

static struct hash canonical(XXH128_hash_t value)
{
    XXH128_canonical_t bytes;
    struct hash hash;

    XXH128_canonicalFromHash(&bytes, value);
    memcpy(hash.bytes, bytes.digest, HASH_BYTES);
    return hash;
}

struct hash hasher_digest(const struct hasher *hasher)
{
    return canonical(XXH3_128bits_digest((const XXH3_state_t *)hasher));
}

struct hash hash_of(const void *bytes, size_t length)
{
    return canonical(XXH3_128bits(bytes, length));
}

bool hash_equal(const struct hash *one, const struct hash *other)
{
    return !memcmp(one->bytes, other->bytes, HASH_BYTES);
}

void hash_to_hex(const struct hash *hash, char out[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < HASH_BYTES; i++) {
        out[2 * i] = digits[hash->bytes[i] >> 4];
        out[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    out[2 * HASH_BYTES] = '\0';
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

bool hash_from_hex(const char *hex, struct hash *out)
{
    struct hash hash;

    if (strlen(hex) != 2 * HASH_BYTES)
        return false;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        hash.bytes[i] = (unsigned char)(high << 4 | low);
    }
    *out = hash;
    return true;
}
