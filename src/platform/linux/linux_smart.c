#include "core/base/array.h"
#include "platform/linux/linux_health.h"
#include "platform/linux/linux_udisks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char properties[] = "org.freedesktop.DBus.Properties";
static const char ata[] = "org.freedesktop.UDisks2.Drive.Ata";
static const char nvme[] = "org.freedesktop.UDisks2.NVMe.Controller"; /* 2.10 */

/* As often as UDisks2 itself asks (src/udiskslinuxprovider.c, housekeeping). */
enum { FRESH_S = 10 * 60 };

enum { KELVIN = 273, SECONDS_PER_HOUR = 3600 };

/* --- numbers in a message --- */

/* False: it was something else, and was skipped. A negative errno in *result
 * when the message is broken. */
static bool read_number(sd_bus_message *message, const char *type, int64_t *out,
                        int *result)
{
    union {
        uint8_t y;
        uint16_t q;
        uint32_t u;
        int32_t i;
        int64_t x;
        int b;
        double d;
    } value = {.x = 0};

    if (strlen(type) != 1 || !strchr("yquixtbd", *type)) {
        *result = sd_bus_message_skip(message, "v");
        return false;
    }
    *result = sd_bus_message_read(message, "v", type, &value);
    switch (*type) {
    case 'y':
        *out = value.y;
        break;
    case 'q':
        *out = value.q;
        break;
    case 'u':
        *out = value.u;
        break;
    case 'i':
        *out = value.i;
        break;
    case 'b':
        *out = value.b;
        break;
    case 'd':
        *out = (int64_t)value.d;
        break;
    default: /* x, t */
        *out = value.x;
    }
    return *result >= 0;
}

/* Calls `take` with each entry of a{sv}, at whose variant the message is. */
static int read_dictionary(sd_bus_message *message, void *context,
                           int (*take)(sd_bus_message *message,
                                       const char *name, const char *type,
                                       void *context))
{
    int result = sd_bus_message_enter_container(message, 'a', "{sv}");

    while (result >= 0 &&
           (result = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        const char *name, *type;
        result = sd_bus_message_read(message, "s", &name);
        if (result >= 0)
            result = sd_bus_message_peek_type(message, NULL, &type);
        if (result >= 0)
            result = take(message, name, type, context);
        if (result >= 0)
            result = sd_bus_message_exit_container(message);
    }
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

/* --- properties --- */

/* Of both interfaces; 0 where there is none of the name. */
struct facts {
    const char *interface;
    int64_t is_supported, is_enabled; /* ATA */
    int64_t is_failing;
    int64_t updated_s; /* since 1970; 0: never, and the rest means nothing */
    int64_t power_on_s, power_on_hours;
    int64_t kelvin;
};

static const struct {
    const char *name;
    size_t offset;
} known_facts[] = {
    {"SmartSupported", offsetof(struct facts, is_supported)},
    {"SmartEnabled", offsetof(struct facts, is_enabled)},
    {"SmartFailing", offsetof(struct facts, is_failing)},
    {"SmartUpdated", offsetof(struct facts, updated_s)},
    {"SmartPowerOnSeconds", offsetof(struct facts, power_on_s)},
    {"SmartPowerOnHours", offsetof(struct facts, power_on_hours)},
    {"SmartTemperature", offsetof(struct facts, kelvin)},
};

/* All warnings of an NVMe drive but that it is warm, which passes. */
static int take_warnings(sd_bus_message *message, struct facts *facts)
{
    const char *warning;
    int result = sd_bus_message_enter_container(message, 'v', "as");

    if (result >= 0)
        result = sd_bus_message_enter_container(message, 'a', "s");
    while (result >= 0 &&
           (result = sd_bus_message_read(message, "s", &warning)) > 0)
        facts->is_failing |= strcmp(warning, "temperature") != 0;
    if (result >= 0)
        result = sd_bus_message_exit_container(message);
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

static int take_fact(sd_bus_message *message, const char *name,
                     const char *type, void *context)
{
    struct facts *facts = context;
    int64_t number;
    int result;

    if (!strcmp(name, "SmartCriticalWarning") && !strcmp(type, "as"))
        return take_warnings(message, facts);
    if (!read_number(message, type, &number, &result))
        return result;
    for (size_t i = 0; i < COUNT_OF(known_facts); i++)
        if (!strcmp(name, known_facts[i].name))
            *(int64_t *)(void *)((char *)facts + known_facts[i].offset) =
                number;
    return 0;
}

static int read_facts(sd_bus_message *answer, void *context)
{
    return read_dictionary(answer, context, take_fact);
}

static int write_interface(sd_bus_message *message, void *context)
{
    const struct facts *facts = context;

    return sd_bus_message_append(message, "s", facts->interface);
}

/* False when the drive has no such interface. */
static bool ask_facts(struct linux_bus *bus, const char *drive,
                      const char *interface, struct facts *out)
{
    struct linux_answer answer;

    *out = (struct facts){.interface = interface};
    linux_udisks_call(bus, drive, properties, "GetAll", write_interface,
                      read_facts, out, &answer);
    return answer.is_ok;
}

/* --- attributes --- */

struct attributes {
    struct platform_attribute *items;
    size_t count, capacity;
};

/* Units of UDisks2's interpretation of a raw value. */
enum {
    UNIT_NONE,
    UNIT_COUNT,
    UNIT_MILLISECONDS,
    UNIT_SECTORS,
    UNIT_MILLIKELVIN
};

enum { POWER_ON_HOURS = 9 }; /* id of the attribute */

static int64_t raw_of(int id, int64_t pretty, int unit)
{
    if (unit == UNIT_NONE)
        return -1;
    if (unit == UNIT_MILLIKELVIN)
        return pretty / 1000 - KELVIN;
    if (unit == UNIT_MILLISECONDS && id == POWER_ON_HOURS)
        return pretty / 1000 / SECONDS_PER_HOUR;
    return pretty;
}

/*
 * Only "prefailure" attributes (bit 0 of the flags) foretell a failure; the
 * others below their threshold say that the drive is old, or was warm.
 */
static int take_ata_attribute(sd_bus_message *message, struct attributes *out)
{
    uint8_t id;
    uint16_t flags;
    const char *name;
    int32_t value, worst, threshold, unit;
    int64_t pretty;
    int result =
        sd_bus_message_read(message, "ysqiiixi", &id, &name, &flags, &value,
                            &worst, &threshold, &pretty, &unit);

    if (result < 0)
        return result;
    bool foretells = (flags & 1) && threshold > 0;
    struct platform_attribute attribute = {
        .id = id,
        .name = xstrdup(name),
        .value = value,
        .worst = worst,
        .threshold = threshold,
        .raw = raw_of(id, pretty, unit),
        .is_failing_now = foretells && value > 0 && value <= threshold,
        .failed_before = foretells && worst > 0 && worst <= threshold,
    };
    ARRAY_PUSH(out, attribute);
    return sd_bus_message_skip(message, "a{sv}");
}

static int read_ata_attributes(sd_bus_message *answer, void *context)
{
    static const char fields[] = "ysqiiixia{sv}";
    int result = sd_bus_message_enter_container(answer, 'a', "(ysqiiixia{sv})");

    while (result >= 0 &&
           (result = sd_bus_message_enter_container(answer, 'r', fields)) > 0) {
        result = take_ata_attribute(answer, context);
        if (result >= 0)
            result = sd_bus_message_exit_container(answer);
    }
    return result < 0 ? result : sd_bus_message_exit_container(answer);
}

static int take_nvme_attribute(sd_bus_message *message, const char *name,
                               const char *type, void *context)
{
    struct platform_attribute attribute = {
        .value = -1, .worst = -1, .threshold = -1};
    int result;

    if (read_number(message, type, &attribute.raw, &result)) {
        attribute.name = xstrdup(name);
        ARRAY_PUSH((struct attributes *)context, attribute);
    }
    return result;
}

static int read_nvme_attributes(sd_bus_message *answer, void *context)
{
    return read_dictionary(answer, context, take_nvme_attribute);
}

/* --- the drive --- */

/* Nobody is asked for a password because a list of drives is shown. */
static int write_quiet_options(sd_bus_message *message, void *context)
{
    return sd_bus_message_append(message, "a{sv}", 2,
                                 "auth.no_user_interaction", "b", 1, "nowakeup",
                                 "b", 1);
}

/* True when it sleeps. Where it is not allowed, what UDisks2 knows has to do:
 * it asks by itself, too. */
static bool update(struct linux_bus *bus, const char *drive,
                   const char *interface)
{
    struct linux_answer answer;

    linux_udisks_call(bus, drive, interface, "SmartUpdate", write_quiet_options,
                      NULL, NULL, &answer);
    return !strcmp(answer.name, "org.freedesktop.UDisks2.Error.WouldWakeup");
}

static void read_attributes(struct linux_bus *bus, const char *drive,
                            const char *interface, struct platform_health *out)
{
    struct attributes found = {.items = NULL};
    struct linux_answer answer;

    linux_udisks_call(
        bus, drive, interface, "SmartGetAttributes", write_quiet_options,
        interface == ata ? read_ata_attributes : read_nvme_attributes, &found,
        &answer);
    out->attributes = found.items;
    out->attribute_count = found.count;
}

static void fill_in(const struct facts *facts, struct platform_health *out)
{
    if (facts->kelvin)
        out->temperature_c = facts->kelvin - KELVIN;
    if (facts->power_on_s)
        out->power_on_hours = facts->power_on_s / SECONDS_PER_HOUR;
    if (facts->power_on_hours)
        out->power_on_hours = facts->power_on_hours;
}

/* What a sleeping drive said before it fell asleep is kept. */
static void read_smart(struct linux_bus *bus, const char *drive,
                       struct facts *facts, struct platform_health *out)
{
    const char *interface = facts->interface;
    bool is_asleep = false;

    if (time(NULL) - facts->updated_s > FRESH_S) {
        is_asleep = update(bus, drive, interface);
        if (!ask_facts(bus, drive, interface, facts))
            return;
    }
    if (is_asleep)
        out->smart = PLATFORM_SMART_ASLEEP;
    if (!facts->updated_s)
        return;
    fill_in(facts, out);
    read_attributes(bus, drive, interface, out);
    if (facts->is_failing)
        out->smart = PLATFORM_SMART_FAILING;
    else if (!is_asleep)
        out->smart = PLATFORM_SMART_PASSED;
}

/* A bridge that passes no ATA commands on leaves UDisks2 without the
 * interface: udev's ata_id failed (60-persistent-storage.rules). */
void linux_smart_read(struct linux_bus *bus, const char *name, bool is_usb,
                      struct platform_health *out)
{
    CLEANUP_FREE char *drive = NULL;
    struct facts facts;

    if (linux_udisks_drive(bus, name, &drive, NULL))
        return;
    if (ask_facts(bus, drive, ata, &facts)) {
        if (facts.is_supported && facts.is_enabled)
            read_smart(bus, drive, &facts, out);
        else if (!facts.is_supported && is_usb)
            out->smart = PLATFORM_SMART_HIDDEN;
    } else if (ask_facts(bus, drive, nvme, &facts)) {
        read_smart(bus, drive, &facts, out);
    } else if (is_usb) {
        out->smart = PLATFORM_SMART_HIDDEN;
    }
}
