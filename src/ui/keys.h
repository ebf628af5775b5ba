/*
 * Keys, and the tables that give them a meaning. The footer and the help are
 * drawn from the same tables, so that neither can promise what is not there.
 * Pure.
 */
#ifndef BERTH_UI_KEYS_H
#define BERTH_UI_KEYS_H

#include "ui/intent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;

/* A key is the character that it types, or one of these. */
enum {
    UI_KEY_UP = 0x110000,
    UI_KEY_DOWN,
    UI_KEY_LEFT,
    UI_KEY_RIGHT,
    UI_KEY_PAGE_UP,
    UI_KEY_PAGE_DOWN,
    UI_KEY_HOME,
    UI_KEY_END,
    UI_KEY_BACKSPACE,
    UI_KEY_DELETE,
    UI_KEY_ENTER = '\r',
    UI_KEY_TAB = '\t',
    UI_KEY_ESCAPE = 0x1b,
};
#define UI_CONTROL(letter) ((uint32_t)((letter) - 'a' + 1))

enum input_kind {
    INPUT_NONE,
    INPUT_KEY,
    INPUT_CLICK,  /* at x, y */
    INPUT_SCROLL, /* the wheel: `rows` */
    INPUT_RESIZE,
    INPUT_GONE, /* the terminal is gone */
};
struct input {
    enum input_kind kind;
    uint32_t key;
    int x, y, rows;
};

#define BINDING_KEYS 3
struct binding {
    uint32_t keys[BINDING_KEYS]; /* the first is the one that is shown */
    enum intent intent;
    const char *words; /* for the footer; NULL: in the help only */
    const char *help;  /* NULL: in the footer only */
    bool (*is_valid)(const struct model *model); /* NULL: always */
};

struct bindings {
    const char *title;
    const struct binding *items;
    size_t count;
};

/* What is valid everywhere: moving, help, leaving. */
extern const struct bindings keys_everywhere;

/* The first valid binding of the key, in the screen's table, then in what is
 * valid everywhere. */
enum intent keys_find(const struct bindings *screen, const struct model *model,
                      uint32_t key);

/* Of a key that is in the table, and means nothing now; NULL: of no such. */
const struct binding *keys_find_invalid(const struct bindings *screen,
                                        const struct model *model,
                                        uint32_t key);

#define KEY_NAME_SIZE 16
/* "s", "Enter", "Space", "^Z"; "→", or "Right" where nothing can show that. */
const char *keys_name(uint32_t key, bool is_ascii, char buffer[KEY_NAME_SIZE]);

#endif
