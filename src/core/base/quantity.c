#include "core/base/quantity.h"

#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t sum_of_bytes(int64_t one, int64_t other)
{
    return one > INT64_MAX - other ? INT64_MAX : one + other;
}

const char *format_bytes(int64_t bytes, char buffer[QUANTITY_SIZE])
{
    static const char *const units[] = {"B",  "kB", "MB", "GB",
                                        "TB", "PB", "EB"};
    const char *sign = bytes < 0 ? "-" : "";
    double value = bytes < 0 ? -(double)bytes : (double)bytes;
    size_t unit = 0;

    /* 999.5 would be shown as "1000" */
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    if (!unit)
        snprintf(buffer, QUANTITY_SIZE, "%" PRId64 " B", bytes);
    else
        snprintf(buffer, QUANTITY_SIZE, "%s%.*f %s", sign, value < 99.95, value,
                 units[unit]);
    return buffer;
}

const char *format_count(int64_t count, char buffer[QUANTITY_SIZE])
{
    char digits[QUANTITY_SIZE];
    size_t out = 0;

    snprintf(digits, sizeof digits, "%" PRId64, count);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length && out + 2 < QUANTITY_SIZE; i++) {
        buffer[out++] = digits[i];
        size_t left = length - 1 - i;
        if (left && left % 3 == 0 && digits[i] != '-')
            buffer[out++] = ',';
    }
    buffer[out] = '\0';
    return buffer;
}

const char *format_things(int64_t count, const char *thing,
                          char buffer[QUANTITY_SIZE])
{
    char number[QUANTITY_SIZE];

    snprintf(buffer, QUANTITY_SIZE, "%.27s %.18s%s",
             format_count(count, number), thing, plural(count, "", "s"));
    return buffer;
}

const char *plural(int64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

void strbuf_add_part(struct strbuf *out, int64_t count, const char *one,
                     const char *many)
{
    char number[QUANTITY_SIZE];

    if (count)
        strbuf_addf(out, "%s%s %s", out->length ? ", " : "",
                    format_count(count, number), plural(count, one, many));
}

const char *format_duration(int64_t duration_ns, char buffer[QUANTITY_SIZE])
{
    int64_t seconds = duration_ns / NS_PER_SECOND;

    if (seconds < 10)
        snprintf(buffer, QUANTITY_SIZE, "%.1f s",
                 (double)duration_ns / (double)NS_PER_SECOND);
    else if (seconds < 60)
        snprintf(buffer, QUANTITY_SIZE, "%" PRId64 " s", seconds);
    else if (seconds < 3600)
        snprintf(buffer, QUANTITY_SIZE, "%" PRId64 " m %02" PRId64 " s",
                 seconds / 60, seconds % 60);
    else if (seconds < 48 * 3600)
        snprintf(buffer, QUANTITY_SIZE, "%" PRId64 " h %02" PRId64 " m",
                 seconds / 3600, seconds / 60 % 60);
    else
        snprintf(buffer, QUANTITY_SIZE, "%" PRId64 " d", seconds / 86400);
    return buffer;
}

const char *format_speed(int64_t bytes, int64_t duration_ns,
                         char buffer[QUANTITY_SIZE])
{
    if (duration_ns <= 0) {
        snprintf(buffer, QUANTITY_SIZE, "–");
        return buffer;
    }
    double per_second =
        (double)bytes * (double)NS_PER_SECOND / (double)duration_ns;
    /* What does not fit an int64_t must not be converted to one. */
    format_bytes(per_second < 9e18 ? (int64_t)per_second : INT64_MAX, buffer);
    memcpy(buffer + strlen(buffer), "/s", sizeof "/s"); /* 8 + 2 bytes */
    return buffer;
}
