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
mkdir -p "$TMP/source/below/deep" "$TMP/mnt/folder"
mount --bind "$TMP/source/below/deep" "$TMP/mnt/folder"
berth volume add "$TMP/mnt/folder" --name folder --folder
berth job add nested --source "$TMP/source" --target folder:/copy
expect_exit 0 berth sync nested
expect_exit 0 berth sync nested
check "a folder that a bind mount hides in the source is not copied into itself" \
    test ! -e "$TMP/source/below/deep/copy/below/deep"
berth job remove nested
umount "$TMP/mnt/folder"
rm -r "$TMP/source/below"

# What is mounted and on no disk is not among the mounts that are looked at.
mount -t tmpfs none "$TMP/mnt/folder"
expect_exit 4 berth volume add "$TMP/mnt/folder" --name memory 2>"$TMP/words"
check "what is on no disk is refused, and the way to have it said"     grep -q 'no disk.*tmpfs.*--folder' "$TMP/words"
check "nothing is written to it" test -z "$(ls -A "$TMP/mnt/folder")"
umount "$TMP/mnt/folder"

# What another user put where the hint for others is written.
if [ -d /run/lock/berth ]; then
    id=$(sed -n 's/.*name = "usb"; id = "\([0-9a-f]*\)".*/\1/p' "$TMP/berth.conf")
    echo precious >"$TMP/precious"
    bash -c 'ln -s "$1" "/run/lock/berth/$2.$$" && shift 2 && exec "$@"' - "$TMP/precious" "$id" \
        "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync docs
    check "a symlink where the hint is written is not followed" grep -qx precious "$TMP/precious"
    mkfifo "/run/lock/berth/$id"
    exec 9<"$root/.berth/volume"
    flock 9
    expect_exit 6 timeout 20 "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync docs
    exec 9<&-
    rm "/run/lock/berth/$id"
fi

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
