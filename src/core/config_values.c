#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/config_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#define LONGEST_NAME 64 /* characters */

#define LONGEST_PATH 4095 /* no system opens a longer one */

#define DEFAULT_VERSIONS_DAYS 30
#define DEFAULT_STALE_AFTER_DAYS 10
#define NS_PER_DAY (24 * 60 * 60 * NS_PER_SECOND)

/* Three digits times the largest unit is still an int64_t. */
#define FRACTION_DIGITS 3

struct unit {
    const char *name;
    int64_t size;
};

/* The largest first: the first that divides an amount is how it is written. */
static const struct unit durations[] = {
    {"w", 7 * NS_PER_DAY},          {"d", NS_PER_DAY},
    {"h", 60 * 60 * NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND},
    {"s", NS_PER_SECOND},
};

static const struct unit sizes[] = {
    {"Pi", INT64_C(1) << 50}, {"P", INT64_C(1000000000000000)},
    {"Ti", INT64_C(1) << 40}, {"T", INT64_C(1000000000000)},
    {"Gi", INT64_C(1) << 30}, {"G", INT64_C(1000000000)},
    {"Mi", INT64_C(1) << 20}, {"M", INT64_C(1000000)},
    {"Ki", INT64_C(1) << 10}, {"K", INT64_C(1000)},
    {"k", INT64_C(1000)},     {"", 1},
};

static const char *const role_names[] = {
    [VOLUME_BACKUP] = "backup",
    [VOLUME_READ_ONLY] = "read-only",
};

static const char *const mode_names[] = {
    [JOB_MIRROR] = "mirror",
    [JOB_UPDATE] = "update",
    [JOB_MOVE] = "move",
};

static const char *const verify_names[] = {
    [JOB_VERIFY_NONE] = "none",
    [JOB_VERIFY_READ_BACK] = "read-back",
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Digits at *cursor, which moves behind them. */
static bool take_number(const char **cursor, int64_t *out)
{
    int64_t number = 0;

    if (!is_digit(**cursor))
        return false;
    for (; is_digit(**cursor); ++*cursor) {
        int digit = **cursor - '0';
        if (number > (INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

/* number.fraction (fraction/scale) of a unit, rounded down. */
static bool multiply(int64_t number, int64_t fraction, int64_t scale,
                     int64_t unit, int64_t *out)
{
    int64_t part = fraction * unit / scale;

    if (number > (INT64_MAX - part) / unit)
        return false;
    *out = number * unit + part;
    return true;
}

bool config_parse_duration(const char *text, int64_t *out_ns)
{
    int64_t number;

    if (!take_number(&text, &number))
        return false;
    for (size_t i = 0; i < COUNT_OF(durations); i++)
        if (!strcmp(text, durations[i].name))
            return multiply(number, 0, 1, durations[i].size, out_ns);
    return false;
}

static bool take_fraction(const char **cursor, int64_t *out, int64_t *out_scale)
{
    const char *begin = ++*cursor; /* behind the point */
    int64_t scale = 1;

    if (!take_number(cursor, out) || *cursor - begin > FRACTION_DIGITS)
        return false;
    for (; begin < *cursor; begin++)
        scale *= 10;
    *out_scale = scale;
    return true;
}

/* The unit at `text`, which "B" and "/s" may follow. */
static const struct unit *find_size_unit(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t length = strlen(sizes[i].name);
        const char *rest = text + length;
        if (strncmp(text, sizes[i].name, length))
            continue;
        rest += *rest == 'B';
        if (!*rest || !strcmp(rest, "/s"))
            return &sizes[i];
    }
    return NULL;
}

bool config_parse_bytes(const char *text, int64_t *out_bytes)
{
    int64_t number, fraction = 0, scale = 1;

    if (!take_number(&text, &number))
        return false;
    if (*text == '.' && !take_fraction(&text, &fraction, &scale))
        return false;
    text += *text == ' ';
    const struct unit *unit = find_size_unit(text);
    return unit && multiply(number, fraction, scale, unit->size, out_bytes);
}

bool config_parse_keep_rule(const char *text, struct keep_rule *out)
{
    struct keep_rule rule = {.kind = KEEP_TIME};
    const char *rest = text;

    if (!config_parse_duration(text, &rule.amount)) {
        rule.kind = KEEP_BYTES;
        if (take_number(&rest, &rule.amount) && !*rest)
            rule.kind = KEEP_COUNT;
        else if (strstr(text, "/s") || !config_parse_bytes(text, &rule.amount))
            return false;
    }
    *out = rule;
    return true;
}

bool config_parse_delete_cap(const char *text, int *out_percent,
                             int64_t *out_files)
{
    int64_t percent = -1, files = -1;

    for (;;) {
        int64_t number;
        text += strspn(text, " ");
        if (!take_number(&text, &number))
            return false;
        int64_t *part = *text == '%' ? &percent : &files;
        if (*part != -1)
            return false; /* twice */
        *part = number;
        text += *text == '%';
        text += strspn(text, " ");
        if (!*text)
            break;
        if (*text++ != ',')
            return false;
    }
    if (percent > 100)
        return false;
    if (percent >= 0)
        *out_percent = (int)percent;
    if (files >= 0)
        *out_files = files;
    return true;
}

bool config_schedule_is_valid(const char *text)
{
    if (!strcmp(text, "on-plug") || !strcmp(text, "none"))
        return true;
    if (strlen(text) != 5 || !is_digit(text[0]) || !is_digit(text[1]) ||
        text[2] != ':' || !is_digit(text[3]) || !is_digit(text[4]))
        return false;
    return (text[0] - '0') * 10 + text[1] - '0' < 24 && text[3] < '6';
}

static void format_amount(int64_t amount, const struct unit *units,
                          size_t count, struct strbuf *out)
{
    size_t i = 0;

    while (i + 1 < count && (!amount || amount % units[i].size))
        i++;
    strbuf_addf(out, "%lld%s", (long long)(amount / units[i].size),
                units[i].name);
}

void config_format_duration(int64_t duration_ns, struct strbuf *out)
{
    format_amount(duration_ns, durations, COUNT_OF(durations), out);
}

void config_format_bytes(int64_t bytes, struct strbuf *out)
{
    format_amount(bytes, sizes, COUNT_OF(sizes), out);
    strbuf_addch(out, 'B'); /* so that it is never taken for a count */
}

void config_format_keep_rule(const struct keep_rule *rule, struct strbuf *out)
{
    if (rule->kind == KEEP_TIME)
        config_format_duration(rule->amount, out);
    else if (rule->kind == KEEP_BYTES)
        config_format_bytes(rule->amount, out);
    else
        strbuf_addf(out, "%lld", (long long)rule->amount);
}

static bool is_name_character(int32_t character)
{
    if (character < 0x80)
        return character &&
               (strchr("._-", character) || is_digit((char)character) ||
                (character >= 'A' && character <= 'Z') ||
                (character >= 'a' && character <= 'z'));
    utf8proc_category_t category = utf8proc_category(character);
    return (category >= UTF8PROC_CATEGORY_LU &&
            category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_MN &&
            category <= UTF8PROC_CATEGORY_ME) ||
           (category >= UTF8PROC_CATEGORY_ND &&
            category <= UTF8PROC_CATEGORY_NO);
}

bool config_name_is_valid(const char *name)
{
    size_t length = strlen(name), characters = 0;

    if (!length || name[0] == '-' || !strcmp(name, ".") || !strcmp(name, ".."))
        return false;
    for (size_t at = 0; at < length; characters++) {
        int32_t character;
        utf8proc_ssize_t taken =
            utf8proc_iterate((const utf8proc_uint8_t *)name + at,
                             (utf8proc_ssize_t)(length - at), &character);
        if (taken < 1 || !is_name_character(character))
            return false;
        at += (size_t)taken;
    }
    return characters <= LONGEST_NAME;
}

/* The position of a name in a table; -1 if it is not there. */
static int find_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return (int)i;
    return -1;
}

bool config_parse_role(const char *text, enum volume_role *out)
{
    int found = find_name(role_names, COUNT_OF(role_names), text);

    if (found >= 0)
        *out = (enum volume_role)found;
    return found >= 0;
}

bool config_parse_mode(const char *text, enum job_mode *out)
{
    int found = find_name(mode_names, COUNT_OF(mode_names), text);

    if (found >= 0)
        *out = (enum job_mode)found;
    return found >= 0;
}

bool config_parse_verify(const char *text, enum job_verify *out)
{
    int found = find_name(verify_names, COUNT_OF(verify_names), text);

    if (found >= 0)
        *out = (enum job_verify)found;
    return found >= 0;
}

const char *volume_role_name(enum volume_role role)
{
    return role_names[role];
}

const char *job_mode_name(enum job_mode mode)
{
    return mode_names[mode];
}

const char *job_verify_name(enum job_verify verify)
{
    return verify_names[verify];
}

char *config_expand_path(const char *text, const char *home)
{
    CLEANUP_FREE char *expanded = NULL;

    if (strlen(text) > LONGEST_PATH)
        return NULL;
    if (text[0] == '/')
        return path_clean(text);
    if (text[0] != '~' || (text[1] && text[1] != '/') || !home ||
        home[0] != '/')
        return NULL;
    expanded = xasprintf("%s/%s", home, text + 1);
    return path_clean(expanded);
}

static bool has_parent_component(const char *path)
{
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && !strncmp(path, "..", 2))
            return true;
        path += length;
        path += strspn(path, "/");
    }
    return false;
}

/*
 * Without regard to case, trailing dots and spaces: on exFAT and APFS
 * ".Berth" is the same directory, and some drivers strip the others.
 */
static bool is_in_own_directory(const char *directory)
{
    static const char own[] = ".berth";
    size_t length = strlen(own);

    if (strncasecmp(directory, own, length))
        return false;
    length += strspn(directory + length, ". ");
    return !directory[length] || directory[length] == '/';
}

/* In UTF-8, and without control characters: every machine and every filesystem
 * is to spell it. */
static bool is_plain_text(const char *text)
{
    size_t length = strlen(text);

    for (size_t at = 0; at < length;) {
        int32_t character;
        utf8proc_ssize_t taken =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                             (utf8proc_ssize_t)(length - at), &character);
        if (taken < 1 || utf8proc_category(character) == UTF8PROC_CATEGORY_CC)
            return false;
        at += (size_t)taken;
    }
    return true;
}

const char *config_read_target(const char *text, struct config_target *out)
{
    const char *colon = strchr(text, ':');

    if (strlen(text) > LONGEST_PATH)
        return "use a shorter path";
    if (!colon || colon[1] != '/')
        return "use VOLUME:/DIRECTORY, or VOLUME:/ for the whole volume";
    CLEANUP_FREE char *volume = xstrndup(text, (size_t)(colon - text));
    if (!config_name_is_valid(volume))
        return "use the name of a volume before the ':'";
    if (!is_plain_text(colon + 1))
        return "use a directory whose name is UTF-8 without control characters";
    if (has_parent_component(colon + 1))
        return "leave out \"..\", a target stays inside its volume";
    CLEANUP_FREE char *directory = path_clean(colon + 1);
    if (is_in_own_directory(directory + 1))
        return "use another directory, /.berth is berth's own";
    out->directory = xstrdup(directory + 1);
    out->volume = TAKE_PTR(volume);
    return NULL;
}

err_code config_parse_target(const char *text, struct config_target *out,
                             struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    const char *problem = config_read_target(text, out);

    if (!problem)
        return ERR_OK;
    config_excerpt(text, strlen(text), &shown);
    return error_set(err, ERR_INVALID, "target \"%s\": %s", shown.text,
                     problem);
}

struct config_volume config_volume_defaults(void)
{
    return (struct config_volume){
        .role = VOLUME_BACKUP,
        .stale_after_ns = DEFAULT_STALE_AFTER_DAYS * NS_PER_DAY,
    };
}

struct config_job config_job_defaults(void)
{
    return (struct config_job){
        .mode = JOB_MIRROR,
        .versions = {.kind = KEEP_TIME,
                     .amount = DEFAULT_VERSIONS_DAYS * NS_PER_DAY},
        .delete_cap_percent = 25,
        .delete_cap_files = 1000,
        .verify = JOB_VERIFY_NONE,
        .min_copies = 1,
    };
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

void config_volume_release(struct config_volume *volume)
{
    free(volume->name);
    free(volume->id);
    free(volume->folder);
    *volume = config_volume_defaults();
}

void config_job_release(struct config_job *job)
{
    free(job->name);
    free(job->source);
    for (size_t i = 0; i < job->target_count; i++) {
        free(job->targets[i].volume);
        free(job->targets[i].directory);
    }
    free(job->targets);
    free_strings(job->include, job->include_count);
    free_strings(job->exclude, job->exclude_count);
    free(job->schedule);
    *job = config_job_defaults();
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config->volume_count; i++)
        config_volume_release(&config->volumes[i]);
    for (size_t i = 0; i < config->job_count; i++)
        config_job_release(&config->jobs[i]);
    free(config->volumes);
    free(config->jobs);
    free(config->path);
    *config = (struct config)CONFIG_INIT;
}

const struct config_volume *config_find_volume(const struct config *config,
                                               const char *name)
{
    for (size_t i = 0; i < config->volume_count; i++)
        if (!strcmp(config->volumes[i].name, name))
            return &config->volumes[i];
    return NULL;
}

const struct config_volume *config_find_volume_id(const struct config *config,
                                                  const char *id)
{
    for (size_t i = 0; i < config->volume_count; i++)
        if (!strcasecmp(config->volumes[i].id, id))
            return &config->volumes[i];
    return NULL;
}

const struct config_job *config_find_job(const struct config *config,
                                         const char *name)
{
    for (size_t i = 0; i < config->job_count; i++)
        if (!strcmp(config->jobs[i].name, name))
            return &config->jobs[i];
    return NULL;
}
