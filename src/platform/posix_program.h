/*
 * Other programs that are asked for something: smartctl, mount, launchctl.
 * Shared by the backends. Workers only.
 */
#ifndef BERTH_POSIX_PROGRAM_H
#define BERTH_POSIX_PROGRAM_H

#include "core/base/strbuf.h"

#include <stdbool.h>

/*
 * Runs a program of the PATH, without a shell, and waits for it. Appends what
 * it writes, its errors only if they are wanted. Returns its exit status; -1
 * when it could not be run or was killed, or what it wrote could not be read.
 */
int posix_program_run(char *const *arguments, bool with_errors,
                      struct strbuf *out);

#endif
