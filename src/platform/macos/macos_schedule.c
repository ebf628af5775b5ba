#include "platform/platform_schedule.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/posix_host.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Launchd agents of the user: ~/Library/LaunchAgents/berth.NAME.plist. What
 * was missed while the Mac slept is started when it wakes (launchd.plist(5)).
 * Never run on a Mac yet. */
enum { PLIST_LIMIT_BYTES = 64 * 1024 };
extern char **environ;

static err_code find_program(char **out, struct error *err)
{
    char path[PATH_MAX];
    uint32_t size = sizeof path;

    if (_NSGetExecutablePath(path, &size))
        return error_set(err, ERR_INTERNAL, "cannot find berth's own program");
    *out = realpath(path, NULL);
    return *out ? ERR_OK : error_set_errno(err, errno, "cannot find %s", path);
}

static err_code agent_directory(char **out, struct error *err)
{
    CLEANUP_FREE char *home = NULL;
    err_code code = posix_home_directory(&home, err);

    if (!code)
        *out = path_join(home, "Library/LaunchAgents");
    return code;
}

/* --- the text of an agent --- */

static void add_text(struct strbuf *out, const char *tag, const char *text)
{
    strbuf_addf(out, "<%s>", tag);
    for (; *text; text++) {
        if (*text == '&')
            strbuf_adds(out, "&amp;");
        else if (*text == '<')
            strbuf_adds(out, "&lt;");
        else
            strbuf_addch(out, *text);
    }
    strbuf_addf(out, "</%s>\n", tag);
}

static void render(const struct platform_timer *timer, const char *program,
                   struct strbuf *out)
{
    strbuf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                     "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                     "<plist version=\"1.0\"><dict>\n<key>Label</key>\n");
    CLEANUP_FREE char *label = xasprintf("berth.%s", timer->name);
    add_text(out, "string", label);
    strbuf_adds(out, "<key>ProgramArguments</key>\n<array>\n");
    add_text(out, "string", program);
    for (size_t i = 0; i < timer->word_count; i++)
        add_text(out, "string", timer->words[i]);
    strbuf_adds(out, "</array>\n<key>LowPriorityIO</key><true/>\n");
    if (timer->at)
        strbuf_addf(out,
                    "<key>StartCalendarInterval</key><dict>\n"
                    "<key>Hour</key><integer>%ld</integer>\n"
                    "<key>Minute</key><integer>%ld</integer>\n</dict>\n",
                    strtol(timer->at, NULL, 10),
                    strtol(timer->at + 3, NULL, 10));
    else
        strbuf_adds(out, "<key>StartOnMount</key><true/>\n");
    strbuf_adds(out, "</dict></plist>\n");
}

/* --- launchctl --- */

static err_code launchctl(const char *verb, const char *path, struct error *err)
{
    char program[] = "launchctl";
    CLEANUP_FREE char *verb_word = xstrdup(verb);
    CLEANUP_FREE char *path_word = xstrdup(path);
    CLEANUP_FREE char *domain = xasprintf("gui/%lu", (unsigned long)getuid());
    char *const arguments[] = {program, verb_word, domain, path_word, NULL};
    pid_t pid;
    int status = -1;

    int failed = posix_spawnp(&pid, program, NULL, NULL, arguments, environ);
    if (failed)
        return error_set_errno(err, failed, "cannot start launchctl");
    if (waitpid(pid, &status, 0) < 0 || status)
        return error_set(err, ERR_DENIED,
                         "launchctl %s %s failed (above): be logged in at the "
                         "Mac as this user",
                         verb, path);
    return ERR_OK;
}

static bool is_agent_of_ours(const char *name)
{
    const char *dot = strrchr(name, '.');

    return !strncmp(name, "berth.", strlen("berth.")) && dot &&
           !strcmp(dot, ".plist");
}

static err_code remove_all(const char *directory, bool *out_was_there,
                           struct error *err)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    err_code code = ERR_OK;

    *out_was_there = false;
    if (!entries)
        return ERR_OK;
    while (!code && (entry = readdir(entries))) {
        CLEANUP_FREE char *path = path_join(directory, entry->d_name);
        if (!is_agent_of_ours(entry->d_name))
            continue;
        *out_was_there = true;
        if (launchctl("bootout", path, NULL) == ERR_INTERNAL)
            code = error_set(err, ERR_INTERNAL, "cannot start launchctl");
        else if (unlink(path))
            code = error_set_errno(err, errno, "cannot remove %s", path);
    }
    closedir(entries);
    return code;
}

/* --- the interface --- */

static err_code install_one(const char *directory,
                            const struct platform_timer *timer,
                            const char *program, struct error *err)
{
    CLEANUP_FREE char *path =
        xasprintf("%s/berth.%s.plist", directory, timer->name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    render(timer, program, &text);
    err_code code = file_replace(path, text.text, text.length, 0644, err);
    return code ? code : launchctl("bootstrap", path, err);
}

err_code platform_schedule_install(const struct platform_timer *timers,
                                   size_t count, struct error *err)
{
    CLEANUP_FREE char *directory = NULL;
    CLEANUP_FREE char *program = NULL;
    bool was_there;
    err_code code = find_program(&program, err);

    if (!code)
        code = agent_directory(&directory, err);
    if (!code)
        code = directory_ensure(directory, err);
    if (!code)
        code = remove_all(directory, &was_there, err);
    for (size_t i = 0; !code && i < count; i++)
        code = install_one(directory, &timers[i], program, err);
    return code;
}

err_code platform_schedule_remove(bool *out_was_there, struct error *err)
{
    CLEANUP_FREE char *directory = NULL;
    err_code code = agent_directory(&directory, err);

    return code ? code : remove_all(directory, out_was_there, err);
}

err_code platform_schedule_check(const struct platform_timer *timers,
                                 size_t count, struct platform_schedule *out,
                                 struct error *err)
{
    CLEANUP_FREE char *directory = NULL;
    CLEANUP_FREE char *program = NULL;
    size_t same = 0;
    err_code code = find_program(&program, err);

    if (!code)
        code = agent_directory(&directory, err);
    if (code)
        return code;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *path =
            xasprintf("%s/berth.%s.plist", directory, timers[i].name);
        CLEANUP(strbuf_release) struct strbuf wanted = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
        render(&timers[i], program, &wanted);
        same += !file_read(path, PLIST_LIMIT_BYTES, &found, NULL) &&
                !strcmp(found.text, wanted.text);
    }
    *out = (struct platform_schedule){
        .kind = "launchd agent",
        .is_installed = same > 0,
        .is_current = count && same == count,
        .lingers = -1,
    };
    return ERR_OK;
}

/* The user's own is behind Full Disk Access: only the system's is read. */
void platform_cron_lines(struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read("/etc/crontab", PLIST_LIMIT_BYTES, &text, NULL))
        return;
    for (const char *line = text.text; *line;) {
        size_t length = strcspn(line, "\n");
        if (length && *line != '#')
            strbuf_addf(out, "/etc/crontab\t%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}
