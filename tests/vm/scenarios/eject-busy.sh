#!/usr/bin/env bash
# A program holds the volume: it is named, nothing is unmounted or stopped, and
# eject goes through once it is gone.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 5 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'berth sync'
guest_start holder 'exec tail -f "/mnt/usb/docs/file 00000"'
pid=$(guest 'until_true 5 pgrep -x tail')
eject_said 6 usb
check "the process is named" grep -q "pid $pid\b" "$TMP/words"
check "with its command" grep -q tail "$TMP/words"
check "and the file" grep -q 'docs/file 00000' "$TMP/words"
check "it does not say SAFE" expect_exit 1 grep -q SAFE "$TMP/words"
check "the disk was not stopped" expect_exit 1 grep -q 'STOP\|EJECT' "$TMP/trace"
check "it is still mounted and whole" guest 'are_equal source /mnt/usb/docs'

guest "kill $pid"
eject_said 0 usb
check "once it is free: SAFE" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
yank usb
check "fsck finds nothing" fsck_disk usb
