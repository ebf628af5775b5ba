#!/usr/bin/env bash
# timeout 240
# A power cut on a disk with a cache of its own: what was not flushed may be
# there, missing or torn, in any order, so that directories, allocation bitmap
# and data contradict each other. berth must notice: it may need fsck, but never
# says that all is well when it is not, and loses nothing that it called done
# (ENGINE, Recovery and G8).
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

# Seeds for which nothing, everything and some of it arrived.
for seed in 2 5 1 4; do
    disk_lose usb "$seed" "lost$seed"
    guest 'rm -rf state; cp -a state.cut state'
    plug "lost$seed" serial=usb
    mount_disk "lost$seed" /mnt/usb
    code=0
    guest 'berth sync' >"$TMP/words" 2>&1 || code=$?
    cat "$TMP/words" >&2
    check "seed $seed: it says that nothing is deleted" grep -q 'nothing is deleted' "$TMP/words"
    check "seed $seed: the exit code is 1 or 3 (it is $code)" test "$code" -eq 1 -o "$code" -eq 3
    check "seed $seed: nothing that was called done is lost" guest \
        'test -z "$(comm -23 before <(cd /mnt/usb &&
            find docs .berth/versions -type f -print0 | xargs -0 md5sum |
            cut -d" " -f1 | sort))"'
    code=0
    guest 'berth sync' || code=$?
    if [ "$code" -ne 0 ]; then
        guest 'umount /mnt/usb; fsck.exfat -y "$(node_of usb)" >/dev/null;
            mount -t exfat "$(node_of usb)" /mnt/usb; berth sync' || :
        expect_exit 0 guest 'berth sync'
    fi
    check "seed $seed: all is well, as it says" all_is_well
    guest 'umount /mnt/usb'
    yank "lost$seed"
    check "seed $seed: fsck finds nothing" fsck_disk "lost$seed"
    rm "$TMP/lost$seed.img"
done
