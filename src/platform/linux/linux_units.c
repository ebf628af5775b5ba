#include "platform/linux/linux_schedule.h"
#include "platform/linux/linux_sysfs.h"
#include "platform/posix_program.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/posix_host.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNIT_LIMIT_BYTES = 64 * 1024 };

/* --- systemctl --- */

/* Where `su` and cron leave it out: pam_systemd(8) would have set it. */
static void find_runtime_directory(void)
{
    CLEANUP_FREE char *path =
        xasprintf("/run/user/%lu", (unsigned long)getuid());

    if (!getenv("XDG_RUNTIME_DIR") && !access(path, X_OK))
        setenv("XDG_RUNTIME_DIR", path, 1);
}

static int systemctl(const char *verb, const char *unit, struct strbuf *out)
{
    char program[] = "systemctl", user[] = "--user", now[] = "--now";
    CLEANUP_FREE char *verb_word = xstrdup(verb);
    CLEANUP_FREE char *unit_word = unit ? xstrdup(unit) : NULL;
    bool is_timer = unit && strstr(unit, ".timer");
    bool changes = !strcmp(verb, "enable") || !strcmp(verb, "disable");
    char *arguments[6] = {program, user, verb_word};
    size_t count = 3;

    if (changes && is_timer)
        arguments[count++] = now;
    if (unit)
        arguments[count] = unit_word;
    find_runtime_directory();
    return posix_program_run(arguments, true, out);
}

static err_code ask(const char *verb, const char *unit, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    int status = systemctl(verb, unit, &said);

    if (!status)
        return ERR_OK;
    strbuf_truncate(&said, said.length ? strcspn(said.text, "\n") : 0);
    return error_set(err, ERR_DENIED,
                     "cannot %s%s%s with your systemd (%s): be logged in as "
                     "this user, or run `sudo loginctl enable-linger` for it",
                     verb, unit ? " " : "", unit ? unit : "",
                     said.length ? said.text : "systemctl could not be run");
}

/* --- the text of units --- */

static const char made_by[] = "# Made by `berth schedule install`, removed by "
                              "`berth schedule remove`.\n";

/* systemd.syntax(7): quotes, and no specifiers or variables. */
static void add_word(struct strbuf *out, const char *word)
{
    strbuf_addch(out, '"');
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            strbuf_addch(out, '\\');
        if (*word == '%' || *word == '$')
            strbuf_addch(out, *word);
        strbuf_addch(out, *word);
    }
    strbuf_addch(out, '"');
}

/* "media-me-hdd.mount" of "/media/me/hdd" (systemd.unit(5), escaping). */
static void add_mount_unit(struct strbuf *out, const char *path)
{
    const char *start = path + strspn(path, "/");

    if (!*start)
        strbuf_addch(out, '-');
    for (const char *at = start; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        bool is_plain =
            byte < 0x80 && (isalnum(byte) || byte == '_' || byte == ':' ||
                            (byte == '.' && at != start));
        if (byte == '/')
            strbuf_addch(out, '-');
        else if (is_plain)
            strbuf_addch(out, (char)byte);
        else
            strbuf_addf(out, "\\x%02x", byte);
    }
    strbuf_adds(out, ".mount");
}

static void render_service(const struct platform_timer *timer,
                           const char *program, struct strbuf *out)
{
    strbuf_addf(out,
                "%s[Unit]\n"
                "Description=berth: sync %s%s\n"
                "Documentation=man:berth(1)\n\n"
                "[Service]\n"
                "Type=oneshot\n"
                "ExecStart=",
                made_by, timer->at ? "at " : "when its drive is plugged in",
                timer->at ? timer->at : "");
    add_word(out, program);
    for (size_t i = 0; i < timer->word_count; i++) {
        strbuf_addch(out, ' ');
        add_word(out, timer->words[i]);
    }
    /* Mixed: berth stops at a clean boundary; its helpers end with it. */
    strbuf_adds(out, "\nKillMode=mixed\nTimeoutStopSec=120\nNice=10\n");
    if (timer->at)
        return;
    strbuf_adds(out, "\n[Install]\nWantedBy=");
    for (size_t i = 0; i < timer->mount_count; i++) {
        strbuf_adds(out, i ? " " : "");
        add_mount_unit(out, timer->mounts[i]);
    }
    strbuf_addch(out, '\n');
}

static void render_timer(const struct platform_timer *timer, struct strbuf *out)
{
    strbuf_addf(out,
                "%s[Unit]\n"
                "Description=berth: sync at %s\n"
                "Documentation=man:berth(1)\n\n"
                "[Timer]\n"
                "OnCalendar=*-*-* %s:00\n"
                "Persistent=true\n\n"
                "[Install]\n"
                "WantedBy=timers.target\n",
                made_by, timer->at, timer->at);
}

/* --- files --- */

static err_code unit_directory(char **out, struct error *err)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    CLEANUP_FREE char *home = NULL;
    err_code code = ERR_OK;

    if (base && *base == '/') {
        *out = path_join(base, "systemd/user");
        return ERR_OK;
    }
    code = posix_home_directory(&home, err);
    if (!code)
        *out = path_join(home, ".config/systemd/user");
    return code;
}

static char *unit_name(const struct platform_timer *timer, const char *suffix)
{
    return xasprintf("berth-%s.%s", timer->name, suffix);
}

/* Not one that the user made: berth-verify.timer, say. */
static bool is_unit_of_ours(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *dot = strrchr(name, '.');

    return !strncmp(name, "berth-", strlen("berth-")) && dot &&
           (!strcmp(dot, ".service") || !strcmp(dot, ".timer")) &&
           !file_read(path, UNIT_LIMIT_BYTES, &text, NULL) &&
           !strncmp(text.text, made_by, strlen(made_by));
}

static err_code write_unit(const char *directory, const char *name,
                           const struct strbuf *text, struct error *err)
{
    CLEANUP_FREE char *path = path_join(directory, name);

    return file_replace(path, text->text, text->length, 0644, err);
}

static bool is_as_wanted(const char *directory, const char *name,
                         const struct strbuf *wanted)
{
    CLEANUP_FREE char *path = path_join(directory, name);
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;

    return !file_read(path, UNIT_LIMIT_BYTES, &found, NULL) &&
           found.length == wanted->length &&
           !memcmp(found.text, wanted->text, found.length);
}

static err_code install_one(const char *directory,
                            const struct platform_timer *timer,
                            const char *program, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf service = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf clock = STRBUF_INIT;
    CLEANUP_FREE char *service_name = unit_name(timer, "service");
    CLEANUP_FREE char *timer_name = unit_name(timer, "timer");

    render_service(timer, program, &service);
    err_code code = write_unit(directory, service_name, &service, err);
    if (!code && timer->at) {
        render_timer(timer, &clock);
        code = write_unit(directory, timer_name, &clock, err);
    }
    return code;
}

static err_code remove_files(const char *directory, bool *out_was_there,
                             struct error *err)
{
    CLEANUP(linux_names_release) struct linux_names names = {.items = NULL};

    linux_sysfs_list(directory, &names);
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
        CLEANUP_FREE char *path = path_join(directory, names.items[i]);
        if (!is_unit_of_ours(directory, names.items[i]))
            continue;
        *out_was_there = true;
        /* Removes its links as well; without a running systemd, too. */
        systemctl("disable", names.items[i], &said);
        if (unlink(path))
            return error_set_errno(err, errno, "cannot remove %s", path);
    }
    return ERR_OK;
}

err_code linux_units_remove(bool *out_was_there, struct error *err)
{
    CLEANUP_FREE char *directory = NULL;
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    err_code code = unit_directory(&directory, err);

    *out_was_there = false;
    if (!code)
        code = remove_files(directory, out_was_there, err);
    if (!code && *out_was_there)
        systemctl("daemon-reload", NULL, &said);
    return code;
}

err_code linux_units_install(const struct platform_timer *timers, size_t count,
                             const char *program, struct error *err)
{
    CLEANUP_FREE char *directory = NULL;
    bool was_there = false;
    err_code code = unit_directory(&directory, err);

    if (!code)
        code = ask("daemon-reload", NULL, err);
    if (!code)
        code = directory_ensure(directory, err);
    if (!code)
        code = remove_files(directory, &was_there, err);
    for (size_t i = 0; !code && i < count; i++)
        code = install_one(directory, &timers[i], program, err);
    if (!code)
        code = ask("daemon-reload", NULL, err);
    for (size_t i = 0; !code && i < count; i++) {
        CLEANUP_FREE char *name =
            unit_name(&timers[i], timers[i].at ? "timer" : "service");
        code = ask("enable", name, err);
    }
    return code;
}

/* --- is it there --- */

/* loginctl writes it here (logind's user_is_lingering). */
static int lingers(void)
{
    CLEANUP_FREE char *user = posix_user_name();
    CLEANUP_FREE char *path = path_join("/var/lib/systemd/linger", user);

    return !access(path, F_OK);
}

static bool is_current(const char *directory,
                       const struct platform_timer *timer, const char *program)
{
    CLEANUP(strbuf_release) struct strbuf service = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf clock = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP_FREE char *service_name = unit_name(timer, "service");
    CLEANUP_FREE char *timer_name = unit_name(timer, "timer");

    render_service(timer, program, &service);
    render_timer(timer, &clock);
    if (!is_as_wanted(directory, service_name, &service))
        return false;
    if (!timer->at)
        return !systemctl("is-enabled", service_name, &said);
    return is_as_wanted(directory, timer_name, &clock) &&
           !systemctl("is-active", timer_name, &said);
}

err_code linux_units_check(const struct platform_timer *timers, size_t count,
                           const char *program, struct platform_schedule *out,
                           struct error *err)
{
    CLEANUP_FREE char *directory = NULL;
    CLEANUP(linux_names_release) struct linux_names names = {.items = NULL};
    size_t files = 0, wanted = 0;
    bool current = true;
    err_code code = unit_directory(&directory, err);

    if (code)
        return code;
    linux_sysfs_list(directory, &names);
    for (size_t i = 0; i < names.count; i++)
        files += is_unit_of_ours(directory, names.items[i]);
    for (size_t i = 0; i < count; i++) {
        wanted += timers[i].at ? 2 : 1;
        current = current && is_current(directory, &timers[i], program);
    }
    *out = (struct platform_schedule){
        .kind = "systemd user timer",
        .is_installed = files > 0,
        .is_current = current && files == wanted,
        .lingers = lingers(),
    };
    return ERR_OK;
}
