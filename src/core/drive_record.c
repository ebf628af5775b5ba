#include "core/drive_record.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/marker.h"
#include "platform/platform_host.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define NEW_PATH SESSION_PATH ".new"
#define LIMIT_BYTES ((size_t)64 * 1024)

void drive_record_release(struct drive_record *record)
{
    free(record->host);
    record->host = NULL;
}

static err_code check_format(json_t *root, struct error *err)
{
    json_int_t format = json_integer_value(json_object_get(root, "format"));

    if (format <= FORMAT)
        return ERR_OK;
    return error_set(err, ERR_TOO_NEW,
                     "%s was written by a newer berth (format %lld, this one "
                     "knows %d): update berth on this machine",
                     SESSION_PATH, (long long)format, FORMAT);
}

static err_code parse(const struct strbuf *text, struct drive_record *out,
                      struct error *err)
{
    json_t *root = json_loadb(text->text, text->length, 0, NULL);
    const char *host, *state;
    err_code code = check_format(root, err);

    if (!code && root &&
        !json_unpack(root, "{s:s, s:s}", "host", &host, "state", &state))
        *out = (struct drive_record){xstrdup(host), !strcmp(state, "open")};
    json_decref(root);
    return code;
}

err_code drive_record_read(int root_fd, struct drive_record *out,
                           struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(root_fd, SESSION_PATH,
                                          PLATFORM_OPEN_READ, &fd, err);

    *out = (struct drive_record){.host = NULL};
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (!code)
        code = fd_read_file(fd, LIMIT_BYTES, SESSION_PATH, &text, err);
    if (!code)
        code = parse(&text, out, err);
    return code;
}

static char *format_record(const char *host, int64_t run, bool is_open)
{
    CLEANUP_FREE char *host_name = platform_host_name();
    CLEANUP_FREE char *user = platform_user_name();
    CLEANUP_FREE char *label = xasprintf("%s/%s", host_name, user);
    char now[32];

    clock_format_utc(clock_now_ns(), now, sizeof now);
    json_t *object = json_pack("{s:s, s:i, s:s, s:s, s:I, s:s, s:s}", "berth",
                               "session", "format", FORMAT, "host", host,
                               "label", label, "run", (json_int_t)run, "state",
                               is_open ? "open" : "rest", "time", now);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!text)
        die("cannot format the record of a session");
    return text;
}

err_code drive_record_write(struct fsops *ops, const char *host, int64_t run,
                            bool is_open, struct error *err)
{
    CLEANUP_FREE char *text = format_record(host, run, is_open);
    CLEANUP_FD int fd = -1;
    err_code code = fsops_unlink_if_there(ops, NEW_PATH, err);

    if (!code)
        code = fsops_create(ops, NEW_PATH, 0644, &fd, err);
    if (code)
        return code;
    int failed = fd_write_full(fd, text, strlen(text));
    if (failed)
        return error_set_errno(err, failed, "cannot write %s", NEW_PATH);
    /* Its content must not be behind its name after a power cut. */
    code = platform_flush_file(fd, err);
    if (!code)
        code = fsops_replace(ops, NEW_PATH, SESSION_PATH, err);
    return code;
}
