#!/usr/bin/env bash
# A power cut on a disk with a cache of its own: what was not flushed may be
# there, missing or torn, in any order, so that directories, allocation bitmap
# and data contradict each other. What the bitmap calls free may be in use, so
# berth writes nothing, however often it is started, until fsck has been there;
# then all is well, and nothing that it called done is lost (ENGINE, Recovery
# and G8).
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb log=on
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 60 5000
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync'
# Old contents of what is changed are not in `before`: they may be lost.
guest 'make_files source/new 40 20000
    tree_digest source | grep -v "/new/\|file 0000[1-4]" | cut -d" " -f1 | sort >before
    for i in 1 2 3 4; do
        echo changed >>"source/file 0000$i"
        rm "source/file 0001$i"
        mv "source/file 0002$i" "source/renamed $i"
    done
    sync'
# The kernel writes some of it back by itself, and flushes nothing.
guest 'sync_stalled renameat,renameat2 30
    echo 1 >/proc/sys/vm/dirty_expire_centisecs
    echo 1 >/proc/sys/vm/dirty_writeback_centisecs
    sleep 1'
power_cut
machine_start
guest 'cp -a state state.cut'

all_is_well() {
    guest 'are_equal source /mnt/usb/docs && berth verify'
}

replug() { # SEED
    disk_lose usb "$1" "lost$1"
    guest 'rm -rf state; cp -a state.cut state'
    plug "lost$1" serial=usb
    guest 'mkdir -p /mnt/usb; mount -t exfat -o uid=1000 "$(node_of usb)" /mnt/usb'
}

# What is on the volume, berth's own included, with sizes and times.
listing() {
    guest 'cd /mnt/usb && find . -printf "%P %y %s %T@\n" | sort'
}

# Seeds for which nothing (2) and some of it (1, 4) arrived; the last for a user
# who may not read the device.
for seed in 2 1 4; do
    replug "$seed"
    [ "$seed" -ne 4 ] || as=as_me
    listing >"$TMP/before"
    for _ in 1 2; do
        expect_exit 4 guest "${as-} berth sync" >"$TMP/words" 2>&1
        cat "$TMP/words" >&2
        check "seed $seed: it names the remedy" grep -q "fsck.exfat $(device_of usb)" "$TMP/words"
    done
    listing >"$TMP/after"
    check "seed $seed: nothing is written" cmp "$TMP/before" "$TMP/after"
    check "seed $seed: nothing that was called done is lost" guest \
        'test -z "$(comm -23 before <(cd /mnt/usb &&
            find docs .berth/versions -type f -print0 | xargs -0 md5sum |
            cut -d" " -f1 | sort))"'
    guest 'fsck_mounted usb'
    expect_exit 1 guest 'berth sync'
    expect_exit 0 guest 'berth sync'
    check "seed $seed: all is well, as it says" all_is_well
    guest 'umount /mnt/usb'
    yank "lost$seed"
    check "seed $seed: fsck finds nothing" fsck_disk "lost$seed"
    rm "$TMP/lost$seed.img"
done
