/*
 * A marker from bytes of all kinds: it is refused with words, or it is whole,
 * and written anew it says the same.
 */
#include "core/marker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_whole(const struct marker *marker)
{
    require(strlen(marker->id) == VOLUME_ID_HEX_LENGTH);
    require(strspn(marker->id, "0123456789abcdef") == VOLUME_ID_HEX_LENGTH);
    require(marker->name && marker->family && marker->fs_uuid);
}

static void check_written_anew(const struct marker *marker)
{
    CLEANUP_FREE char *text = marker_format(marker);
    struct marker again;

    require(!marker_parse(text, strlen(text), &again, NULL));
    require(!strcmp(marker->id, again.id));
    require(!strcmp(marker->name, again.name));
    require(!strcmp(marker->family, again.family));
    require(!strcmp(marker->fs_uuid, again.fs_uuid));
    require(marker->created_ns == again.created_ns);
    marker_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct marker marker;
    err_code code = marker_parse((const char *)data, size, &marker, &err);

    require(code == ERR_OK || code == ERR_CORRUPT || code == ERR_TOO_NEW);
    require(code == ERR_OK || *err.message);
    if (code)
        return 0;
    check_whole(&marker);
    check_written_anew(&marker);
    marker_release(&marker);
    return 0;
}
