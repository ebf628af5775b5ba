/*
 * The terminal through curses: the wide functions of ncurses 6.0, which is
 * what macOS has. Everything else of ui is free of it.
 */
#include "ui/term.h"

#include "core/base/fdio.h"
#include "ui/term_ground.h"
#include "ui/term_repeat.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

/* How long to wait for the rest of an escape sequence, in milliseconds: ssh
 * delivers it in one piece; a person's Esc should not feel slow. */
#define ESCAPE_DELAY_MS 25

#define RESTORE_SIZE 256

struct term {
    SCREEN *screen;
    WINDOW *keys; /* a pad: reading from it never refreshes the screen */
    struct theme theme;
    bool is_ascii, must_redraw, mouse_is_on;
    int width, height;  /* of what is shown */
    struct cell *shown; /* what the terminal shows now */
    int resize_pipe[2];
};

/* For signal handlers and die(): only write and tcsetattr are allowed there. */
static struct {
    struct termios before;
    char sequence[RESTORE_SIZE]; /* leaves the alternate screen */
    size_t length;
    volatile sig_atomic_t is_needed;
    int resize_fd;
    void (*curses_handler)(int); /* for SIGWINCH */
} restore;

/* --- giving the terminal back ----------------------------------------------
 */

static void restore_terminal(void)
{
    if (!restore.is_needed)
        return;
    restore.is_needed = 0;
    if (write(STDOUT_FILENO, restore.sequence, restore.length) < 0) {
        /* Nobody is left to be told. */
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &restore.before);
}

/* The handler is reset on entry: what comes next kills. */
static void on_fatal_signal(int number)
{
    restore_terminal();
    raise(number);
}

/* Appends a capability without its padding ("$<5>"). */
static void add_capability(const char *name)
{
    const char *text = tigetstr(name);

    if (!text || text == (const char *)-1)
        return;
    while (*text && restore.length + 1 < RESTORE_SIZE) {
        if (text[0] == '$' && text[1] == '<') {
            text += strcspn(text, ">");
            text += *text == '>';
            continue;
        }
        restore.sequence[restore.length++] = *text++;
    }
}

static void prepare_restore(void)
{
    static const char mouse_off[] = "\033[?1006l\033[?1002l\033[?1000l";

    restore.length = sizeof mouse_off - 1;
    memcpy(restore.sequence, mouse_off, restore.length);
    if (!tigetstr("kmous") || tigetstr("kmous") == (char *)-1)
        restore.length = 0; /* no terminal that would understand it */
    add_capability("sgr0");
    add_capability("op");
    add_capability("rmkx");
    add_capability("cnorm");
    add_capability("rmcup");
    restore.is_needed = 1;
    die_set_hook(restore_terminal);
}

static void catch_fatal_signals(bool caught)
{
    static const int fatal[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                SIGILL,  SIGABRT, SIGQUIT};
    struct sigaction action = {.sa_handler = caught ? on_fatal_signal : SIG_DFL,
                               .sa_flags = caught ? (int)SA_RESETHAND : 0};

    for (size_t i = 0; i < COUNT_OF(fatal); i++) {
        struct sigaction now;
        /* A sanitizer's own handler tells more than ours would. */
        if (sigaction(fatal[i], NULL, &now) == 0 &&
            (now.sa_handler == SIG_DFL || now.sa_handler == on_fatal_signal))
            sigaction(fatal[i], &action, NULL);
    }
}

/* --- the size --------------------------------------------------------------
 */

/* curses notes the new size in its own handler; ours wakes the loop. */
static void on_resize(int number)
{
    int saved = errno;

    if (restore.curses_handler)
        restore.curses_handler(number);
    if (write(restore.resize_fd, "", 1) < 0) {
        /* The pipe is full: it will wake up all the same. */
    }
    errno = saved;
}

static err_code watch_size(struct term *term, struct error *err)
{
    struct sigaction before,
        action = {.sa_handler = on_resize, .sa_flags = SA_RESTART};

    if (pipe(term->resize_pipe))
        return error_set_errno(err, errno, "cannot create a pipe");
    for (int i = 0; i < 2; i++) {
        fcntl(term->resize_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(term->resize_pipe[i], F_SETFL, O_NONBLOCK);
    }
    restore.resize_fd = term->resize_pipe[1];
    restore.curses_handler = NULL;
    if (!sigaction(SIGWINCH, NULL, &before) && before.sa_handler != SIG_DFL &&
        before.sa_handler != SIG_IGN)
        restore.curses_handler = before.sa_handler;
    sigaction(SIGWINCH, &action, NULL);
    return ERR_OK;
}

/* --- colours ---------------------------------------------------------------
 */

static short pair_of(enum style style, bool is_selected)
{
    return (short)(1 + 2 * (int)style + is_selected);
}

/* The Linux console is dark, and would show the question. */
static bool may_be_asked(void)
{
    const char *name = getenv("TERM");

    return name && strncmp(name, "linux", 5) != 0 &&
           strncmp(name, "vt", 2) != 0 && isatty(STDIN_FILENO);
}

static void look_at_ground(struct theme *theme)
{
    char reply[GROUND_REPLY_SIZE];

    if (theme->depth == THEME_MONO || getenv("COLORFGBG") || !may_be_asked())
        return;
    ground_ask(reply);
    ground_parse(reply, &theme->is_light);
    ground_keep_keys(reply);
    /* Nothing tells that they are there: the first look does not wait. */
    for (size_t i = strlen(reply); i-- > 0;)
        ungetch((unsigned char)reply[i]);
}

static void prepare_colours(struct term *term)
{
    bool has_colours = has_colors() && start_color() == OK &&
                       use_default_colors() == OK &&
                       COLOR_PAIRS > pair_of(STYLE_COUNT, false);

    term->theme = theme_choose(getenv("NO_COLOR"), getenv("COLORFGBG"),
                               has_colours ? COLORS : 0);
    look_at_ground(&term->theme);
    if (term->theme.depth == THEME_MONO)
        return;
    for (int style = 0; style < STYLE_COUNT; style++)
        for (int selected = 0; selected < 2; selected++) {
            struct look look =
                theme_look(term->theme, (enum style)style, selected);
            init_pair(pair_of((enum style)style, selected), look.foreground,
                      look.background);
        }
}

static attr_t attributes_of(const struct term *term, const struct cell *cell)
{
    struct look look =
        theme_look(term->theme, (enum style)cell->style, cell->is_selected);
    attr_t attributes = 0;

    if (look.attributes & LOOK_BOLD)
        attributes |= A_BOLD;
    if (look.attributes & LOOK_DIM)
        attributes |= A_DIM;
    if (look.attributes & LOOK_REVERSE)
        attributes |= A_REVERSE;
    if (look.attributes & LOOK_UNDERLINE)
        attributes |= A_UNDERLINE;
    return attributes;
}

/* --- a term ----------------------------------------------------------------
 */

static void set_modes(struct term *term)
{
    raw(); /* Ctrl-C and Ctrl-Z are keys: what runs is stopped cleanly first */
    noecho();
    nonl();
    curs_set(0);
    keypad(term->keys, TRUE);
    nodelay(term->keys, TRUE);
    set_escdelay(ESCAPE_DELAY_MS);
}

/* TERM=dumb is known, and of no use. */
static bool can_place_the_cursor(void)
{
    const char *text = tigetstr("cup");

    return text && text != (char *)-1;
}

err_code term_new(struct term **out, struct error *err)
{
    struct term *term = xcalloc(1, sizeof *term);
    const char *name = getenv("TERM");
    err_code code = ERR_OK;

    tcgetattr(STDIN_FILENO, &restore.before);
    term->screen = newterm(NULL, stdout, stdin);
    if (!term->screen || !can_place_the_cursor()) {
        if (term->screen) {
            endwin();
            delscreen(term->screen);
        }
        free(term);
        return error_set(err, ERR_UNSUPPORTED,
                         "this terminal (TERM=%s) cannot show a screen; "
                         "`berth --help` lists what works without one",
                         name ? name : "");
    }
    set_term(term->screen);
    term->keys = newpad(1, 1);
    if (!term->keys)
        die("cannot create a pad of curses");
    term_mend_repeating();
    prepare_restore();
    catch_fatal_signals(true);
    set_modes(term);
    prepare_colours(term);
    code = watch_size(term, err);
    if (!code && write(term->resize_pipe[1], "", 1) < 0)
        die("cannot write to a fresh pipe");
    term->is_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    term->must_redraw = true;
    if (code) {
        term_free(term);
        return code;
    }
    *out = term;
    return ERR_OK;
}

void term_free(struct term *term)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (!term)
        return;
    sigaction(SIGWINCH, &ignore, NULL);
    term_set_mouse(term, false);
    delwin(term->keys);
    endwin();
    restore_terminal();
    die_set_hook(NULL);
    catch_fatal_signals(false);
    delscreen(term->screen);
    cleanup_fd(&term->resize_pipe[0]);
    cleanup_fd(&term->resize_pipe[1]);
    free(term->shown);
    free(term);
}

bool term_is_ascii(const struct term *term)
{
    return term->is_ascii;
}

void term_size(const struct term *term, int *out_width, int *out_height)
{
    getmaxyx(stdscr, *out_height, *out_width);
}

void term_fds(const struct term *term, int fds[TERM_FDS])
{
    fds[0] = STDIN_FILENO;
    fds[1] = term->resize_pipe[0];
}

/* --- input -----------------------------------------------------------------
 */

static uint32_t special_key(wint_t code)
{
    static const struct {
        wint_t code;
        uint32_t key;
    } keys[] = {
        {KEY_UP, UI_KEY_UP},
        {KEY_DOWN, UI_KEY_DOWN},
        {KEY_LEFT, UI_KEY_LEFT},
        {KEY_RIGHT, UI_KEY_RIGHT},
        {KEY_PPAGE, UI_KEY_PAGE_UP},
        {KEY_NPAGE, UI_KEY_PAGE_DOWN},
        {KEY_HOME, UI_KEY_HOME},
        {KEY_END, UI_KEY_END},
        {KEY_BACKSPACE, UI_KEY_BACKSPACE},
        {KEY_DC, UI_KEY_DELETE},
        {KEY_ENTER, UI_KEY_ENTER},
    };

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (keys[i].code == code)
            return keys[i].key;
    return 0;
}

static struct input read_mouse(void)
{
    struct input input = {.kind = INPUT_NONE};
    MEVENT event;

    if (getmouse(&event) != OK)
        return input;
    input.x = event.x;
    input.y = event.y;
    if (event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED))
        input.kind = INPUT_CLICK;
#ifdef BUTTON4_PRESSED
    if (event.bstate & BUTTON4_PRESSED) {
        input.kind = INPUT_SCROLL;
        input.rows = -3;
    }
#endif
#ifdef BUTTON5_PRESSED
    if (event.bstate & BUTTON5_PRESSED) {
        input.kind = INPUT_SCROLL;
        input.rows = 3;
    }
#endif
    return input;
}

static struct input make_input(int kind, wint_t code)
{
    struct input input = {.kind = INPUT_KEY};

    if (kind == KEY_CODE_YES && code == KEY_RESIZE)
        return (struct input){.kind = INPUT_RESIZE};
    if (kind == KEY_CODE_YES && code == KEY_MOUSE)
        return read_mouse();
    input.key = kind == KEY_CODE_YES ? special_key(code) : (uint32_t)code;
    if (input.key == 0x7f || input.key == 0x08)
        input.key = UI_KEY_BACKSPACE;
    return input;
}

struct input term_read(struct term *term)
{
    struct input input = {.kind = INPUT_NONE};
    char drained[16];
    wint_t code;

    while (read(term->resize_pipe[0], drained, sizeof drained) > 0)
        continue;
    /* What means nothing, a released button, is not the end: curses may have
     * read the next key already, and poll would not tell. */
    while (input.kind == INPUT_NONE) {
        int kind = wget_wch(term->keys, &code);
        if (kind == ERR)
            break;
        input = make_input(kind, code);
    }
    return input;
}

void term_set_mouse(struct term *term, bool is_on)
{
    mmask_t mask = BUTTON1_PRESSED | BUTTON1_CLICKED;

#ifdef BUTTON4_PRESSED
    mask |= BUTTON4_PRESSED;
#endif
#ifdef BUTTON5_PRESSED
    mask |= BUTTON5_PRESSED;
#endif
    if (term->mouse_is_on == is_on)
        return;
    term->mouse_is_on = is_on;
    mouseinterval(0); /* no waiting for a second click */
    mousemask(is_on ? mask : 0, NULL);
}

/* --- output ----------------------------------------------------------------
 */

/* One character of UTF-8 that glyph_next has made. */
static size_t decode(const char *text, wchar_t *out)
{
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t character = length == 1 ? first : first & (0xffu >> (length + 1));

    for (size_t i = 1; i < length; i++)
        character = character << 6 | ((unsigned char)text[i] & 0x3fu);
    *out = (wchar_t)character;
    return length;
}

/* What the C library thinks is of another width would shift the whole line:
 * its tables can be older than ours. */
static void put_glyph(const struct term *term, int x, int y,
                      const struct cell *cell)
{
    wchar_t text[GLYPH_MARKS_MOST + 2];
    const char *bytes = cell->glyph.bytes;
    size_t count = 0;
    cchar_t out;

    while (*bytes && count < GLYPH_MARKS_MOST + 1) {
        bytes += decode(bytes, &text[count]);
        if (count == 0 || wcwidth(text[count]) == 0)
            count++;
    }
    text[count] = L'\0';
    if (wcwidth(text[0]) != cell->glyph.width)
        memcpy(text, L"?", sizeof L"?");
    short pair = term->theme.depth == THEME_MONO
                     ? 0
                     : pair_of((enum style)cell->style, cell->is_selected);
    setcchar(&out, text, attributes_of(term, cell), pair, NULL);
    mvadd_wch(y, x, &out);
    if (cell->glyph.width == 2 && text[0] == L'?') {
        setcchar(&out, L" ", attributes_of(term, cell), pair, NULL);
        mvadd_wch(y, x + 1, &out);
    }
}

static void put_row(struct term *term, const struct canvas *canvas, int y)
{
    for (int x = 0; x < canvas->width; x++) {
        const struct cell *cell = canvas_cell(canvas, x, y);
        if (cell->glyph.width)
            put_glyph(term, x, y, cell);
    }
}

static bool is_same_row(const struct cell *one, const struct cell *other,
                        int width)
{
    for (int x = 0; x < width; x++)
        if (one[x].style != other[x].style ||
            one[x].is_selected != other[x].is_selected ||
            one[x].glyph.width != other[x].glyph.width ||
            strcmp(one[x].glyph.bytes, other[x].glyph.bytes) != 0)
            return false;
    return true;
}

static void resize_shown(struct term *term, const struct canvas *canvas)
{
    size_t count = (size_t)canvas->width * (size_t)canvas->height;

    if (canvas->width == term->width && canvas->height == term->height)
        return;
    term->shown = xrealloc(term->shown, (count + 1) * sizeof *term->shown);
    term->width = canvas->width;
    term->height = canvas->height;
    term->must_redraw = true;
}

void term_show(struct term *term, const struct canvas *canvas)
{
    resize_shown(term, canvas);
    if (term->must_redraw)
        clearok(curscr, TRUE);
    for (int y = 0; y < canvas->height; y++) {
        struct cell *shown = &term->shown[(size_t)y * (size_t)canvas->width];
        const struct cell *row = canvas_cell(canvas, 0, y);
        if (!term->must_redraw && is_same_row(shown, row, canvas->width))
            continue;
        put_row(term, canvas, y);
        memcpy(shown, row, (size_t)canvas->width * sizeof *shown);
    }
    term->must_redraw = false;
    curs_set(canvas->cursor_x >= 0);
    if (canvas->cursor_x >= 0)
        move(canvas->cursor_y, canvas->cursor_x);
    refresh();
}

void term_redraw(struct term *term)
{
    term->must_redraw = true;
}

void term_suspend(struct term *term)
{
    def_prog_mode();
    endwin();
}

void term_resume(struct term *term)
{
    reset_prog_mode();
    set_modes(term);
    term->must_redraw = true;
}
