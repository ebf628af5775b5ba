#!/usr/bin/env bash
# timeout 200
# What happens between two runs on any machine: a reboot, a plain umount,
# another program's eject, another port. No false alarm, and deletes go on. Then
# what must be found: content that rots on either side under unchanged times.
# shellcheck disable=SC2016 # commands in quotes are run later
. "$(dirname "$0")/lib.sh"

need_root
need_command unshare
cat /proc/sys/kernel/random/boot_id >"$TMP/boot_id"

# berth after a reboot, as far as it can tell.
rebooted_berth() {
    cat /proc/sys/kernel/random/uuid >"$TMP/boot_id"
    unshare -m sh -c 'mount --bind "$0" /proc/sys/kernel/random/boot_id &&
        exec "$@"' "$TMP/boot_id" "$BERTH" --config "$TMP/berth.conf" \
        --state-dir "$TMP/state" "$@"
}

edit() { # ROUND
    echo "$1" >"$TMP/source/changed"
    echo "$1" >"$TMP/source/new $1"
    rm -f "$TMP/source/new $(($1 - 1))"
    mv "$TMP/source/"moved* "$TMP/source/moved $1"
}

# Everything arrived, nothing was held, nothing was said but the summary.
is_quiet() {
    test "$code" -eq 0 && diff -r -x .berth "$TMP/source" "$root/docs" &&
        ! grep -q 'left in the middle\|repaired\|held\|conflict' "$TMP/words"
}

quiet_after() { # WHAT COMMAND…
    local what=$1
    shift
    edit $((round += 1))
    code=0
    "$@" >"$TMP/words" 2>&1 || code=$?
    is_quiet || fail "$fs, after $what: exit code $code: $(cat "$TMP/words")"
    echo "ok: $fs: $what raises no alarm, deletes go on" >&2
}

for fs in ext4 exfat; do
    rm -rf "$TMP/source" "$TMP/state" "$TMP/berth.conf"
    mkdir -p "$TMP/source"
    echo content >"$TMP/source/moved 0"
    root=$(make_volume $fs "usb_$fs" 64M)
    expect_exit 0 berth volume add "$root" --name usb
    expect_exit 0 berth job add docs --source "$TMP/source" --target usb:/docs
    round=0
    quiet_after "nothing" berth sync
    remount_volume "usb_$fs"
    quiet_after "a plain umount" berth sync
    remount_volume "usb_$fs"
    quiet_after "a plain umount and a reboot" rebooted_berth sync
    quiet_after "a reboot with the drive mounted by hand" rebooted_berth sync
    replug_volume "usb_$fs"
    quiet_after "another program's eject" berth sync
    replug_volume "usb_$fs"
    quiet_after "an eject and a reboot" rebooted_berth sync
    expect_exit 0 berth verify
    unmount_volume "usb_$fs"
done

# --- rot: one byte, under the filesystem, no time tells ---

# rot NAME FROM TO: on the device, while it is away.
rot() {
    local loop
    loop=$(cut -d' ' -f2 "$volumes_/$1")
    unmount_volume "$1"
    python3 - "$loop" "$2" "$3" <<'PYTHON'
import sys
device, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
assert len(old) == len(new)
with open(device, "r+b") as file:
    content = file.read()
    at = content.find(old)
    assert at >= 0, "not on the device"
    while at >= 0:
        file.seek(at)
        file.write(new)
        at = content.find(old, at + 1)
PYTHON
    mount_volume "$1" >/dev/null
}

rm -rf "$TMP/state" "$TMP/berth.conf"
inside=$(make_volume ext4 inside 64M)
usb=$(make_volume ext4 usb 64M)
mkdir "$inside/home"
echo 'good content, number one' >"$inside/home/one"
echo 'good content, number two' >"$inside/home/two"
sleep 0.1
berth volume add "$usb" --name usb
berth job add docs --source "$inside/home" --target usb:/docs
expect_exit 0 berth sync
rot inside 'good content, number one' 'gone content, number one'
check "the source has rotted" grep -q '^gone' "$inside/home/one"
expect_exit 0 berth sync --full
check "rot of the source does not reach the drive" grep -q '^good' "$usb/docs/one"
rm "$usb/docs/one"
code=0
berth sync --full >"$TMP/words" 2>&1 || code=$?
check "rot of the source is named ($code)" test "$code" -eq 3
check "and is not copied" test ! -e "$usb/docs/one"
check "in words" grep -q 'one: rot in the source' "$TMP/words"
touch "$inside/home/one" # it is as it should be
expect_exit 0 berth sync --full
check "unless somebody says that it is as it should be" grep -q '^gone' "$usb/docs/one"
rot usb 'good content, number two' 'gone content, number two'
expect_exit 3 berth verify >"$TMP/words" 2>&1
check "rot of the drive is named" grep -q 'two: rot' "$TMP/words"
check "and does not reach the source" grep -q '^good' "$inside/home/two"

# --- drift: the same on either side, with other times ---
echo 'somebody else was here' >"$usb/docs/one"
expect_exit 1 berth diff --full >"$TMP/words"
check "drift is shown" grep -q '!.*one' "$TMP/words"
expect_exit 0 berth sync --full
check "a mirror puts its own file there" grep -q '^gone' "$usb/docs/one"
check "and keeps what was there" grep -qrx 'somebody else was here' "$usb/.berth/versions"
