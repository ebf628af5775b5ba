#!/usr/bin/env bash
# All times on the drive are an hour off: another driver, or FAT after the clocks
# were changed (ENGINE: no part after the first sync). Nothing is copied, lost or
# in conflict, whatever the mode; what changed on the drive still is.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
root=$(make_volume ext4 usb 64M)
berth volume add "$root" --name usb
for mode in mirror update move; do
    mkdir "$TMP/$mode"
    for i in $(seq 12); do
        echo "$mode $i" >"$TMP/$mode/file $i"
        touch -d "2025-07-0$((i % 9 + 1)) 12:00" "$TMP/$mode/file $i"
    done
    berth job add "$mode" --source "$TMP/$mode" --target "usb:/$mode" --mode "$mode"
done
sed -i 's/mode = "move";/& min_copies = 1;/' "$TMP/berth.conf"
berth sync
LD_PRELOAD=$TMP/clock.so berth sync move
check "what was moved is only on the drive" test ! -e "$TMP/move/file 1"
berth diff --full

find "$root/mirror" "$root/update" "$root/move" -type f -exec touch -d '2025-07-05 13:00' {} +
for mode in mirror update move; do
    for i in $(seq 12); do
        touch -d "2025-07-0$((i % 9 + 1)) 13:00" "$root/$mode/file $i"
    done
done
rm "$TMP/mirror/file 12"
echo 'Mirror 3' >"$root/mirror/file 3" # the same size, and no shifted time

expect_exit 1 berth diff --full 2>"$TMP/words" >"$TMP/diff"
check "it is said with the hour" grep -q 'job mirror: .* by +60 minutes' "$TMP/words"
check "what changed on the drive is drift" grep -q 'file 3' "$TMP/diff"
check "nothing else is" test "$(grep -c 'file ' "$TMP/diff")" -eq 1
for mode in update move; do
    check "$mode: said, too" grep -q "job $mode: .* clock shift" "$TMP/words"
done
expect_exit 0 berth sync --full
check "one file was copied" test "$(find "$root/.berth/versions" -type f | wc -l)" -eq 1
check "its version is what stood there" \
    grep -qx 'Mirror 3' "$(find "$root/.berth/versions" -type f)"
expect_exit 0 berth sync --full 2>"$TMP/words"
check "it is said once" expect_exit 1 grep -q 'clock shift' "$TMP/words"
check "what is gone went, a run later" test ! -e "$root/mirror/file 12"
expect_exit 0 berth diff --full
expect_exit 0 berth verify
