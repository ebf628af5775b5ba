#!/usr/bin/env bash
# Many names that change in case only, on exFAT: each goes through a temporary
# name in staging, and a run that is stopped between two batches leaves no file
# there: staging is emptied (ENGINE G6). Stopped at each rename in turn, with
# batches of three files. A killed run is repaired by as many calls as there are
# names, not by their square.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/shim.sh"
need_command strace

root=$(make_volume exfat usb 64M)
mkdir "$TMP/source"
for i in 1 2 3 4 5; do echo "photo $i" >"$TMP/source/IMG_$i.JPG"; done
berth volume add "$root" --name usb
berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 berth sync
BERTH=$(dirname "$BERTH")/tests/berth-small-batches

contents() {
    cat "$1"/* | LC_ALL=C sort
}

for stop_at in $(seq 1 14); do
    for file in "$TMP/source"/*; do
        name=$(basename "$file")
        if [ $((stop_at % 2)) -eq 1 ]; then other=${name,,}; else other=${name^^}; fi
        mv "$file" "$TMP/source/$other"
    done
    code=0
    # shellcheck disable=SC2016 # of the hook's own shell
    LD_PRELOAD=$TMP/shim.so BERTH_SHIM=hook:$stop_at \
        BERTH_SHIM_CALLS="rename renameat renameat2" \
        BERTH_SHIM_HOOK='unset LD_PRELOAD; kill -TERM $PPID; sleep 0.3' \
        berth sync >"$TMP/words" 2>&1 || code=$?
    check "stopped or through ($code)" test "$code" -eq 8 -o "$code" -eq 0
    check "stopped at rename $stop_at: each file is on the drive" \
        diff <(contents "$TMP/source") <(contents "$root/docs")
    expect_exit 0 berth sync --json >"$TMP/json"
    check "nothing is copied again" grep -q '"new":0,"changed":0' "$TMP/json"
    check "all have their new names" diff -r "$TMP/source" "$root/docs"
done

BERTH=$(dirname "$BERTH")/../berth
many=300
mkdir "$TMP/source/many"
for ((i = 0; i < many; i++)); do echo "many $i" >"$TMP/source/many/dsc$i"; done
expect_exit 0 berth sync
for ((i = 0; i < many; i++)); do
    mv "$TMP/source/many/dsc$i" "$TMP/source/many/DSC$i"
done
expect_exit 137 env LD_PRELOAD="$TMP/shim.so" BERTH_SHIM=kill:20 \
    BERTH_SHIM_CALLS="rename renameat renameat2" "$BERTH" \
    --config "$TMP/berth.conf" --state-dir "$TMP/state" sync
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=statx -o "$TMP/calls" \
    "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync
calls=$(wc -l <"$TMP/calls")
check "repaired with $calls looks at names, not thousands for each" \
    test "$calls" -lt $((many * 30))
check "all have their new names" diff -r "$TMP/source" "$root/docs"
