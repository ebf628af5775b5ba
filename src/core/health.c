#include "core/health.h"

#include "core/base/quantity.h"
#include "core/base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Reallocated, spin retry, end-to-end, reported uncorrectable, command
 * timeout, reallocation events, pending, offline uncorrectable, soft read
 * errors: the ones whose growth means something (research: Backblaze). */
static const int critical_ids[HEALTH_CRITICAL_COUNT] = {5,   10,  184, 187, 188,
                                                        196, 197, 198, 201};

int health_critical_id(int index)
{
    return critical_ids[index];
}

const char *health_state_name(enum health_state state)
{
    switch (state) {
    case HEALTH_GOOD:
        return "good";
    case HEALTH_WATCH:
        return "watch";
    case HEALTH_FAILING:
        return "failing";
    case HEALTH_UNKNOWN:
        break;
    }
    return "unknown";
}

static const struct platform_attribute *find_attribute(
    const struct platform_health *health, int id)
{
    for (size_t i = 0; i < health->attribute_count; i++)
        if (health->attributes[i].id == id)
            return &health->attributes[i];
    return NULL;
}

static const struct platform_attribute *find_named(
    const struct platform_health *health, const char *name)
{
    for (size_t i = 0; i < health->attribute_count; i++)
        if (!strcmp(health->attributes[i].name, name))
            return &health->attributes[i];
    return NULL;
}

struct health_baseline health_baseline_of(const struct platform_health *now)
{
    const struct platform_attribute *errors = find_named(now, "media_errors");
    struct health_baseline baseline = {
        .is_known = true, .media_errors = errors ? errors->raw : -1};

    for (int i = 0; i < HEALTH_CRITICAL_COUNT; i++) {
        const struct platform_attribute *attribute =
            find_attribute(now, critical_ids[i]);
        baseline.raw[i] = attribute ? attribute->raw : -1;
    }
    return baseline;
}

static struct health_verdict verdict(enum health_state state,
                                     const char *format, ...) PRINTF_LIKE(2, 3);
static struct health_verdict verdict(enum health_state state,
                                     const char *format, ...)
{
    struct health_verdict result = {.state = state};
    va_list args;

    va_start(args, format);
    vsnprintf(result.why, sizeof result.why, format, args);
    va_end(args);
    return result;
}

/* HEALTH_UNKNOWN: nothing of this kind to say. */
static struct health_verdict judge_failing(const struct platform_health *now,
                                           const struct health_evidence *seen)
{
    char count[QUANTITY_SIZE];

    for (size_t i = 0; i < now->attribute_count; i++)
        if (now->attributes[i].is_failing_now)
            return verdict(HEALTH_FAILING, "%s is below the maker's threshold",
                           now->attributes[i].name);
    if (now->smart == PLATFORM_SMART_FAILING)
        return verdict(HEALTH_FAILING, "the drive itself says that it fails");
    if (seen->read_back_mismatches)
        return verdict(
            HEALTH_FAILING, "%s read back other than written",
            format_things(seen->read_back_mismatches, "file", count));
    return verdict(HEALTH_UNKNOWN, "%s", "");
}

static struct health_verdict judge_growth(const struct platform_health *now,
                                          const struct health_baseline *before)
{
    const struct platform_attribute *errors = find_named(now, "media_errors");

    for (int i = 0; before->is_known && i < HEALTH_CRITICAL_COUNT; i++) {
        const struct platform_attribute *attribute =
            find_attribute(now, critical_ids[i]);
        if (attribute && before->raw[i] >= 0 && attribute->raw > before->raw[i])
            return verdict(HEALTH_WATCH, "%s grew from %" PRId64 " to %" PRId64,
                           attribute->name, before->raw[i], attribute->raw);
    }
    if (before->is_known && errors && before->media_errors >= 0 &&
        errors->raw > before->media_errors)
        return verdict(HEALTH_WATCH,
                       "media errors grew from %" PRId64 " to %" PRId64,
                       before->media_errors, errors->raw);
    return verdict(HEALTH_UNKNOWN, "%s", "");
}

static struct health_verdict judge_evidence(const struct platform_health *now,
                                            const struct health_evidence *seen)
{
    char count[QUANTITY_SIZE];

    if (seen->failed_flushes)
        return verdict(HEALTH_WATCH, "%s %s failed",
                       format_count(seen->failed_flushes, count),
                       plural(seen->failed_flushes, "flush", "flushes"));
    if (seen->read_errors)
        return verdict(HEALTH_WATCH, "%s seen",
                       format_things(seen->read_errors, "read error", count));
    if (now->io_errors > 0)
        return verdict(HEALTH_WATCH, "%s since it was plugged in",
                       format_things(now->io_errors, "I/O error", count));
    if (now->fs_errors > 0)
        return verdict(HEALTH_WATCH, "the filesystem counted %s",
                       format_things(now->fs_errors, "error", count));
    if (now->link_resets > 0)
        return verdict(HEALTH_WATCH, "%s: cable or power?",
                       format_things(now->link_resets, "USB reset", count));
    if (now->has_under_voltage > 0)
        return verdict(HEALTH_WATCH, "%s", "the power supply is too weak");
    return verdict(HEALTH_UNKNOWN, "%s", "");
}

static struct health_verdict judge_smart(const struct platform_health *now)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    char hours[QUANTITY_SIZE];

    switch (now->smart) {
    case PLATFORM_SMART_HIDDEN:
        return verdict(HEALTH_UNKNOWN, "the USB bridge hides SMART");
    case PLATFORM_SMART_ASLEEP:
        return verdict(HEALTH_UNKNOWN, "asleep: not woken to be asked");
    case PLATFORM_SMART_PASSED:
        break;
    default:
        return verdict(HEALTH_UNKNOWN, "SMART could not be read");
    }
    strbuf_adds(&words, "SMART passed");
    if (now->temperature_c >= 0)
        strbuf_addf(&words, " · %" PRId64 " °C", now->temperature_c);
    if (now->power_on_hours >= 0)
        strbuf_addf(&words, " · %s h",
                    format_count(now->power_on_hours, hours));
    return verdict(HEALTH_GOOD, "%s", words.text);
}

struct health_verdict health_judge(const struct platform_health *readings,
                                   const struct health_baseline *baseline,
                                   const struct health_evidence *evidence)
{
    struct health_verdict result = judge_failing(readings, evidence);

    if (result.state == HEALTH_UNKNOWN)
        result = judge_growth(readings, baseline);
    if (result.state == HEALTH_UNKNOWN)
        result = judge_evidence(readings, evidence);
    if (result.state == HEALTH_UNKNOWN)
        result = judge_smart(readings);
    return result;
}
