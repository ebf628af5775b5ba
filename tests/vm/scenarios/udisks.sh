#!/usr/bin/env bash
# An ordinary user, through UDisks2: refused in words where polkit is not told,
# green where the kernel sent the flush, yellow where nobody saw one.
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

mount_by_udisks() {
    guest 'as_me udisksctl mount -b "$(node_of usb)" >mounted
        ln -sfn "$(sed "s/.* at //; s/\.$//" mounted)" disk; ls -ld disk'
}

disk_new usb 128M
guest 'start_udisks' || {
    guest 'cat /run/udisksd.log /run/polkitd.log'
    fail "UDisks2 does not start"
}
plug usb
guest 'mkdir -p /mnt/usb; mount -t exfat -o uid=1000 "$(node_of usb)" /mnt/usb'
guest 'make_files source 20 20000
    as_me berth volume add /mnt/usb --name usb
    as_me berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'as_me berth sync'
as=as_me eject_said 7 usb
check "refused: it names what polkit must allow" grep -q \
    'org.freedesktop.udisks2.filesystem-unmount' "$TMP/words"
check "it does not say SAFE" expect_exit 1 grep -q SAFE "$TMP/words"
check "but what it means" grep -q "DO NOT UNPLUG" "$TMP/words"
check "the disk was not stopped" expect_exit 1 grep -q 'STOP\|EJECT' "$TMP/trace"
guest 'umount /mnt/usb'

check "polkit takes the rule" guest allow_me
mount_by_udisks
guest 'head -c 5000000 /dev/urandom >disk/mine'
guest 'cd disk; exec sleep 1000 &'
as=as_me eject_said 6 usb
check "what others hold cannot be seen: it says so" grep -q 'other users' "$TMP/words"
guest 'pkill -x sleep'
as=as_me eject_said 0 usb
check "it says SAFE TO UNPLUG" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
check "the disk is gone" guest '! compgen -G "/dev/sd*"'
yank usb
check "clean" is_clean usb
check "fsck finds nothing" fsck_disk usb

plug usb write_cache=off
mount_by_udisks
check "equal to the source" guest 'are_equal source disk/docs'
guest 'head -c 5000000 /dev/urandom >disk/more'
as=as_me eject_said 0 usb --json
check "write through: berth saw no flush" grep -q '"flush_seen":false' "$TMP/words"
check "so it is not green" grep -q '"verdict":"yellow"' "$TMP/words"
yank usb
check "fsck still finds nothing" fsck_disk usb

# As a timer of a lingering user has it: no seat, no session, no terminal. (Of
# systemd the machine has udev only.)
plug usb
guest 'echo late >source/late; rm disk
    sed -i "s/name = \"usb\";/& mount = true;/" berth.conf'
trace_begin
expect_exit 0 guest_said 'as_me setsid berth sync --eject </dev/null' >"$TMP/words"
scsi_trace >"$TMP/trace"
cat "$TMP/words" >&2
check "headless: mounted, synced and SAFE" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "headless: flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
yank usb
plug usb
expect_exit 0 guest 'as_me berth mount usb'
check "berth mounts it by its name, equal to the source" guest \
    'are_equal source "$(findmnt -n -o TARGET "$(node_of usb)")/docs"'

# Who may not read the device learns that the volume was mounted dirty from what
# a flush writes (linux_check.c).
check "this user cannot read the device" guest '! as_me head -c 1 "$(node_of usb)" 2>/dev/null'
expect_exit 0 guest 'as_me berth sync'
guest 'as_me udisksctl unmount -b "$(node_of usb)"'
yank usb
make_dirty usb
plug usb
expect_exit 0 guest 'as_me berth mount usb'
guest 'echo later >source/later'
for _ in 1 2; do
    expect_exit 1 guest 'as_me berth sync' 2>"$TMP/words"
    cat "$TMP/words" >&2
    check "dirty: it names the remedy" grep -q "fsck.exfat $(device_of usb)" "$TMP/words"
done
guest 'as_me udisksctl unmount -b "$(node_of usb)"
    fsck.exfat -y "$(node_of usb)" >/dev/null || [ $? -eq 1 ]
    as_me berth mount usb'
expect_exit 0 guest 'as_me berth sync'
