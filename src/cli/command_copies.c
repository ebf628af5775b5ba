#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static err_code take_path(struct command *request,
                          const struct cli_words *words, struct error *err)
{
    if (words->count)
        request->path = cli_absolute(words->items[0]);
    return ERR_OK;
}

/* --- text --- */

static void print_age(struct cli_output *output, const struct copy_info *copy)
{
    char age[QUANTITY_SIZE];
    int64_t age_ns = clock_now_ns() - copy->verified_ns;

    if (copy->verified_ns)
        cli_print(output, "verified %s ago",
                  format_duration(age_ns > 0 ? age_ns : 0, age));
    else
        cli_print(output, copy->is_compared
                              ? "compared only, perhaps from memory"
                              : "never read back");
}

static void print_copy(struct cli_output *output, const struct event *event)
{
    const struct copy_info *copy = &event->copy;
    char committed[32];

    cli_print(output, "%s  %-16s  ", cli_name(event->path), event->volume);
    if (!copy->is_there) {
        cli_print(output, "no copy\n");
        return;
    }
    clock_format_local(copy->committed_ns, committed, sizeof committed);
    cli_print(output, "copied %s, ", committed);
    print_age(output, copy);
    cli_print(output, "%s%s%s\n", copy->is_current ? "" : ", outdated",
              copy->is_adopted ? ", not written by berth" : "",
              copy->is_offloaded ? ", offloaded: not on this machine" : "");
}

static void print_job(struct cli_output *output, const struct event *event)
{
    const struct copies_info *info = &event->copies;
    char count[QUANTITY_SIZE];

    bool has_any = info->offloaded || info->unproven;

    for (int i = 0; i <= COPIES_MOST; i++)
        has_any |= info->files[i] > 0;
    cli_print(output, "%s:%s\n", event->job,
              has_any ? "" : " no file was copied yet");
    for (int i = 0; i <= COPIES_MOST; i++)
        if (info->files[i])
            cli_print(output, "  %8s %s with %d%s %s\n",
                      format_count(info->files[i], count),
                      plural(info->files[i], "file", "files"), i,
                      i == COPIES_MOST ? " or more" : "",
                      plural(i, "copy", "copies"));
    if (info->offloaded)
        cli_print(output, "  %8s of them offloaded: not on this machine\n",
                  format_count(info->offloaded, count));
    if (info->unproven)
        cli_print(output,
                  "  %8s of them without a copy that was read back "
                  "from a device\n",
                  format_count(info->unproven, count));
}

/* --- JSON --- */

static json_t *copy_to_json(const struct event *event)
{
    const struct copy_info *copy = &event->copy;
    const char *proof = copy->verified_ns   ? "device"
                        : copy->is_compared ? "compared"
                                            : "none";

    if (!copy->is_there)
        return json_pack("{s:s, s:o, s:s, s:b}", "job", event->job, "path",
                         cli_json_path(event->path), "volume", event->volume,
                         "copy", 0);
    return json_pack(
        "{s:s, s:o, s:s, s:b, s:I, s:b, s:b, s:b, s:o, s:s, s:o}", "job",
        event->job, "path", cli_json_path(event->path), "volume", event->volume,
        "copy", 1, "size_bytes", (json_int_t)copy->size_bytes, "current",
        copy->is_current, "offloaded", copy->is_offloaded, "adopted",
        copy->is_adopted, "copied", cli_json_time(copy->committed_ns), "proof",
        proof, "verified", cli_json_time(copy->verified_ns));
}

static json_t *job_to_json(const struct event *event)
{
    const struct copies_info *info = &event->copies;
    json_t *files = json_array();

    for (int i = 0; i <= COPIES_MOST; i++)
        json_array_append_new(files, json_integer(info->files[i]));
    return json_pack("{s:s, s:o, s:I, s:I}", "job", event->job,
                     "files_by_copies", files, "offloaded",
                     (json_int_t)info->offloaded, "unproven",
                     (json_int_t)info->unproven);
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_COPY && output->json)
        cli_json_add(output, "copies", copy_to_json(event));
    else if (event->kind == EVENT_COPY)
        print_copy(output, event);
    else if (event->kind == EVENT_COPIES && output->json)
        cli_json_add(output, "jobs", job_to_json(event));
    else if (event->kind == EVENT_COPIES)
        print_job(output, event);
}

const struct cli_command cli_copies = {
    .name = "copies",
    .arguments = "[PATH]",
    .summary = "How many copies there are, where, and how old their proof is",
    .details =
        "PATH is in the source of a job, a file or a directory; it need not\n"
        "be there any more. Drives need not be attached.",
    .kind = COMMAND_COPIES,
    .most_words = 1,
    .take_words = take_path,
    .print = print,
    .json_list = "copies",
};
