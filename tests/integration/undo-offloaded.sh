#!/usr/bin/env bash
# quick
# What `move` has removed here stands on the drive only: undo of the run that
# copied or changed it is refused, and leaves it where it is.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
export LD_PRELOAD=$TMP/clock.so
source_dir=$TMP/source
mkdir "$source_dir"
root=$(make_volume ext4 usb 64M)
berth volume add "$root" --name usb
berth job add films --source "$source_dir" --target usb:/films --mode move
echo first >"$source_dir/film"
echo first >"$source_dir/other"
sleep 0.1
BERTH_UNSYNCHRONISED=1 expect_exit 0 berth sync # copied by run 1
echo second >"$source_dir/film"
sleep 0.1
expect_exit 0 berth sync # changed by run 2, then both are removed here
check "both are offloaded" test "$(berth find '*' | grep -c offloaded)" -eq 2

for run in "" 2 1; do
    expect_exit 4 berth undo $run 2>"$TMP/said"
    check "undo $run is refused" grep -q 'run [12] cannot be taken back: ' "$TMP/said"
done
expect_exit 4 berth undo 2>"$TMP/said"
check "it says why" grep -q 'film was removed from this machine since: only the drive has it' "$TMP/said"
check "the newest content stands on the drive" grep -qx second "$root/films/film"
check "and the other" grep -qx first "$root/films/other"
expect_exit 0 berth diff --full

# What still is here is the source's business again.
echo here >"$source_dir/here"
sleep 0.1
BERTH_UNSYNCHRONISED=1 expect_exit 0 berth sync
expect_exit 0 berth undo
check "what is still here is taken back" test ! -e "$root/films/here"
expect_exit 0 berth sync
check "and copied again by the next sync" grep -qx here "$root/films/here"
