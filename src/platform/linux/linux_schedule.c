#include "platform/linux/linux_schedule.h"

#include "core/base/fdio.h"
#include "platform/linux/linux_sysfs.h"
#include "platform/posix_io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CRONTAB_LIMIT_BYTES = 256 * 1024 };

/* As sd_booted(3) asks it. */
static bool has_systemd(void)
{
    return !access("/run/systemd/system", F_OK);
}

/* Not /proc/self/exe, which is this process's own: a timer needs the path. */
static err_code find_program(char **out, struct error *err)
{
    static const char gone[] = " (deleted)";
    char *path = NULL;
    err_code code = posix_read_link_at(AT_FDCWD, "/proc/self/exe",
                                       "/proc/self/exe", &path, err);

    if (code)
        return code;
    size_t length = strlen(path);
    if (length > strlen(gone) && !strcmp(path + length - strlen(gone), gone)) {
        free(path);
        return error_set(err, ERR_CHANGED,
                         "berth was updated while it runs: run the command "
                         "once more");
    }
    *out = path;
    return ERR_OK;
}

err_code platform_schedule_install(const struct platform_timer *timers,
                                   size_t count, struct error *err)
{
    CLEANUP_FREE char *program = NULL;
    bool was_there;
    err_code code = find_program(&program, err);

    if (code)
        return code;
    if (!has_systemd())
        return linux_crontab_install(timers, count, program, err);
    code = linux_units_install(timers, count, program, err);
    /* Of a time without systemd: each night only once. */
    if (!code && linux_crontab_remove(&was_there, NULL))
        return ERR_OK; /* there is no crontab, or no cron */
    return code;
}

err_code platform_schedule_remove(bool *out_was_there, struct error *err)
{
    bool had_units = false, had_lines = false;
    err_code code = linux_units_remove(&had_units, err);

    if (!code)
        code = linux_crontab_remove(&had_lines, err);
    if (!code)
        *out_was_there = had_units || had_lines;
    return code;
}

err_code platform_schedule_check(const struct platform_timer *timers,
                                 size_t count, struct platform_schedule *out,
                                 struct error *err)
{
    CLEANUP_FREE char *program = NULL;
    err_code code = find_program(&program, err);

    if (code)
        return code;
    return has_systemd()
               ? linux_units_check(timers, count, program, out, err)
               : linux_crontab_check(timers, count, program, out, err);
}

/* --- crontabs of others --- */

static void add_lines(const char *where, const char *text, struct strbuf *out)
{
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        size_t blank = strspn(at, " \t");
        if (blank < length && at[blank] != '#')
            strbuf_addf(out, "%s\t%.*s\n", where, (int)length, at);
        at += length + (at[length] == '\n');
    }
}

static void add_file(const char *path, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!file_read(path, CRONTAB_LIMIT_BYTES, &text, NULL))
        add_lines(path, text.text, out);
}

static void add_directory(const char *directory, struct strbuf *out)
{
    CLEANUP(linux_names_release) struct linux_names names = {.items = NULL};

    linux_sysfs_list(directory, &names);
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP_FREE char *path = xasprintf("%s/%s", directory, names.items[i]);
        add_file(path, out);
    }
}

void platform_cron_lines(struct strbuf *out)
{
    static const char *const directories[] = {"/etc/cron.d", "/etc/cron.daily",
                                              "/etc/cron.hourly",
                                              "/etc/cron.weekly"};
    CLEANUP(strbuf_release) struct strbuf own = STRBUF_INIT;

    linux_crontab_read(&own);
    add_lines("crontab", own.text, out);
    add_file("/etc/crontab", out);
    for (size_t i = 0; i < COUNT_OF(directories); i++)
        add_directory(directories[i], out);
}
