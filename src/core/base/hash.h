/*
 * The content hash of the catalogue: XXH3-128, in canonical (big endian)
 * byte order. It finds rot and accidents; it does not withstand content that
 * was crafted to collide, so equal hashes never replace comparing bytes where
 * other people's content could be swapped (renames).
 */
#ifndef BERTH_BASE_HASH_H
#define BERTH_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>

#define HASH_BYTES 16
#define HASH_HEX_SIZE (2 * HASH_BYTES + 1)

struct hash {
    unsigned char bytes[HASH_BYTES];
};

struct hasher; /* streaming state, 64-byte aligned, about 600 bytes */

struct hasher *hasher_new(void);
void hasher_free(struct hasher *hasher);
void hasher_reset(struct hasher *hasher);
void hasher_add(struct hasher *hasher, const void *bytes, size_t length);
struct hash hasher_digest(const struct hasher *hasher);

struct hash hash_of(const void *bytes, size_t length);
bool hash_equal(const struct hash *one, const struct hash *other);
void hash_to_hex(const struct hash *hash, char out[HASH_HEX_SIZE]);
bool hash_from_hex(const char *hex, struct hash *out);

#endif
