#include "core/marker.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

void marker_release(struct marker *marker)
{
    free(marker->name);
    free(marker->family);
    free(marker->fs_uuid);
    *marker = (struct marker){.name = NULL};
}

err_code marker_new_id(char out[VOLUME_ID_HEX_LENGTH + 1], struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[VOLUME_ID_HEX_LENGTH / 2];
    CLEANUP_FD int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (fd < 0 ||
        fd_read_full(fd, random, sizeof random) != (ssize_t)sizeof random)
        return error_set_errno(err, errno, "cannot read /dev/urandom");
    for (size_t i = 0; i < sizeof random; i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[VOLUME_ID_HEX_LENGTH] = '\0';
    return ERR_OK;
}

char *marker_format(const struct marker *marker)
{
    char created[32];

    clock_format_utc(marker->created_ns, created, sizeof created);
    json_t *object = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "berth",
                               "volume", "format", FORMAT, "id", marker->id,
                               "name", marker->name, "family", marker->family,
                               "fs_uuid", marker->fs_uuid, "created", created);
    char *json = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!json)
        die("cannot format a marker");
    char *text = xasprintf("%s\n", json);
    free(json);
    return text;
}

static err_code not_ours(const char *why, struct error *err)
{
    return error_set(err, ERR_CORRUPT, "%s is not a marker of berth: %s",
                     MARKER_PATH, why);
}

/* Before anything else is read: a newer format may have other fields. */
static err_code check_format(json_t *root, struct error *err)
{
    const char *kind;
    json_int_t format;

    if (json_unpack(root, "{s:s, s:I}", "berth", &kind, "format", &format) ||
        format < 1)
        return not_ours("a field is missing or of another type", err);
    if (strcmp(kind, "volume") != 0)
        return not_ours("it says that it is something else", err);
    if (format <= FORMAT)
        return ERR_OK;
    return error_set(err, ERR_TOO_NEW,
                     "%s was written by a newer berth (format %lld, this one "
                     "knows %d): update berth on this machine",
                     MARKER_PATH, (long long)format, FORMAT);
}

static err_code marker_from_json(json_t *root, struct marker *out,
                                 struct error *err)
{
    const char *id, *name, *family = "", *fs_uuid = "", *created = "";
    struct marker marker = {.name = NULL};
    err_code code = check_format(root, err);

    if (code)
        return code;
    if (json_unpack(root, "{s:s, s:s, s?s, s?s, s?s}", "id", &id, "name", &name,
                    "family", &family, "fs_uuid", &fs_uuid, "created",
                    &created))
        return not_ours("a field is missing or of another type", err);
    if (strlen(id) != VOLUME_ID_HEX_LENGTH ||
        strspn(id, "0123456789abcdef") != VOLUME_ID_HEX_LENGTH)
        return not_ours("the id is not 32 hexadecimal digits", err);
    memcpy(marker.id, id, sizeof marker.id);
    clock_parse_utc(created, &marker.created_ns);
    marker.name = xstrdup(name);
    marker.family = xstrdup(family);
    marker.fs_uuid = xstrdup(fs_uuid);
    *out = marker;
    return ERR_OK;
}

err_code marker_parse(const char *text, size_t length, struct marker *out,
                      struct error *err)
{
    json_error_t where;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);

    if (!root)
        return not_ours(where.text, err);
    err_code code = marker_from_json(root, out, err);
    json_decref(root);
    return code;
}

err_code marker_read(int root_fd, struct marker *out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(root_fd, MARKER_PATH,
                                          PLATFORM_OPEN_READ, &fd, err);

    if (!code)
        code = fd_read_file(fd, MARKER_LIMIT_BYTES, MARKER_PATH, &text, err);
    if (!code)
        code = marker_parse(text.text, text.length, out, err);
    return code;
}
