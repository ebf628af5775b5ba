/*
 * The marker: the small JSON file `.berth/volume` that says which volume this
 * is. It decides, not the path and not the filesystem's serial number, which
 * is 32 bits on exFAT and copied by cloning (ENGINE G1).
 *
 * Also the names of everything berth keeps on a volume.
 */
#ifndef BERTH_MARKER_H
#define BERTH_MARKER_H

#include "core/base/error.h"
#include "core/config.h"

#include <stdint.h>

#define BERTH_DIRECTORY ".berth"
#define MARKER_PATH ".berth/volume"
#define SESSION_PATH ".berth/session"
#define STAGING_PATH ".berth/staging"
#define VERSIONS_PATH ".berth/versions"
#define COMMITS_PATH ".berth/commits"
#define NOMEDIA_PATH ".berth/.nomedia"

/* What a drive holds is not trusted to be small. */
#define MARKER_LIMIT_BYTES ((size_t)64 * 1024)

struct marker {
    char id[VOLUME_ID_HEX_LENGTH + 1];
    char *name;    /* as it was called when it was made: a hint for people */
    char *family;  /* of the filesystem: "exfat" */
    char *fs_uuid; /* canonical; "" when it could not be read */
    int64_t created_ns;
};

void marker_release(struct marker *marker);

/* Fresh random id, 128 bits, as hexadecimal digits. */
err_code marker_new_id(char out[VOLUME_ID_HEX_LENGTH + 1], struct error *err)
    MUST_CHECK;

/*
 * ERR_NOT_FOUND: no marker. ERR_TOO_NEW, ERR_CORRUPT: there is one, but not
 * one that this berth can go by.
 */
err_code marker_read(int root_fd, struct marker *out, struct error *err)
    MUST_CHECK;

/* The file's text; free() it. */
char *marker_format(const struct marker *marker);
err_code marker_parse(const char *text, size_t length, struct marker *out,
                      struct error *err) MUST_CHECK;

#endif
