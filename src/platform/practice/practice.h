/*
 * Drives of paper: the sandbox that they lie in, and what plays them.
 *
 *     $BERTH_PRACTICE/
 *       drives/NAME/    the files of a mounted volume
 *       shelf/NAME/     the files of one that is not mounted, or away
 *       script          which drives there are, and what happens to them
 *       control         lines that are appended while somebody plays
 *       cards/          what became of drives and volumes; ours
 *       config/ state/ lock/   what platform_config_directory … say
 *       boot-id         if it is there: the boot id, to play a reboot with
 *       clock           "unsynchronised": the machine's clock follows no other
 *       open-elsewhere  inodes of files that some program has open, one a line
 *
 * Without a script each directory drives/NAME is a mounted volume of the
 * family "practice" on a drive of its own; one that holds a file ".detached"
 * counts as not plugged in. Without BERTH_PRACTICE the sandbox is a fresh
 * private directory below $TMPDIR, the same until the process ends; nobody
 * removes it.
 *
 * A line of the script or of the control file is made of words; "…" holds
 * blanks together, # begins a comment. NAME is a drive's or a volume's.
 *
 *     drive NAME KEY=VALUE…       describes a drive; it is plugged in at once,
 *                                 unless it has away=yes
 *     volume NAME KEY=VALUE…      describes a volume; mounted with its drive
 *     set NAME KEY=VALUE…         changes what was described, at any time
 *     plug NAME                   another id; volumes are mounted by themselves
 *     unplug NAME                 while something is mounted it is a yank
 *     mount NAME · unmount NAME   as another program would
 *     busy NAME PID COMMAND PATH [for=SECONDS] [user=U] [kind=K] [ancestor=yes]
 *                                 PATH is below the volume. The pid shown is
 *                                 5000000 higher, that of no process. "-": a
 *                                 real one is started, which SIGTERM ends.
 *     free NAME                   everybody lets go
 *     full NAME                   set NAME full=yes
 *     fail flush NAME             the next flush fails, once: EIO
 *     fail writes NAME            so does each flush, new name and new file
 *     fail reads NAME [FILE]      opening FILE, a name or how a path ends, says
 *                                 EIO; without one each file but berth's own
 *     mend NAME                   nothing fails, and it is not full
 *
 * Before a line, what it waits for:
 *
 *     at SECONDS LINE…            so long after platform_new; script only,
 *                                 played by the first process that has it open
 *     on unmount NAME LINE…       once, when unmounting is asked for
 *     on files N NAME LINE…       once, when berth has given N files on the
 *                                 volume their names (platform_rename_…)
 *
 * Keys of a drive; sizes and speeds as 5TB, 4MB, 512:
 *
 *     vendor model serial         words
 *     bus                         usb thunderbolt sata nvme sd scsi virtual
 *                                 practice (the default)
 *     size link                   bytes, Mbit/s
 *     external rotational read-only away       yes, no
 *     write-cache                 back (the default), through, unknown
 *     smart                       passed failing hidden asleep unknown
 *     temperature hours           °C, hours
 *     attribute-5                 NAME,VALUE,WORST,THRESHOLD,RAW and ,failing
 *                                 or ,failed: a SMART attribute by its number;
 *                                 attribute-0 is NVMe's, without one
 *     io-errors fs-errors link-resets under-voltage
 *     slow                        bytes a second that it takes
 *     fail-flush                  once, no
 *     fail-writes                 yes, no
 *     power-off                   yes (the default), refused (ERR_IO),
 *                                 unsupported, stays (done, but still there)
 *     proof                       seen (the default), hidden, flush-failed,
 *                                 stop-failed: struct platform_power_proof
 *     no-eject                    why not
 *
 * and of a volume:
 *
 *     drive                       whose it is; a drive of its own name if none
 *     family label uuid           exfat, …; ext4, btrfs, xfs and apfs have a
 *                                 journal
 *     size used                   what it holds, and how much of it lies there
 *                                 already without being shown
 *     full read-only dirty locked system       yes, no
 *     check                       what platform_mount_check says: unknown (the
 *                                 default), none, needed
 *     fail-reads                  FILE, * for each, or nothing
 *     automount                   yes (the default), no
 *
 * A yank: descriptors below the volume are dead from then on; opening below
 * says EIO, flushing ENODEV, a directory reads empty, and the mount stays
 * listed until somebody unmounts or plugs (research: a kernel does the same).
 * Nothing that was written is lost by it: power cuts are played in tests/vm.
 * Two processes see the same drives; each change is one replaced file.
 *
 * control.done holds how many bytes of the control file were carried out;
 * what was wrong with a line of it stands in control.errors. Lines that nobody
 * plays wait for the next process. So a test drives a screen from outside:
 *
 *     berth-practice demo --keep DIR      # in a terminal, or a command
 *
 *     play() {                            # returns when it has happened
 *         echo "$*" >>DIR/control
 *         until [ "$(cat DIR/control.done)" -eq "$(wc -c <DIR/control)" ]
 *         do sleep 0.02; done
 *     }
 *     play on files 5 hdd_homelab unplug hdd    # the yank comes with a file
 *     play set hdd slow=100kB                   # or give yourself time for it
 *     play unplug hdd
 *     play plug hdd
 *     play busy hdd_homelab 4242 vlc media/film.mkv
 *     play free hdd_homelab
 *     play fail flush hdd
 *
 * The demo's drives are hdd (hdd_homelab), rotating (hdd_rotating, away),
 * stick (tools_usb) and ssd (system). With --keep, or with a command, nothing
 * happens by itself.
 *
 * BERTH_PRACTICE_DELAY_MS: how long a request takes instead of 0.2 to 0.8 s.
 */
#ifndef BERTH_PRACTICE_H
#define BERTH_PRACTICE_H

#include "platform/platform_io.h"

#include <stdbool.h>

#define PRACTICE_DETACHED_NAME ".detached"

/*
 * The sandbox, absolute and without symlinks; it need not exist. free() it.
 */
err_code practice_directory(char **out_path, struct error *err) MUST_CHECK;

/* "SANDBOX/NAME" in fresh memory; free() it. */
err_code practice_path(const char *name, char **out_path, struct error *err)
    MUST_CHECK;

/*
 * For tests: what platform_drop_cache says from now on. It says CACHE until
 * somebody plays a drive that can be read past the cache. Any thread.
 */
void practice_set_proof(enum platform_proof proof);

#endif
