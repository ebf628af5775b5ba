/*
 * The terminal: keys come in, pictures go out. term_curses.c is the one
 * implementation of the program; tests have their own.
 *
 * The terminal is given back as it was found on every way out: term_free,
 * die(), and signals that kill. One term at a time, the ui thread only.
 */
#ifndef BERTH_UI_TERM_H
#define BERTH_UI_TERM_H

#include "core/base/error.h"
#include "ui/canvas.h"
#include "ui/keys.h"

#include <stdbool.h>

struct term;

/* ERR_UNSUPPORTED when the terminal is not known to the system. */
err_code term_new(struct term **out, struct error *err) MUST_CHECK;
void term_free(struct term *term);

/* Readable when there may be input: keys; and a new size of the window. */
#define TERM_FDS 2
void term_fds(const struct term *term, int fds[TERM_FDS]);
/* INPUT_NONE when there is none. Does not wait. */
struct input term_read(struct term *term);

void term_size(const struct term *term, int *out_width, int *out_height);
/* Whether the locale can show more than ASCII. */
bool term_is_ascii(const struct term *term);
/* Sends what has changed since the last picture. */
void term_show(struct term *term, const struct canvas *canvas);
void term_set_mouse(struct term *term, bool is_on);
/* Sends everything with the next picture: others have written meanwhile. */
void term_redraw(struct term *term);

/* Gives the terminal back for a while, and takes it again. */
void term_suspend(struct term *term);
void term_resume(struct term *term);

#endif
