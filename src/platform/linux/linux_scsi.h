/*
 * The two commands that make a SCSI disk safe, with their statuses: UDisks2
 * sends them, too, but drops what the disk answers.
 */
#ifndef BERTH_LINUX_SCSI_H
#define BERTH_LINUX_SCSI_H

enum linux_scsi_outcome {
    LINUX_SCSI_GOOD,
    LINUX_SCSI_UNKNOWN, /* the disk does not know the command, has nothing to
                           stop or flush, or could not be asked */
    LINUX_SCSI_FAILED,
};

/* `fd`: the disk, opened for reading. Workers only. */
enum linux_scsi_outcome linux_scsi_synchronize_cache(int fd);
enum linux_scsi_outcome linux_scsi_stop(int fd);

/*
 * What a status and its sense data mean, for tests: `status` is the SCSI
 * status byte, `sense` what the disk added, in fixed or descriptor format.
 */
enum linux_scsi_outcome linux_scsi_judge(int status, const unsigned char *sense,
                                         int sense_length,
                                         int *out_is_attention);

#endif
