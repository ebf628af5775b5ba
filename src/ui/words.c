#include "ui/words.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/event.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct tm local_time(int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm local = {.tm_year = 0};

    localtime_r(&seconds, &local);
    return local;
}

static bool is_same_day(int64_t one_ns, int64_t other_ns)
{
    struct tm one = local_time(one_ns), other = local_time(other_ns);

    return one.tm_yday == other.tm_yday && one.tm_year == other.tm_year;
}

const char *words_time(int64_t now_ns, int64_t time_ns, char buffer[WORDS_SIZE])
{
    struct tm local = local_time(time_ns);

    if (is_same_day(now_ns, time_ns))
        snprintf(buffer, WORDS_SIZE, "%02d:%02d", local.tm_hour, local.tm_min);
    else
        clock_format_local(time_ns, buffer, WORDS_SIZE);
    return buffer;
}

const char *words_since(int64_t now_ns, int64_t time_ns,
                        char buffer[WORDS_SIZE])
{
    words_time(now_ns, time_ns, buffer);
    char *clock = strrchr(buffer, ' ');
    if (clock)
        *clock = '\0';
    return buffer;
}

const char *words_ago(int64_t now_ns, int64_t time_ns, char buffer[WORDS_SIZE])
{
    int64_t minutes = (now_ns - time_ns) / (60 * NS_PER_SECOND);

    if (minutes < 1)
        snprintf(buffer, WORDS_SIZE, "just now");
    else if (minutes < 60)
        snprintf(buffer, WORDS_SIZE, "%d min ago", (int)minutes);
    else if (minutes < 48 * 60)
        snprintf(buffer, WORDS_SIZE, "%d h ago", (int)(minutes / 60));
    else
        snprintf(buffer, WORDS_SIZE, "%d days ago", (int)(minutes / 1440));
    return buffer;
}

const char *words_age(int64_t now_ns, int64_t time_ns, char buffer[WORDS_SIZE])
{
    static const struct {
        int minutes, most; /* of the unit, and how many of it are said */
        char unit;
    } units[] = {{1, 60, 'm'},
                 {60, 48, 'h'},
                 {1440, 100, 'd'},
                 {7 * 1440, 100, 'w'},
                 {365 * 1440, 100, 'y'}};
    int64_t minutes = (now_ns - time_ns) / (60 * NS_PER_SECOND);

    snprintf(buffer, WORDS_SIZE, "now");
    for (size_t i = 0; minutes > 0 && i < COUNT_OF(units); i++) {
        int64_t count = minutes / units[i].minutes;
        if (count >= units[i].most)
            continue;
        snprintf(buffer, WORDS_SIZE, "%d%c", (int)count, units[i].unit);
        break;
    }
    return buffer;
}

const char *words_count(int64_t count, const char *thing,
                        char buffer[WORDS_SIZE])
{
    return format_things(count, thing, buffer);
}

const char *words_about(int64_t duration_ns, char buffer[WORDS_SIZE])
{
    int64_t seconds = duration_ns / NS_PER_SECOND;

    if (seconds < 10)
        snprintf(buffer, WORDS_SIZE, "a few seconds");
    else if (seconds < 90)
        snprintf(buffer, WORDS_SIZE, "about %d s",
                 (int)((seconds + 5) / 10 * 10));
    else if (seconds < 90 * 60)
        snprintf(buffer, WORDS_SIZE, "about %d min",
                 (int)((seconds + 30) / 60));
    else
        snprintf(buffer, WORDS_SIZE, "about %.1f h", (double)seconds / 3600);
    return buffer;
}

const char *words_left(int64_t left_ns, char buffer[WORDS_SIZE])
{
    int64_t seconds = left_ns / NS_PER_SECOND + 1;
    int minutes = (int)((seconds + 30) / 60);

    if (seconds < 100)
        snprintf(buffer, WORDS_SIZE, "%d s", (int)seconds);
    else if (minutes < 100)
        snprintf(buffer, WORDS_SIZE, "%d min", minutes);
    else
        snprintf(buffer, WORDS_SIZE, "%d h %02d min", minutes / 60,
                 minutes % 60);
    return buffer;
}

int words_percent(int64_t part, int64_t whole)
{
    if (whole <= 0 || part >= whole)
        return 100;
    if (part <= 0)
        return 0;
    return (int)((double)part / (double)whole * 100.0);
}

const char *words_ended(int exit_code)
{
    static const char *const words[] = {
        [OUTCOME_DONE] = "done",
        [OUTCOME_DIFFERENCES] = "done, not all of it",
        [OUTCOME_USAGE] = "configuration",
        [OUTCOME_FAILED_FILES] = "some files failed",
        [OUTCOME_REFUSED] = "refused",
        [OUTCOME_ABSENT] = "drive absent",
        [OUTCOME_BUSY] = "busy",
        [OUTCOME_DEVICE] = "drive failed",
        [OUTCOME_INTERRUPTED] = "interrupted",
        [OUTCOME_NO_SPACE] = "full",
    };

    if (exit_code < 0 || (size_t)exit_code >= COUNT_OF(words))
        return "failed";
    return words[exit_code];
}
