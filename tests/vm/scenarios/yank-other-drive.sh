#!/usr/bin/env bash
# The plug is pulled in the middle of a copy and another drive is mounted at
# the same path, one that another berth knows: not a byte lands on it, nor on the
# disk below the mount point. (Without the comparison of ids in core/volume.c,
# try_mount, the sync after it writes there: seen failing.)
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
disk_new other 64M
plug usb bps=6000000
mount_disk usb
plug other
mount_disk other
guest 'BERTH_CONFIG=$PWD/other.conf BERTH_STATE_DIR=$PWD/other.state \
        berth volume add /mnt/other --name other
    (cd /mnt/other && find . -type f -print0 | sort -z | xargs -0 md5sum) >other.before
    umount /mnt/other
    berth volume add /mnt/usb --name usb
    make_files source 60 500000
    berth job add docs --source "$PWD/source" --target usb:/docs'
guest_start sync 'berth sync'
guest 'until_true 30 has_staged 8 /mnt/usb'
yank usb
mount_disk other /mnt/usb
expect_exit 7 guest_wait sync 30 >"$TMP/words"
cat "$TMP/words" >&2
unchanged='cd /mnt/usb && find . -type f -print0 | sort -z | xargs -0 md5sum |
    cmp - ~-/other.before'
check "nothing new is on the other drive" guest "$unchanged"
expect_exit 5 guest 'berth sync'
check "nor after a sync" guest "$unchanged"
# Both are mounted there, one over the other.
guest 'umount /mnt/usb; umount /mnt/usb; ! mountpoint -q /mnt/usb'
check "nothing is below the mount point" guest 'test -z "$(ls -A /mnt/usb)"'
yank other
check "the other drive is untouched" is_clean other
