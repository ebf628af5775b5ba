/*
 * What config*.c share; nobody else includes this.
 *
 *     config_text.c    the bytes: tokens, the tree of entries, where they are
 *     config_keys.c    which keys there are, and of what kind their values
 *     config.c         the tree and libconfig's values -> struct config
 *     config_check.c   what must hold between entries
 *     config_values.c  quantities and names; the life of the structs
 *     config_write.c   an entry -> its settings as text
 *     config_splice.c  where an edit changes the bytes
 *     config_edit.c    the file with one thing added or removed
 *     config_set.c     one setting: as text, and set
 *
 * Two readers look at every file. libconfig says what the values are. Our own
 * tree says on which line and at which byte each of them is, which libconfig
 * does not tell, so that errors can be exact and edits can keep every byte
 * that does not concern them. The tree's grammar is libconfig's of 1.5 to
 * 1.8, less what differs between these or hides mistakes: see config_text.c.
 */
#ifndef BERTH_CONFIG_INTERNAL_H
#define BERTH_CONFIG_INTERNAL_H

#include "core/base/error.h"
#include "core/base/strbuf.h"
#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In config_text.c: */

enum node_kind {
    NODE_TEXT,
    NODE_NUMBER,
    NODE_BOOLEAN,
    NODE_GROUP, /* { … } and the file itself */
    NODE_ARRAY, /* [ … ] */
    NODE_LIST,  /* ( … ) */
};

#define NOWHERE ((size_t)-1)

/* One value, with its key where it has one. Offsets are in bytes. */
struct config_node {
    enum node_kind kind;
    size_t key, key_length; /* length 0: an element of an array or list */
    size_t begin, end;      /* the value, brackets and quotes included */
    size_t separator;       /* the ',' or ';' behind it, or NOWHERE */
    int line;               /* of the key or, without one, of the value */
    size_t parent;
    size_t first, last, next; /* children and sibling; 0: none */
};

/* nodes[0] is the file, so index 0 is never a child and serves as "none". */
struct config_text {
    const char *path;  /* for messages; borrowed */
    const char *bytes; /* borrowed, bytes[length] is '\0' */
    size_t length;
    bool has_no_lines; /* not what is in the file: messages name no line */
    struct config_node *items;
    size_t count, capacity;
};

#define CONFIG_TEXT_INIT                                                       \
    {                                                                          \
        .path = NULL                                                           \
    }

/* Builds the tree; path, bytes and length are set. ERR_INVALID. */
err_code config_text_parse(struct config_text *text, struct error *err)
    MUST_CHECK;
void config_text_release(struct config_text *text);

/* The child with this key, the child at this position; 0: none. */
size_t config_text_child(const struct config_text *text, size_t parent,
                         const char *key);
size_t config_text_element(const struct config_text *text, size_t parent,
                           size_t position);

/*
 * The line of a key of the `position`th entry of `list` ("volumes", "jobs"),
 * of the entry where it has no such key, 0 where there is no such entry.
 */
int config_text_line_of(const struct config_text *text, const char *list,
                        size_t position, const char *key);

/*
 * Where the last comment in the gap between two tokens ends, or `from`;
 * whether it lasts until the end of its line.
 */
size_t config_text_comments_end(const struct config_text *text, size_t from,
                                size_t to, bool *out_is_line);

/* Appends the text as libconfig 1.5 and later read it alike. */
void config_text_for_libconfig(const struct config_text *text,
                               struct strbuf *out);

/* Appends bytes for a message: short, on one line, harmless to a terminal. */
void config_excerpt(const char *bytes, size_t length, struct strbuf *out);

/* "path:line: …" into *err; line 0 is left out. Returns `code`. */
err_code config_fail(const struct config_text *text, int line, err_code code,
                     struct error *err, const char *format, ...)
    PRINTF_LIKE(5, 6);

/* In config_keys.c: */

enum value_type {
    VALUE_VOLUMES,
    VALUE_JOBS,
    VALUE_NAME,
    VALUE_ID,
    VALUE_ROLE,
    VALUE_MODE,
    VALUE_VERIFY,
    VALUE_BOOLEAN,
    VALUE_DURATION,
    VALUE_RATE,
    VALUE_PATH,
    VALUE_SCHEDULE,
    VALUE_COPIES,
    VALUE_KEEP_RULE,
    VALUE_DELETE_CAP,
    VALUE_TARGETS,
    VALUE_PATTERNS,
};

struct config_key {
    const char *name;
    size_t offset; /* of the field in struct config_volume or config_job */
    enum value_type type;
    bool is_required;
};

struct config_keys {
    const struct config_key *items;
    size_t count;
};

extern const struct config_keys config_volume_keys, config_job_keys;

/* NULL when there is none of that name. */
const struct config_key *config_find_key(const struct config_keys *keys,
                                         const char *name, size_t length);

/* Completes "use …" in messages: `"backup" or "read-only"` */
const char *config_right_value(const struct config_key *key);

/* Where a reader is: one entry of the file, and one of its values. */
struct config_entry {
    const struct config_text *text;
    const char *home;
    struct error *err;
    const char *kind; /* "volume", "job"; NULL: the file itself */
    int ordinal;      /* from 1 */
    size_t group;     /* the entry's node */
    void *out;        /* struct config_volume or config_job, filled by and by */
    const struct config_key *key;
    size_t value;   /* the value's node; the element's, if that is wrong */
    char why[1024]; /* what would be right, if not what the type says */
};

/* `mode = "miror" in job "media": use …`. Returns ERR_INVALID. */
err_code config_fail_value(const struct config_entry *entry);

/* Keys are known, of the right kind, there once, and none is missing. */
err_code config_check_keys(const struct config_text *text, struct error *err)
    MUST_CHECK;

/* In config.c: */

/* The file's bytes; none where there is no file. */
err_code config_read_bytes(const char *path, struct strbuf *out,
                           struct error *err) MUST_CHECK;

/* Each entry for itself. `text` is parsed; `home` may be NULL. */
err_code config_from_text(const struct config_text *text, const char *home,
                          struct config *out, struct error *err) MUST_CHECK;

/* In config_check.c: */

/* What must hold between entries: names, targets, sources. */
err_code config_check_together(const struct config *config,
                               const struct config_text *text,
                               struct error *err) MUST_CHECK;

/* In config.c: */

/* All of it, from bytes. */
err_code config_load_bytes(const char *path, const char *home,
                           const struct strbuf *bytes, struct config *out,
                           struct error *err) MUST_CHECK;

/* In config_values.c: */

bool config_name_is_valid(const char *name);
bool config_parse_keep_rule(const char *text, struct keep_rule *out);
/* "25%, 1000": a part that is missing leaves its out-parameter alone. */
bool config_parse_delete_cap(const char *text, int *out_percent,
                             int64_t *out_files);
bool config_parse_role(const char *text, enum volume_role *out);
bool config_parse_mode(const char *text, enum job_mode *out);
bool config_parse_verify(const char *text, enum job_verify *out);
/* "HH:MM", "on-plug" or "none" */
/* "~" and "~/…" with `home`, absolute paths as they are; NULL for others. */
char *config_expand_path(const char *text, const char *home);
/* NULL and *out, or what would be right. */
const char *config_read_target(const char *text, struct config_target *out);

/* Append what the parsers read back to the same amount. */
void config_format_duration(int64_t duration_ns, struct strbuf *out);
void config_format_bytes(int64_t bytes, struct strbuf *out);
void config_format_keep_rule(const struct keep_rule *rule, struct strbuf *out);
const char *job_verify_name(enum job_verify verify);

/* In config_write.c: */

/* The settings of an entry, each as "key = value;". */
struct config_pieces {
    char **items;
    size_t count, capacity;
};

void config_pieces_release(struct config_pieces *pieces);

/* Only what differs from the defaults, and what is required. */
void config_write_volume(const struct config_volume *volume,
                         struct config_pieces *out);
void config_write_job(const struct config_job *job, struct config_pieces *out);
/* In quotes. */
void config_write_text(const char *value, struct strbuf *out);

/* In config_splice.c: */

/*
 * Change `bytes`, which the tree `text` was made from: add an entry to a list
 * of the file (which is made if missing), an element or a setting to a group,
 * array or list, or take an element out. The tree is out of date then.
 */
void config_splice_entry(const struct config_text *text, struct strbuf *bytes,
                         const char *list, const struct config_pieces *pieces);
void config_splice_element(const struct config_text *text, struct strbuf *bytes,
                           size_t container, const char *element);
void config_splice_out(const struct config_text *text, struct strbuf *bytes,
                       size_t parent, size_t position);
/* Takes a setting, with its key, out of its group. */
void config_splice_setting_out(const struct config_text *text,
                               struct strbuf *bytes, size_t setting);

/* In config_edit.c: */

/* A file that is being edited, in memory. */
struct config_edit {
    const char *path, *home;
    struct strbuf bytes;     /* as it is, then as it shall be */
    struct config_text text; /* the tree of the bytes as they were */
    struct config config;    /* what was read, then what is meant */
    int lock_fd;             /* its directory, ours alone; -1: not locked */
};

#define CONFIG_EDIT_INIT                                                       \
    {                                                                          \
        .bytes = STRBUF_INIT, .lock_fd = -1                                    \
    }

/* Takes over `bytes`. */
err_code config_edit_begin(struct config_edit *edit, const char *path,
                           const char *home, struct strbuf *bytes,
                           struct error *err) MUST_CHECK;
void config_edit_release(struct config_edit *edit);
/* Until the release no other berth edits it: ERR_BUSY after some seconds. */
err_code config_edit_open(struct config_edit *edit, const char *path,
                          const char *home, struct error *err) MUST_CHECK;
err_code config_edit_save(const struct config_edit *edit, struct error *err)
    MUST_CHECK;

/* One of these; then `bytes` is the new text, read again and compared. */
err_code config_edit_add_volume(struct config_edit *edit,
                                const struct config_volume *volume,
                                struct error *err) MUST_CHECK;
err_code config_edit_add_job(struct config_edit *edit,
                             const struct config_job *job, struct error *err)
    MUST_CHECK;
err_code config_edit_remove_volume(struct config_edit *edit, const char *name,
                                   struct error *err) MUST_CHECK;
err_code config_edit_remove_job(struct config_edit *edit, const char *name,
                                struct error *err) MUST_CHECK;
err_code config_edit_remove_exclude(struct config_edit *edit,
                                    const char *job_name, const char *pattern,
                                    struct error *err) MUST_CHECK;
err_code config_edit_add_exclude(struct config_edit *edit, const char *job_name,
                                 const char *pattern, struct error *err)
    MUST_CHECK;

/* In config_set.c: */

err_code config_edit_set(struct config_edit *edit, const char *name,
                         const char *key_name, const char *value,
                         struct error *err) MUST_CHECK;

#endif
