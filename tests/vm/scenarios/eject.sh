#!/usr/bin/env bash
# Eject as root, without UDisks2: the cache is flushed after the last write and
# the disk stopped before berth says SAFE; the drive leaves; what is on it is
# what was in the source, and nothing is left to repair.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
plug usb vendor=WD model='My Passport 25E2'
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 200 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'berth sync'
# What berth did not write has to be flushed by it, too.
guest 'head -c 20000000 /dev/urandom >/mnt/usb/mine; md5sum </mnt/usb/mine >mine.sum'
eject_said 0 usb
check "it says SAFE TO UNPLUG" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
check "nothing is written afterwards" test \
    "$(sed '0,/SAFE TO/d' "$TMP/trace" | grep -c WRITE)" -eq 0
check "the disk is gone" guest '! compgen -G "/dev/sd*"'
check "the USB device is gone" guest '! grep -l HARDDRIVE /sys/bus/usb/devices/*/product'
check "nothing is mounted" guest '! grep /mnt/usb /proc/mounts'
check "berth knows that it is away" guest 'berth drives | grep -q away'
yank usb
check "VolumeDirty is clear" is_clean usb
check "fsck finds nothing" fsck_disk usb

plug usb
mount_disk usb
check "equal to the source" guest 'are_equal source /mnt/usb/docs'
check "the other file, too" guest 'md5sum </mnt/usb/mine | cmp - mine.sum'
expect_exit 0 guest 'berth diff --full'
expect_exit 0 guest 'berth sync'
