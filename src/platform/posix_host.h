/*
 * What POSIX alone can do of platform_host.h, shared by the backends. Here are
 * platform_home_directory, platform_host_name and platform_user_name.
 * Any thread, as long as nobody changes the environment.
 */
#ifndef BERTH_POSIX_HOST_H
#define BERTH_POSIX_HOST_H

#include "core/base/error.h"

#include <sys/types.h>

/* $HOME where that is an absolute path, else what the user database says. */
err_code posix_home_directory(char **out_path, struct error *err) MUST_CHECK;

/* Up to the first dot: "desk" of "desk.example.org". free() it. */
char *posix_host_name(void);

/* Their name, or "uid 1000" when nobody knows it. free() it. */
char *posix_user_of(uid_t uid);
/* Of the real user. */
char *posix_user_name(void);

/*
 * $VARIABLE/berth where the variable is an absolute path (the XDG base
 * directory specification ignores others), else $HOME/FALLBACK/berth.
 */
err_code posix_xdg_directory(const char *variable, const char *fallback,
                             char **out_path, struct error *err) MUST_CHECK;

#endif
