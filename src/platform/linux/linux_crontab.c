#include "platform/linux/linux_schedule.h"
#include "platform/posix_crontab.h"
#include "platform/posix_program.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char begin_mark[] = "# BEGIN berth: `berth schedule` made this\n";
static const char end_mark[] = "# END berth\n";

/* As cron, cronie and dcron say it, and busybox ("can't open 'me': …"); or who
 * may have none (cron.allow). */
static bool says_that_there_is_none(const char *words)
{
    return strstr(words, "no crontab") || strstr(words, "No such file") ||
           strstr(words, "not allowed");
}

/*
 * Whoever writes it back must have read it: a crontab that could not be read
 * would be replaced by our lines alone. None, or no crontab(1): nothing.
 */
static err_code read_whole(struct strbuf *out, struct error *err)
{
    char env[] = "env", locale[] = "LC_ALL=C", program[] = "crontab",
         list[] = "-l";
    char *const arguments[] = {env, locale, program, list, NULL};
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    int status = posix_program_run(arguments, false, out);

    if (!status)
        return ERR_OK;
    strbuf_truncate(out, 0);
    if (status > 0 && (posix_program_run(arguments, true, &said) == 127 ||
                       says_that_there_is_none(said.length ? said.text : "")))
        return ERR_OK;
    strbuf_truncate(&said, said.length ? strcspn(said.text, "\n") : 0);
    return error_set(err, ERR_DENIED,
                     "cannot read your crontab, so it is left as it is: %s",
                     said.length ? said.text : "crontab -l could not be run");
}

/* Cuts berth's part out; what it was goes to `out_part`. */
static bool cut(struct strbuf *text, struct strbuf *out_part)
{
    const char *begin = text->length ? strstr(text->text, begin_mark) : NULL;
    const char *end = begin ? strstr(begin, end_mark) : NULL;

    if (!end)
        return false;
    size_t length = (size_t)(end - begin) + strlen(end_mark);
    if (out_part)
        strbuf_add(out_part, begin, length);
    strbuf_splice(text, (size_t)(begin - text->text), length, "", 0);
    return true;
}

void linux_crontab_read(struct strbuf *out)
{
    if (!read_whole(out, NULL))
        cut(out, NULL);
}

/* For the shell, in single quotes; cron takes % for a line end (crontab(5)). */
static void add_word(struct strbuf *out, const char *word)
{
    strbuf_adds(out, " '");
    for (; *word; word++) {
        if (*word == '\'')
            strbuf_adds(out, "'\\''");
        else if (*word == '%')
            strbuf_adds(out, "'\\%'");
        else
            strbuf_addch(out, *word);
    }
    strbuf_addch(out, '\'');
}

static err_code render(const struct platform_timer *timers, size_t count,
                       const char *program, struct strbuf *out,
                       struct error *err)
{
    strbuf_adds(out, begin_mark);
    for (size_t i = 0; i < count; i++) {
        const struct platform_timer *timer = &timers[i];
        if (!timer->at)
            return error_set(err, ERR_UNSUPPORTED,
                             "schedule \"on-plug\" needs systemd, and this "
                             "machine runs without it: give those jobs a time "
                             "such as \"02:00\"");
        strbuf_addf(out, "%ld %ld * * *", strtol(timer->at + 3, NULL, 10),
                    strtol(timer->at, NULL, 10));
        add_word(out, program);
        for (size_t w = 0; w < timer->word_count; w++)
            add_word(out, timer->words[w]);
        strbuf_addch(out, '\n');
    }
    strbuf_adds(out, end_mark);
    return ERR_OK;
}

static err_code write_whole(const struct strbuf *text, struct error *err)
{
    char path[] = "/tmp/berth-crontab-XXXXXX", program[] = "crontab";
    char *const arguments[] = {program, path, NULL};
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP_FD int fd = mkstemp(path);

    if (fd < 0)
        return error_set_errno(err, errno, "cannot make a file in /tmp");
    int failed = text->length ? fd_write_full(fd, text->text, text->length) : 0;
    int status = failed ? 0 : posix_program_run(arguments, true, &said);
    unlink(path);
    if (failed)
        return error_set_errno(err, failed, "cannot write %s", path);
    if (status < 0)
        return error_set(err, ERR_UNSUPPORTED,
                         "there is neither systemd nor a crontab program: "
                         "install cron");
    strbuf_truncate(&said, said.length ? strcspn(said.text, "\n") : 0);
    if (status)
        return error_set(err, ERR_DENIED, "crontab refuses: %s",
                         said.length ? said.text : "without a reason");
    return ERR_OK;
}

err_code linux_crontab_install(const struct platform_timer *timers,
                               size_t count, const char *program,
                               struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = read_whole(&text, err);

    if (code)
        return code;
    bool was_there = cut(&text, NULL);
    if (!count && !was_there)
        return ERR_OK;
    if (text.length && text.text[text.length - 1] != '\n')
        strbuf_addch(&text, '\n');
    if (count)
        code = render(timers, count, program, &text, err);
    if (!code)
        code = write_whole(&text, err);
    return code;
}

err_code linux_crontab_remove(bool *out_was_there, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = read_whole(&text, err);

    if (code)
        return code;
    *out_was_there = cut(&text, NULL);
    return *out_was_there ? write_whole(&text, err) : ERR_OK;
}

err_code platform_cron_silence(const char *line, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = read_whole(&text, err);

    if (code)
        return code;
    if (!text.length || !posix_crontab_silence(&text, line))
        return error_set(err, ERR_NOT_FOUND,
                         "your crontab has no such line any more: %s", line);
    return write_whole(&text, err);
}

/* A cron that is not running starts nothing; its pid file says (Debian). */
static bool cron_runs(void)
{
    static const char *const files[] = {"/run/crond.pid", "/run/cron.pid",
                                        "/var/run/crond.pid"};

    for (size_t i = 0; i < COUNT_OF(files); i++)
        if (!access(files[i], F_OK))
            return true;
    return false;
}

err_code linux_crontab_check(const struct platform_timer *timers, size_t count,
                             const char *program, struct platform_schedule *out,
                             struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf wanted = STRBUF_INIT;

    err_code code = read_whole(&text, err);
    if (code)
        return code;
    bool is_installed = cut(&text, &found);
    bool is_wanted = count && !render(timers, count, program, &wanted, NULL);
    bool is_same =
        is_installed && is_wanted && !strcmp(found.text, wanted.text);
    *out = (struct platform_schedule){
        .kind = "crontab",
        .is_installed = is_installed,
        .is_current = is_same && cron_runs(),
        .idle = is_same && !cron_runs() ? "cron" : NULL,
        .lingers = -1,
    };
    return ERR_OK;
}
