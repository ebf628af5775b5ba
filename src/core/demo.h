/*
 * What `berth demo` plays in: a sandbox with sources that look like somebody's
 * files, drives of paper, and a past, made by the real engine; so that every
 * state can be seen without a drive, and nothing of the user's is touched.
 *
 *     SANDBOX/            below $TMPDIR, else /tmp; private
 *       home/             the sources; HOME, as long as the demo runs
 *       drives/ shelf/ script control …   platform/practice/practice.h
 *       config/ state/    where the practice platform has them
 *       tmp/              TMPDIR, as long as the demo runs
 *
 *     demo_new(&options, &demo, &err);  // before there is any other thread
 *     platform_new(…); engine_new(…);   // home, paths: as always
 *     demo_play_past(demo, engine, signal_fd, &err);
 *     ui_run(…) or a command
 *     engine_free(…); platform_free(…);
 *     demo_close(demo, &err);           // removes the sandbox, unless kept
 *
 * A sandbox whose process is dead, however it died, is removed by the next
 * demo_new of the same user. One with a name of its own is kept, and used again
 * as it was left: by one process after the other, or by several at once.
 */
#ifndef BERTH_DEMO_H
#define BERTH_DEMO_H

#include "core/base/error.h"
#include "core/engine.h"

#include <stdbool.h>

struct demo;

struct demo_options {
    /* Where the sandbox is to be, and to stay; NULL: a fresh one for once. */
    const char *kept_directory;
    /* Things happen by themselves, so that there is something to see: the
     * stick comes and goes, the first eject finds the drive in use. */
    bool has_surprises;
};

/*
 * Makes the sandbox with its sources and its script, or finds the one that was
 * kept, and points HOME, TMPDIR, BERTH_PRACTICE and the XDG variables there. A
 * database in it is changed by a thread from now on. ERR_INVALID where
 * `kept_directory` holds anything but a sandbox.
 */
err_code demo_new(const struct demo_options *options, struct demo **out,
                  struct error *err) MUST_CHECK;
/* Frees it and removes what is not kept; NULL is fine. After engine and
 * platform. The error says what could not be removed. */
err_code demo_close(struct demo *demo, struct error *err) MUST_CHECK;
const char *demo_directory(const struct demo *demo);

/*
 * Makes the volumes and jobs known, syncs as if on past nights (the wall clock
 * stands still meanwhile) and changes what has changed since; nothing where
 * that was done. No command may run. ERR_CANCELLED when `signal_fd` becomes
 * readable.
 */
err_code demo_play_past(struct demo *demo, struct engine *engine, int signal_fd,
                        struct error *err) MUST_CHECK;

/*
 * Runs the berth that has drives of paper in place of this one:
 * "berth-practice" beside it, or below ../libexec/berth. Returns only when
 * that fails, with the remedy.
 */
err_code demo_start_program(char *const *argv, struct error *err);

#endif
