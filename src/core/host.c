#include "core/host.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/marker.h"

#include <stdlib.h>
#include <string.h>

#define HOST_LIMIT_BYTES ((size_t)256)

static bool is_id(const char *text)
{
    return strspn(text, "0123456789abcdef") == VOLUME_ID_HEX_LENGTH &&
           !strcmp(text + VOLUME_ID_HEX_LENGTH, "\n");
}

static err_code make_id(const char *path, struct error *err)
{
    char id[VOLUME_ID_HEX_LENGTH + 1];
    err_code code = marker_new_id(id, err);

    if (code)
        return code;
    CLEANUP_FREE char *line = xasprintf("%s\n", id);
    return file_create(path, line, strlen(line), 0600, err);
}

err_code host_id(const char *state_directory, char **out_id, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *path = path_join(state_directory, "host");
    err_code code = directory_ensure(state_directory, err);

    if (!code)
        code = file_read(path, HOST_LIMIT_BYTES, &text, err);
    if (code == ERR_NOT_FOUND) {
        code = make_id(path, err);
        if (!code || code == ERR_EXISTS) /* somebody else was first */
            code = file_read(path, HOST_LIMIT_BYTES, &text, err);
    }

    if (!code && !is_id(text.text))
        code = error_set(err, ERR_CORRUPT,
                         "%s does not hold a host's id (32 hexadecimal digits "
                         "and a newline): restore it, or remove it to become a "
                         "new host",
                         path);
    if (!code)
        *out_id = xstrndup(text.text, VOLUME_ID_HEX_LENGTH);
    return code;
}

err_code host_catalogue_path(const char *state_directory, const char *volume_id,
                             char **out_path, struct error *err)
{
    CLEANUP_FREE char *directory = path_join(state_directory, "volumes");
    err_code code = directory_ensure(directory, err);

    if (!code)
        *out_path = xasprintf("%s/%s.db", directory, volume_id);
    return code;
}

err_code host_scratch_directory(const char *state_directory, char **out_path,
                                struct error *err)
{
    CLEANUP_FREE char *directory = path_join(state_directory, "scratch");
    err_code code = directory_ensure(directory, err);

    if (!code)
        *out_path = TAKE_PTR(directory);
    return code;
}
