#!/usr/bin/env bash
# alone
# timeout 900
# The same tree with `rsync -a --delete` beside it in one run: the same result,
# times and memory side by side (medians of three, cold caches). A figure, not
# a limit: what must hold is that the trees are equal.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"

need_root
need_command rsync python3
[ -x /usr/bin/time ] || skip "needs /usr/bin/time"

source_dir=$TMP/source
make_tree "$source_dir" 20000
flags=-a

cold() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
}

# measure NAME COMMAND…: adds "seconds KiB" to $TMP/NAME
measure() {
    local name=$1
    shift
    cold
    /usr/bin/time -o "$TMP/time" -f '%e %M' "$@" >/dev/null
    cat "$TMP/time" >>"$TMP/$name"
}

median() { # NAME COLUMN
    sort -n -k "$2" "$TMP/$1" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

row() { # WORDS NAME
    awk -v words="$1" -v bs="$(median "berth-$2" 1)" -v rs="$(median "rsync-$2" 1)" \
        -v bm="$(median "berth-$2" 2)" -v rm="$(median "rsync-$2" 2)" 'BEGIN {
        printf "%-34s berth %6.2f s %4.0f MiB   rsync %6.2f s %4.0f MiB   rsync/berth %.2f\n",
            words, bs, bm / 1024, rs, rm / 1024, rs / bs }'
}

as_rsync() {
    # Durable at the end, as berth is: the flush is part of the time.
    sh -c "rsync $flags --delete '$source_dir/' '$1/lab/' && sync -f '$1'"
}

for fs in ext4 exfat; do
    [ $fs != exfat ] || flags=-rt
    rm -f "$TMP"/berth-* "$TMP"/rsync-*
    for round in 1 2 3; do
        rm -rf "$TMP/state" "$TMP/berth.conf"
        ours=$(make_volume $fs ours 2G)
        theirs=$(make_volume $fs theirs 2G)
        berth volume add "$ours" --name ours
        berth job add lab --source "$source_dir" --target ours:/lab
        export -f as_rsync
        export flags source_dir
        measure berth-first "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync
        measure rsync-first bash -c "as_rsync '$theirs'"
        measure berth-none "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync
        measure berth-nonefull "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync --full
        measure rsync-none bash -c "as_rsync '$theirs'"
        cp "$TMP/rsync-none" "$TMP/rsync-nonefull"
        find "$source_dir" -type f -size -200k | LC_ALL=C sort | awk -v r=$round 'NR % 100 == r' |
            while read -r file; do echo "$round" >>"$file"; done
        measure berth-one "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync
        measure rsync-one bash -c "as_rsync '$theirs'"
        # On exFAT names are NFC on the drive, which rsync takes for others.
        [ $fs = exfat ] || check "$fs, round $round: rsync finds nothing left to do" \
            test -z "$(rsync -an --delete --exclude=/.berth --itemize-changes "$source_dir/" "$ours/lab/")"
        unmount_volume ours
        unmount_volume theirs
        cut -d' ' -f2 "$volumes_/ours" "$volumes_/theirs" | xargs losetup -d
        rm -f "$TMP/ours.img" "$TMP/theirs.img"
    done
    echo "== $fs, 20,000 files, $(du -sm "$source_dir" | cut -f1) MiB, medians of 3, cold"
    row "first copy" first
    row "nothing to do (by the rule)" none
    row "nothing to do, drive read, too" nonefull
    row "1 % changed" one
done
