#!/usr/bin/env bash
# As root, without D-Bus and UDisks2: mounted by its name where /etc/fstab says,
# and by a sync that may (mount = true), which ejects it, too, as a timer does.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 64M label=Archive
plug usb
guest 'mkdir -p /mnt/usb'
expect_exit 3 guest 'berth mount Archive' 2>"$TMP/words"
check "without a line for it, it says what is missing" grep -q /etc/fstab "$TMP/words"
guest 'echo "LABEL=Archive /mnt/usb exfat noauto 0 0" >/etc/fstab
    berth mount Archive
    berth volume add /mnt/usb --name usb
    make_files source 5 20000
    berth job add docs --source "$PWD/source" --target usb:/docs
    umount /mnt/usb'
expect_exit 5 guest 'berth sync'
expect_exit 0 guest 'berth mount usb'
check "it is mounted by its name" guest 'mountpoint -q /mnt/usb'
guest 'umount /mnt/usb; sed -i "s/name = \"usb\";/& mount = true;/" berth.conf'
trace_begin
expect_exit 0 guest_said 'setsid berth sync --eject' >"$TMP/words"
scsi_trace >"$TMP/trace"
cat "$TMP/words" >&2
check "it says SAFE TO UNPLUG" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
yank usb
check "fsck finds nothing" fsck_disk usb
plug usb
expect_exit 0 guest 'berth mount usb'
check "equal to the source" guest 'are_equal source /mnt/usb/docs'
