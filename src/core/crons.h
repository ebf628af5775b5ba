/*
 * Lines of crontabs, and of the scripts they call, that run rsync: what a new
 * user has today. Pure but for reading those scripts.
 */
#ifndef BERTH_CRONS_H
#define BERTH_CRONS_H

#include "core/base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

struct rsync_line {
    char *where; /* "crontab", "/etc/cron.d/backup", or the script */
    char *line;
    char *source, *target; /* absolute and clean; both local */
    bool deletes;
    char **exclude;
    size_t exclude_count;
};

void rsync_line_release(struct rsync_line *line);

struct rsync_lines {
    struct rsync_line *items;
    size_t count, capacity;
};
void rsync_lines_release(struct rsync_lines *lines);

/* `lines` as platform_cron_lines has them; `home` is what ~ and $HOME mean. */
void crons_find_rsync(const char *lines, const char *home,
                      struct rsync_lines *out);

#endif
