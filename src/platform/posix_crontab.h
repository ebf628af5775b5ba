/*
 * The text of a crontab. Pure.
 */
#ifndef BERTH_POSIX_CRONTAB_H
#define BERTH_POSIX_CRONTAB_H

#include "core/base/strbuf.h"

#include <stdbool.h>

/* Makes comments of all lines that read so; false when none does. */
bool posix_crontab_silence(struct strbuf *text, const char *line);

#endif
