#!/usr/bin/env bash
# A volume that is too small: what fits is copied, in words and with exit code
# 9; nothing that was there is lost, and once there is room the rest follows.
# A disk that is write-protected: refused in words, read all the same, ejected.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 64M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 10 1000000
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync
    tree_digest source >before
    head -c 30000000 /dev/zero >/mnt/usb/mine
    make_files source/more 40 1000000'
code=0
guest 'berth sync' >"$TMP/words" 2>&1 || code=$?
cat "$TMP/words" >&2
check "too small: its exit code is 9 (it is $code)" test "$code" -eq 9
check "what was there is whole" guest 'cd /mnt/usb/docs; md5sum --quiet -c ~-/before'
check "no staging is left" guest 'test -z "$(find /mnt/usb/.berth/staging -mindepth 1)"'
guest 'rm /mnt/usb/mine'
expect_exit 0 guest 'berth sync'
check "equal once there is room" guest 'are_equal source /mnt/usb/docs'
guest 'umount /mnt/usb'
yank usb
check "fsck finds nothing" fsck_disk usb

plug usb read_only=on
guest 'mount -t exfat -o ro "$(node_of usb)" /mnt/usb; echo new >source/new'
check "the drive is listed as read-only" test \
    "$(guest 'berth drives --json' | json '[v["read_only"] for r in d["drives"] for v in r["volumes"] if v["name"] == "usb"]')" = '[True]'
expect_exit 1 guest 'berth diff'
code=0
guest 'berth sync' >"$TMP/words" 2>&1 || code=$?
cat "$TMP/words" >&2
check "a sync is refused in words ($code)" grep -q 'read-only' "$TMP/words"
check "and not as done" test "$code" -ne 0
expect_exit 0 guest 'berth verify'
eject_said 0 usb
check "nothing was written" expect_exit 1 grep -q WRITE "$TMP/trace"
