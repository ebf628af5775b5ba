/*
 * What a person wants, whatever key said so. Screens handle intents; the key
 * tables (keys.h, screen_*.c) say which keys mean them where.
 */
#ifndef BERTH_UI_INTENT_H
#define BERTH_UI_INTENT_H

enum intent {
    INTENT_NONE,
    /* anywhere */
    INTENT_UP,
    INTENT_DOWN,
    INTENT_PAGE_UP,
    INTENT_PAGE_DOWN,
    INTENT_TOP,
    INTENT_BOTTOM,
    INTENT_LEFT,
    INTENT_RIGHT,
    INTENT_ENTER,
    INTENT_BACK,
    INTENT_CANCEL,
    INTENT_HELP,
    INTENT_MOUSE,     /* on or off */
    INTENT_REDRAW,    /* something else wrote on the terminal */
    INTENT_SUSPEND,   /* Ctrl-Z */
    INTENT_INTERRUPT, /* Ctrl-C */
    INTENT_GO_TO,     /* a click: the argument is a row */
    INTENT_ANSWER,    /* a click: the argument is an answer of the question */
    /* drives, diff */
    INTENT_REVIEW,
    INTENT_SYNC,
    INTENT_SYNC_EJECT,
    INTENT_EJECT,
    INTENT_RESCAN,
    INTENT_WHY,
    INTENT_DISMISS,
    INTENT_FILTER,
    INTENT_LEAVE_OUT,
    INTENT_FLAT,
    INTENT_ORDER,
    INTENT_APPROVE,
    /* to other screens, and there */
    INTENT_HISTORY,
    INTENT_FIND,
    INTENT_COPIES,
    INTENT_DRIFT,
    INTENT_VERSIONS,
    INTENT_EXCLUDE,
    INTENT_VERIFY,
    INTENT_UNDO,
    INTENT_RESTORE,
    INTENT_LINES, /* what differs between two texts */
    INTENT_MARK,
    /* sync, eject */
    INTENT_PAUSE,
    INTENT_STOP,
    INTENT_BANDWIDTH,
    INTENT_ASK_TO_QUIT,
    /* other screens, from the drives */
    INTENT_ADD,
    INTENT_MOUNT,
    INTENT_HEALTH,
    INTENT_SETTINGS,
    INTENT_DEFAULT,
};

#endif
