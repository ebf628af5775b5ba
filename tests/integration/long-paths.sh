#!/usr/bin/env bash
# quick
# Names of 255 bytes, and paths that no system call takes (PATH_MAX): those of
# which only the drive's is too long, since the job's directory comes before it,
# and those that are too long in the source already.
. "$(dirname "$0")/lib.sh"

need_command python3
root=$(make_volume ext4 usb 64M)
mkdir "$TMP/source"

python3 - "$TMP/source" <<'PYTHON'
import os, sys
os.chdir(sys.argv[1])
for level in range(20):
    name = str(level).ljust(255, "x")
    os.mkdir(name)
    os.chdir(name)
    open("file", "w").write("level %d" % level)
    if level == 14:
        for length in (200, 252, 253, 254, 255):
            open("z" * length, "w").write("length %d" % length)
PYTHON

berth volume add "$root" --name usb
berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 berth sync
expect_exit 0 berth verify >"$TMP/words"
check "all that was copied is found again" grep -q ' 25 verified' "$TMP/words"
expect_exit 0 berth diff --full
expect_exit 0 berth restore "$TMP/source" --to "$TMP/restored" >"$TMP/words"
check "and given back" grep -q '^25 files restored' "$TMP/words"

rm -r "$TMP/source/0"*
echo one >"$TMP/source/one"
expect_exit 0 berth sync docs --deletes 25
expect_exit 0 berth diff --full
expect_exit 0 berth versions "$TMP/source" >"$TMP/words"
check "versions are kept of all" test "$(grep -c deleted "$TMP/words")" -eq 25
