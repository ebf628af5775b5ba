#!/usr/bin/env bash
# timeout 300
# kill -9 at every STEPth changing call of the sync that enters a filesystem for
# the first time, which is then unmounted: whatever had reached the drive stays
# there, and is complete when the filesystem is back.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
source_dir=$TMP/source
disk=$source_dir/disk
root=$(make_volume ext4 usb 64M)
mkdir -p "$disk" "$TMP/outside"
echo own >"$source_dir/own"
berth volume add "$root" --name usb
berth job add docs --source "$source_dir" --target usb:/docs
sed -i 's/name = "docs";/& cross_mounts = true;/' "$TMP/berth.conf"
expect_exit 0 berth sync

on_drive() { (cd "$root" && find docs -type f | LC_ALL=C sort); }

number=1 killed=0
while :; do
    mount --bind "$TMP/outside" "$disk"
    mkdir "$disk/deep"
    for i in 1 2 3; do echo "$number $i" >"$disk/deep/$i"; done
    rm -f "$TMP/hits"
    BERTH_SHIM=kill:$number BERTH_SHIM_LOG=$TMP/hits LD_PRELOAD=$TMP/shim.so \
        "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync \
        >"$TMP/said" 2>&1 || killed=$((killed + 1))
    patiently umount "$disk"
    on_drive >"$TMP/before"
    # The first run repairs, the second one is as always.
    for round in repair look; do
        berth sync --full >"$TMP/said" 2>"$TMP/words" || :
        on_drive | LC_ALL=C comm -23 "$TMP/before" - >"$TMP/lost"
        [ ! -s "$TMP/lost" ] ||
            fail "$number ($round): lost $(cat "$TMP/lost"): $(cat "$TMP/words")"
    done
    mount --bind "$TMP/outside" "$disk"
    expect_exit 0 berth sync --full
    [ "$(tree_digest "$source_dir")" = "$(tree_digest "$root/docs")" ] ||
        fail "$number: not equal when it is back"
    hit=$(cat "$TMP/hits" 2>/dev/null || :)
    rm -r "$disk/deep"
    patiently umount "$disk"
    berth job claim docs 2>"$TMP/words"
    expect_exit 0 berth sync
    [ "$(on_drive)" = docs/own ] || fail "$number: $(on_drive)"
    case $hit in *' '*) ;; *) break ;; esac # it got through unharmed
    number=$((number + ${STEP:-7}))
done
check "it was killed at several calls ($killed)" test "$killed" -ge 5

# A move: what was being taken away from there is put back there, once it is
# mounted again.
moving=$TMP/moving
disk=$moving/disk
mkdir -p "$disk" "$TMP/taken"
berth job remove docs
berth job add scrapes --source "$moving" --target usb:/raw --mode move
sed -i 's/name = "scrapes";/& cross_mounts = true;/' "$TMP/berth.conf"
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
export LD_PRELOAD=$TMP/clock.so
hidden() { find "$TMP/taken" "$moving" -name '.berth-*' | wc -l; }
number=1 killed=0 were_hidden=0
: >"$TMP/calls"
while :; do
    mount --bind "$TMP/taken" "$disk"
    mkdir -p "$disk/deep"
    for i in 1 2 3; do echo "$number $i" >"$disk/deep/$number-$i"; done
    sleep 0.06
    rm -f "$TMP/hits"
    BERTH_SHIM=kill:$number BERTH_SHIM_LOG=$TMP/hits \
        LD_PRELOAD="$TMP/clock.so $TMP/shim.so" "$BERTH" \
        --config "$TMP/berth.conf" --state-dir "$TMP/state" sync \
        >"$TMP/said" 2>&1 || killed=$((killed + 1))
    patiently umount "$disk"
    cat "$TMP/hits" >>"$TMP/calls" 2>/dev/null || :
    [ "$(hidden)" -eq 0 ] || were_hidden=$((were_hidden + 1))
    berth sync >"$TMP/said" 2>"$TMP/words" || :
    mount --bind "$TMP/taken" "$disk"
    expect_exit 0 berth sync >"$TMP/said"
    sleep 0.06 # what was put back just now changed just now
    expect_exit 0 berth sync >"$TMP/said"
    [ "$(hidden)" -eq 0 ] || fail "$number: $(find "$TMP/taken")"
    for i in 1 2 3; do
        [ "$(cat "$root/raw/disk/deep/$number-$i")" = "$number $i" ] ||
            fail "$number: $i is not on the drive"
    done
    [ -z "$(find "$TMP/taken" -type f)" ] || fail "$number: $(find "$TMP/taken")"
    patiently umount "$disk"
    hit=$(cat "$TMP/hits" 2>/dev/null || :)
    case $hit in *' '*) ;; *) break ;; esac
    number=$((number + ${STEP:-3}))
done
cat "$TMP/calls" >&2 # of use where this fails: which calls they were
check "while files had private names, too ($were_hidden of $killed)" test "$were_hidden" -ge 1
