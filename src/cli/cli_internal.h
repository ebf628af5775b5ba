/* Shared by the files of cli only. */
#ifndef BERTH_CLI_INTERNAL_H
#define BERTH_CLI_INTERNAL_H

#include "cli/cli.h"
#include "core/base/strbuf.h"

#include <stddef.h>
#include <stdio.h>

/* --- the table --- */

struct cli_words {
    char *const *items;
    size_t count;
};

/* What an option does with its value (NULL for a switch). */
typedef err_code cli_option_setter(struct command *request, const char *value,
                                   struct error *err);

struct cli_option {
    const char *name;  /* "--source" */
    const char *value; /* "DIR"; NULL: a switch */
    const char *help;
    cli_option_setter *set;
};

struct cli_output;

struct cli_command {
    const char *name;      /* "volume add", "diff" */
    const char *arguments; /* "PATH", "[JOB|VOLUME…]", "" */
    const char *summary;   /* one line, in the list of commands */
    const char *details;   /* a paragraph or two for its own help; NULL: none */
    enum command_kind kind;
    size_t least_words, most_words;
    bool rest_is_command; /* from its first word on nothing is its option */
    const struct cli_option *options; /* ends with a NULL name */
    /* Defaults that are not command_new's; NULL: none. */
    void (*prepare)(struct command *request);
    /* Takes the words that are not options. NULL: they are names. */
    err_code (*take_words)(struct command *request,
                           const struct cli_words *words, struct error *err);
    /* Needs what was given to be whole; NULL: anything will do. */
    err_code (*check)(const struct command *request, struct error *err);
    /* Prints one event. */
    void (*print)(struct cli_output *output, struct event *event);
    /* Once a command is over, at a terminal: what is to be done next; NULL:
     * nothing. NULL where one command is all. */
    struct command *(*next)(struct cli_output *output,
                            const struct event *done);
    /* Name of the array in a JSON document, e.g. "volumes". */
    const char *json_list;
};

extern const struct cli_command *const cli_commands[];
extern const size_t cli_command_count;

extern const struct cli_command cli_volume_add, cli_volume_list,
    cli_volume_forget, cli_volume_refresh, cli_job_add, cli_job_list,
    cli_job_remove, cli_job_claim, cli_diff, cli_sync, cli_verify, cli_history,
    cli_drives, cli_eject, cli_mount, cli_versions, cli_restore, cli_prune,
    cli_undo, cli_tidy, cli_copies, cli_find, cli_demo, cli_schedule_install,
    cli_schedule_remove, cli_schedule_show, cli_doctor, cli_init;

/* For the help, the manual and the completions; `set` is NULL. */
extern const struct cli_option cli_common_options[];
enum { CLI_EXIT_CODES = 10 };
extern const char *const cli_exit_codes[CLI_EXIT_CODES];

/* HISTORY, UNDO: the number of a run, or nothing. */
err_code cli_take_run(struct command *request, const struct cli_words *words,
                      struct error *err);

/* EVENT_FINDING of a verify, or of what reads files besides. */
void cli_print_finding(struct cli_output *output, const struct event *event);

/* EVENT_VERSION, EVENT_PRUNED, wherever they come from. */
void cli_print_version(struct cli_output *output, const struct event *event);
void cli_print_pruned(struct cli_output *output, const struct event *event);

/* VERSIONS, RESTORE: absolute paths, or VOLUME:/PATH as they are. */
err_code cli_take_places(struct command *request, const struct cli_words *words,
                         struct error *err);

/* Below the current directory where it is relative; free() it. */
char *cli_absolute(const char *path);

const struct cli_option *cli_find_option(const struct cli_command *command,
                                         const char *name, size_t length);

/* --- printing --- */

/* Where messages go besides stderr. */
enum cli_log {
    CLI_LOG_NONE,
    CLI_LOG_JOURNAL, /* stderr is the journal: with a priority before the line
                      */
    CLI_LOG_SYSLOG,  /* a scheduled run by cron, whose mail nobody reads */
};

struct cli_output {
    const struct cli_invocation *invocation;
    bool json;
    bool progress_is_shown; /* stderr is a terminal */
    bool line_is_open;      /* a progress line waits to be cleared */
    int64_t last_log_ns;    /* of a progress line in a log */
    size_t listed;          /* values of the command's own JSON list so far */
    struct json_t *others;  /* JSON lists beside it, until the end */
    enum cli_log log;
    bool told_holders; /* who holds a busy drive is said once */
    bool asks; /* a person is at the terminal, and nothing is done unasked */
    int signal_fd; /* ends a question, too */
    bool was_interrupted;
    struct { /* of INIT, when it asks */
        int stage;
        char **items; /* suggestions: why and line in turn; owned */
        size_t count, capacity;
    } talk;
};

/*
 * Asks and waits for a line, without its end; free() it. NULL: no answer will
 * come, since the input ended or a signal came.
 */
char *cli_ask(struct cli_output *output, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* The same of a yes or no; Enter is yes. *out_is_over: as NULL above. */
bool cli_ask_yes(struct cli_output *output, const char *question,
                 bool *out_is_over);

/* Results for people, on stdout; clears a progress line first. */
void cli_print(struct cli_output *output, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* "berth: …" on stderr. */
void cli_complain(struct cli_output *output, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* The same, of what ended a command. */
void cli_complain_error(struct cli_output *output, const char *text);

/* cli_log.c */
enum cli_log cli_log_of(const struct cli_invocation *invocation);
const char *cli_log_prefix(const struct cli_output *output, bool is_error);
void cli_log_line(const struct cli_output *output, bool is_error,
                  const char *line);
void cli_log_end(const struct cli_output *output, int exit_code);

void cli_show_progress(struct cli_output *output, const struct event *event);
void cli_end_progress(struct cli_output *output);

/* A name that is safe on a terminal. Valid until the fourth next call. */
const char *cli_name(const char *raw);
/* "12 new (3.2 GB), 1 changed"; "nothing to do" for none. */
char *cli_describe_plan(const struct plan *plan);

/* EVENT_PLAN of a diff, or of a dry run. */
void cli_print_diff(struct cli_output *output, struct event *event);

/* EVENT_TIDY_FILE and EVENT_TIDIED of a tidy, or of a sync. */
void cli_print_tidy(struct cli_output *output, struct event *event);

/* EVENT_EJECT of an eject, or of a sync --eject. */
void cli_print_eject(struct cli_output *output, struct event *event);

/* --- JSON: one object, its arrays written as events come --- */

typedef struct json_t json_t;
void cli_json_begin(struct cli_output *output);
/* Adds to the array `list`; takes the value. */
void cli_json_add(struct cli_output *output, const char *list,
                  json_t *value_taking);
void cli_json_end(struct cli_output *output, const struct event *done);
/* "2026-11-22T14:06:03Z", or null for 0. */
json_t *cli_json_time(int64_t time_ns);
/* A path: text, or {"bytes": "…hex…"} where it is not UTF-8. */
json_t *cli_json_path(const char *raw);

#endif
