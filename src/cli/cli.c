#include "cli/cli.h"

#include "cli/cli_internal.h"
#include "core/base/array.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_command *const cli_commands[] = {
    &cli_volume_add,
    &cli_volume_list,
    &cli_volume_forget,
    &cli_volume_refresh,
    &cli_job_add,
    &cli_job_list,
    &cli_job_remove,
    &cli_job_claim,
    &cli_diff,
    &cli_sync,
    &cli_verify,
    &cli_history,
    &cli_versions,
    &cli_restore,
    &cli_prune,
    &cli_undo,
    &cli_tidy,
    &cli_copies,
    &cli_find,
    &cli_drives,
    &cli_eject,
    &cli_mount,
    &cli_schedule_install,
    &cli_schedule_remove,
    &cli_schedule_show,
    &cli_doctor,
    &cli_init,
    &cli_demo,
};
const size_t cli_command_count = COUNT_OF(cli_commands);

void cli_invocation_release(struct cli_invocation *invocation)
{
    command_free(invocation->request);
    free(invocation->config_path);
    free(invocation->state_directory);
    *invocation = (struct cli_invocation){.command = NULL};
}

struct parsing {
    int argc;
    char *const *argv;
    int at;
    bool only_words; /* after "--" */
    struct cli_invocation *invocation;
    struct {
        char **items; /* borrowed from argv */
        size_t count, capacity;
    } words;
};

/* --- words that every command knows --- */

char *cli_absolute(const char *path)
{
    CLEANUP_FREE char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    CLEANUP_FREE char *joined = path_join(here ? here : "", path);

    return path_clean(here ? joined : path);
}

/* The value of an option: "--name=value" or the next word. */
static err_code take_value(struct parsing *parsing, const char *name,
                           const char *inline_value, const char **out,
                           struct error *err)
{
    const char *value = inline_value;

    if (!value && parsing->at + 1 < parsing->argc)
        value = parsing->argv[++parsing->at];
    if (!value)
        return error_set(err, ERR_INVALID,
                         "%s needs a value: give one behind it", name);
    if (!*value)
        return error_set(err, ERR_INVALID,
                         "%s needs a value, and this one is empty: is a "
                         "variable of the script not set?",
                         name);
    *out = value;
    return ERR_OK;
}

static bool is_word(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && !strncmp(word, name, length);
}

/* *out_is_common false: the option belongs to the command. */
static err_code take_common(struct parsing *parsing, const char *word,
                            size_t length, const char *inline_value,
                            bool *out_is_common, struct error *err)
{
    struct cli_invocation *invocation = parsing->invocation;
    const char *value = "";
    char **path = NULL;

    *out_is_common = true;
    if (is_word(word, length, "--help") || is_word(word, length, "-h"))
        invocation->show_help = true;
    else if (is_word(word, length, "--version"))
        invocation->show_version = true;
    else if (is_word(word, length, "--json"))
        invocation->json = true;
    else if (is_word(word, length, "--config"))
        path = &invocation->config_path;
    else if (is_word(word, length, "--state-dir"))
        path = &invocation->state_directory;
    else
        *out_is_common = false;
    if (!path)
        return ERR_OK;
    CLEANUP_FREE char *name = xstrndup(word, length);
    err_code code = take_value(parsing, name, inline_value, &value, err);
    if (!code) {
        free(*path);
        *path = cli_absolute(value);
    }
    return code;
}

/* --- which command --- */

/* "volume add" takes two words, "diff" one. */
static const struct cli_command *match_command(const struct parsing *parsing,
                                               size_t *out_words)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        const char *name = cli_commands[i]->name;
        const char *space = strchr(name, ' ');
        size_t length = space ? (size_t)(space - name) : strlen(name);
        if (!parsing->words.count ||
            !is_word(name, length, parsing->words.items[0]))
            continue;
        *out_words = space ? 2 : 1;
        if (!space || (parsing->words.count > 1 &&
                       !strcmp(space + 1, parsing->words.items[1])))
            return cli_commands[i];
    }
    return NULL;
}

static err_code choose_command(struct parsing *parsing, struct error *err)
{
    struct cli_invocation *invocation = parsing->invocation;
    size_t used = 0;

    if (invocation->command || !parsing->words.count)
        return ERR_OK;
    invocation->command = match_command(parsing, &used);
    if (!invocation->command)
        return ERR_OK; /* perhaps its second word is still to come */
    memmove(parsing->words.items, parsing->words.items + used,
            (parsing->words.count - used) * sizeof *parsing->words.items);
    parsing->words.count -= used;
    invocation->request = command_new(invocation->command->kind);
    if (invocation->command->prepare)
        invocation->command->prepare(invocation->request);
    return ERR_OK;
}

const struct cli_option *cli_find_option(const struct cli_command *command,
                                         const char *name, size_t length)
{
    for (const struct cli_option *option = command->options;
         option && option->name; option++)
        if (is_word(name, length, option->name))
            return option;
    return NULL;
}

static err_code unknown_option(const struct parsing *parsing, const char *word,
                               struct error *err)
{
    const struct cli_command *command = parsing->invocation->command;

    if (!command)
        return error_set(err, ERR_INVALID,
                         "%s before a command: `berth --help` lists the "
                         "commands and what goes before them",
                         word);
    return error_set(err, ERR_INVALID,
                     "%s is not an option of `berth %s`: see `berth %s --help`",
                     word, command->name, command->name);
}

static err_code take_option(struct parsing *parsing, const char *word,
                            struct error *err)
{
    struct cli_invocation *invocation = parsing->invocation;
    size_t length = strcspn(word, "=");
    const char *inline_value = word[length] ? word + length + 1 : NULL;
    const char *value = NULL;
    bool is_common;
    err_code code =
        take_common(parsing, word, length, inline_value, &is_common, err);

    if (code || is_common)
        return code;
    const struct cli_option *option =
        invocation->command ? cli_find_option(invocation->command, word, length)
                            : NULL;
    if (!option)
        return unknown_option(parsing, word, err);
    if (option->value)
        code = take_value(parsing, option->name, inline_value, &value, err);
    else if (inline_value)
        code =
            error_set(err, ERR_INVALID,
                      "%s takes no value: leave the \"=\" out", option->name);
    if (!code)
        code = option->set(invocation->request, value, err);
    return code;
}

static err_code take_word(struct parsing *parsing, char *word,
                          struct error *err)
{
    if (!parsing->only_words && !strcmp(word, "--")) {
        parsing->only_words = true;
        return ERR_OK;
    }
    if (!parsing->only_words && word[0] == '-' && word[1])
        return take_option(parsing, word, err);
    if (!*word) /* would be the directory it runs in, or whatever is there */
        return error_set(err, ERR_INVALID,
                         "the word behind `%s` is empty: is a variable of the "
                         "script not set?",
                         parsing->argv[parsing->at - 1]);
    ARRAY_PUSH(&parsing->words, word);
    err_code code = choose_command(parsing, err);
    const struct cli_command *command = parsing->invocation->command;
    if (command && command->rest_is_command && parsing->words.count)
        parsing->only_words = true;
    return code;
}

/* --- the whole line --- */

static err_code add_names(struct command *request,
                          const struct cli_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        command_add_name(request, words->items[i]);
    return ERR_OK;
}

/* "volume" alone, or with a word that no command has. */
static err_code fail_unknown(const char *word, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf longer = STRBUF_INIT;
    size_t length = strlen(word);

    for (size_t i = 0; i < cli_command_count; i++) {
        const char *name = cli_commands[i]->name;
        if (!strncmp(name, word, length) && name[length] == ' ')
            strbuf_addf(&longer, "%s`berth %s`", longer.length ? ", " : "",
                        name);
    }
    if (longer.length)
        return error_set(err, ERR_INVALID, "`%s` is part of a command: use %s",
                         word, longer.text);
    return error_set(err, ERR_INVALID,
                     "there is no command `%s`: `berth --help` lists them",
                     word);
}

static err_code check_words(const struct cli_command *command,
                            const struct cli_words *words, struct error *err)
{
    if (words->count > command->most_words)
        return error_set(err, ERR_INVALID,
                         "`%s` is one word too many for `berth %s`: `berth %s "
                         "--help` says what it takes",
                         words->items[command->most_words], command->name,
                         command->name);
    if (words->count < command->least_words)
        return error_set(err, ERR_INVALID,
                         "usage: berth %s %s: `berth %s "
                         "--help` says what that is",
                         command->name, command->arguments, command->name);
    return ERR_OK;
}

static err_code finish(struct parsing *parsing, struct error *err)
{
    struct cli_invocation *invocation = parsing->invocation;
    const struct cli_command *command = invocation->command;
    const struct cli_words words = {parsing->words.items, parsing->words.count};

    if (invocation->show_help || invocation->show_version)
        return ERR_OK;
    if (!command && words.count)
        return fail_unknown(words.items[0], err);
    if (!command)
        return ERR_OK;
    err_code code = check_words(command, &words, err);
    if (code)
        return code;
    code = command->take_words
               ? command->take_words(invocation->request, &words, err)
               : add_names(invocation->request, &words);
    if (!code && command->check)
        code = command->check(invocation->request, err);
    return code;
}

static void from_environment(struct cli_invocation *invocation)
{
    const char *config = getenv("BERTH_CONFIG");
    const char *state = getenv("BERTH_STATE_DIR");

    if (config && *config)
        invocation->config_path = cli_absolute(config);
    if (state && *state)
        invocation->state_directory = cli_absolute(state);
}

err_code cli_parse(int argc, char *const *argv, struct cli_invocation *out,
                   struct error *err)
{
    struct cli_invocation invocation = {.command = NULL};
    struct parsing parsing = {
        .argc = argc, .argv = argv, .at = 1, .invocation = &invocation};
    err_code code = ERR_OK;

    from_environment(&invocation);
    for (; !code && parsing.at < argc; parsing.at++)
        code = take_word(&parsing, argv[parsing.at], err);
    if (!code)
        code = finish(&parsing, err);
    free(parsing.words.items);
    if (code) {
        cli_invocation_release(&invocation);
        return code;
    }
    *out = invocation;
    return ERR_OK;
}
