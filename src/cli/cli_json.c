#include "cli/cli_internal.h"

#include "core/base/clock.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void cli_json_begin(struct cli_output *output)
{
    fputs("{", stdout);
}

static void close_list(struct cli_output *output)
{
    if (!output->open_list)
        return;
    fputs("\n  ],", stdout);
    output->open_list = NULL;
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

void cli_json_add(struct cli_output *output, const char *list, json_t *value)
{
    bool is_first = !output->open_list || strcmp(output->open_list, list) != 0;

    if (is_first) {
        close_list(output);
        printf("\n  \"%s\": [", list);
        output->open_list = list;
    }
    fputs(is_first ? "\n    " : ",\n    ", stdout);
    write_value(value);
}

void cli_json_end(struct cli_output *output, const struct event *done)
{
    if (!output->printed && output->invocation->command->json_list)
        printf("\n  \"%s\": [", output->invocation->command->json_list);
    if (output->open_list ||
        (!output->printed && output->invocation->command->json_list))
        fputs("\n  ],", stdout);
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
