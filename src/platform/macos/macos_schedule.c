/*
 * Launchd agents of the user, ~/Library/LaunchAgents/berth.NAME.plist: what was
 * missed while the Mac slept is started when it wakes, what was missed while
 * it was off is not (launchd.plist(5)). launchd knows no single mount points:
 * an agent for plugs starts with every mount and finds out itself.
 */
#include "platform/platform_schedule.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/platform_host.h"
#include "platform/posix_host.h"
#include "platform/posix_program.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT_BYTES = 64 * 1024 };

#define PREFIX "berth."
#define SUFFIX ".plist"

/* Where things are; strings are owned. */
struct places {
    char *program;
    char *agents; /* a directory */
    char *log;    /* else launchd drops what an agent says */
};

static void places_release(struct places *places)
{
    free(places->program);
    free(places->agents);
    free(places->log);
}

static err_code find_places(struct places *out, struct error *err)
{
    CLEANUP_FREE char *home = NULL;
    err_code code = posix_home_directory(&home, err);

    if (!code)
        code = platform_own_program(&out->program, err);
    if (code)
        return code;
    out->agents = path_join(home, "Library/LaunchAgents");
    out->log = path_join(home, "Library/Logs/berth.log");
    return ERR_OK;
}

static char *path_of(const struct places *places,
                     const struct platform_timer *timer)
{
    return xasprintf("%s/" PREFIX "%s" SUFFIX, places->agents, timer->name);
}

/* --- the text of an agent --- */

static void add_string(struct strbuf *out, const char *text)
{
    strbuf_adds(out, "<string>");
    for (; *text; text++) {
        if (*text == '&')
            strbuf_adds(out, "&amp;");
        else if (*text == '<')
            strbuf_adds(out, "&lt;");
        else if (*text == '>')
            strbuf_adds(out, "&gt;");
        else
            strbuf_addch(out, *text);
    }
    strbuf_adds(out, "</string>\n");
}

static void add_entry(struct strbuf *out, const char *key, const char *text)
{
    strbuf_addf(out, "<key>%s</key>", key);
    add_string(out, text);
}

static void add_start(const struct platform_timer *timer, struct strbuf *out)
{
    if (timer->at)
        strbuf_addf(out,
                    "<key>StartCalendarInterval</key><dict>\n"
                    "<key>Hour</key><integer>%ld</integer>\n"
                    "<key>Minute</key><integer>%ld</integer>\n</dict>\n",
                    strtol(timer->at, NULL, 10),
                    strtol(timer->at + 3, NULL, 10));
    else
        strbuf_adds(out, "<key>StartOnMount</key><true/>\n");
}

static void render(const struct places *places,
                   const struct platform_timer *timer, struct strbuf *out)
{
    CLEANUP_FREE char *label = xasprintf(PREFIX "%s", timer->name);

    strbuf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                     "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                     "<plist version=\"1.0\"><dict>\n");
    add_entry(out, "Label", label);
    strbuf_adds(out, "<key>ProgramArguments</key><array>\n");
    add_string(out, places->program);
    for (size_t i = 0; i < timer->word_count; i++)
        add_string(out, timer->words[i]);
    strbuf_adds(out, "</array>\n");
    add_start(timer, out);
    strbuf_adds(out, "<key>LowPriorityIO</key><true/>\n");
    add_entry(out, "StandardOutPath", places->log);
    add_entry(out, "StandardErrorPath", places->log);
    strbuf_adds(out, "</dict></plist>\n");
}

/* --- launchctl --- */

/* Of the session that the user is logged in to. 0, or its exit status. */
static int launchctl(const char *verb, const char *name, const char *path,
                     struct strbuf *out)
{
    char program[] = "launchctl";
    CLEANUP_FREE char *verb_word = xstrdup(verb);
    CLEANUP_FREE char *target =
        xasprintf("gui/%lu%s%s", (unsigned long)getuid(), name ? "/" : "",
                  name ? name : "");
    CLEANUP_FREE char *path_word = path ? xstrdup(path) : NULL;
    char *const arguments[] = {program, verb_word, target, path_word, NULL};

    return posix_program_run(arguments, true, out);
}

static err_code load(const char *path, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    int status = launchctl("bootstrap", NULL, path, &said);

    while (said.length && said.text[said.length - 1] == '\n')
        strbuf_truncate(&said, said.length - 1);
    if (!status)
        return ERR_OK;
    return error_set(err, ERR_DENIED,
                     "launchctl does not take %s (%s): be logged in at the Mac "
                     "as this user, not only over ssh",
                     path, said.length ? said.text : "it cannot be run");
}

/* One that was not loaded is none the less to go. */
static void unload(const char *label)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;

    (void)launchctl("bootout", label, NULL, &said);
}

static bool is_loaded(const struct platform_timer *timer)
{
    CLEANUP_FREE char *label = xasprintf(PREFIX "%s", timer->name);
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;

    return !launchctl("print", label, NULL, &said);
}

/* --- what is there --- */

/* "berth.0200" of "berth.0200.plist"; NULL: somebody else's. */
static char *label_of(const char *name)
{
    size_t length = strlen(name), end = strlen(SUFFIX);

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
        length <= strlen(PREFIX) + end || strcmp(name + length - end, SUFFIX))
        return NULL;
    return xstrndup(name, length - end);
}

/* Every agent of ours; `is_to_go`: unloaded and removed. */
static err_code walk_agents(const char *directory, bool is_to_go,
                            size_t *out_count, struct error *err)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    err_code code = ERR_OK;

    *out_count = 0;
    while (entries && !code && (entry = readdir(entries))) {
        CLEANUP_FREE char *label = label_of(entry->d_name);
        if (!label)
            continue;
        ++*out_count;
        if (!is_to_go)
            continue;
        unload(label);
        CLEANUP_FREE char *path = path_join(directory, entry->d_name);
        if (unlink(path))
            code = error_set_errno(err, errno, "cannot remove %s", path);
    }
    if (entries)
        closedir(entries);
    return code;
}

static bool is_as_wanted(const struct places *places,
                         const struct platform_timer *timer)
{
    CLEANUP_FREE char *path = path_of(places, timer);
    CLEANUP(strbuf_release) struct strbuf wanted = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;

    render(places, timer, &wanted);
    return !file_read(path, FILE_LIMIT_BYTES, &found, NULL) &&
           !strcmp(found.text, wanted.text) && is_loaded(timer);
}

/* --- the interface --- */

static err_code install_one(const struct places *places,
                            const struct platform_timer *timer,
                            struct error *err)
{
    CLEANUP_FREE char *path = path_of(places, timer);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    render(places, timer, &text);
    err_code code = file_replace(path, text.text, text.length, 0644, err);
    return code ? code : load(path, err);
}

err_code platform_schedule_install(const struct platform_timer *timers,
                                   size_t count, struct error *err)
{
    CLEANUP(places_release) struct places places = {.program = NULL};
    size_t was_there;
    err_code code = find_places(&places, err);

    if (!code)
        code = directory_ensure(places.agents, err);
    if (!code)
        code = walk_agents(places.agents, true, &was_there, err);
    for (size_t i = 0; !code && i < count; i++)
        code = install_one(&places, &timers[i], err);
    return code;
}

err_code platform_schedule_remove(bool *out_was_there, struct error *err)
{
    CLEANUP(places_release) struct places places = {.program = NULL};
    size_t was_there = 0;
    err_code code = find_places(&places, err);

    if (!code)
        code = walk_agents(places.agents, true, &was_there, err);
    *out_was_there = was_there > 0;
    return code;
}

err_code platform_schedule_check(const struct platform_timer *timers,
                                 size_t count, struct platform_schedule *out,
                                 struct error *err)
{
    CLEANUP(places_release) struct places places = {.program = NULL};
    size_t was_there = 0, same = 0;
    err_code code = find_places(&places, err);

    if (!code)
        code = walk_agents(places.agents, false, &was_there, err);
    if (code)
        return code;
    while (same < count && is_as_wanted(&places, &timers[same]))
        same++;
    *out = (struct platform_schedule){
        .kind = "launchd agent",
        .is_installed = was_there > 0,
        .is_current = count && same == count && was_there == count,
        .lingers = -1,
    };
    return ERR_OK;
}

/* The user's own is behind Full Disk Access: only the system's is read. */
void platform_cron_lines(struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read("/etc/crontab", FILE_LIMIT_BYTES, &text, NULL))
        return;
    for (const char *line = text.text; *line;) {
        size_t length = strcspn(line, "\n");
        if (length && *line != '#')
            strbuf_addf(out, "/etc/crontab\t%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

err_code platform_cron_silence(const char *line, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "a crontab is behind Full Disk Access here: put a # "
                     "before the line with `crontab -e`: %s",
                     line);
}
