#include "cli/cli_internal.h"

#include "core/base/quantity.h"
#include "core/names.h"

#include <jansson.h>

static err_code set_depth(struct command *request, enum diff_depth depth,
                          struct error *err)
{
    if (request->depth != DIFF_DEPTH_AUTO && request->depth != depth)
        return error_set(err, ERR_INVALID,
                         "--quick reads no drive and --full does: choose one");
    request->depth = depth;
    return ERR_OK;
}

static err_code set_quick(struct command *request, const char *value,
                          struct error *err)
{
    return set_depth(request, DIFF_DEPTH_QUICK, err);
}

static err_code set_full(struct command *request, const char *value,
                         struct error *err)
{
    return set_depth(request, DIFF_DEPTH_FULL, err);
}

static const struct cli_option options[] = {
    {"--quick", NULL, "source against catalogue; needs no drive", set_quick},
    {"--full", NULL, "read the drive's directories, too", set_full},
    {0},
};

/* --- text
 * ------------------------------------------------------------------------------
 */

static const char *reason_text(const struct action *action)
{
    return action_reason_text((enum action_reason)action->reason);
}

static void print_action(struct cli_output *output, const struct action *action)
{
    char size[QUANTITY_SIZE];
    bool is_directory = action->type == ENTRY_DIRECTORY;
    bool has_size = !is_directory && action->size_bytes > 0;
    const char *reason = reason_text(action);

    if (action->kind == ACTION_NOTE)
        return; /* nothing that anybody has to know */
    cli_print(
        output, "  %-2s %s%s%s%s%s%s%s%s%s\n", action_mark(action),
        action->kind == ACTION_RENAME ? cli_name(action->rename->path) : "",
        action->kind == ACTION_RENAME ? " -> " : "", cli_name(action->path),
        is_directory ? "/" : "", has_size ? "  " : "",
        has_size ? format_bytes(action->size_bytes, size) : "",
        *reason ? "  (" : "", reason, *reason ? ")" : "");
}

static void print_plan(struct cli_output *output, const struct event *event)
{
    CLEANUP_FREE char *summary = cli_describe_plan(&event->plan);

    cli_print(output, "%s -> %s: %s%s\n", event->job, event->volume, summary,
              event->plan.is_full ? "" : "  (drive not read)");
    for (size_t i = 0; i < event->plan.count; i++)
        print_action(output, &event->plan.items[i]);
    if (event->plan.totals.held_files)
        cli_print(output,
                  "  over the delete cap: `berth sync %s --deletes %lld` "
                  "releases what is held\n",
                  event->job, (long long)event->plan.totals.held_files);
}

/* --- JSON
 * ------------------------------------------------------------------------------
 */

static const char *const kind_names[] = {
    [ACTION_NEW] = "new",           [ACTION_UPDATE] = "update",
    [ACTION_RENAME] = "rename",     [ACTION_DELETE] = "delete",
    [ACTION_MKDIR] = "mkdir",       [ACTION_RMDIR] = "rmdir",
    [ACTION_TOUCH] = "touch",       [ACTION_NOTE] = "note",
    [ACTION_CONFLICT] = "conflict", [ACTION_SKIP] = "skip",
    [ACTION_FOREIGN] = "foreign",
};
static const char *const type_names[] = {
    [ENTRY_FILE] = "file",
    [ENTRY_DIRECTORY] = "directory",
    [ENTRY_SYMLINK] = "symlink",
};

static json_t *action_to_json(const struct action *action)
{
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:I, s:s, s:b, s:b}", "action",
                  kind_names[action->kind], "type", type_names[action->type],
                  "path", cli_json_path(action->path), "size_bytes",
                  (json_int_t)action->size_bytes, "reason", reason_text(action),
                  "pending", action_is_pending(action), "held",
                  (action->flags & ACTION_HELD) != 0);

    if (action->kind == ACTION_RENAME)
        json_object_set_new(object, "from",
                            cli_json_path(action->rename->path));
    return object;
}

static json_t *plan_to_json(const struct event *event)
{
    const struct plan *plan = &event->plan;
    json_t *actions = json_array();

    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(actions, action_to_json(&plan->items[i]));
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:s?}", "job",
                     event->job, "volume", event->volume, "full", plan->is_full,
                     "pending", (json_int_t)plan_pending(plan), "copy_bytes",
                     (json_int_t)plan->totals.copy_bytes, "held",
                     (json_int_t)plan->totals.held_files, "actions", actions,
                     "error", event->text);
}

/* Also what a dry run of sync prints. */
void cli_print_diff(struct cli_output *output, struct event *event)
{
    if (output->json)
        cli_json_add(output, "diffs", plan_to_json(event));
    else if (event->text && !event->is_repeated)
        cli_complain(output, "%s", event->text);
    else if (!event->text)
        print_plan(output, event);
}

const struct cli_command cli_diff = {
    .name = "diff",
    .arguments = "[JOB|VOLUME…]",
    .summary = "What a sync would do, drive attached or not",
    .details = "Marks: + new, ~ changed, » renamed, - deleted, -? held, ! "
               "conflict or\n"
               "changed on the drive, . left alone, with the reason. Exit code "
               "1 when\n"
               "anything is pending.",
    .kind = COMMAND_DIFF,
    .most_words = 1000,
    .options = options,
    .print = cli_print_diff,
    .json_list = "diffs",
};
