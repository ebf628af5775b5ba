#include "platform/platform_schedule.h"

#include "core/base/fdio.h"
#include "platform/posix_crontab.h"
#include "platform/practice/practice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Timers of paper: a file "schedule" in the sandbox, which nothing starts. Its
 * file "linger" says that this user does not linger, "crontab" what others
 * have scheduled.
 */
enum { LIMIT_BYTES = 64 * 1024 };

static void render(const struct platform_timer *timers, size_t count,
                   struct strbuf *out)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_addf(out, "%s %s:", timers[i].name,
                    timers[i].at ? timers[i].at : "on-plug");
        for (size_t m = 0; !timers[i].at && m < timers[i].mount_count; m++)
            strbuf_addf(out, " %s", timers[i].mounts[m]);
        for (size_t w = 0; w < timers[i].word_count; w++)
            strbuf_addf(out, " '%s'", timers[i].words[w]);
        strbuf_addch(out, '\n');
    }
}

err_code platform_schedule_install(const struct platform_timer *timers,
                                   size_t count, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = practice_path("schedule", &path, err);

    render(timers, count, &text);
    if (!code)
        code = file_replace(path, text.text, text.length, 0600, err);
    return code;
}

err_code platform_schedule_remove(bool *out_was_there, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    err_code code = practice_path("schedule", &path, err);

    if (code)
        return code;
    *out_was_there = !unlink(path);
    if (!*out_was_there && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove %s", path);
    return ERR_OK;
}

err_code platform_schedule_check(const struct platform_timer *timers,
                                 size_t count, struct platform_schedule *out,
                                 struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FREE char *linger = NULL;
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf wanted = STRBUF_INIT;
    err_code code = practice_path("schedule", &path, err);

    if (!code)
        code = practice_path("linger", &linger, err);
    if (code)
        return code;
    render(timers, count, &wanted);
    bool is_there = !file_read(path, LIMIT_BYTES, &found, NULL);
    *out = (struct platform_schedule){
        .kind = "timer of paper",
        .is_installed = is_there,
        .is_current = is_there && wanted.length == found.length &&
                      (!found.length || !strcmp(wanted.text, found.text)),
        .lingers = access(linger, F_OK) ? 1 : 0,
    };
    return ERR_OK;
}

void platform_cron_lines(struct strbuf *out)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (practice_path("crontab", &path, NULL) ||
        file_read(path, LIMIT_BYTES, &text, NULL))
        return;
    for (char *line = text.text; line && *line;) {
        size_t length = strcspn(line, "\n");
        if (length && *line != '#')
            strbuf_addf(out, "crontab\t%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

err_code platform_cron_silence(const char *line, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = practice_path("crontab", &path, err);

    if (!code)
        code = file_read(path, LIMIT_BYTES, &text, err);
    if (!code && (!text.length || !posix_crontab_silence(&text, line)))
        code = error_set(err, ERR_NOT_FOUND,
                         "your crontab has no such line any more: %s", line);
    if (!code)
        code = file_replace(path, text.text, text.length, 0600, err);
    return code;
}
