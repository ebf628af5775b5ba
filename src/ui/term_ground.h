/*
 * Whether a terminal's ground is light: asked with OSC 11, which xterm, VTE,
 * Konsole, iTerm2, kitty and Windows Terminal answer. Most terminals say it
 * in no other way, and yellow on white cannot be read.
 */
#ifndef BERTH_UI_TERM_GROUND_H
#define BERTH_UI_TERM_GROUND_H

#include <stdbool.h>
#include <stddef.h>

#define GROUND_REPLY_SIZE 256

/*
 * Asks the terminal, which must be in raw mode, and waits for its answer: all
 * that came is in `reply`, keys typed meanwhile, too. A terminal that knows
 * nothing of it answers the second question, which all do (DA1), so that
 * nobody waits for long.
 */
void ground_ask(char reply[GROUND_REPLY_SIZE]);

/* False where the reply does not say. Pure. */
bool ground_parse(const char *reply, bool *out_is_light);
/* What of the reply was typed; in place. Pure. */
void ground_keep_keys(char *reply);

#endif
