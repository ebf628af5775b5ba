#!/usr/bin/env bash
# quick
# A volume that is mounted in a container, too: our own mount table says that
# it is unmounted, and it is not. tests/vm has the same with a USB disk.
. "$(dirname "$0")/lib.sh"

need_root
need_command unshare losetup
root=$(make_volume ext4 usb 64M)
device=$(findmnt -n -o SOURCE "$root")
unshare --mount --propagation private sleep 60 &
container=$!
until grep -q sleep "/proc/$container/comm"; do sleep 0.1; done

expect_exit 7 berth eject "$device" --json >"$TMP/out"
check "red" grep -q '"verdict":"red"' "$TMP/out"
check "for this reason" grep -q '"still_in_use":true' "$TMP/out"
kill "$container"
wait "$container" || true
mount "$device" "$root"
berth eject "$device"
