#!/usr/bin/env bash
# quick
# A clock that was years ahead for one night: what was noted by it proves
# nothing afterwards. The drive is read again within a week (ENGINE,
# Comparing), and a drive that is away is missed.
. "$(dirname "$0")/lib.sh"

need_command cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl

# on_day N COMMAND…
on_day() {
    local day=$1
    shift
    LD_PRELOAD=$TMP/clock.so BERTH_CLOCK_OFFSET=$((day * 86400)) berth "$@"
}

mkdir -p "$TMP/source/deep" "$TMP/drive"
echo whole >"$TMP/source/deep/file"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 on_day 3650 sync
echo somebody >"$TMP/drive/docs/deep/file"
expect_exit 0 on_day 8 sync
check "the drive was read, and its file made good" \
    cmp "$TMP/source/deep/file" "$TMP/drive/docs/deep/file"

expect_exit 0 on_day 3650 sync
mv "$TMP/drive" "$TMP/away"
expect_exit 5 on_day 10 sync 2>"$TMP/words" # its only target
check "not missed in the first night that is dated right" \
    test -z "$(grep 'stale_after' "$TMP/words")"
expect_exit 5 on_day 21 sync 2>"$TMP/words"
check "missed after stale_after" grep -q 'stale_after' "$TMP/words"
