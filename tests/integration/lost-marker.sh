#!/usr/bin/env bash
# quick
# A drive's marker is damaged, or gone: `berth drives` says which drive it is
# and what to do, and `berth volume add` writes the marker anew, so that what
# is known of the drive, and what only it has, stays known.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
export LD_PRELOAD=$TMP/clock.so
source_dir=$TMP/source
mkdir "$source_dir"
root=$(make_volume ext4 usb 64M)
other=$(make_volume ext4 other 64M)
berth volume add "$root" --name usb
berth job add films --source "$source_dir" --target usb:/films --mode move
echo film >"$source_dir/film"
echo first >"$source_dir/changed"
sleep 0.1
BERTH_UNSYNCHRONISED=1 expect_exit 0 berth sync
echo second >"$source_dir/changed"
sleep 0.1
expect_exit 0 berth sync
check "both are offloaded" test "$(berth find '*' | grep -c offloaded)" -eq 2
cp "$root/.berth/volume" "$TMP/marker"

for how in damaged missing; do
    case $how in
    damaged) head -c 200 /dev/urandom >"$root/.berth/volume" ;;
    missing) rm "$root/.berth/volume" ;;
    esac
    expect_exit 5 berth sync 2>"$TMP/said"
    berth drives >"$TMP/said"
    check "$how: the drives say what to do" \
        grep -q "it is volume usb .*berth volume add $root --name usb" "$TMP/said"
    berth doctor >"$TMP/said" || :
    check "$how: so does doctor" grep -q "berth volume add $root --name usb" "$TMP/said"
    expect_exit 2 berth volume add "$other" --name usb 2>"$TMP/said"
    check "$how: another drive is not it" test ! -e "$other/.berth"
    mount -o remount,ro "$root"
    expect_exit 4 berth volume add "$root" --name usb 2>"$TMP/said"
    check "$how: a read-only one is called that" grep -q 'read-only' "$TMP/said"
    mount -o remount,rw "$root"
    expect_exit 0 berth volume add "$root" --name usb 2>"$TMP/said"
    check "$how: it is said" grep -q 'is volume usb again' "$TMP/said"
    expect_exit 0 berth sync >"$TMP/said"
    expect_exit 0 berth diff --full
    check "$how: all is known as before" test "$(berth find '*' | grep -c offloaded)" -eq 2
    berth versions "$source_dir/changed" >"$TMP/said"
    check "$how: versions, too" grep -q 'replaced' "$TMP/said"
    expect_exit 0 berth restore "$source_dir/film" --to "$TMP/$how"
done
expect_exit 2 berth volume add "$root" --name usb 2>"$TMP/said"
check "one that has its marker keeps it" grep -q 'already' "$TMP/said"

# What went from the drive with its marker is noticed by the next sync.
rm "$root/.berth/volume" "$root/films/film"
expect_exit 0 berth volume add "$root" --name usb
expect_exit 3 berth sync 2>"$TMP/said"
check "a loss is named" grep -q 'film: was offloaded' "$TMP/said"

# A filesystem that was made anew is another one.
unmount_volume usb
mkfs.ext4 -q -F "$TMP/usb.img" 2>/dev/null
mount_volume usb >/dev/null
expect_exit 2 berth volume add "$root" --name usb 2>"$TMP/said"
check "nothing was written there" test ! -e "$root/.berth"

# A folder is known by its path.
mkdir "$TMP/folder"
berth volume add "$TMP/folder" --name folder --folder
rm "$TMP/folder/.berth/volume"
expect_exit 0 berth volume add "$TMP/folder" --name folder --folder 2>"$TMP/said"
check "a folder gets its marker again" grep -q 'is volume folder again' "$TMP/said"
