#include "platform/practice/practice_verbs.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "platform/practice/practice.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_holders.h"
#include "platform/practice/practice_keys.h"
#include "platform/practice/practice_motion.h"
#include "platform/practice/practice_volume.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- words --- */

void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){.items = NULL};
}

err_code words_split(const char *line, struct words *out, struct error *err)
{
    for (;;) {
        CLEANUP(strbuf_release) struct strbuf word = STRBUF_INIT;
        bool is_quoted = false;
        line += strspn(line, " \t");
        if (!*line || *line == '#' || *line == '\n')
            return ERR_OK;
        for (; *line && (is_quoted || !strchr(" \t\n", *line)); line++) {
            if (*line == '"')
                is_quoted = !is_quoted;
            else
                strbuf_addch(&word, *line);
        }
        if (is_quoted)
            return error_set(err, ERR_INVALID, "a \" has no second one");
        ARRAY_PUSH(out, strbuf_detach(&word));
    }
}

/* --- verbs, with the cards locked --- */

typedef err_code verb_body(const struct words *words, struct error *err);

/* Becomes part of file names. */
static err_code check_name(const char *name, struct error *err)
{
    if (*name && *name != '.' && !strchr(name, '/') && !strchr(name, '\n'))
        return ERR_OK;
    return error_set(err, ERR_INVALID, "\"%s\" is no name for a drive", name);
}

/* "KEY=VALUE" onto the card of a drive, or those of its volumes. */
static err_code set_key(const char *name, enum card_kind kind, const char *word,
                        struct error *err)
{
    CLEANUP(names_release) struct names names = {.items = NULL};
    CLEANUP_FREE char *key = xstrndup(word, strcspn(word, "="));
    CLEANUP_FREE char *value = NULL;

    if (!word[strlen(key)])
        return error_set(err, ERR_INVALID, "%s: use KEY=VALUE", word);
    err_code code =
        practice_read_key(key, word + strlen(key) + 1, &kind, &value, err);
    if (code)
        return code;
    if (kind == CARD_VOLUME) {
        practice_find_volumes(name, &names);
    } else {
        CLEANUP_FREE char *drive = practice_find_drive(name);
        if (drive)
            names_add(&names, drive);
    }
    for (size_t i = 0; !code && i < names.count; i++) {
        CLEANUP(card_release) struct card card = CARD_INIT;
        card_load(kind, names.items[i], &card);
        card_set(&card, key, value);
        code = card_save(kind, names.items[i], &card, err);
    }
    return code;
}

static err_code set_keys(const struct words *words, enum card_kind kind,
                         struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 2; !code && i < words->count; i++)
        code = set_key(words->items[1], kind, words->items[i], err);
    return code;
}

static err_code set(const struct words *words, struct error *err)
{
    const char *name = words->items[1];
    err_code code = practice_adopt(name, err);

    if (code)
        return code;
    return set_keys(
        words, card_exists(CARD_DRIVE, name) ? CARD_DRIVE : CARD_VOLUME, err);
}

static err_code set_one(const char *name, const char *word, struct error *err)
{
    err_code code = practice_adopt(name, err);

    return code ? code : set_key(name, CARD_VOLUME, word, err);
}

static err_code full(const struct words *words, struct error *err)
{
    return set_one(words->items[1], "full=yes", err);
}

/* "fail flush|writes NAME", "fail reads NAME [FILE]" */
static err_code fail(const struct words *words, struct error *err)
{
    const char *what = words->items[1];
    CLEANUP_FREE char *reads =
        xasprintf("fail-reads=%s", words->count > 3 ? words->items[3] : "*");

    if (words->count > 2 && !strcmp(what, "flush"))
        return set_one(words->items[2], "fail-flush=once", err);
    if (words->count > 2 && !strcmp(what, "writes"))
        return set_one(words->items[2], "fail-writes=yes", err);
    if (words->count > 2 && !strcmp(what, "reads"))
        return set_one(words->items[2], reads, err);
    return error_set(err, ERR_INVALID,
                     "fail: use \"fail flush|reads|writes NAME\"");
}

static err_code mend(const struct words *words, struct error *err)
{
    static const char *const whole[] = {"fail-flush=no", "fail-writes=no",
                                        "fail-reads=", "full=no"};
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < COUNT_OF(whole); i++)
        code = set_one(words->items[1], whole[i], err);
    return code;
}

static err_code describe_drive(const struct words *words, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    const char *name = words->items[1];

    if (card_exists(CARD_DRIVE, name))
        return set_keys(words, CARD_DRIVE, err);
    err_code code = check_name(name, err);
    if (!code)
        code = card_save(CARD_DRIVE, name, &card, err);
    if (!code)
        code = set_keys(words, CARD_DRIVE, err);
    if (code)
        return code;
    card_load(CARD_DRIVE, name, &card);
    return card_says(&card, "away") ? ERR_OK : practice_plug(name, err);
}

static err_code describe_volume(const struct words *words, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    const char *name = words->items[1];
    err_code code = check_name(name, err);

    if (code || card_exists(CARD_VOLUME, name))
        return code ? code : set_keys(words, CARD_VOLUME, err);
    code = card_save(CARD_VOLUME, name, &card, err);
    if (!code)
        code = set_keys(words, CARD_VOLUME, err);
    CLEANUP_FREE char *drive = practice_drive_of(name);
    if (!code && !card_exists(CARD_DRIVE, drive))
        code = practice_plug(drive, err);
    return code ? code : practice_begin_volume(name, err);
}

static err_code plug(const struct words *words, struct error *err)
{
    CLEANUP_FREE char *drive = practice_find_drive(words->items[1]);

    return practice_plug(drive ? drive : words->items[1], err);
}

static err_code unplug(const struct words *words, struct error *err)
{
    CLEANUP_FREE char *drive = practice_find_drive(words->items[1]);

    return practice_unplug(drive ? drive : words->items[1], err);
}

static err_code mount(const struct words *words, struct error *err)
{
    return practice_mount(words->items[1], err);
}

static err_code unmount(const struct words *words, struct error *err)
{
    return practice_unmount(words->items[1], err);
}

/* What a verb does to the card of the one volume that it names, or the only
 * volume of the drive. */
static err_code change_card(const char *name, const struct words *words,
                            err_code (*change)(struct card *,
                                               const struct words *,
                                               struct error *),
                            struct error *err)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    err_code code = practice_adopt(name, err);

    practice_find_volumes(name, &volumes);
    for (size_t i = 0; !code && i < volumes.count; i++) {
        CLEANUP(card_release) struct card card = CARD_INIT;
        card_load(CARD_VOLUME, volumes.items[i], &card);
        code = change(&card, words, err);
        if (!code)
            code = card_save(CARD_VOLUME, volumes.items[i], &card, err);
    }
    return code;
}

static err_code busy(const struct words *words, struct error *err)
{
    return change_card(words->items[1], words, practice_hold, err);
}

static err_code let_go(struct card *card, const struct words *words,
                       struct error *err)
{
    practice_let_go(card);
    return ERR_OK;
}

static err_code free_volume(const struct words *words, struct error *err)
{
    return change_card(words->items[1], words, let_go, err);
}

/* --- what waits for an event --- */

void words_join(const struct words *words, size_t first, struct strbuf *out)
{
    for (size_t i = first; i < words->count; i++)
        strbuf_addf(out, "%s\"%s\"", i > first ? " " : "", words->items[i]);
}

/* "on unmount NAME LINE…", "on files N NAME LINE…" */
static err_code wait_for_event(struct card *card, const struct words *words,
                               struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    bool is_files = !strcmp(words->items[1], "files");

    words_join(words, is_files ? 4 : 3, &line);
    if (is_files)
        card_set(card, "files-left", words->items[2]);
    card_set(card, is_files ? "on-files" : "on-unmount", line.text);
    return ERR_OK;
}

static err_code on(const struct words *words, struct error *err)
{
    bool is_files = !strcmp(words->items[1], "files");
    bool is_unmount = !strcmp(words->items[1], "unmount");

    if (!(is_files && words->count > 4) && !(is_unmount && words->count > 3))
        return error_set(err, ERR_INVALID,
                         "on: use \"on unmount NAME LINE\" or \"on files N "
                         "NAME LINE\"");
    return change_card(words->items[is_files ? 3 : 2], words, wait_for_event,
                       err);
}

/* --- a line --- */

static const struct verb {
    const char *name;
    verb_body *body;
} verbs[] = {
    {"drive", describe_drive},
    {"volume", describe_volume},
    {"set", set},
    {"plug", plug},
    {"unplug", unplug},
    {"mount", mount},
    {"unmount", unmount},
    {"busy", busy},
    {"free", free_volume},
    {"full", full},
    {"fail", fail},
    {"mend", mend},
    {"on", on},
};

static err_code play_words(const struct words *words, struct error *err)
{
    CLEANUP_FD int lock_fd = -1;

    if (!words->count)
        return ERR_OK;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (strcmp(verbs[i].name, words->items[0]) != 0)
            continue;
        if (words->count < 2)
            return error_set(err, ERR_INVALID, "%s: of which drive?",
                             words->items[0]);
        err_code code = card_lock(&lock_fd, err);
        return code ? code : verbs[i].body(words, err);
    }
    return error_set(err, ERR_INVALID,
                     "\"%s\" is nothing that happens to practice drives "
                     "(practice.h)",
                     words->items[0]);
}

err_code practice_play(const char *line, struct error *err)
{
    CLEANUP(words_release) struct words words = {.items = NULL};
    err_code code = words_split(line, &words, err);

    return code ? code : play_words(&words, err);
}

static void complain(const char *line, const char *message)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FREE char *text = xasprintf("%s: %s\n", line, message);

    if (practice_path("control.errors", &path, NULL))
        return;
    CLEANUP_FD int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0 && fd_write_full(fd, text, strlen(text)))
        return; /* nobody is left to be told */
}

void practice_play_or_complain(const char *line)
{
    struct error err = ERROR_INIT;

    if (practice_play(line, &err))
        complain(line, err.message);
}

/* The line that waits under `key`, once; NULL. free() it. */
static char *take_waiting(const char *volume, const char *key, bool counts)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FD int lock_fd = -1;
    char *line = NULL;

    card_load(CARD_VOLUME, volume, &card);
    if (!card_has(&card, key) || card_lock(&lock_fd, NULL))
        return NULL;
    card_release(&card);
    card_load(CARD_VOLUME, volume, &card);
    int64_t left = counts ? card_number(&card, "files-left", 1) - 1 : 0;
    if (left <= 0 && card_has(&card, key)) {
        line = xstrdup(card_get(&card, key));
        card_set(&card, key, NULL);
    }
    if (counts)
        card_set_number(&card, "files-left", left);
    if (card_save(CARD_VOLUME, volume, &card, NULL)) {
        free(line);
        return NULL;
    }
    return line;
}

void practice_play_unmount(const char *volume)
{
    CLEANUP_FREE char *line = take_waiting(volume, "on-unmount", false);

    if (line)
        practice_play_or_complain(line);
}

void practice_play_file(const char *volume)
{
    CLEANUP_FREE char *line = take_waiting(volume, "on-files", true);

    if (line)
        practice_play_or_complain(line);
}
