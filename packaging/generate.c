/*
 * Writes what is made from the table of commands: the commands' part of
 * berth(1), and completions for bash, zsh and fish. A program of the build.
 *
 *     generate man < packaging/berth.1.in > berth.1
 *     generate bash|zsh|fish
 */
#include "cli/cli_internal.h"

#include <stdio.h>
#include <string.h>

/* --- words --- */

/* Text for troff: what it would take for its own is escaped. */
static void put_roff(const char *text)
{
    bool is_start = true;

    for (; *text; text++) {
        if (is_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        is_start = *text == '\n';
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

/* Quoted for a shell, in single quotes. */
static void put_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
    putchar('\'');
}

/* What a word of this description is: "jobs", "volumes", "both", "files". */
static const char *kind_of(const char *words)
{
    bool job = strstr(words, "JOB") || strstr(words, "job "),
         volume = strstr(words, "VOLUME");

    if (job && volume)
        return "both";
    if (job)
        return "jobs";
    if (volume)
        return "volumes";
    if (strstr(words, "PATH") || strstr(words, "DIR") || strstr(words, "FILE"))
        return "files";
    return "none";
}

static const char *kind_of_arguments(const struct cli_command *command)
{
    if (!strncmp(command->name, "job ", 4) &&
        strstr(command->arguments, "NAME"))
        return "jobs";
    if (!strncmp(command->name, "volume ", 7) &&
        strstr(command->arguments, "NAME"))
        return "volumes";
    return kind_of(command->arguments);
}

/* The first word of each command, once. */
static bool is_first_of_family(size_t at)
{
    const char *name = cli_commands[at]->name;
    size_t length = strcspn(name, " ");

    for (size_t i = 0; i < at; i++)
        if (strcspn(cli_commands[i]->name, " ") == length &&
            !strncmp(cli_commands[i]->name, name, length))
            return false;
    return true;
}

/* --- the manual --- */

static void man_option(const struct cli_option *option)
{
    printf(".TP\n\\fB");
    put_roff(option->name);
    printf("\\fR");
    if (option->value) {
        printf(" \\fI");
        put_roff(option->value);
        printf("\\fR");
    }
    putchar('\n');
    put_roff(option->help);
    putchar('\n');
}

static void man_command(const struct cli_command *command)
{
    printf(".SS \"berth %s%s", command->name, *command->arguments ? " " : "");
    put_roff(command->arguments);
    printf("\"\n");
    put_roff(command->summary);
    printf(".\n");
    if (command->details) {
        printf(".PP\n");
        put_roff(command->details);
        putchar('\n');
    }
    for (const struct cli_option *option = command->options;
         option && option->name; option++)
        man_option(option);
}

static void man_exit_codes(void)
{
    for (int code = 0; code < CLI_EXIT_CODES; code++) {
        printf(".TP\n.B %d\n", code);
        put_roff(cli_exit_codes[code]);
        putchar('\n');
    }
}

static int write_man(void)
{
    char line[1024];

    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "@COMMANDS@\n"))
            for (size_t i = 0; i < cli_command_count; i++)
                man_command(cli_commands[i]);
        else if (!strcmp(line, "@OPTIONS@\n"))
            for (const struct cli_option *o = cli_common_options; o->name; o++)
                man_option(o);
        else if (!strcmp(line, "@EXIT@\n"))
            man_exit_codes();
        else if (!strncmp(line, "@TH@", 4))
            printf(".TH BERTH 1 \"2026-11-22\" \"berth %s\" \"User "
                   "Commands\"\n",
                   BERTH_VERSION);
        else
            fputs(line, stdout);
    }
    return ferror(stdin) || fflush(stdout);
}

/* --- bash --- */

static void bash_options(const struct cli_option *option)
{
    for (; option && option->name; option++)
        printf(" %s", option->name);
}

static void bash_values(const struct cli_option *option, const char *command)
{
    for (; option && option->name; option++)
        if (option->value)
            printf("    '%s%s%s') _berth_words %s; return ;;\n", command,
                   *command ? " " : "", option->name, kind_of(option->value));
}

static void write_bash(void)
{
    printf("# bash completion for berth: made from its table of commands.\n"
           "_berth_words() {\n"
           "    case $1 in\n"
           "    jobs | both) COMPREPLY+=($(compgen -W \"$(berth job list "
           "2>/dev/null | awk '{ print $1 }' | sort -u)\" -- \"$cur\")) ;;&\n"
           "    volumes | both) COMPREPLY+=($(compgen -W \"$(berth volume list "
           "2>/dev/null | awk '{ print $1 }')\" -- \"$cur\")) ;;\n"
           "    files) compopt -o filenames; COMPREPLY=($(compgen -f -- "
           "\"$cur\")) ;;\n"
           "    esac\n"
           "}\n"
           "_berth() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} "
           "prev=${COMP_WORDS[COMP_CWORD - 1]} command='' word i\n"
           "    COMPREPLY=()\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        word=${COMP_WORDS[i]}\n"
           "        case $word in -*) continue ;; esac\n"
           "        command=${command:+$command }$word\n"
           "        case $command in");
    for (size_t i = 0; i < cli_command_count; i++)
        printf("%s'%s'", i ? " | " : " ", cli_commands[i]->name);
    printf(") break ;; esac\n    done\n"
           "    case $prev in\n");
    bash_values(cli_common_options, "");
    printf("    esac\n    case \"$command $prev\" in\n");
    for (size_t i = 0; i < cli_command_count; i++)
        bash_values(cli_commands[i]->options, cli_commands[i]->name);
    printf("    esac\n    case $command in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        printf("    '%s')\n        case $cur in\n        -*) "
               "COMPREPLY=($(compgen -W '",
               cli_commands[i]->name);
        bash_options(cli_common_options);
        bash_options(cli_commands[i]->options);
        printf("' -- \"$cur\")) ;;\n        *) _berth_words %s ;;\n"
               "        esac ;;\n",
               kind_of_arguments(cli_commands[i]));
    }
    printf("    *) COMPREPLY=($(compgen -W '");
    bash_options(cli_common_options);
    for (size_t i = 0; i < cli_command_count; i++)
        if (is_first_of_family(i))
            printf(" %.*s", (int)strcspn(cli_commands[i]->name, " "),
                   cli_commands[i]->name);
    printf("' -- \"$cur\")) ;;\n    esac\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const char *space = strchr(cli_commands[i]->name, ' ');
        if (space)
            printf("    [ \"$command\" != '%.*s' ] || COMPREPLY+=($(compgen -W "
                   "'%s' -- \"$cur\"))\n",
                   (int)(space - cli_commands[i]->name), cli_commands[i]->name,
                   space + 1);
    }
    printf("}\ncomplete -F _berth berth\n");
}

/* --- zsh --- */

static void zsh_action(const char *kind)
{
    if (!strcmp(kind, "files"))
        printf("_files");
    else if (strcmp(kind, "none") != 0)
        printf("{_berth_names %s}", kind);
}

static void zsh_option(const struct cli_option *option)
{
    printf("        '%s%s[", option->name, option->value ? "=" : "");
    for (const char *at = option->help; *at; at++) {
        if (strchr("[]:\\", *at))
            putchar('\\');
        if (*at != '\'')
            putchar(*at);
    }
    putchar(']');
    if (option->value) {
        printf(":%s:", option->value);
        zsh_action(kind_of(option->value));
    }
    printf("' \\\n");
}

static void write_zsh(void)
{
    printf("#compdef berth\n"
           "# zsh completion for berth: made from its table of commands.\n"
           "_berth_names() {\n"
           "    local -a names\n"
           "    [[ $1 = volumes ]] || names+=(${(u)${(f)\"$(berth job list "
           "2>/dev/null | awk '{ print $1 }')\"}})\n"
           "    [[ $1 = jobs ]] || names+=(${(f)\"$(berth volume list "
           "2>/dev/null | awk '{ print $1 }')\"})\n"
           "    compadd -a names\n"
           "}\n"
           "_berth() {\n"
           "    local -a commands common\n"
           "    commands=(\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        printf("        ");
        CLEANUP(strbuf_release) struct strbuf entry = STRBUF_INIT;
        strbuf_addf(&entry, "%s:%s", cli_commands[i]->name,
                    cli_commands[i]->summary);
        put_quoted(entry.text);
        putchar('\n');
    }
    printf("    )\n    common=(\n");
    for (const struct cli_option *o = cli_common_options; o->name; o++)
        printf("        '%s%s'\n", o->name,
               !o->value                   ? ""
               : !strcmp(o->value, "FILE") ? "=:file:_files"
                                           : "=:directory:_files -/");
    printf("    )\n"
           "    local words_=(${words[2,CURRENT-1]:#-*})\n"
           "    case \"${words_[1]} ${words_[2]}\" in\n");
    for (int pass = 0; pass < 2; pass++) /* of two words first */
        for (size_t i = 0; i < cli_command_count; i++) {
            const struct cli_command *command = cli_commands[i];
            bool is_pair = strchr(command->name, ' ') != NULL;
            if (is_pair == (pass == 1))
                continue;
            printf("    '%s'%s)\n        _arguments $common \\\n",
                   command->name, is_pair ? "" : "' '*");
            for (const struct cli_option *o = command->options; o && o->name;
                 o++)
                zsh_option(o);
            printf("        '*:%s:",
                   *command->arguments ? "argument" : "nothing");
            zsh_action(kind_of_arguments(command));
            printf("' ;;\n");
        }
    printf("    *)\n"
           "        if (( ${#words_} )); then\n"
           "            compadd -- ${${(M)${commands%%%%:*}:#${words_[1]} "
           "*}#* }\n"
           "        else\n"
           "            compadd -- ${(u)${commands%%%%[: ]*}} "
           "${common%%%%=*}\n"
           "        fi ;;\n"
           "    esac\n"
           "}\n"
           "_berth \"$@\"\n");
}

/* --- fish --- */

static void fish_option(const struct cli_option *option, const char *condition)
{
    printf("complete -c berth");
    if (*condition) {
        printf(" -n ");
        put_quoted(condition);
    }
    printf(" -l %s", option->name + 2);
    if (option->value)
        printf(" -r%s", !strcmp(kind_of(option->value), "files") ? "F" : "");
    printf(" -d ");
    put_quoted(option->help);
    putchar('\n');
}

static void fish_command(const struct cli_command *command)
{
    char condition[160];
    const char *space = strchr(command->name, ' ');
    int length =
        space ? (int)(space - command->name) : (int)strlen(command->name);
    const char *kind = kind_of_arguments(command);

    if (space) {
        snprintf(condition, sizeof condition,
                 "__fish_seen_subcommand_from %.*s; and not "
                 "__fish_seen_subcommand_from add list forget remove claim "
                 "install show",
                 length, command->name);
        printf("complete -c berth -n '%s' -a %s -d ", condition, space + 1);
        put_quoted(command->summary);
        putchar('\n');
        snprintf(condition, sizeof condition,
                 "__fish_seen_subcommand_from %.*s; and "
                 "__fish_seen_subcommand_from %s",
                 length, command->name, space + 1);
    } else {
        printf("complete -c berth -n __fish_use_subcommand -a %s -d ",
               command->name);
        put_quoted(command->summary);
        putchar('\n');
        snprintf(condition, sizeof condition, "__fish_seen_subcommand_from %s",
                 command->name);
    }
    for (const struct cli_option *o = command->options; o && o->name; o++)
        fish_option(o, condition);
    if (!strcmp(kind, "files"))
        printf("complete -c berth -n '%s' -F\n", condition);
    else if (strcmp(kind, "none") != 0)
        printf("complete -c berth -n '%s' -a '(__berth_names %s)'\n", condition,
               kind);
}

static void write_fish(void)
{
    printf("# fish completion for berth: made from its table of commands.\n"
           "function __berth_names\n"
           "    test $argv[1] = volumes; or berth job list 2>/dev/null | awk "
           "'{ print $1 }' | sort -u\n"
           "    test $argv[1] = jobs; or berth volume list 2>/dev/null | awk "
           "'{ print $1 }'\n"
           "end\n"
           "complete -c berth -f\n");
    for (const struct cli_option *o = cli_common_options; o->name; o++)
        fish_option(o, "");
    for (size_t i = 0; i < cli_command_count; i++) {
        const char *name = cli_commands[i]->name;
        if (strchr(name, ' ') && is_first_of_family(i))
            printf("complete -c berth -n __fish_use_subcommand -a %.*s\n",
                   (int)strcspn(name, " "), name);
        fish_command(cli_commands[i]);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!strcmp(what, "man"))
        return write_man();
    if (!strcmp(what, "bash"))
        write_bash();
    else if (!strcmp(what, "zsh"))
        write_zsh();
    else if (!strcmp(what, "fish"))
        write_fish();
    else
        return fprintf(stderr, "usage: generate man|bash|zsh|fish\n"), 2;
    return fflush(stdout) != 0;
}
