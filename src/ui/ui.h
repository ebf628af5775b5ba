/*
 * The full-screen program: draws what the engine tells, and asks the engine
 * for what the keys mean. One thread; it waits for keys, events and signals
 * at once and never for a drive.
 *
 *     ui.c         the loop
 *     model*.c     what is known and asked for; pure
 *     review, diff_*  plans: sums, the folding tree, what is visible; pure
 *     screen*.c    one file per screen: keys, drawing, what intents do
 *     widget*.c    bars, graph, boxes
 *     canvas, text, theme, words, pace, keys   pure helpers of these
 *     term_curses.c   the terminal; term_ground.c asks whether it is light
 */
#ifndef BERTH_UI_UI_H
#define BERTH_UI_UI_H

#include "core/engine.h"

#include <stdbool.h>

struct ui_options {
    struct engine *engine;
    /*
     * Delivers a byte for each signal, its number: SIGINT, SIGTERM and SIGHUP
     * stop what runs, a second one leaves at once; SIGTSTP pauses first;
     * SIGCONT draws anew. The loop reads it: nothing else may.
     */
    int signal_fd;
    bool has_mouse;
};

/* Returns the exit code; complains on stderr if there is no screen. */
int ui_run(const struct ui_options *options);

#endif
