/*
 * Which keys there are, what may stand behind them, and the words for what is
 * wrong. Works on the tree alone, before libconfig sees the text: its search
 * for duplicates is quadratic, and its messages name no key.
 */
#include "core/config_internal.h"

#include <string.h>

#define KIND(node_kind) (1u << (node_kind))

static const struct {
    unsigned kinds;    /* KIND() of what it may be */
    const char *right; /* completes "use ..." and "add ..." */
} types[] = {
    [VALUE_VOLUMES] = {KIND(NODE_LIST),
                       "( { name = \"...\"; id = \"...\"; } )"},
    [VALUE_JOBS] =
        {KIND(NODE_LIST),
         "( { name = \"...\"; source = \"...\"; targets = [ \"...\" ]; } )"},
    [VALUE_NAME] =
        {KIND(NODE_TEXT),
         "1 to 64 letters, digits, '.', '_' or '-' (not first) in quotes"},
    [VALUE_ID] = {KIND(NODE_TEXT), "32 hexadecimal digits in quotes, as "
                                   "\"berth volume add\" writes them"},
    [VALUE_ROLE] = {KIND(NODE_TEXT), "\"backup\" or \"read-only\""},
    [VALUE_MODE] = {KIND(NODE_TEXT), "\"mirror\", \"update\" or \"move\""},
    [VALUE_VERIFY] = {KIND(NODE_TEXT), "\"none\" or \"read-back\""},
    [VALUE_BOOLEAN] = {KIND(NODE_BOOLEAN), "true or false, without quotes"},
    [VALUE_DURATION] =
        {KIND(NODE_TEXT),
         "a duration such as \"90s\", \"15m\", \"12h\", \"7d\" or \"2w\""},
    [VALUE_RATE] = {KIND(NODE_TEXT),
                    "an amount a second such as \"20MB/s\", or \"none\""},
    [VALUE_PATH] =
        {KIND(NODE_TEXT),
         "an absolute path, or one that begins with \"~/\", in quotes"},
    [VALUE_SCHEDULE] = {KIND(NODE_TEXT),
                        "a time such as \"02:00\", \"on-plug\" or \"none\""},
    [VALUE_COPIES] = {KIND(NODE_NUMBER),
                      "a number from 1 to 99, without quotes"},
    [VALUE_KEEP_RULE] =
        {KIND(NODE_TEXT) | KIND(NODE_NUMBER),
         "a time (\"30d\"), a number of versions (5) or a size (\"50GB\")"},
    [VALUE_DELETE_CAP] =
        {KIND(NODE_TEXT),
         "a share and a number of files such as \"25%, 1000\""},
    [VALUE_TARGETS] = {KIND(NODE_ARRAY),
                       "at least one, as in [ \"VOLUME:/DIRECTORY\" ]"},
    [VALUE_PATTERNS] = {KIND(NODE_ARRAY),
                        "patterns, as in [ \"*.tmp\", \"/cache\" ]"},
};

static const struct config_key file_keys[] = {
    {"volumes", 0, VALUE_VOLUMES, false},
    {"jobs", 0, VALUE_JOBS, false},
};

#define IN_VOLUME(field) offsetof(struct config_volume, field)
static const struct config_key volume_keys[] = {
    {"name", IN_VOLUME(name), VALUE_NAME, true},
    {"id", IN_VOLUME(id), VALUE_ID, true},
    {"role", IN_VOLUME(role), VALUE_ROLE, false},
    {"mount", IN_VOLUME(mount), VALUE_BOOLEAN, false},
    {"bandwidth", IN_VOLUME(bandwidth), VALUE_RATE, false},
    {"stale_after", IN_VOLUME(stale_after_ns), VALUE_DURATION, false},
    {"folder", IN_VOLUME(folder), VALUE_PATH, false},
};

#define IN_JOB(field) offsetof(struct config_job, field)
static const struct config_key job_keys[] = {
    {"name", IN_JOB(name), VALUE_NAME, true},
    {"source", IN_JOB(source), VALUE_PATH, true},
    {"targets", IN_JOB(targets), VALUE_TARGETS, true},
    {"mode", IN_JOB(mode), VALUE_MODE, false},
    {"include", IN_JOB(include), VALUE_PATTERNS, false},
    {"exclude", IN_JOB(exclude), VALUE_PATTERNS, false},
    {"versions", IN_JOB(versions), VALUE_KEEP_RULE, false},
    {"delete_cap", 0, VALUE_DELETE_CAP, false},
    {"verify", IN_JOB(verify), VALUE_VERIFY, false},
    {"min_copies", IN_JOB(min_copies), VALUE_COPIES, false},
    {"keep_local", IN_JOB(keep_local_ns), VALUE_DURATION, false},
    {"settle", IN_JOB(settle_ns), VALUE_DURATION, false},
    {"bandwidth", IN_JOB(bandwidth), VALUE_RATE, false},
    {"cross_mounts", IN_JOB(cross_mounts), VALUE_BOOLEAN, false},
    {"keep_junk", IN_JOB(keep_junk), VALUE_BOOLEAN, false},
    {"schedule", IN_JOB(schedule), VALUE_SCHEDULE, false},
};

static const struct config_keys file_table = {file_keys, COUNT_OF(file_keys)};
const struct config_keys config_volume_keys = {volume_keys,
                                               COUNT_OF(volume_keys)};
const struct config_keys config_job_keys = {job_keys, COUNT_OF(job_keys)};

const struct config_key *config_find_key(const struct config_keys *keys,
                                         const char *name, size_t length)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strlen(keys->items[i].name) == length &&
            !memcmp(keys->items[i].name, name, length))
            return &keys->items[i];
    return NULL;
}

const char *config_right_value(const struct config_key *key)
{
    return types[key->type].right;
}

/* ` in job "media"`, or ` in job 3` where the name is missing or no text. */
static void add_place(const struct config_entry *entry, struct strbuf *out)
{
    const struct config_text *text = entry->text;

    if (!entry->kind)
        return;
    strbuf_addf(out, " in %s ", entry->kind);
    size_t name = config_text_child(text, entry->group, "name");
    const struct config_node *node = &text->items[name];
    if (name && node->kind == NODE_TEXT)
        config_excerpt(text->bytes + node->begin, node->end - node->begin, out);
    else
        strbuf_addf(out, "%d", entry->ordinal);
}

/* `mode = "miror" in job "media": use …`; for an element, its array's key. */
err_code config_fail_value(const struct config_entry *entry)
{
    CLEANUP(strbuf_release) struct strbuf place = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    const struct config_text *text = entry->text;
    const struct config_node *node = &text->items[entry->value];
    bool has_why = entry->why[0];

    add_place(entry, &place);
    config_excerpt(text->bytes + node->begin, node->end - node->begin, &shown);
    return config_fail(text, node->line, ERR_INVALID, entry->err,
                       "%s = %s%s: %s%s", entry->key->name, shown.text,
                       place.text, has_why ? "" : "use ",
                       has_why ? entry->why : types[entry->key->type].right);
}

static size_t smallest(size_t one, size_t two, size_t three)
{
    size_t less = one < two ? one : two;

    return less < three ? less : three;
}

/* Insertions, deletions and replacements from one word to the other. */
static size_t edit_distance(const char *one, size_t one_length,
                            const char *other)
{
    enum { LONGEST = 24 };
    size_t other_length = strlen(other);
    size_t row[LONGEST + 1];

    if (one_length > LONGEST || other_length > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= other_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= one_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= other_length; j++) {
            size_t replaced = diagonal + (one[i - 1] != other[j - 1]);
            diagonal = row[j];
            row[j] = smallest(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[other_length];
}

/* The rule whose name was probably meant, or NULL. */
static const struct config_key *nearest_key(const struct config_keys *keys,
                                            const char *key, size_t length)
{
    const struct config_key *best = NULL;
    size_t best_distance = 3;

    for (size_t i = 0; i < keys->count; i++) {
        const char *name = keys->items[i].name;
        size_t distance = edit_distance(key, length, name);
        if (distance < best_distance && 2 * distance <= strlen(name)) {
            best = &keys->items[i];
            best_distance = distance;
        }
    }
    return best;
}

static void add_key_list(const struct config_keys *keys, struct strbuf *out)
{
    strbuf_adds(out, "use one of ");
    for (size_t i = 0; i < keys->count; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", keys->items[i].name);
}

static err_code fail_unknown_key(const struct config_entry *entry,
                                 const struct config_keys *keys, size_t child)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const struct config_node *node = &entry->text->items[child];
    const char *key = entry->text->bytes + node->key;
    bool is_volume = keys == &config_volume_keys;
    const struct config_keys *elsewhere =
        is_volume ? &config_job_keys : &config_volume_keys;
    const struct config_key *near = nearest_key(keys, key, node->key_length);

    strbuf_adds(&words, "unknown key ");
    config_excerpt(key, node->key_length, &words);
    add_place(entry, &words);
    strbuf_adds(&words, ": ");
    if (near)
        strbuf_addf(&words, "use %s", near->name);
    else if (entry->kind && config_find_key(elsewhere, key, node->key_length))
        strbuf_addf(&words, "it belongs into a %s",
                    is_volume ? "job" : "volume");
    else
        add_key_list(keys, &words);
    return config_fail(entry->text, node->line, ERR_INVALID, entry->err, "%s",
                       words.text);
}

static err_code fail_twice(const struct config_entry *entry, size_t child,
                           size_t first)
{
    CLEANUP(strbuf_release) struct strbuf place = STRBUF_INIT;
    const struct config_node *nodes = entry->text->items;

    add_place(entry, &place);
    return config_fail(entry->text, nodes[child].line, ERR_INVALID, entry->err,
                       "%s is there twice%s, first on line %d: keep one",
                       entry->key->name, place.text, nodes[first].line);
}

/* Arrays hold only text here. */
static err_code check_kind(struct config_entry *entry, size_t child)
{
    const struct config_node *nodes = entry->text->items;
    const struct config_node *node = &nodes[child];
    size_t element = node->kind == NODE_ARRAY ? node->first : 0;

    entry->value = child;
    if (!(types[entry->key->type].kinds & KIND(node->kind)))
        return config_fail_value(entry);
    if (!element || nodes[element].kind == NODE_TEXT)
        return ERR_OK;
    entry->value = element;
    return config_fail_value(entry);
}

static err_code check_keys(struct config_entry *entry,
                           const struct config_keys *keys)
{
    const struct config_text *text = entry->text;
    const struct config_node *nodes = text->items;

    for (size_t child = nodes[entry->group].first; child;
         child = nodes[child].next) {
        entry->key = config_find_key(keys, text->bytes + nodes[child].key,
                                     nodes[child].key_length);
        if (!entry->key)
            return fail_unknown_key(entry, keys, child);
        size_t first = config_text_child(text, entry->group, entry->key->name);
        if (first != child)
            return fail_twice(entry, child, first);
        err_code code = check_kind(entry, child);
        if (code)
            return code;
    }
    return ERR_OK;
}

static err_code check_required(const struct config_entry *entry,
                               const struct config_keys *keys)
{
    CLEANUP(strbuf_release) struct strbuf place = STRBUF_INIT;
    const struct config_text *text = entry->text;

    add_place(entry, &place);
    for (size_t i = 0; i < keys->count; i++) {
        const struct config_key *key = &keys->items[i];
        if (key->is_required &&
            !config_text_child(text, entry->group, key->name))
            return config_fail(text, text->items[entry->group].line,
                               ERR_INVALID, entry->err,
                               "%s is missing%s: add %s", key->name, place.text,
                               types[key->type].right);
    }
    return ERR_OK;
}

static err_code check_list(struct config_entry *entry, const char *list_key,
                           const struct config_keys *keys)
{
    const struct config_node *nodes = entry->text->items;
    size_t list = config_text_child(entry->text, 0, list_key);
    err_code code = ERR_OK;

    for (size_t group = list ? nodes[list].first : 0; group && !code;
         group = nodes[group].next) {
        entry->ordinal++;
        entry->group = entry->value = group;
        if (nodes[group].kind != NODE_GROUP) {
            entry->kind = NULL;
            entry->key =
                config_find_key(&file_table, list_key, strlen(list_key));
            return config_fail_value(entry);
        }
        code = check_keys(entry, keys);
        if (!code)
            code = check_required(entry, keys);
    }
    return code;
}

err_code config_check_keys(const struct config_text *text, struct error *err)
{
    struct config_entry file = {.text = text, .err = err};
    struct config_entry volume = {.text = text, .err = err, .kind = "volume"};
    struct config_entry job = {.text = text, .err = err, .kind = "job"};
    err_code code = check_keys(&file, &file_table);

    if (!code)
        code = check_list(&volume, "volumes", &config_volume_keys);
    if (!code)
        code = check_list(&job, "jobs", &config_job_keys);
    return code;
}
