/*
 * Names across filesystems. Pure: no file, clock or global.
 *
 * A name has up to three spellings: as the source's readdir gave it (raw
 * bytes), the *key* under which the catalogue knows it (NFC, so that a Mac's
 * NFD and a Linux NFC spelling are one file), and the *drive name* that the
 * volume can hold. Where all three are equal only one is stored.
 *
 *     source's readdir --name_key--> key --name_encode--> drive name
 *     drive's readdir --name_key, name_decode--> key
 *
 * Names that are not valid UTF-8 have a key equal to their bytes and, on a
 * volume that only takes UTF-16 names, bytes that are not UTF-8 are quoted.
 *
 * A name is not empty, not "." or ".." and has no '/': what can be a name is
 * what readdir gives. Nothing here makes such a thing from other bytes.
 */
#ifndef BERTH_NAMES_H
#define BERTH_NAMES_H

#include "core/base/compiler.h"
#include "core/base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

/* What a volume's directories can hold: probed, not assumed. */
struct name_rules {
    bool is_case_insensitive;    /* "A" and "a" are one name there */
    bool is_utf16;               /* UTF-16 inside: invalid UTF-8 is refused */
    bool refuses_dos_characters; /* " * : < > ? \ | and control characters */
    bool strips_trailing_dots; /* a trailing dot or space is lost or refused */
    bool refuses_dos_names;    /* CON, NUL, COM1 …: refused by Windows */
    size_t longest_bytes;      /* 0: no limit of this kind */
    size_t longest_utf16_units;
};

/*
 * Appends the key of a raw name: NFC if it is valid UTF-8, the same bytes
 * otherwise. `name_is_ascii` names are returned as they are, fast.
 */
void name_key(const char *raw, struct strbuf *out);
bool name_is_ascii(const char *name);

/*
 * Appends what the name is compared by on a case-insensitive volume: NFC,
 * then upper case, one to one and within the BMP only, as exFAT's up-case
 * table does it (the table of the volume itself replaces this where it can be
 * read). Two names whose folds are equal are twins there. Keys whose drive
 * names are twins are twins themselves: it is enough to fold keys.
 *
 * It is coarser than exFAT's recommended table by the letters that Unicode
 * got since then: better to report a conflict that is none than to let one
 * file replace another. It is finer than volumes that fold fully (ext4
 * casefold, APFS: "ß" is "ss" there).
 */
void name_fold(const char *raw, struct strbuf *out);
/* Whether two paths are twins in one directory, or the same. */
bool name_is_twin(const char *one, const char *other);

/*
 * Appends the drive name: the key itself where the rules allow it, as they do
 * for nearly all names. Else each thing that they refuse is replaced, and
 * each replacement begins with the quote character U+201B:
 *
 *     a refused character      its full-width form    a:b   -> a‛：b
 *     a control character      U+2400+c               a\tb  -> a‛␉b
 *     a trailing dot, space    U+FF0E, U+2420         a.    -> a‛．
 *     a byte that is not UTF-8 two hexadecimal digits a\xff -> a‛FF
 *     a DOS name               quote its last letter  con.c -> co‛n.c
 *     the quote itself         twice                  a‛b   -> a‛‛b
 *
 * Alphabet and quote are rclone's (lib/encoder,
 * https://rclone.org/overview/#restricted-filenames). The polarity is not:
 * rclone writes "a:b" as "a：b" and quotes the names that really have a '：'.
 * Those are names that the volume can hold, and common ones (Japanese titles;
 * yt-dlp writes them on every system, github.com/yt-dlp/yt-dlp issues 4767 and
 * 5014): they stay as they are, so that a drive that rsync filled is adopted
 * and not copied again.
 *
 * Different keys have different drive names, and the drive name of a key is
 * NFC, too: a Mac's FAT driver lists names in NFD and looks them up in NFC
 * (UTF_DECOMPOSED, UTF_PRECOMPOSED in Apple's msdosfs_lookup.c), so that it
 * can neither open nor give back what was spelt otherwise.
 *
 * False when even so the name is too long for the volume, or when it is no
 * name at all; `out` is unchanged then.
 */
bool name_encode(const char *key, const struct name_rules *rules,
                 struct strbuf *out) MUST_CHECK;

/*
 * Appends the key that is encoded to this drive name: for every name,
 * name_decode of name_encode is the name. A Mac's NFD spelling of it will do.
 * Any bytes may come in: what name_encode would not have written (somebody
 * else's file) is its own key, and the answer is false then. That key can be
 * one that a name of ours on the drive has, too ("con" beside "co‛n").
 */
bool name_decode(const char *drive_name, const struct name_rules *rules,
                 struct strbuf *out);

/*
 * Appends the name so that it can be shown on one line of any terminal or
 * log: control characters and bytes that are not UTF-8 as \xNN, C1 controls,
 * bidirectional overrides (U+202A-202E, U+2066-2069) and other invisible
 * characters as \u{…}, a combining mark with nothing before it likewise.
 * Joiners and variation selectors stay where a script or an emoji needs them.
 * For people: not reversible. Also for paths.
 */
void name_display(const char *raw, struct strbuf *out);

#endif
