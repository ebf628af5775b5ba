#include "core/nights.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GRACE_NS (15 * 60 * NS_PER_SECOND)
enum { DAYS_MOST = 3660 };

/* --- the file --- */

static char *file_of(const char *state_directory, const char *at)
{
    if (strchr(at, ':'))
        return xasprintf("%s/schedule/%.2s%.2s", state_directory, at, at + 3);
    return xasprintf("%s/schedule/%s", state_directory, at);
}

err_code night_read(const char *state_directory, const char *at,
                    struct night_record *out, struct error *err)
{
    CLEANUP_FREE char *path = file_of(state_directory, at);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct night_record found = {.started_ns = 0};
    err_code code = file_read(path, 4096, &text, err);

    *out = found;
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code)
        return code;
    if (sscanf(text.text,
               "installed %" SCNd64 "\nstarted %" SCNd64 "\nended %" SCNd64
               "\nexit %d\nmissed %" SCNd64 "\nmissed_at %" SCNd64,
               &found.installed_ns, &found.started_ns, &found.ended_ns,
               &found.exit_code, &found.missed, &found.missed_at_ns) != 6)
        return error_set(err, ERR_CORRUPT,
                         "%s is not what berth wrote: remove it", path);
    *out = found;
    return ERR_OK;
}

err_code night_write(const char *state_directory, const char *at,
                     const struct night_record *record, struct error *err)
{
    CLEANUP_FREE char *path = file_of(state_directory, at);
    CLEANUP_FREE char *directory = path_join(state_directory, "schedule");
    CLEANUP_FREE char *text =
        xasprintf("installed %" PRId64 "\nstarted %" PRId64 "\nended %" PRId64
                  "\nexit %d\nmissed %" PRId64 "\nmissed_at %" PRId64 "\n",
                  record->installed_ns, record->started_ns, record->ended_ns,
                  record->exit_code, record->missed, record->missed_at_ns);
    err_code code = directory_ensure(directory, err);

    return code ? code : file_replace(path, text, strlen(text), 0600, err);
}

/* --- the clock on the wall --- */

/* `days` after the day of `from`; mktime knows summer time. */
static int64_t moment_of(const char *at, time_t from, int days)
{
    struct tm day;

    localtime_r(&from, &day);
    day.tm_hour = (int)strtol(at, NULL, 10);
    day.tm_min = (int)strtol(at + 3, NULL, 10);
    day.tm_sec = 0;
    day.tm_mday += days;
    day.tm_isdst = -1;
    return (int64_t)mktime(&day) * NS_PER_SECOND;
}

int64_t night_count(const char *at, int64_t after_ns, int64_t until_ns,
                    int64_t *out_first)
{
    int64_t count = 0, first = 0;

    for (int days = 0; strchr(at, ':') && days < DAYS_MOST; days++) {
        int64_t moment =
            moment_of(at, (time_t)(after_ns / NS_PER_SECOND), days);
        if (moment > until_ns)
            break;
        if (moment <= after_ns)
            continue;
        first = first ? first : moment;
        count++;
    }
    if (out_first)
        *out_first = first;
    return count;
}

int64_t night_next(const char *at, int64_t now_ns)
{
    time_t now = (time_t)(now_ns / NS_PER_SECOND);

    if (!strchr(at, ':'))
        return 0;
    int64_t today = moment_of(at, now, 0);
    return today > now_ns ? today : moment_of(at, now, 1);
}

/* --- what was missed --- */

static int64_t last_known(const struct night_record *record)
{
    return record->started_ns > record->installed_ns ? record->started_ns
                                                     : record->installed_ns;
}

void night_begin(struct night_record *record, const char *at, int64_t now_ns)
{
    int64_t since = last_known(record), first = 0;
    int64_t due = since ? night_count(at, since, now_ns, &first) : 0;

    /* One of them is this run, late or not. */
    record->missed = due > 1 ? due - 1 : 0;
    record->missed_at_ns = record->missed ? first : 0;
    record->started_ns = now_ns;
    record->ended_ns = 0;
}

int64_t night_overdue(const struct night_record *record, const char *at,
                      int64_t now_ns, int64_t *out_first)
{
    int64_t since = last_known(record);

    *out_first = 0;
    return since ? night_count(at, since, now_ns - GRACE_NS, out_first) : 0;
}
