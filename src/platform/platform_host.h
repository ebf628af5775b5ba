/*
 * The machine berth runs on: who, where, since when. Any thread.
 * Implemented in linux/linux_host.c, macos/macos_host.c and
 * practice/practice_host.c.
 */
#ifndef BERTH_PLATFORM_HOST_H
#define BERTH_PLATFORM_HOST_H

#include "core/base/error.h"

#include <stdbool.h>

/* Absolute paths in fresh memory (free() them); nothing is created. */
err_code platform_config_directory(char **out_path, struct error *err)
    MUST_CHECK;
err_code platform_state_directory(char **out_path, struct error *err)
    MUST_CHECK;
err_code platform_home_directory(char **out_path, struct error *err) MUST_CHECK;

/*
 * Where the holder of a volume's lock publishes who it is, shared by all
 * users of the machine: "/run/lock/berth". "" where there is no such place.
 */
char *platform_lock_hint_directory(void);

/* "desk" and "me"; free() them. */
char *platform_host_name(void);
char *platform_user_name(void);

/*
 * Different after every boot, constant during one: tells a killed process
 * from a power cut. free() it.
 */
err_code platform_boot_id(char **out_id, struct error *err) MUST_CHECK;

/* Whether the system says that its clock follows a better one (NTP, GPS). */
bool platform_clock_is_synchronised(void);

/* The path by which this very program can be started again; free() it. */
err_code platform_own_program(char **out_path, struct error *err) MUST_CHECK;

#endif
