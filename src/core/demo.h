/*
 * What `berth demo` plays in: a sandbox with sources that look like somebody's
 * files, drives of paper, and a past, made by the real engine; so that every
 * state can be seen without a drive, and nothing of the user's is touched.
 *
 *     SANDBOX/            below $TMPDIR, else ~/.cache, else /tmp; private
 *       home/             the sources; HOME, as long as the demo runs
 *       drives/ shelf/ script control …   platform/practice/practice.h
 *       config/ state/    where the practice platform has them
 *       tmp/              TMPDIR, as long as the demo runs
 *
 *     demo_new(&demo, &err);            // before there is any other thread
 *     platform_new(…); engine_new(…);   // home, paths: as always
 *     demo_play_past(demo, engine, signal_fd, &err);
 *     ui_run(…) or a command
 *     engine_free(…); platform_free(…);
 *     demo_free(demo);                  // removes the sandbox
 *
 * A sandbox whose process is dead, however it died, is removed by the next
 * demo_new of the same user.
 */
#ifndef BERTH_DEMO_H
#define BERTH_DEMO_H

#include "core/base/error.h"
#include "core/engine.h"

struct demo;

/*
 * Makes the sandbox with its sources and its script, and points HOME, TMPDIR,
 * BERTH_PRACTICE and the XDG variables there. A database in it is changed by a
 * thread from now on.
 */
err_code demo_new(struct demo **out, struct error *err) MUST_CHECK;
/* Removes it; NULL is fine. After engine and platform. */
void demo_free(struct demo *demo);
const char *demo_directory(const struct demo *demo);

/*
 * Makes the volumes and jobs known, syncs as if on past nights (the wall clock
 * stands still meanwhile) and changes what has changed since. No command may
 * run. ERR_CANCELLED when `signal_fd` becomes readable.
 */
err_code demo_play_past(struct demo *demo, struct engine *engine, int signal_fd,
                        struct error *err) MUST_CHECK;

/* What it built, in a few lines for people. free() it. */
char *demo_describe(const struct demo *demo);

/*
 * Runs the berth that has drives of paper in place of this one:
 * "berth-practice" beside it, or below ../libexec/berth. Returns only when
 * that fails, with the remedy.
 */
err_code demo_start_program(char *const *argv, struct error *err);

#endif
