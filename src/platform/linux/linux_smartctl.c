/*
 * SMART by smartctl(8), for root where UDisks2 has no answer. JSON since 7.0.
 */
#include "core/base/array.h"
#include "platform/linux/linux_health.h"
#include "platform/posix_program.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the message of a disk that was not woken (-n). Not so "SLEEP", which it
 * also says of a bridge that does not answer the question [seen with 7.3]. */
static const char asleep_words[] = "Device is in STANDBY";

/* --- what it says --- */

static int64_t number_in(const json_t *object, const char *group,
                         const char *name)
{
    const json_t *found = json_object_get(json_object_get(object, group), name);

    return json_is_integer(found) ? json_integer_value(found) : -1;
}

static void add_attribute(struct platform_health *out, size_t *capacity,
                          struct platform_attribute attribute)
{
    ARRAY_RESERVE(out->attributes, out->attribute_count + 1, *capacity);
    out->attributes[out->attribute_count++] = attribute;
}

static int64_t integer_of(const json_t *object, const char *name)
{
    const json_t *found = json_object_get(object, name);

    return json_is_integer(found) ? json_integer_value(found) : -1;
}

/* "31 (Min/Max 20/40)": the maker's six bytes hold more than the number. */
static int64_t raw_of(const json_t *attribute)
{
    const json_t *raw = json_object_get(attribute, "raw");
    const char *text = json_string_value(json_object_get(raw, "string"));
    char *end;

    if (!text)
        return integer_of(raw, "value");
    long long number = strtoll(text, &end, 10);
    return end == text ? integer_of(raw, "value") : number;
}

/* See linux_smart.c for what "prefailure" means. */
static struct platform_attribute attribute_of(const json_t *found)
{
    const json_t *flags = json_object_get(found, "flags");
    const char *name = json_string_value(json_object_get(found, "name"));
    const char *failed =
        json_string_value(json_object_get(found, "when_failed"));
    bool foretells = json_is_true(json_object_get(flags, "prefailure"));

    return (struct platform_attribute){
        .id = (int)integer_of(found, "id"),
        .name = xstrdup(name ? name : ""),
        .value = integer_of(found, "value"),
        .worst = integer_of(found, "worst"),
        .threshold = integer_of(found, "thresh"),
        .raw = raw_of(found),
        .is_failing_now = foretells && failed && !strcmp(failed, "now"),
        .failed_before = foretells && failed && !strcmp(failed, "past"),
    };
}

static void take_attributes(const json_t *root, struct platform_health *out)
{
    const json_t *table =
        json_object_get(json_object_get(root, "ata_smart_attributes"), "table");
    json_t *log = json_object_get(root, "nvme_smart_health_information_log");
    size_t capacity = 0;
    const char *name;
    json_t *value;

    for (size_t i = 0; i < json_array_size(table); i++)
        add_attribute(out, &capacity, attribute_of(json_array_get(table, i)));
    json_object_foreach(log, name, value)
    {
        if (json_is_integer(value))
            add_attribute(out, &capacity,
                          (struct platform_attribute){
                              .name = xstrdup(name),
                              .value = -1,
                              .worst = -1,
                              .threshold = -1,
                              .raw = json_integer_value(value),
                          });
    }
}

bool linux_smartctl_take(const char *text, struct platform_health *out)
{
    json_t *root = json_loads(text, 0, NULL);
    const json_t *passed =
        json_object_get(json_object_get(root, "smart_status"), "passed");
    bool is_known = json_is_boolean(passed);

    if (is_known) {
        out->smart = json_is_true(passed) ? PLATFORM_SMART_PASSED
                                          : PLATFORM_SMART_FAILING;
        out->temperature_c = number_in(root, "temperature", "current");
        out->power_on_hours = number_in(root, "power_on_time", "hours");
        take_attributes(root, out);
    }
    json_decref(root);
    return is_known;
}

/* --- running it --- */

/* True when that was all there is to say. */
static bool ask(const char *device, const char *type,
                struct platform_health *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *node = xstrdup(device);
    char option[] = "-d";
    char *arguments[] = {(char[]){"smartctl"},
                         (char[]){"-j"},
                         (char[]){"-n"},
                         (char[]){"standby"},
                         (char[]){"-H"},
                         (char[]){"-A"},
                         node,
                         type ? option : NULL,
                         (char *)(uintptr_t)type,
                         NULL};
    int status = posix_program_run(arguments, false, &text);

    bool is_asleep = strstr(text.text, asleep_words) != NULL;

    if (is_asleep)
        out->smart = PLATFORM_SMART_ASLEEP;
    return status < 0 || is_asleep || linux_smartctl_take(text.text, out);
}

/* A bridge that smartctl does not know may still pass ATA commands on. */
void linux_smartctl_read(const char *device, bool is_usb,
                         struct platform_health *out)
{
    if (geteuid() == 0 && !ask(device, NULL, out) && is_usb &&
        !ask(device, "sat", out))
        out->smart = PLATFORM_SMART_HIDDEN;
}
