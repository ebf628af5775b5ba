#include "core/moment.h"

#include "core/base/clock.h"
#include "core/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_A_MINUTE 60

static bool parse_local(const char *text, int64_t *out_ns)
{
    struct tm parts = {.tm_isdst = -1};
    char again[32];
    int length = 0;
    int count =
        sscanf(text, "%4d-%2d-%2d%n %2d:%2d%n", &parts.tm_year, &parts.tm_mon,
               &parts.tm_mday, &length, &parts.tm_hour, &parts.tm_min, &length);

    if ((count != 3 && count != 5) || text[length])
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    struct tm given = parts;
    if (count == 3) {
        parts.tm_hour = 23;
        parts.tm_min = 59;
    }
    parts.tm_sec = SECONDS_A_MINUTE - 1;
    time_t seconds = mktime(&parts);
    /* mktime takes the 30th of February for a day in March. */
    if (seconds == (time_t)-1 || parts.tm_mday != given.tm_mday ||
        parts.tm_mon != given.tm_mon)
        return false;
    strftime(again, sizeof again, count == 3 ? "%Y-%m-%d" : "%Y-%m-%d %H:%M",
             &parts);
    if (strcmp(text, again) != 0)
        return false;
    *out_ns = (int64_t)seconds * NS_PER_SECOND + NS_PER_SECOND - 1;
    return true;
}

static bool parse_run(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return !errno && end != text && !*end && *out > 0;
}

err_code moment_parse(const char *text, int64_t now_ns, struct moment *out,
                      struct error *err)
{
    struct moment moment = {.kind = MOMENT_TIME};
    int64_t ago_ns;

    if (!text)
        moment.kind = MOMENT_NOW;
    else if (parse_run(text, &moment.run))
        moment.kind = MOMENT_RUN;
    else if (config_parse_duration(text, &ago_ns))
        moment.time_ns = now_ns - ago_ns;
    else if (!parse_local(text, &moment.time_ns) &&
             !clock_parse_utc(text, &moment.time_ns))
        return error_set(err, ERR_INVALID,
                         "--at %s: give \"2026-11-20\", \"2026-11-20 14:00\", "
                         "\"3d\" (ago) or the number of a run",
                         text);
    *out = moment;
    return ERR_OK;
}

bool moment_has_row(int64_t at_ns, const struct record *record)
{
    return record->committed_ns <= at_ns;
}

/* What berth had not written has stood there for nobody knows how long. */
static int64_t copied_ns(const struct version *version)
{
    bool is_ours = version->has_record && version->reason != VERSION_FOREIGN;

    return is_ours ? version->record.committed_ns : INT64_MIN;
}

const struct version *moment_version(const struct version *versions,
                                     size_t count, int64_t at_ns)
{
    if (at_ns == INT64_MAX)
        return count ? &versions[count - 1] : NULL;
    for (size_t i = 0; i < count; i++)
        if (versions[i].created_ns > at_ns)
            return copied_ns(&versions[i]) <= at_ns ? &versions[i] : NULL;
    return NULL;
}
