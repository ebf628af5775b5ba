/*
 * A bug of ncurses 6.0, which is what macOS has: it lets the terminal repeat
 * the lowest byte of a character, whatever the character is. Frames and bars
 * are rubbish wherever the terminal's entry has `rep`, as those of newer
 * terminals do (EmitRange in tty_update.c; seen with Apple's 6.0 and the
 * xterm-256color of Debian 12). 6.1 asks what character it is.
 */
#ifndef BERTH_UI_TERM_REPEAT_H
#define BERTH_UI_TERM_REPEAT_H

/* After newterm. Characters are sent one by one where they must be. */
void term_mend_repeating(void);

#endif
