/* Shared by the names*.c files only. */
#ifndef BERTH_NAMES_INTERNAL_H
#define BERTH_NAMES_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that `text` begins with; 0 if it is not UTF-8. */
size_t name_character_at(const char *text, size_t length, int32_t *out);

#endif
