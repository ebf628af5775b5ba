#!/usr/bin/env bash
# The trap of ENGINE, Committing: on an exFAT volume that was mounted dirty
# syncfs sends no SYNCHRONIZE CACHE. Whatever berth calls done must be in the
# disk all the same, at each of its barriers.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
make_dirty usb
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 100 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
trace_begin
expect_exit 1 guest_said 'berth sync' >"$TMP/words"
check "it names the remedy" grep -q "fsck.exfat $(device_of usb)" "$TMP/words"
scsi_trace >"$TMP/trace"
brief <"$TMP/trace" >&2
check "flushed before it says that it is done" flushed_before 'docs -> usb: 100 new' <"$TMP/trace"

# The first rename of a batch comes after the barrier for what was staged, and
# the batch counts as committed after the next one.
guest 'make_files source 50 30000'
trace_begin
guest 'sync_stalled renameat,renameat2 2; echo "first rename done" >/dev/virtio-ports/marks'
scsi_trace >"$TMP/trace"
brief <"$TMP/trace" >&2
check "staged data is flushed before the first rename" flushed_before 'first rename' <"$TMP/trace"
guest kill_berth
guest 'rm source/file\ 00001'
expect_exit 1 guest 'berth sync'
check "nothing is deleted while it is dirty" guest 'ls /mnt/usb/docs/file\ 00001'
guest 'fsck_mounted usb'
expect_exit 0 guest 'berth sync'
check "equal after fsck" guest 'are_equal source /mnt/usb/docs'
