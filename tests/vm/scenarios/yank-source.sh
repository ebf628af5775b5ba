#!/usr/bin/env bash
# A disk that is mounted below the source is pulled, between two runs and in the
# middle of one: its mount stays listed and reads as empty, and nothing of it is
# deleted from the drive.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
disk_new media 128M
plug usb bps=6000000
plug media
mount_disk usb
mount_disk media
guest 'berth volume add /mnt/usb --name usb
    make_files source 5 2000
    make_files /mnt/media/films 5 2000; sync -f /mnt/media
    mkdir source/disk
    mount --bind /mnt/media source/disk
    berth job add docs --source "$PWD/source" --target usb:/docs
    sed -i "s/name = \"docs\";/& cross_mounts = true;/" berth.conf'
expect_exit 0 guest 'berth sync'
check "both disks are on the drive" guest 'are_equal source /mnt/usb/docs'
guest 'tree_digest /mnt/usb/docs >before'
kept() { check "$1" guest 'tree_digest /mnt/usb/docs | cmp - before'; }

yank media
check "the mount is still listed" guest 'grep -q "source/disk " /proc/mounts'
for depth in --quick --full; do
    expect_exit 1 guest "berth diff $depth" >"$TMP/said" 2>"$TMP/words"
    cat "$TMP/said" "$TMP/words" >&2
    check "diff $depth says that it is not plugged in" \
        grep -q 'disk: .*not plugged in any more' "$TMP/words"
done
expect_exit 3 guest 'berth sync --full' 2>"$TMP/words"
check "so does sync" grep -q 'disk: .*not plugged in any more' "$TMP/words"
kept "nothing is deleted while its mount is listed"
guest 'umount source/disk; umount /mnt/media'
expect_exit 3 guest 'berth sync --full'
kept "nor when it is not"
plug media
mount_disk media
guest 'mount --bind /mnt/media source/disk'
expect_exit 0 guest 'berth sync --full'
kept "back, all is as it was"

guest 'make_files /mnt/media/more 40 500000; sync -f /mnt/media'
guest_start sync 'berth sync'
guest 'until_true 30 has_staged 4 /mnt/usb'
yank media
expect_exit 3 guest_wait sync 120 >"$TMP/words" 2>&1
tail -n 20 "$TMP/words" >&2
check "what was there before is still there" guest \
    'tree_digest /mnt/usb/docs | grep -vF " ./disk/more/" | cmp - before'
guest 'umount source/disk; umount /mnt/media'
plug media
mount_disk media
guest 'mount --bind /mnt/media source/disk'
expect_exit 0 guest 'berth sync --full'
check "and equal at the end" guest 'are_equal source /mnt/usb/docs'
