#!/usr/bin/env bash
# The volume is mounted in another mount namespace, too, as a container has it:
# it is not unmounted, whatever our own mount table says, so it is red.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 5 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'berth sync'
guest_start container 'exec unshare --mount --propagation private tail -f /dev/null'
pid=$(guest 'until_true 5 pgrep -x tail')
eject_said 7 usb
check "DO NOT UNPLUG" grep -q 'DO NOT UNPLUG' "$TMP/words"
check "why is said" grep -q 'in use' "$TMP/words"
check "it does not say that it is unmounted" expect_exit 1 grep -q UNMOUNTED "$TMP/words"
check "the disk was not stopped" expect_exit 1 grep -q 'STOP\|EJECT' "$TMP/trace"
check "without UDisks2 it cannot be put back, and that is said" \
    grep -q 'usb stays unmounted' "$TMP/words"

guest "kill $pid"
mount_disk usb
eject_said 0 usb
check "once it is free: SAFE" grep -q 'SAFE TO UNPLUG' "$TMP/words"
yank usb
check "fsck finds nothing" fsck_disk usb
