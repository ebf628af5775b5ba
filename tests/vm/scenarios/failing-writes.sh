#!/usr/bin/env bash
# Writes that fail, and writes that vanish without an error. umount returns 0
# after both; berth never calls the drive safe on its word, nor because a later
# try works: a session that ended well has to copy it all again.
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 5 20000
    berth job add docs --source "$PWD/source" --target usb:/docs
    sed -i "s/name = \"docs\";/& verify = \"read-back\";/" berth.conf
    berth sync; umount /mnt/usb'
yank usb

# --- error_writes ---
plug usb error=write
mount_disk usb
guest 'make_files source/new 5 20000'
code=0
guest 'berth sync' >"$TMP/words" 2>&1 || code=$?
cat "$TMP/words" >&2
check "a sync whose writes fail fails ($code)" test "$code" -eq 3 -o "$code" -eq 7
eject_said 7 usb
check "it says DO NOT UNPLUG" grep -q 'DO NOT UNPLUG' "$TMP/words"
check "umount returns 0, all the same" guest '! mountpoint -q /mnt/usb || umount /mnt/usb'
yank usb
plug usb
mount_disk usb
expect_exit 0 guest 'berth sync'
check "equal once writes work again" guest 'are_equal source /mnt/usb/docs'
guest 'umount /mnt/usb'

# --- drop_writes ---
# flaky WORDS…: the volume through dm-flakey, from now on like this.
flaky() {
    guest "device=\$(node_of usb)
        echo 0 \$(blockdev --getsz \$device) flakey \$device 0 $* >table
        [ -e /dev/mapper/flaky ] || dmsetup create flaky --table \"\$(cat table)\"
        dmsetup suspend flaky; dmsetup reload flaky table; dmsetup resume flaky"
}
flaky 60 0
guest 'mount -t exfat /dev/mapper/flaky /mnt/usb; berth sync; make_files source/lost 5 20000'
flaky 0 60 1 drop_writes
code=0
guest 'berth sync' >"$TMP/words" 2>&1 || code=$?
cat "$TMP/words" >&2
check "writes that vanish are found by reading back ($code)" \
    test "$code" -eq 3 -o "$code" -eq 7
check "it does not say that all is well" expect_exit 1 grep -q 'in sync' "$TMP/words"
code=0
guest 'berth eject usb' >"$TMP/words" 2>&1 || code=$?
cat "$TMP/words" >&2
check "nor that it is safe" expect_exit 1 grep -q SAFE "$TMP/words"
guest '! mountpoint -q /mnt/usb || umount /mnt/usb'
check "umount did not fail" guest '! mountpoint -q /mnt/usb'
flaky 60 0
guest 'mount -t exfat /dev/mapper/flaky /mnt/usb'
guest 'berth sync' || :
expect_exit 0 guest 'berth sync'
check "equal once they are kept" guest 'are_equal source /mnt/usb/docs'
guest 'umount /mnt/usb; dmsetup remove flaky'
