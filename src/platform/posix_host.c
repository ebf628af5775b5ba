#include "platform/posix_host.h"

#include "core/base/path.h"
#include "platform/platform_host.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Asks the user database for one field of a user's entry, in fresh memory.
 * NULL with errno (0: no such user).
 */
static char *entry_of(uid_t uid, const char *(*field)(const struct passwd *))
{
    for (size_t size = 4096; size <= 1024 * 1024; size *= 4) {
        CLEANUP_FREE char *buffer = xmalloc(size);
        struct passwd entry, *found = NULL;
        int failed = getpwuid_r(uid, &entry, buffer, size, &found);
        if (failed == ERANGE)
            continue;
        errno = failed;
        return found ? xstrdup(field(found)) : NULL;
    }
    errno = ERANGE;
    return NULL;
}

static const char *home_of(const struct passwd *entry)
{
    return entry->pw_dir;
}

static const char *name_of(const struct passwd *entry)
{
    return entry->pw_name;
}

err_code posix_home_directory(char **out_path, struct error *err)
{
    const char *home = getenv("HOME");
    CLEANUP_FREE char *found = NULL;

    if (home && *home == '/')
        found = path_clean(home);
    else
        found = entry_of(getuid(), home_of);
    if (!found || *found != '/')
        return error_set(err, ERR_NOT_FOUND,
                         "cannot find the home directory: HOME is not set, and "
                         "the user database does not know it");
    *out_path = TAKE_PTR(found);
    return ERR_OK;
}

char *posix_host_name(void)
{
    char name[256];

    if (gethostname(name, sizeof name) || !*name)
        return xstrdup("localhost");
    name[sizeof name - 1] = '\0'; /* a longer one may come without it */
    name[strcspn(name, ".")] = '\0';
    return xstrdup(*name ? name : "localhost");
}

char *posix_user_of(uid_t uid)
{
    char *name = entry_of(uid, name_of);

    return name ? name : xasprintf("uid %lu", (unsigned long)uid);
}

char *posix_user_name(void)
{
    return posix_user_of(getuid());
}

err_code posix_xdg_directory(const char *variable, const char *fallback,
                             char **out_path, struct error *err)
{
    const char *base = getenv(variable);
    CLEANUP_FREE char *home = NULL;

    if (base && *base == '/') {
        CLEANUP_FREE char *clean = path_clean(base);
        *out_path = path_join(clean, "berth");
        return ERR_OK;
    }
    err_code code = posix_home_directory(&home, err);
    if (code)
        return code;
    CLEANUP_FREE char *below = path_join(home, fallback);
    *out_path = path_join(below, "berth");
    return ERR_OK;
}

/* --- the same for every backend --- */

err_code platform_home_directory(char **out_path, struct error *err)
{
    return posix_home_directory(out_path, err);
}

char *platform_host_name(void)
{
    return posix_host_name();
}

char *platform_user_name(void)
{
    return posix_user_name();
}
