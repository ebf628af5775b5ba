#!/usr/bin/env bash
# The same on a volume that was mounted dirty, where neither syncfs nor umount
# send SYNCHRONIZE CACHE: what makes it safe is berth's.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
make_dirty usb
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 50 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 1 guest 'berth sync'
guest 'head -c 5000000 /dev/urandom >/mnt/usb/mine; md5sum </mnt/usb/mine >mine.sum'
eject_said 0 usb
check "it says SAFE TO UNPLUG" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
check "the disk is gone" guest '! compgen -G "/dev/sd*"'
yank usb
check "fsck finds nothing" fsck_disk usb
plug usb
mount_disk usb
check "equal to the source" guest 'are_equal source /mnt/usb/docs'
check "the other file, too" guest 'md5sum </mnt/usb/mine | cmp - mine.sum'
