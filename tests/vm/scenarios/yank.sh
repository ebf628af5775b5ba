#!/usr/bin/env bash
# The plug is pulled in the middle of a copy: berth says so and exits with 7.
# Plugged in again, the next sync brings the rest; since exFAT says that it was
# not unmounted cleanly, nothing is deleted or tidied up before fsck.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
plug usb bps=6000000
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 60 500000
    berth job add docs --source "$PWD/source" --target usb:/docs'
guest_start sync 'berth sync'
guest 'until_true 30 has_staged 8 /mnt/usb'
yank usb
expect_exit 7 guest_wait sync 30 >"$TMP/words"
cat "$TMP/words" >&2
cp "$TMP/words" "$TMP/pulled"
check "the mount is still listed" guest 'grep -q " /mnt/usb " /proc/mounts'
code=0
guest 'berth sync' || code=$?
check "a sync into the dead mount is refused" test "$code" -eq 5 -o "$code" -eq 7
guest 'umount /mnt/usb'
expect_exit 5 guest 'berth sync'

check "fsck finds nothing" fsck_disk usb
plug usb
mount_disk usb
expect_exit 1 guest 'berth sync' 2>"$TMP/words"
cat "$TMP/words" >&2
check "it names the remedy" grep -q "fsck.exfat $(device_of usb)" "$TMP/words"
check "equal without fsck" guest 'are_equal source /mnt/usb/docs'
guest 'fsck_mounted usb'
expect_exit 0 guest 'berth sync'
check "equal after the repair" guest 'are_equal source /mnt/usb/docs'
check "no staging is left" guest 'test -z "$(find /mnt/usb/.berth/staging -mindepth 1)"'
expect_exit 0 guest 'berth diff --full'
expect_exit 0 guest 'berth verify'
check "it said PULLED" grep -q PULLED "$TMP/pulled"
