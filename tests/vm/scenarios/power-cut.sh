#!/usr/bin/env bash
# The machine dies between two renames on exFAT, which are not atomic; those
# before are on the disk. After the next boot the first sync repairs and
# deletes nothing (ENGINE, Unclean), the second one deletes.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 60 5000
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync'
guest 'make_files source/new 30 20000
    for i in 1 2 3 4; do
        echo changed >>"source/file 0000$i"
        rm "source/file 0001$i"
        mv "source/file 0002$i" "source/renamed $i"
    done
    sync'
guest 'sync_stalled renameat,renameat2 15; sync -f /mnt/usb; sync /mnt/usb'
power_cut
machine_start
plug usb
mount_disk usb
code=0
guest 'berth sync' >"$TMP/words" 2>&1 || code=$?
cat "$TMP/words" >&2
check "it says why nothing is deleted" grep -q 'nothing is deleted this time' "$TMP/words"
check "its exit code is 1 (it is $code)" test "$code" -eq 1
check "all of the source is on it" guest 'test -z "$(comm -23 \
    <(tree_digest source | sort) <(tree_digest /mnt/usb/docs | sort))"'
check "the deleted ones are still there" guest 'ls /mnt/usb/docs/file\ 0001{1,2,3,4}'
expect_exit 0 guest 'berth sync'
check "deletes are resumed, and it is equal" guest 'are_equal source /mnt/usb/docs'
check "no staging is left" guest 'test -z "$(find /mnt/usb/.berth/staging -mindepth 1)"'
expect_exit 0 guest 'berth diff --full'
expect_exit 0 guest 'berth verify'
guest 'umount /mnt/usb'
yank usb
check "fsck finds nothing" fsck_disk usb
