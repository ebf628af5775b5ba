#!/usr/bin/env bash
# Power cuts of a disk with a cache of its own, replayed: at every flush of a
# run and at points drawn by a fixed seed between them, of what came after the
# last flush any part is there, missing or torn. On exFAT each rename may leave
# the old name, the new one, both or neither; on ext4 the old or the new one.
# After each the first sync loses nothing that was durable, and the next ones
# bring all of it.
# timeout 1200
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

record() { # TYPE
    disk_new usb 32M whole "type=$1"
    plug usb log=on
    GUEST_TIMEOUT=300 guest "mkdir -p /mnt/usb; mount -t $1 \$(node_of usb) /mnt/usb
        berth volume add /mnt/usb --name usb
        make_files source 30 5000"'
        berth job add docs --source "$PWD/source" --target usb:/docs
        berth sync
        tree_digest source | grep -v "file 0000[1-4]" | cut -d" " -f1 | sort >before
        make_files source/new 6 20000
        for i in 1 2; do
            echo changed >>"source/file 0000$i"
            rm "source/file 0001$i"
            mv "source/file 0002$i" "source/renamed $i"
        done
        sync -f /mnt/usb; sync /mnt/usb
        record_cuts usb; cat sync.log; umount /mnt/usb'
    yank usb
    guest 'cat cuts' >"$TMP/cuts"
}

# points COUNT EVERY: entries of the log after which the power goes: every such
# flush (1: all), and COUNT between them.
points() {
    local first last
    read -r _ first _ <"$TMP/cuts"
    last=$("$vm_dir/lose" --flushes "$TMP/usb.log" "$first" | tail -n 1)
    {
        "$vm_dir/lose" --flushes "$TMP/usb.log" "$first" |
            awk -v every="$2" 'NR % every == 0'
        python3 -c "import random
chance = random.Random(7)
for _ in range($1): print(chance.randint($first, $last))"
    } | sort -nu
}

replay() { # TYPE POINTS
    local point number count=0
    for point in $2; do
        number=$(awk -v point="$point" '$2 <= point { n = $1 } END { print n }' "$TMP/cuts")
        disk_cut usb 3 "$point"
        check "$1, cut after $point, state $number" guest \
            "recover $1 $number >log 2>&1 || { cat log; false; }"
        count=$((count + 1))
    done
    echo "$1: $count power cuts, $(wc -l <"$TMP/cuts") stops" >&2
}

record ext4
# The first 41 passed when all were tried; its journal flushes far more often than exFAT does.
replay ext4 "$(points 3 8)"
guest 'rm -rf source state* berth.conf'
record exfat
replay exfat "$(points 5 1)"
