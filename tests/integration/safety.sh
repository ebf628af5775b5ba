#!/usr/bin/env bash
# quick
# Refusals: a clone, two writers, a read-only mount, a full volume, source and
# target within each other, a damaged marker, a marker of a newer berth.
. "$(dirname "$0")/lib.sh"

need_root
mkdir "$TMP/source"
echo one >"$TMP/source/file"
root=$(make_volume ext4 usb 64M)
berth volume add "$root" --name usb
berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 berth sync

# A clone: the same filesystem on another device.
unmount_volume usb
cp --sparse=always "$TMP/usb.img" "$TMP/clone.img"
loop=$(losetup --find --show "$TMP/clone.img")
mkdir "$TMP/mnt/clone"
mount "$loop" "$TMP/mnt/clone"
mount_volume usb >/dev/null
echo two >"$TMP/source/file"
expect_exit 4 berth sync 2>"$TMP/words"
check "a clone is refused, and both are named" \
    grep -q "$TMP/mnt/usb.*and.*$TMP/mnt/clone\|$TMP/mnt/clone.*and.*$TMP/mnt/usb" "$TMP/words"
check "neither was written" grep -qx one "$root/docs/file" "$TMP/mnt/clone/docs/file"
umount "$TMP/mnt/clone"
mkfs.ext4 -q -F "$loop"
mount "$loop" "$TMP/mnt/clone"
cp -r "$root/.berth" "$TMP/mnt/clone"
unmount_volume usb
expect_exit 4 berth sync 2>"$TMP/words"
check "a copied .berth on another filesystem is refused" \
    grep -q 'a copy of .berth' "$TMP/words"
umount "$TMP/mnt/clone"
mount_volume usb >/dev/null

# A bind mount of the volume is the same volume.
mkdir "$TMP/mnt/bind"
mount --bind "$root" "$TMP/mnt/bind"
expect_exit 0 berth sync
umount "$TMP/mnt/bind"

# Two writers.
(
    flock -x 9
    expect_exit 6 berth sync 2>"$TMP/words"
) 9<"$root/.berth/volume"
check "a volume in use is busy" grep -q 'volume usb is in use by' "$TMP/words"

# Read-only.
mount -o remount,ro "$root"
echo three >"$TMP/source/file"
expect_exit 4 berth sync 2>"$TMP/words"
check "a read-only mount is refused" grep -q 'mounted read-only' "$TMP/words"
expect_exit 1 berth diff >/dev/null
mount -o remount,rw "$root"

# Full: what fits is copied, the rest is named, exit 9.
head -c 90000000 /dev/urandom >"$TMP/source/a large"
echo small >"$TMP/source/small"
expect_exit 9 berth sync 2>"$TMP/words"
check "what does not fit is named" grep -q 'a large: no space' "$TMP/words"
check "what fits is copied" cmp "$TMP/source/small" "$root/docs/small"
expect_exit 1 berth diff >/dev/null
rm "$TMP/source/a large"
expect_exit 0 berth sync

# Within each other.
mkdir "$root/inside"
echo x >"$root/inside/x"
expect_exit 0 berth job add nested --source "$root/docs" --target usb:/docs2
sed -i "s|$root/docs\"|$root\"|" "$TMP/berth.conf"
expect_exit 4 berth sync nested 2>"$TMP/words"
check "source and target within each other are refused" \
    grep -q 'within each other' "$TMP/words"
berth job remove nested

# Markers.
cp "$root/.berth/volume" "$TMP/marker"
sed -i 's/"format": 1/"format": 99/' "$root/.berth/volume"
expect_exit 4 berth sync 2>"$TMP/words"
check "a newer marker says: update berth" grep -q 'update berth' "$TMP/words"
head -c 1000000 /dev/zero >"$root/.berth/volume"
expect_exit 2 berth volume add "$root" --name again
echo '{"berth": "volume"}' >"$root/.berth/volume"
expect_exit 4 berth volume add "$root" --name again
ln -sf /etc/passwd "$root/.berth/volume"
expect_exit 4 berth volume add "$root" --name again
rm -f "$root/.berth/volume"
cp "$TMP/marker" "$root/.berth/volume"
expect_exit 0 berth sync

# A symlink planted in the target's path.
rm -rf "$root/docs"
mkdir "$TMP/elsewhere"
ln -s "$TMP/elsewhere" "$root/docs"
code=0
berth sync --full 2>"$TMP/words" || code=$?
check "a symlink planted in the path is refused ($code)" test $code -ne 0
check "nothing lands where it points" test -z "$(ls -A "$TMP/elsewhere")"
