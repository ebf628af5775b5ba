#include "cli/cli_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* Whether stderr is the journal itself: systemd.exec(5), $JOURNAL_STREAM. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat found;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           !fstat(STDERR_FILENO, &found) &&
           (unsigned long long)found.st_dev == device &&
           (unsigned long long)found.st_ino == inode;
}

enum cli_log cli_log_of(const struct cli_invocation *invocation)
{
    if (is_journal())
        return CLI_LOG_JOURNAL;
    if (!invocation->request || !invocation->request->scheduled)
        return CLI_LOG_NONE;
    openlog("berth", LOG_PID, LOG_USER);
    return CLI_LOG_SYSLOG;
}

const char *cli_log_prefix(const struct cli_output *output, bool is_error)
{
    if (!output || output->log != CLI_LOG_JOURNAL)
        return "";
    return is_error ? "<3>" : "<4>"; /* sd-daemon(3) */
}

void cli_log_line(const struct cli_output *output, bool is_error,
                  const char *line)
{
    if (output && output->log == CLI_LOG_SYSLOG)
        syslog(is_error ? LOG_ERR : LOG_WARNING, "%s", line);
}

void cli_log_end(const struct cli_output *output, int exit_code)
{
    if (output->log == CLI_LOG_SYSLOG)
        syslog(exit_code ? LOG_WARNING : LOG_INFO,
               "the scheduled sync ended with exit %d", exit_code);
}
