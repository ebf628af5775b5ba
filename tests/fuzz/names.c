/*
 * Names from outside. The first byte chooses what the volume refuses, the
 * rest is two names on lines of their own: their round trips, what they mean
 * when somebody else left them on a drive, whether drive names that are twins
 * come from keys that are, and what is shown of them.
 */
#include "core/names.h"

#include "core/base/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true)
        abort();
}

static bool is_path_or_special(const char *name)
{
    return !*name || !strcmp(name, ".") || !strcmp(name, "..") ||
           strchr(name, '/');
}

static void check_key(const char *raw, struct strbuf *key)
{
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;

    name_key(raw, key);
    name_key(key->text, &again);
    require(!strcmp(key->text, again.text));
}

/* A Mac gives the drive name of a key back in NFD. */
static void check_nfd(const char *key, const struct name_rules *rules,
                      const char *drive)
{
    CLEANUP(strbuf_release) struct strbuf nfc = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf decoded = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf back = STRBUF_INIT;
    CLEANUP_FREE utf8proc_uint8_t *nfd =
        utf8proc_NFD((const utf8proc_uint8_t *)drive);

    require(nfd != NULL);
    name_key((const char *)nfd, &nfc);
    require(!strcmp(nfc.text, drive));
    name_decode((const char *)nfd, rules, &decoded);
    name_key(decoded.text, &back);
    require(!strcmp(back.text, key));
}

static bool check_round_trip(const char *name, const struct name_rules *rules,
                             struct strbuf *drive)
{
    CLEANUP(strbuf_release) struct strbuf back = STRBUF_INIT;

    if (!name_encode(name, rules, drive)) {
        require(drive->length == 0);
        return false;
    }
    require(!is_path_or_special(name) && !is_path_or_special(drive->text));
    if (rules->refuses_dos_characters)
        for (const char *c = drive->text; *c; c++)
            require((unsigned char)*c >= ' ' && !strchr("\"*:<>?\\|", *c));
    char last = drive->text[drive->length - 1];
    require(!rules->strips_trailing_dots || (last != '.' && last != ' '));
    require(name_decode(drive->text, rules, &back));
    require(!strcmp(back.text, name));
    strbuf_reset(&back);
    name_key(name, &back);
    if (rules->is_utf16 && !strcmp(back.text, name))
        check_nfd(name, rules, drive->text);
    return true;
}

static void check_foreign(const char *name, const struct name_rules *rules)
{
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf drive = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf nfc = STRBUF_INIT;

    name_key(name, &nfc);
    if (!name_decode(name, rules, &key)) {
        require(!strcmp(key.text, name) || !strcmp(key.text, nfc.text));
        return;
    }
    require(strlen(key.text) == key.length && !is_path_or_special(key.text));
    require(name_encode(key.text, rules, &drive));
    require(!strcmp(drive.text, name) || !strcmp(drive.text, nfc.text));
}

static void check_display(const char *name)
{
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;

    name_display(name, &shown);
    for (const char *c = shown.text; *c; c++)
        require((unsigned char)*c >= ' ' && *c != 0x7f);
    name_display(shown.text, &again);
    require(!strcmp(shown.text, again.text));
}

static void check_fold(const char *name, struct strbuf *fold)
{
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;

    name_fold(name, fold);
    name_fold(fold->text, &again);
    require(!strcmp(fold->text, again.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf keys[2] = {STRBUF_INIT, STRBUF_INIT};
    struct strbuf drives[2] = {STRBUF_INIT, STRBUF_INIT};
    struct strbuf folds[4] = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT,
                              STRBUF_INIT};
    bool has_drive[2];

    if (!size)
        return 0;
    struct name_rules rules = {
        .is_utf16 = data[0] & 1,
        .refuses_dos_characters = data[0] & 2,
        .strips_trailing_dots = data[0] & 4,
        .refuses_dos_names = data[0] & 8,
        .longest_bytes = data[0] & 16 ? 255 : 0,
        .longest_utf16_units = data[0] & 32 ? 255 : 0,
    };
    CLEANUP_FREE char *text = xstrndup((const char *)data + 1, size - 1);
    char *line = strchr(text, '\n');
    const char *names[2] = {text, line ? line + 1 : text + strlen(text)};
    if (line)
        *line = '\0';
    for (size_t i = 0; i < 2; i++) {
        struct strbuf raw_drive = STRBUF_INIT;
        check_key(names[i], &keys[i]);
        check_round_trip(names[i], &rules, &raw_drive);
        has_drive[i] = check_round_trip(keys[i].text, &rules, &drives[i]);
        check_foreign(names[i], &rules);
        check_display(names[i]);
        check_fold(keys[i].text, &folds[i]);
        check_fold(drives[i].text, &folds[2 + i]);
        strbuf_release(&raw_drive);
    }
    if (has_drive[0] && has_drive[1] && !strcmp(folds[2].text, folds[3].text))
        require(!strcmp(folds[0].text, folds[1].text));
    for (size_t i = 0; i < 2; i++) {
        strbuf_release(&keys[i]);
        strbuf_release(&drives[i]);
        strbuf_release(&folds[i]);
        strbuf_release(&folds[2 + i]);
    }
    return 0;
}
