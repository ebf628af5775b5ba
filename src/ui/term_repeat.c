#include "ui/term_repeat.h"

#include <curses.h>
#include <string.h>
#include <term.h> /* its struct is called like ours: a file of its own */

void term_mend_repeating(void)
{
    static const char version[] = "ncurses 6.0";

    if (!strncmp(curses_version(), version, sizeof version - 1))
        repeat_char = NULL;
}
