#!/usr/bin/env bash
# quick
# A volume that is not mounted: exit 5, and nothing lands in the empty mount
# point on the internal disk (ENGINE G1).
. "$(dirname "$0")/lib.sh"

need_root
root=$(make_volume ext4 usb 64M)
mkdir "$TMP/source"
echo one >"$TMP/source/file"
berth volume add "$root" --name usb
berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 berth sync
echo two >"$TMP/source/other"
unmount_volume usb

expect_exit 5 berth sync 2>"$TMP/words"
check "it says that the volume is away" grep -q 'usb is not attached or not mounted' "$TMP/words"
check "nothing lands in the empty mount point" test -z "$(ls -A "$root")"
expect_exit 1 berth diff >"$TMP/diff"
check "the catalogue answers while the drive is away" grep -q '+  other' "$TMP/diff"
expect_exit 5 berth diff --full
expect_exit 5 berth verify

# Something else is mounted at its path.
other=$(make_volume ext4 other 64M)
umount "$other"
mount "$(cut -d' ' -f2 "$volumes_/other")" "$root"
expect_exit 5 berth sync
check "nothing lands on another volume at its path" test "$(ls -A "$root")" = lost+found
umount "$root"

# The mount point's own directory carries a copy of the marker.
mount "$(cut -d' ' -f2 "$volumes_/usb")" "$root"
cp -r "$root/.berth" "$TMP/copied"
umount "$root"
cp -r "$TMP/copied" "$root/.berth"
expect_exit 5 berth sync
check "a copied marker in a plain directory does not make it the volume" \
    test ! -e "$root/docs"
rm -r "$root/.berth"

mount_volume usb >/dev/null
expect_exit 0 berth sync
check "back again, it is synced" cmp "$TMP/source/other" "$root/docs/other"
