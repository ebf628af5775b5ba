#include "core/lost_writes.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/platform_host.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_BYTES ((size_t)256 * 1024)

static char *path_in(const char *state_directory)
{
    return path_join(state_directory, "lost-writes.json");
}

/* {"boot": …, "drives": {ID: VOLUME}}. Of another boot, or not there: empty. */
static err_code read_notes(const char *path, json_t **out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *boot = NULL;
    const char *noted_boot;
    json_t *drives, *root = NULL;
    err_code code = platform_boot_id(&boot, err);

    if (!code)
        code = file_read(path, LIMIT_BYTES, &text, err);
    if (code && code != ERR_NOT_FOUND)
        return code;
    if (!code && (!(root = json_loadb(text.text, text.length, 0, NULL)) ||
                  json_unpack(root, "{s:s, s:o}", "boot", &noted_boot, "drives",
                              &drives))) {
        json_decref(root);
        return error_set(err, ERR_CORRUPT,
                         "%s is damaged: unplug the drives when their light "
                         "is still, then remove it",
                         path);
    }
    if (code || strcmp(noted_boot, boot) != 0) {
        json_decref(root);
        root = json_pack("{s:s, s:{}}", "boot", boot, "drives");
    }
    *out = root;
    return ERR_OK;
}

err_code lost_writes_note(const char *state_directory,
                          const struct drive *drive, const char *volume,
                          struct error *err)
{
    CLEANUP_FREE char *path = path_in(state_directory);
    json_t *root = NULL;
    err_code code = directory_ensure(state_directory, err);

    if (!code)
        code = read_notes(path, &root, err);
    if (code)
        return code;
    json_object_set_new(json_object_get(root, "drives"), drive->id,
                        json_string(volume));
    CLEANUP_FREE char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    if (!text)
        die("cannot format the note of a failed flush");
    return file_replace(path, text, strlen(text), 0600, err);
}

void lost_writes_find(const char *state_directory, struct drive *drive)
{
    CLEANUP_FREE char *path = path_in(state_directory);
    struct error err = ERROR_INIT;
    json_t *root = NULL;

    if (read_notes(path, &root, &err)) {
        drive_note_unknown_past(drive, err.message);
        return;
    }
    const char *volume = json_string_value(
        json_object_get(json_object_get(root, "drives"), drive->id));
    if (volume)
        drive_note_lost_writes(drive, volume);
    json_decref(root);
}
