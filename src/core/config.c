#include "core/config.h"

#include "core/base/fdio.h"
#include "core/config_internal.h"
#include "core/filter.h"
#include "core/names.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * libconfig before 1.7.3 (Debian 12 has 1.5) exports a function of this name,
 * too, and would call ours: "free(): invalid pointer" at the first string. One
 * hidden reference hides it from every shared library.
 */
void strbuf_release(struct strbuf *buffer)
    __attribute__((visibility("hidden")));

/* A thousand jobs take a fifth of it. */
#define LARGEST_FILE ((size_t)1 << 20)

static bool read_name(struct config_entry *entry, const config_setting_t *value,
                      void *field)
{
    const char *name = config_setting_get_string(value);

    if (!config_name_is_valid(name))
        return false;
    *(char **)field = xstrdup(name);
    return true;
}

static bool read_id(struct config_entry *entry, const config_setting_t *value,
                    void *field)
{
    const char *text = config_setting_get_string(value);

    if (strlen(text) != VOLUME_ID_HEX_LENGTH ||
        strspn(text, "0123456789abcdefABCDEF") != VOLUME_ID_HEX_LENGTH)
        return false;
    char *id = xstrdup(text);
    for (char *digit = id; *digit; digit++)
        if (*digit >= 'A' && *digit <= 'F')
            *digit = (char)(*digit - 'A' + 'a');
    *(char **)field = id;
    return true;
}

static bool read_role(struct config_entry *entry, const config_setting_t *value,
                      void *field)
{
    return config_parse_role(config_setting_get_string(value), field);
}

static bool read_mode(struct config_entry *entry, const config_setting_t *value,
                      void *field)
{
    return config_parse_mode(config_setting_get_string(value), field);
}

static bool read_verify(struct config_entry *entry,
                        const config_setting_t *value, void *field)
{
    return config_parse_verify(config_setting_get_string(value), field);
}

static bool read_boolean(struct config_entry *entry,
                         const config_setting_t *value, void *field)
{
    *(bool *)field = config_setting_get_bool(value);
    return true;
}

static bool read_duration(struct config_entry *entry,
                          const config_setting_t *value, void *field)
{
    return config_parse_duration(config_setting_get_string(value), field);
}

static bool read_rate(struct config_entry *entry, const config_setting_t *value,
                      void *field)
{
    const char *text = config_setting_get_string(value);

    if (strcmp(text, "none"))
        return config_parse_bytes(text, field);
    *(int64_t *)field = 0;
    return true;
}

static bool read_path(struct config_entry *entry, const config_setting_t *value,
                      void *field)
{
    const char *text = config_setting_get_string(value);
    char *path = config_expand_path(text, entry->home);

    if (path)
        *(char **)field = path;
    return path != NULL;
}

static bool read_schedule(struct config_entry *entry,
                          const config_setting_t *value, void *field)
{
    const char *text = config_setting_get_string(value);

    if (!config_schedule_is_valid(text))
        return false;
    if (strcmp(text, "none"))
        *(char **)field = xstrdup(text);
    return true;
}

static bool read_copies(struct config_entry *entry,
                        const config_setting_t *value, void *field)
{
    long long number = config_setting_get_int64(value);

    if (number < 1 || number > 99)
        return false;
    *(int *)field = (int)number;
    return true;
}

static bool read_keep_rule(struct config_entry *entry,
                           const config_setting_t *value, void *field)
{
    struct keep_rule *rule = field;

    if (config_setting_type(value) == CONFIG_TYPE_STRING)
        return config_parse_keep_rule(config_setting_get_string(value), rule);
    rule->kind = KEEP_COUNT;
    rule->amount = config_setting_get_int64(value);
    return rule->amount >= 0;
}

static bool read_delete_cap(struct config_entry *entry,
                            const config_setting_t *value, void *field)
{
    struct config_job *job = entry->out;

    return config_parse_delete_cap(config_setting_get_string(value),
                                   &job->delete_cap_percent,
                                   &job->delete_cap_files);
}

/* The `position`th element of the array is what is wrong. */
static bool blame_element(struct config_entry *entry, int position,
                          const char *why)
{
    entry->value =
        config_text_element(entry->text, entry->value, (size_t)position);
    snprintf(entry->why, sizeof entry->why, "%s", why);
    return false;
}

static bool read_targets(struct config_entry *entry,
                         const config_setting_t *value, void *field)
{
    struct config_job *job = entry->out;
    int count = config_setting_length(value);

    if (!count)
        return false;
    job->targets = xcalloc((size_t)count, sizeof *job->targets);
    for (int i = 0; i < count; i++) {
        const char *text = config_setting_get_string_elem(value, i);
        const char *problem = config_read_target(text, &job->targets[i]);
        if (problem)
            return blame_element(entry, i, problem);
        job->target_count++;
    }
    return true;
}

static bool read_patterns(struct config_entry *entry,
                          const config_setting_t *value, void *field)
{
    struct config_job *job = entry->out;
    size_t *done = field == (void *)&job->include ? &job->include_count
                                                  : &job->exclude_count;
    struct error problem = ERROR_INIT;
    int count = config_setting_length(value);

    if (!count)
        return true;
    char **patterns = xcalloc((size_t)count, sizeof *patterns);
    *(char ***)field = patterns;
    for (int i = 0; i < count; i++) {
        const char *pattern = config_setting_get_string_elem(value, i);
        if (filter_check(pattern, &problem)) {
            /* It quotes the pattern, which may hold anything. */
            CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
            name_display(problem.message, &shown);
            return blame_element(entry, i, shown.text);
        }
        patterns[(*done)++] = xstrdup(pattern);
    }
    return true;
}

/* config_keys.c sees to it that values are of the right kind. */
static bool (*const readers[])(struct config_entry *entry,
                               const config_setting_t *value, void *field) = {
    [VALUE_NAME] = read_name,
    [VALUE_ID] = read_id,
    [VALUE_ROLE] = read_role,
    [VALUE_MODE] = read_mode,
    [VALUE_VERIFY] = read_verify,
    [VALUE_BOOLEAN] = read_boolean,
    [VALUE_DURATION] = read_duration,
    [VALUE_RATE] = read_rate,
    [VALUE_PATH] = read_path,
    [VALUE_SCHEDULE] = read_schedule,
    [VALUE_COPIES] = read_copies,
    [VALUE_KEEP_RULE] = read_keep_rule,
    [VALUE_DELETE_CAP] = read_delete_cap,
    [VALUE_TARGETS] = read_targets,
    [VALUE_PATTERNS] = read_patterns,
};

static bool is_of_kind(const config_setting_t *setting, enum node_kind kind)
{
    int type = config_setting_type(setting);

    switch (kind) {
    case NODE_TEXT:
        return type == CONFIG_TYPE_STRING;
    case NODE_NUMBER:
        return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    case NODE_BOOLEAN:
        return type == CONFIG_TYPE_BOOL;
    case NODE_GROUP:
        return type == CONFIG_TYPE_GROUP;
    case NODE_ARRAY:
        return type == CONFIG_TYPE_ARRAY;
    case NODE_LIST:
        return type == CONFIG_TYPE_LIST;
    }
    return false;
}

/* Whether libconfig saw the same entries in the same places as we did. */
static bool is_same_tree(const struct config_text *text, size_t index,
                         const config_setting_t *setting)
{
    const struct config_node *node = &text->items[index];
    const char *name = config_setting_name(setting);
    unsigned position = 0;

    if (!is_of_kind(setting, node->kind))
        return false;
    if (node->key_length &&
        (!name || strlen(name) != node->key_length ||
         memcmp(name, text->bytes + node->key, node->key_length)))
        return false;
    if (node->kind < NODE_GROUP)
        return true;
    for (size_t child = node->first; child; child = text->items[child].next) {
        const config_setting_t *element =
            config_setting_get_elem(setting, position++);
        if (!element || !is_same_tree(text, child, element))
            return false;
    }
    return config_setting_length(setting) == (int)position;
}

static err_code parse_with_libconfig(const struct config_text *text,
                                     config_t *parsed, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf copy = STRBUF_INIT;

    config_text_for_libconfig(text, &copy);
    if (!config_read_string(parsed, copy.text))
        return config_fail(text, config_error_line(parsed), ERR_INVALID, err,
                           "libconfig says %s", config_error_text(parsed));
    if (!is_same_tree(text, 0, config_root_setting(parsed)))
        return config_fail(text, 0, ERR_INTERNAL, err,
                           "libconfig sees other entries than berth does");
    return ERR_OK;
}

static err_code read_entry(struct config_entry *entry,
                           const struct config_keys *keys,
                           const config_setting_t *group)
{
    const struct config_text *text = entry->text;
    const struct config_node *nodes = text->items;
    unsigned position = 0;

    entry->ordinal++;
    for (size_t child = nodes[entry->group].first; child;
         child = nodes[child].next) {
        const config_setting_t *value =
            config_setting_get_elem(group, position++);
        entry->value = child;
        entry->key = config_find_key(keys, text->bytes + nodes[child].key,
                                     nodes[child].key_length);
        if (!readers[entry->key->type](entry, value,
                                       (char *)entry->out + entry->key->offset))
            return config_fail_value(entry);
    }
    return ERR_OK;
}

/* The first entry of a list of the file, as a node; 0: there is none. */
static size_t first_entry(const struct config_text *text, const char *list)
{
    size_t node = config_text_child(text, 0, list);

    return node ? text->items[node].first : 0;
}

static int line_of_name(const struct config_entry *entry)
{
    size_t name = config_text_child(entry->text, entry->group, "name");

    return entry->text->items[name].line;
}

static err_code read_volumes(struct config_entry *entry, const config_t *parsed,
                             struct config *config)
{
    const config_setting_t *list = config_lookup(parsed, "volumes");
    unsigned count = list ? (unsigned)config_setting_length(list) : 0;
    err_code code = ERR_OK;

    if (count)
        config->volumes = xcalloc(count, sizeof *config->volumes);
    entry->group = first_entry(entry->text, "volumes");
    for (unsigned i = 0; i < count && !code; i++) {
        struct config_volume *volume = &config->volumes[i];
        *volume = config_volume_defaults();
        volume->line = line_of_name(entry);
        config->volume_count++;
        entry->out = volume;
        code = read_entry(entry, &config_volume_keys,
                          config_setting_get_elem(list, i));
        entry->group = entry->text->items[entry->group].next;
    }
    return code;
}

static err_code read_jobs(struct config_entry *entry, const config_t *parsed,
                          struct config *config)
{
    const config_setting_t *list = config_lookup(parsed, "jobs");
    unsigned count = list ? (unsigned)config_setting_length(list) : 0;
    err_code code = ERR_OK;

    if (count)
        config->jobs = xcalloc(count, sizeof *config->jobs);
    entry->group = first_entry(entry->text, "jobs");
    for (unsigned i = 0; i < count && !code; i++) {
        struct config_job *job = &config->jobs[i];
        *job = config_job_defaults();
        job->line = line_of_name(entry);
        config->job_count++;
        entry->out = job;
        code = read_entry(entry, &config_job_keys,
                          config_setting_get_elem(list, i));
        entry->group = entry->text->items[entry->group].next;
    }
    return code;
}

err_code config_from_text(const struct config_text *text, const char *home,
                          struct config *out, struct error *err)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;
    struct config_entry volume = {
        .text = text, .err = err, .home = home, .kind = "volume"};
    struct config_entry job = {
        .text = text, .err = err, .home = home, .kind = "job"};
    err_code code = config_check_keys(text, err);

    if (code)
        return code;
    CLEANUP(config_destroy) config_t parsed;
    config_init(&parsed);
    code = parse_with_libconfig(text, &parsed, err);
    if (!code)
        code = read_volumes(&volume, &parsed, &config);
    if (!code)
        code = read_jobs(&job, &parsed, &config);
    if (code)
        return code;
    config.path = xstrdup(text->path);
    *out = config;
    config = (struct config)CONFIG_INIT;
    return ERR_OK;
}

err_code config_load_bytes(const char *path, const char *home,
                           const struct strbuf *bytes, struct config *out,
                           struct error *err)
{
    CLEANUP(config_text_release)
    struct config_text text = {
        .path = path, .bytes = bytes->text, .length = bytes->length};
    CLEANUP(config_release) struct config config = CONFIG_INIT;
    err_code code = config_text_parse(&text, err);

    if (!code)
        code = config_from_text(&text, home, &config, err);
    if (!code)
        code = config_check_together(&config, &text, err);
    if (code)
        return code;
    *out = config;
    config = (struct config)CONFIG_INIT;
    return ERR_OK;
}

err_code config_read_bytes(const char *path, struct strbuf *out,
                           struct error *err)
{
    /* Non-blocking: the open of a FIFO without a writer would wait. */
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0 && errno == ENOENT)
        return ERR_OK;
    if (fd < 0 || fstat(fd, &status)) {
        struct error why = ERROR_INIT;
        error_set_errno(&why, errno, "cannot open %s", path);
        return error_set(err, ERR_INVALID,
                         "%s: let this user read it, or name another with "
                         "--config",
                         why.message);
    }
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERR_INVALID,
                         "%s is %s: the configuration must be a regular file",
                         path,
                         S_ISDIR(status.st_mode) ? "a directory" : "no file");
    return fd_read_file(fd, LARGEST_FILE, path, out, err);
}

err_code config_load(const char *path, const char *home, struct config *out,
                     struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    err_code code = config_read_bytes(path, &bytes, err);

    return code ? code : config_load_bytes(path, home, &bytes, out, err);
}
