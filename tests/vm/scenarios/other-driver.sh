#!/usr/bin/env bash
# The same drive under another driver, whose mount has another type (fuseblk)
# and whose serial is spelt otherwise: it is the same volume, with nothing to
# do; what is written through one driver is in sync through the other.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 64M
plug usb
mount_disk usb
guest 'modprobe fuse; berth volume add /mnt/usb --name usb
    make_files source 10 20000
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync; umount /mnt/usb'
yank usb
plug usb
guest 'mount.exfat-fuse "$(node_of usb)" /mnt/usb'
check "the kernel calls it otherwise" guest 'grep " /mnt/usb fuseblk " /proc/mounts'
expect_exit 0 guest 'berth diff --full'
guest 'echo late >source/late'
expect_exit 0 guest 'berth sync'
check "equal" guest 'are_equal source /mnt/usb/docs'
check "it is the one volume that is known" test "$(guest 'berth drives --json' |
    json '[v["name"] for r in d["drives"] for v in r["volumes"] if v["name"]]')" = "['usb']"
guest 'umount /mnt/usb; until_true 10 eval "! pgrep exfat"'
mount_disk usb
expect_exit 0 guest 'berth diff --full'
