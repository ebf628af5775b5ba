#include "cli/cli_internal.h"

#include "core/base/clock.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The command's own list is written as its events come, since it can be long;
 * what lies beside it is kept until the end, so that each list is one. */
void cli_json_begin(struct cli_output *output)
{
    const char *list = output->invocation->command->json_list;

    fputs("{", stdout);
    if (list)
        printf("\n  \"%s\": [", list);
    output->others = json_object();
}

static void write_value(json_t *value)
{
    char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    if (!text)
        die("cannot format a JSON value");
    fputs(text, stdout);
    free(text);
    json_decref(value);
}

static void keep_value(struct cli_output *output, const char *list,
                       json_t *value)
{
    json_t *kept = json_object_get(output->others, list);

    if (!kept) {
        kept = json_array();
        json_object_set_new(output->others, list, kept);
    }
    json_array_append_new(kept, value);
}

void cli_json_add(struct cli_output *output, const char *list, json_t *value)
{
    const char *own = output->invocation->command->json_list;

    if (!own || strcmp(own, list) != 0) {
        keep_value(output, list, value);
        return;
    }
    fputs(output->listed++ ? ",\n    " : "\n    ", stdout);
    write_value(value);
}

static void write_others(struct cli_output *output)
{
    const char *list;
    json_t *values, *value;
    size_t i;

    json_object_foreach(output->others, list, values)
    {
        printf("\n  \"%s\": [", list);
        json_array_foreach(values, i, value)
        {
            fputs(i ? ",\n    " : "\n    ", stdout);
            write_value(json_incref(value));
        }
        fputs("\n  ],", stdout);
    }
    json_decref(output->others);
}

void cli_json_end(struct cli_output *output, const struct event *done)
{
    if (output->invocation->command->json_list)
        fputs("\n  ],", stdout);
    write_others(output);
    printf("\n  \"exit\": %d,\n  \"error\": ", (int)done->outcome);
    write_value(done->text ? cli_json_path(done->text) : json_null());
    fputs("\n}\n", stdout);
}

json_t *cli_json_time(int64_t time_ns)
{
    char text[32];

    if (!time_ns)
        return json_null();
    clock_format_utc(time_ns, text, sizeof text);
    return json_string(text);
}

static json_t *hex_object(const char *raw)
{
    CLEANUP(strbuf_release) struct strbuf hex = STRBUF_INIT;

    for (const char *at = raw; *at; at++)
        strbuf_addf(&hex, "%02x", (unsigned)(unsigned char)*at);
    return json_pack("{s:s}", "bytes", hex.text);
}

json_t *cli_json_path(const char *raw)
{
    json_t *text = json_string(raw);

    return text ? text : hex_object(raw);
}
