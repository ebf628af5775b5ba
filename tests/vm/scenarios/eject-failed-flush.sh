#!/usr/bin/env bash
# The disk refuses to flush its cache. umount returns 0 all the same; berth says
# DO NOT UNPLUG, and not later that all is well.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 5 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'berth sync'
guest 'umount /mnt/usb'
yank usb
plug usb error=flush
mount_disk usb
guest 'echo mine >/mnt/usb/mine'
eject_said 7 usb
check "it says DO NOT UNPLUG" grep -q 'DO NOT UNPLUG' "$TMP/words"
check "and why" grep -qi 'flush' "$TMP/words"
eject_said 7 usb
check "it does not change its mind" grep -q 'DO NOT UNPLUG' "$TMP/words"
