/*
 * What is in memory and not on the device. The kernel keeps dirty pages per
 * device, too, but shows them to root alone (debugfs, bdi): so the machine's
 * number, and beside it what this device does.
 */
#include "core/base/fdio.h"
#include "platform/linux/linux_drive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, MEMINFO_LIMIT_BYTES = 64 * 1024 };

/* "Dirty:             123 kB", at the start of a line; 0 when there is none. */
static int64_t meminfo_bytes(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line;) {
        if (!strncmp(line, name, length) && line[length] == ':')
            return strtoll(line + length + 1, NULL, 10) * 1024;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return 0;
}

err_code platform_read_unwritten(struct platform *platform, const char *drive,
                                 struct platform_unwritten *out,
                                 struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf meminfo = STRBUF_INIT;
    CLEANUP_FREE char *name = NULL;
    int64_t done[7];      /* Documentation/block/stat.rst */
    int64_t in_flight[2]; /* reads, writes */
    err_code code = linux_drive_find(drive, &name, err);

    if (!code)
        code = file_read("/proc/meminfo", MEMINFO_LIMIT_BYTES, &meminfo, err);
    if (code)
        return code;
    CLEANUP_FREE char *path = linux_sysfs_of_block(name);
    if (!path)
        return error_set(err, ERR_DEVICE_GONE,
                         "the drive %s is not plugged in any more", name);
    linux_sysfs_numbers(path, "stat", done, COUNT_OF(done));
    linux_sysfs_numbers(path, "inflight", in_flight, COUNT_OF(in_flight));
    *out = (struct platform_unwritten){
        .system_bytes = meminfo_bytes(meminfo.text, "Dirty") +
                        meminfo_bytes(meminfo.text, "Writeback"),
        .in_flight = in_flight[0] + in_flight[1],
        .written_bytes = done[6] * SECTOR_BYTES,
    };
    return ERR_OK;
}
