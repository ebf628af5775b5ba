#!/usr/bin/env bash
# A disk that says "write through", as many USB bridges do: the kernel sends it
# no flush, whoever asks. Green only because berth sent one itself and read its
# status; through UDisks2 alone it would be yellow.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb write_cache=off
mount_disk usb
check "the kernel believes in write through" test \
    "$(guest "cat $(queue_of usb)/write_cache")" = 'write through'
guest 'berth volume add /mnt/usb --name usb
    make_files source 50 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'berth sync'
guest 'head -c 5000000 /dev/urandom >/mnt/usb/mine'
eject_said 0 usb --json
check "berth knows that it is write through" grep -q '"write_cache":"write-through"' "$TMP/words"
if grep -q '"verdict":"green"' "$TMP/words"; then
    check "green: it saw a flush itself" grep -q '"flush_seen":true' "$TMP/words"
    check "and the disk saw it" stopped_before 'green' <"$TMP/trace"
else
    check "yellow" grep -q '"verdict":"yellow"' "$TMP/words"
    check "no flush was seen" grep -q '"flush_seen":false' "$TMP/words"
fi
yank usb
check "fsck finds nothing" fsck_disk usb
plug usb
mount_disk usb
check "equal to the source" guest 'are_equal source /mnt/usb/docs'
