#include "platform/linux/linux_scsi.h"

#include <errno.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

enum {
    SYNCHRONIZE_CACHE = 0x35, /* SBC-3, 5.18 */
    START_STOP_UNIT = 0x1b,   /* SBC-3, 5.20; all zero after it: stop */
    CHECK_CONDITION = 0x02,   /* SAM-5, 5.3.1 */
    SENSE_NOT_READY = 0x2,    /* SPC-4, 4.5.6 */
    SENSE_ILLEGAL_REQUEST = 0x5,
    SENSE_UNIT_ATTENTION = 0x6,
    NO_MEDIUM = 0x3a, /* additional sense code */
};

/* A disk may take its time for a full cache: the kernel gives it a minute, too
 * (drivers/scsi/sd.h: SD_FLUSH_TIMEOUT, twice the 30 s of a request). */
enum { TIMEOUT_MS = 60000, SENSE_BYTES = 32, TRIES = 3 };

/*
 * A disk that does not know SYNCHRONIZE CACHE has no cache that it could tell
 * of: the kernel takes the refusal for success (drivers/scsi/sd.c,
 * sd_sync_cache: "this drive doesn't support sync"). We call it unknown.
 */
enum linux_scsi_outcome linux_scsi_judge(int status, const unsigned char *sense,
                                         int sense_length,
                                         int *out_is_attention)
{
    int key = 0, code = 0;

    *out_is_attention = 0;
    if (!status)
        return LINUX_SCSI_GOOD;
    if (status != CHECK_CONDITION || sense_length < 4)
        return LINUX_SCSI_FAILED;
    if ((sense[0] & 0x7f) >= 0x72) { /* descriptor format */
        key = sense[1] & 0xf;
        code = sense[2];
    } else {
        key = sense[2] & 0xf;
        code = sense_length > 12 ? sense[12] : 0;
    }
    *out_is_attention = key == SENSE_UNIT_ATTENTION;
    if (key == SENSE_ILLEGAL_REQUEST ||
        (key == SENSE_NOT_READY && code == NO_MEDIUM))
        return LINUX_SCSI_UNKNOWN;
    return LINUX_SCSI_FAILED;
}

/*
 * Not sent at all: no SCSI disk (ENOTTY, EINVAL), or more than read access is
 * wanted for the command (drivers/scsi/scsi_ioctl.c, scsi_cmd_allowed).
 */
static enum linux_scsi_outcome judge_refusal(int os_errno)
{
    return os_errno == ENOTTY || os_errno == EINVAL || os_errno == EPERM ||
                   os_errno == EACCES
               ? LINUX_SCSI_UNKNOWN
               : LINUX_SCSI_FAILED;
}

/* A disk that was reset says so instead of obeying, once (UNIT ATTENTION). */
static enum linux_scsi_outcome send_command(int fd, unsigned char *command,
                                            size_t length)
{
    enum linux_scsi_outcome outcome = LINUX_SCSI_FAILED;
    int is_attention = 1;

    for (int i = 0; i < TRIES && is_attention; i++) {
        unsigned char sense[SENSE_BYTES] = {0};
        struct sg_io_hdr header = {
            .interface_id = 'S',
            .dxfer_direction = SG_DXFER_NONE,
            .cmdp = command,
            .cmd_len = (unsigned char)length,
            .sbp = sense,
            .mx_sb_len = sizeof sense,
            .timeout = TIMEOUT_MS,
        };
        if (ioctl(fd, SG_IO, &header))
            return judge_refusal(errno);
        if (header.host_status)
            return LINUX_SCSI_FAILED;
        outcome = linux_scsi_judge(header.status, sense, header.sb_len_wr,
                                   &is_attention);
    }
    return outcome;
}

enum linux_scsi_outcome linux_scsi_synchronize_cache(int fd)
{
    unsigned char command[10] = {SYNCHRONIZE_CACHE};

    return send_command(fd, command, sizeof command);
}

enum linux_scsi_outcome linux_scsi_stop(int fd)
{
    unsigned char command[6] = {START_STOP_UNIT};

    return send_command(fd, command, sizeof command);
}
