#!/usr/bin/env bash
# quick
# The helpers themselves: volumes are real, keep what is written to them, and
# tree_digest sees every difference.
. "$(dirname "$0")/lib.sh"

need_root
for filesystem in ext4 btrfs xfs exfat; do
    root=$(make_volume $filesystem "a $filesystem" 64M)
    check "$filesystem is a mount of its own" mountpoint -q "$root"
    mkdir -p "$root/dir one" "$root/.berth"
    echo content >"$root/dir one/file"
    echo ours >"$root/.berth/volume"
    tree_digest "$root" >"$TMP/before"
    check "one file is seen" test "$(wc -l <"$TMP/before")" -eq 1
    remount_volume "a $filesystem"
    check "$filesystem keeps it" diff "$TMP/before" <(tree_digest "$root")
    echo other >"$root/dir one/file"
    check "a change is seen" test "$(cat "$TMP/before")" != \
        "$(tree_digest "$root")"
done
(expect_exit 3 sh -c 'exit 3') || fail "expect_exit takes the right code"
if (expect_exit 3 true) 2>/dev/null; then
    fail "expect_exit refuses a wrong code"
fi
# What is left mounted here is the runner's to clean up.
