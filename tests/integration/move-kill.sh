#!/usr/bin/env bash
# timeout 1500
# kill -9 at every changing call of a removal (the mode "move"), and every one
# of them failing: each file is in the source under its own name, or it is
# gone, stands on the drive and is known to be offloaded; the next run repairs.
# On ext4, and on exFAT at every 7th (FULL=1: each), where a copy counts once
# the drive was plugged in again.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3 cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
source_dir=$TMP/source
export LD_PRELOAD=$TMP/clock.so

sync_only() { # nothing is removed by a clock that is not synchronised
    BERTH_UNSYNCHRONISED=1 berth sync
}

names="one two/three two/four/five"
fill() {
    local name
    for name in $names; do
        mkdir -p "$(dirname "$source_dir/$name")"
        [ -e "$source_dir/$name" ] || echo "$name" >"$source_dir/$name"
    done
    sleep 0.05 # not copied in the moment in which it changed
    sync_only >/dev/null 2>&1 || fail "$fs, round $round: the sync before"
    [ $fs = exfat ] || return 0
    replug_volume "usb_$fs"
    sync_only >/dev/null 2>&1 || fail "$fs, round $round: the sync after a plug"
}

# Somewhere, under whatever name, each content is to be found.
nothing_is_lost() {
    local name
    for name in $names; do
        grep -qrxF "$name" "$source_dir" "$root/films" ||
            fail "$fs, round $round ($call): $name is lost"
        # Whatever the source does not have stands whole on the drive.
        grep -qrxF "$name" "$source_dir" || grep -qxF "$name" "$root/films/$name" ||
            fail "$fs, round $round ($call): $name is not on the drive"
    done
}

all_is_repaired() {
    local name
    [ -z "$(find "$source_dir" -name '.berth-offload-*' -o -name '*.kept-*')" ] ||
        fail "$fs, round $round ($call): a private name is left"
    berth find '/**' >"$TMP/found"
    for name in $names; do
        [ -e "$source_dir/$name" ] || grep -q "/$name .*(offloaded)" "$TMP/found" ||
            fail "$fs, round $round ($call): $name is gone and not known as offloaded"
    done
    berth diff --full >"$TMP/said" 2>&1 ||
        fail "$fs, round $round ($call): $(cat "$TMP/said")"
}

# attack kill|fail: the Nth call, for every N, until nothing is hit any more.
attack() {
    local code what gone=0 hits=0 restored=0
    : >"$TMP/calls"
    for ((round = 1; ; round += step)); do
        call=none
        fill
        rm -f "$TMP/log"
        what=$1:$round
        [ "$1" = kill ] || what=$what:5 # EIO
        code=0
        LD_PRELOAD="$TMP/clock.so $TMP/shim.so" BERTH_SHIM=$what \
            BERTH_SHIM_LOG=$TMP/log berth tidy >"$TMP/said" 2>&1 || code=$?
        [ -e "$TMP/log" ] || break
        call=$(cat "$TMP/log")
        echo "$call" >>"$TMP/calls"
        hits=$((hits + 1))
        [ "$1" != kill ] || [ $code -eq 137 ] || fail "$fs, round $round: exit $code"
        [ "$1" = kill ] || [ $code -lt 128 ] || fail "$fs, round $round: exit $code"
        nothing_is_lost
        code=0
        sync_only >"$TMP/said" 2>&1 || code=$?
        [ $code -eq 0 ] || fail "$fs, round $round ($call): exit $code: $(cat "$TMP/said")"
        ! grep -q 'was repaired' "$TMP/said" || restored=$((restored + 1))
        nothing_is_lost
        all_is_repaired
        [ -e "$source_dir/one" ] || gone=$((gone + 1))
    done
    [ -z "$(find "$source_dir" -type f)" ] || fail "untouched, it removes all"
    # Of use where this fails: which calls they were, and what is said at last.
    cut -d ' ' -f 2 "$TMP/calls" | uniq -c >&2
    cat "$TMP/said" >&2
    # What only fails is put back by the run itself.
    check "$fs, $1: $hits calls hit, $restored times the next run put names back, $gone times the files had gone" \
        test "$hits" -gt 10 -a "$gone" -gt 0 -a \
        "$restored" -ge "$([ "$1" = kill ] && echo $((3 / step)) || echo 0)"
}

for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir"
    root=$(make_volume $fs "usb_$fs" 64M)
    step=1
    [ $fs = ext4 ] || step=${FULL:-7}
    berth volume add "$root" --name usb
    mkdir "$source_dir"
    berth job add films --source "$source_dir" --target usb:/films --mode move
    attack kill
    attack fail
    unmount_volume "usb_$fs"
done
