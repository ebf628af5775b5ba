#include "platform/platform.h"
#include "platform/platform_host.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/thread.h"
#include "platform/posix_host.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the sandbox --- */

static pthread_once_t fresh_once = PTHREAD_ONCE_INIT;
static char *fresh_directory; /* set once; lives as long as the process */
static int fresh_errno;

static void make_fresh_directory(void)
{
    const char *temporary = getenv("TMPDIR");
    char *path = xasprintf("%s/berth-practice-XXXXXX",
                           temporary && *temporary ? temporary : "/tmp");

    if (mkdtemp(path)) {
        fresh_directory = path;
    } else {
        fresh_errno = errno;
        free(path);
    }
}

/*
 * realpath of as much of a path as exists, so that a sandbox that is yet to
 * be made has the name that it will have.
 */
static err_code resolve_path(const char *path, char **out_path,
                             struct error *err)
{
    char *real = realpath(path, NULL);

    if (real) {
        *out_path = real;
        return ERR_OK;
    }
    if (errno != ENOENT || *path != '/')
        return error_set_errno(err, errno,
                               "cannot find the practice sandbox "
                               "%s (BERTH_PRACTICE)",
                               path);
    *out_path = path_clean(path);
    return ERR_OK;
}

/* Asked with every file that is opened: resolved once as long as nobody, a
 * test, chooses another. */
static pthread_mutex_t resolved_mutex = PTHREAD_MUTEX_INITIALIZER;
static char *resolved_from, *resolved; /* under resolved_mutex */

static char *find_resolved(const char *path)
{
    char *found = NULL;

    mutex_lock(&resolved_mutex);
    if (resolved_from && !strcmp(resolved_from, path))
        found = xstrdup(resolved);
    mutex_unlock(&resolved_mutex);
    return found;
}

static void keep_resolved(const char *path, const char *real)
{
    mutex_lock(&resolved_mutex);
    free(resolved_from);
    free(resolved);
    resolved_from = xstrdup(path);
    resolved = xstrdup(real);
    mutex_unlock(&resolved_mutex);
}

static err_code resolve_once(const char *path, char **out_path,
                             struct error *err)
{
    char *found = find_resolved(path);

    if (found) {
        *out_path = found;
        return ERR_OK;
    }
    err_code code = resolve_path(path, out_path, err);
    if (!code && !access(*out_path, F_OK))
        keep_resolved(path, *out_path);
    return code;
}

err_code practice_directory(char **out_path, struct error *err)
{
    const char *chosen = getenv("BERTH_PRACTICE");

    if (chosen && *chosen)
        return resolve_once(chosen, out_path, err);
    pthread_once(&fresh_once, make_fresh_directory);
    if (!fresh_directory)
        return error_set_errno(err, fresh_errno,
                               "cannot make a practice sandbox below TMPDIR");
    return resolve_once(fresh_directory, out_path, err);
}

err_code practice_path(const char *name, char **out_path, struct error *err)
{
    CLEANUP_FREE char *sandbox = NULL;
    err_code code = practice_directory(&sandbox, err);

    if (!code)
        *out_path = path_join(sandbox, name);
    return code;
}

/* --- the host --- */

err_code platform_config_directory(char **out_path, struct error *err)
{
    return practice_path("config", out_path, err);
}

err_code platform_state_directory(char **out_path, struct error *err)
{
    return practice_path("state", out_path, err);
}

/* Nobody outside the sandbox is to hear of a practice drive. */
char *platform_lock_hint_directory(void)
{
    char *path = NULL;

    return practice_path("lock", &path, NULL) ? xstrdup("") : path;
}

/*
 * POSIX has no boot id: the sandbox never reboots, unless somebody writes
 * another word into its file.
 */
err_code platform_boot_id(char **out_id, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = practice_path("boot-id", &path, err);

    if (code)
        return code;
    code = file_read(path, 256, &text, err);
    if (code && code != ERR_NOT_FOUND)
        return code;
    strbuf_truncate(&text, strcspn(text.text, "\n"));
    *out_id = text.length ? strbuf_detach(&text) : xstrdup("practice");
    return ERR_OK;
}

/* The clock of paper follows another one, unless its file says otherwise. */
bool platform_clock_is_synchronised(void)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    return practice_path("clock", &path, NULL) ||
           file_read(path, 256, &text, NULL) ||
           strncmp(text.text, "unsynchronised", strlen("unsynchronised")) != 0;
}

/* Whoever plays may do everything, unless the file "rights" is there. */
err_code platform_unwatched_rights(struct platform *platform,
                                   struct platform_rights *out,
                                   struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    err_code code = practice_path("rights", &path, err);

    if (code)
        return code;
    bool may = access(path, F_OK) != 0;
    *out = (struct platform_rights){.may_mount = may, .may_power_off = may};
    return ERR_OK;
}

/*
 * POSIX does not know it either: BERTH_PRACTICE_PROGRAM does, which tests set
 * because they are not berth; else the link that Linux and some others have.
 */
err_code platform_own_program(char **out_path, struct error *err)
{
    const char *chosen = getenv("BERTH_PRACTICE_PROGRAM");
    char *path = NULL;

    if (chosen && *chosen == '/') {
        *out_path = xstrdup(chosen);
        return ERR_OK;
    }
    if (posix_read_link_at(AT_FDCWD, "/proc/self/exe", "/proc/self/exe", &path,
                           NULL))
        return error_set(err, ERR_UNSUPPORTED,
                         "cannot tell where this program is: set "
                         "BERTH_PRACTICE_PROGRAM to its path");
    *out_path = path;
    return ERR_OK;
}
