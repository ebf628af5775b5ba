#include "ui/keys.h"

#include "core/base/compiler.h"

#include <stdio.h>

static const struct binding everywhere[] = {
    {{UI_KEY_UP, 'k', UI_CONTROL('p')}, INTENT_UP, NULL, "up", NULL},
    {{UI_KEY_DOWN, 'j', UI_CONTROL('n')}, INTENT_DOWN, NULL, "down", NULL},
    {{UI_KEY_LEFT, 'h'}, INTENT_LEFT, NULL, "close, or to the left", NULL},
    {{UI_KEY_RIGHT, 'l'}, INTENT_RIGHT, NULL, "open, or to the right", NULL},
    {{UI_KEY_PAGE_UP, UI_CONTROL('b'), UI_CONTROL('u')},
     INTENT_PAGE_UP,
     NULL,
     "a page up",
     NULL},
    {{UI_KEY_PAGE_DOWN, UI_CONTROL('f'), UI_CONTROL('d')},
     INTENT_PAGE_DOWN,
     NULL,
     "a page down",
     NULL},
    {{UI_KEY_HOME, 'g'}, INTENT_TOP, NULL, "to the top", NULL},
    {{UI_KEY_END, 'G'}, INTENT_BOTTOM, NULL, "to the end", NULL},
    {{UI_KEY_ENTER, '\n'}, INTENT_ENTER, NULL, NULL, NULL},
    {{'?'}, INTENT_HELP, NULL, "this help", NULL},
    {{UI_KEY_ESCAPE}, INTENT_CANCEL, NULL, "cancel, at every level", NULL},
    {{'q'}, INTENT_BACK, NULL, "back", NULL},
    {{'M'}, INTENT_MOUSE, NULL, "mouse on or off (to select text)", NULL},
    {{UI_CONTROL('l')}, INTENT_REDRAW, NULL, "draw the screen anew", NULL},
    {{UI_CONTROL('z')}, INTENT_SUSPEND, NULL, "to the shell; fg returns", NULL},
    {{UI_CONTROL('c')},
     INTENT_INTERRUPT,
     NULL,
     "stop at a clean boundary and quit",
     NULL},
};

const struct bindings keys_everywhere = {"Everywhere", everywhere,
                                         COUNT_OF(everywhere)};

static enum intent find_in(const struct bindings *bindings,
                           const struct model *model, uint32_t key)
{
    for (size_t i = 0; bindings && i < bindings->count; i++) {
        const struct binding *binding = &bindings->items[i];
        for (size_t k = 0; k < BINDING_KEYS; k++)
            if (key && binding->keys[k] == key &&
                (!binding->is_valid || binding->is_valid(model)))
                return binding->intent;
    }
    return INTENT_NONE;
}

enum intent keys_find(const struct bindings *screen, const struct model *model,
                      uint32_t key)
{
    enum intent intent = find_in(screen, model, key);

    return intent ? intent : find_in(&keys_everywhere, model, key);
}

const struct binding *keys_find_invalid(const struct bindings *screen,
                                        const struct model *model, uint32_t key)
{
    for (size_t i = 0; i < screen->count; i++) {
        const struct binding *binding = &screen->items[i];
        for (size_t k = 0; k < BINDING_KEYS; k++)
            if (key && binding->keys[k] == key && binding->words &&
                binding->is_valid && !binding->is_valid(model))
                return binding;
    }
    return NULL;
}

const char *keys_name(uint32_t key, bool is_ascii, char buffer[KEY_NAME_SIZE])
{
    static const struct {
        uint32_t key;
        const char *name, *ascii;
    } names[] = {
        {UI_KEY_UP, "↑", "Up"},          {UI_KEY_DOWN, "↓", "Down"},
        {UI_KEY_LEFT, "←", "Left"},      {UI_KEY_RIGHT, "→", "Right"},
        {UI_KEY_PAGE_UP, "PgUp", NULL},  {UI_KEY_PAGE_DOWN, "PgDn", NULL},
        {UI_KEY_HOME, "Home", NULL},     {UI_KEY_END, "End", NULL},
        {UI_KEY_BACKSPACE, "⌫", "Bksp"}, {UI_KEY_DELETE, "Del", NULL},
        {UI_KEY_ENTER, "Enter", NULL},   {UI_KEY_TAB, "Tab", NULL},
        {UI_KEY_ESCAPE, "Esc", NULL},    {' ', "Space", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].key == key)
            return is_ascii && names[i].ascii ? names[i].ascii : names[i].name;
    if (key < 0x20)
        snprintf(buffer, KEY_NAME_SIZE, "^%c", (int)(key - 1 + 'A'));
    else
        snprintf(buffer, KEY_NAME_SIZE, "%c", (int)key);
    return buffer;
}
