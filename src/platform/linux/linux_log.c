#include "core/base/strbuf.h"
#include "platform/linux/linux_health.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_BYTES = 8192 }; /* CONSOLE_EXT_LOG_MAX, kernel/printk */

static bool says(const char *message, const char *format, const char *name)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const char *rest = strchr(format, '%');

    strbuf_add(&words, format, (size_t)(rest - format));
    strbuf_adds(&words, name);
    strbuf_adds(&words, rest + 1);
    return strstr(message, words.text) != NULL;
}

/*
 * "I/O error, dev sda, sector 8 op 0x1:(WRITE)" and "critical medium error,
 * dev sda, …" (block/blk-core.c, blk_errors). Others are no fault of the
 * medium: "critical target error" is a command that the disk does not know.
 * A device that was asleep with the whole machine is reset on its way back.
 * Under-voltage is of the machine (drivers/hwmon/raspberrypi-hwmon.c, and as
 * Raspberry Pi's own kernels before 6.6 spell it).
 */
void linux_log_take(struct linux_log *log, const char *message)
{
    if (!strncmp(message, "PM: suspend entry", 17))
        log->is_suspending = true;
    if (!strncmp(message, "PM: suspend exit", 16))
        log->is_suspending = false;
    if (strstr(message, "Undervoltage detected!") ||
        strstr(message, "Under-voltage detected!"))
        log->under_voltages++;
    if (says(message, "[%] Attached SCSI", log->disk))
        log->io_errors = log->under_voltages = 0;
    if (says(message, "I/O error, dev %,", log->disk) ||
        says(message, "critical medium error, dev %,", log->disk))
        log->io_errors++;
    if (!*log->port)
        return;
    if (says(message, "usb %: New USB device found", log->port))
        log->link_resets = 0;
    if (!log->is_suspending && says(message, "usb %: reset ", log->port))
        log->link_resets++;
}

/* Each read gives one record: "6,1234,5678901,-;message\n KEY=value\n". */
bool linux_log_read(struct linux_log *log)
{
    CLEANUP_FREE char *record = xmalloc(RECORD_BYTES + 1);
    CLEANUP_FD int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t length;

    if (fd < 0)
        return false;
    while ((length = read(fd, record, RECORD_BYTES)) > 0 ||
           (length < 0 && (errno == EPIPE || errno == EINTR))) {
        if (length < 0)
            continue; /* overwritten meanwhile: the next one is the oldest */
        record[length] = '\0';
        char *message = strchr(record, ';');
        if (!message)
            continue;
        message[strcspn(message, "\n")] = '\0';
        linux_log_take(log, message + 1);
    }
    return errno == EAGAIN;
}
