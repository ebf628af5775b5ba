/*
 * One setting of one entry: what it is, in the words of the file, and how it
 * becomes another. The value's bytes are replaced where they stand, or a
 * setting is added or taken out; the result must load before it replaces the
 * file. What is typed cannot end a value early: texts are quoted, and numbers
 * and flags must be letters and digits.
 */
#include "core/base/array.h"
#include "core/config_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- as text ---------------------------------------------------------------
 */

static void format_texts(char *const *items, size_t count, struct strbuf *out)
{
    for (size_t i = 0; i < count; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", items[i]);
}

static void format_targets(const struct config_job *job, struct strbuf *out)
{
    for (size_t i = 0; i < job->target_count; i++)
        strbuf_addf(out, "%s%s:/%s", i ? ", " : "", job->targets[i].volume,
                    job->targets[i].directory);
}

/* Only where `offset` is one of a number. */
static int64_t number_at(const void *entry, const struct config_key *key)
{
    return *(const int64_t *)((const char *)entry + key->offset);
}

static void format_rate(int64_t rate, struct strbuf *out)
{
    if (!rate) {
        strbuf_adds(out, "none");
        return;
    }
    config_format_bytes(rate, out);
    strbuf_adds(out, "/s");
}

static void format_text(const void *entry, const struct config_key *key,
                        struct strbuf *out)
{
    const char *text = *(char *const *)((const char *)entry + key->offset);

    if (text)
        strbuf_adds(out, text);
    else if (key->type == VALUE_SCHEDULE)
        strbuf_adds(out, "none");
}

static void format_of_job(const struct config_job *job,
                          const struct config_key *key, struct strbuf *out)
{
    switch (key->type) {
    case VALUE_MODE:
        strbuf_adds(out, job_mode_name(job->mode));
        break;
    case VALUE_VERIFY:
        strbuf_adds(out, job_verify_name(job->verify));
        break;
    case VALUE_COPIES:
        strbuf_addf(out, "%d", job->min_copies);
        break;
    case VALUE_KEEP_RULE:
        config_format_keep_rule(&job->versions, out);
        break;
    case VALUE_DELETE_CAP:
        strbuf_addf(out, "%d%%, %lld", job->delete_cap_percent,
                    (long long)job->delete_cap_files);
        break;
    case VALUE_TARGETS:
        format_targets(job, out);
        break;
    case VALUE_PATTERNS:
        if (!strcmp(key->name, "include"))
            format_texts(job->include, job->include_count, out);
        else
            format_texts(job->exclude, job->exclude_count, out);
        break;
    default:
        break;
    }
}

static void format_value(const void *entry, const struct config_key *key,
                         struct strbuf *out)
{
    switch (key->type) {
    case VALUE_ROLE:
        strbuf_adds(
            out, volume_role_name(((const struct config_volume *)entry)->role));
        break;
    case VALUE_BOOLEAN:
        strbuf_adds(out, *(const bool *)((const char *)entry + key->offset)
                             ? "true"
                             : "false");
        break;
    case VALUE_DURATION:
        config_format_duration(number_at(entry, key), out);
        break;
    case VALUE_RATE:
        format_rate(number_at(entry, key), out);
        break;
    case VALUE_NAME:
    case VALUE_ID:
    case VALUE_PATH:
    case VALUE_SCHEDULE:
        format_text(entry, key, out);
        break;
    default:
        format_of_job(entry, key, out);
        break;
    }
}

/* What other machines, the drive, or other entries know it by. */
static bool is_fixed(const struct config_key *key)
{
    return key->type == VALUE_NAME || key->type == VALUE_ID ||
           !strcmp(key->name, "folder");
}

static void list_settings(const struct config_keys *keys, const void *entry,
                          const void *usual, config_setting_found *found,
                          void *context)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct config_key *key = &keys->items[i];
        CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf standard = STRBUF_INIT;
        format_value(entry, key, &value);
        format_value(usual, key, &standard);
        const char *text = value.text ? value.text : "";
        const char *standard_text = standard.text ? standard.text : "";
        const struct config_setting setting = {
            .key = key->name,
            .value = text,
            .hint = config_right_value(key),
            .is_default = !key->is_required && !strcmp(text, standard_text),
            .is_fixed = is_fixed(key),
        };
        if (key->type != VALUE_PATH || key->is_required || value.length)
            found(context, &setting);
    }
}

void config_list_volume(const struct config_volume *volume,
                        config_setting_found *found, void *context)
{
    const struct config_volume usual = config_volume_defaults();

    list_settings(&config_volume_keys, volume, &usual, found, context);
}

void config_list_job(const struct config_job *job, config_setting_found *found,
                     void *context)
{
    const struct config_job usual = config_job_defaults();

    list_settings(&config_job_keys, job, &usual, found, context);
}

/* --- from text -------------------------------------------------------------
 */

static bool is_word(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text))
            return false;
    return true;
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static void write_array(const char *value, struct strbuf *out)
{
    const char *separator = " ";

    strbuf_adds(out, "[");
    while (*value) {
        size_t length = strcspn(value, ",");
        const char *end = value + length;
        while (length && value[length - 1] == ' ')
            length--;
        CLEANUP_FREE char *item = xstrndup(value, length);
        if (*item) {
            strbuf_adds(out, separator);
            config_write_text(item, out);
            separator = ", ";
        }
        value = end + (*end == ',');
        value += strspn(value, " ");
    }
    strbuf_adds(out, " ]");
}

/* As it stands in the file. */
static err_code write_value(const struct config_edit *edit,
                            const struct config_key *key, const char *value,
                            struct strbuf *out, struct error *err)
{
    switch (key->type) {
    case VALUE_BOOLEAN:
    case VALUE_COPIES:
        if (!is_word(value))
            return config_fail(&edit->text, 0, ERR_INVALID, err, "%s: use %s",
                               key->name, config_right_value(key));
        strbuf_adds(out, value);
        return ERR_OK;
    case VALUE_TARGETS:
    case VALUE_PATTERNS:
        write_array(value, out);
        return ERR_OK;
    case VALUE_KEEP_RULE:
        if (is_number(value)) {
            strbuf_adds(out, value);
            return ERR_OK;
        }
        config_write_text(value, out);
        return ERR_OK;
    default:
        config_write_text(value, out);
        return ERR_OK;
    }
}

/* --- the edit --------------------------------------------------------------
 */

struct entry_at {
    const struct config_keys *keys;
    size_t group; /* its node; 0: there is none */
};

static struct entry_at find_entry(const struct config_edit *edit,
                                  const char *name)
{
    const struct config *config = &edit->config;
    const struct config_volume *volume = config_find_volume(config, name);
    const struct config_job *job = config_find_job(config, name);
    const char *list = volume ? "volumes" : "jobs";
    size_t position = volume ? (size_t)(volume - config->volumes)
                      : job  ? (size_t)(job - config->jobs)
                             : 0;

    if (!volume && !job)
        return (struct entry_at){.group = 0};
    return (struct entry_at){
        .keys = volume ? &config_volume_keys : &config_job_keys,
        .group = config_text_element(
            &edit->text, config_text_child(&edit->text, 0, list), position),
    };
}

static err_code splice_value(struct config_edit *edit,
                             const struct entry_at *entry,
                             const struct config_key *key, const char *value,
                             struct error *err)
{
    const struct config_text *text = &edit->text;
    size_t child = config_text_child(text, entry->group, key->name);
    const struct config_node *node = &text->items[child];
    CLEANUP(strbuf_release) struct strbuf written = STRBUF_INIT;
    err_code code =
        *value ? write_value(edit, key, value, &written, err) : ERR_OK;

    if (code || (!*value && !child))
        return code;
    if (child && *value) {
        strbuf_splice(&edit->bytes, node->begin, node->end - node->begin,
                      written.text, written.length);
    } else if (child) {
        config_splice_setting_out(text, &edit->bytes, child);
    } else {
        CLEANUP_FREE char *setting =
            xasprintf("%s = %s;", key->name, written.text);
        config_splice_element(text, &edit->bytes, entry->group, setting);
    }
    return ERR_OK;
}

err_code config_edit_set(struct config_edit *edit, const char *name,
                         const char *key_name, const char *value,
                         struct error *err)
{
    CLEANUP(config_release) struct config after = CONFIG_INIT;
    struct entry_at entry = find_entry(edit, name);

    if (!entry.group)
        return config_fail(&edit->text, 0, ERR_NOT_FOUND, err,
                           "there is no volume or job \"%s\"", name);
    const struct config_key *key =
        config_find_key(entry.keys, key_name, strlen(key_name));
    if (!key || is_fixed(key))
        return config_fail(&edit->text, 0, ERR_INVALID, err,
                           "%s of \"%s\" is not set here", key_name, name);
    err_code code = splice_value(edit, &entry, key, value, err);
    if (code)
        return code;
    return config_load_bytes(edit->path, edit->home, &edit->bytes, &after, err);
}

err_code config_set(const char *path, const char *home, const char *name,
                    const char *key, const char *value, struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    err_code code = config_edit_open(&edit, path, home, err);

    if (!code)
        code = config_edit_set(&edit, name, key, value, err);
    return code ? code : config_edit_save(&edit, err);
}
