#!/usr/bin/env bash
# The helpers themselves: disks come and go, the trace tells the order, and
# what the design rests on is still true of this kernel (research: vm.md).
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M label=USB
attach usb vendor=WD model='My Passport 25E2' serial=WX1
check "udev knows the filesystem" guest 'until_true 15 has_filesystem WX1'
guest 'udevadm info --query=property "$(node_of WX1)"' >"$TMP/properties"
for property in ID_FS_TYPE=exfat ID_FS_LABEL=USB ID_BUS=usb \
    ID_MODEL=My_Passport_25E2 ID_SERIAL_SHORT=WX1; do
    check "$property" grep -qx "$property" "$TMP/properties"
done
check "it says write back" test "$(guest "cat $(queue_of usb)/write_cache")" = 'write back'

mount_disk usb
trace_begin
guest_said 'dd if=/dev/zero of=/mnt/usb/file bs=4k count=1 oflag=direct status=none
    echo written; sync -f /mnt/usb; echo synced'
scsi_trace >"$TMP/clean"
check "on a clean volume syncfs sends a SYNC" flushed_before synced <"$TMP/clean"
check "before it, what was written was not" expect_exit 1 flushed_before written <"$TMP/clean"
check "clean after syncfs" is_clean usb
guest 'echo y >/mnt/usb/other'
check "dirty from the next change on" is_dirty usb
guest umount /mnt/usb
check "clean after umount" is_clean usb
check "fsck finds nothing" fsck_disk usb

trace_begin
guest_said 'sg_sync /dev/sda && sg_start --stop /dev/sda && echo "SAFE it is"'
check "a stop is seen" stopped_before 'SAFE it is' < <(scsi_trace)
trace_begin
guest_said 'sg_sync /dev/sda; echo "SAFE it is"; sg_start --stop /dev/sda'
check "a stop too late is seen" expect_exit 1 stopped_before 'SAFE it is' < <(scsi_trace)

yank usb
make_dirty usb
plug usb
mount_disk usb
trace_begin
guest_said 'echo y >/mnt/usb/file2; sync -f /mnt/usb; echo synced; sync /mnt/usb/file2; echo flushed'
scsi_trace >"$TMP/dirty"
check "on a dirty volume syncfs sends no SYNC" expect_exit 1 flushed_before synced <"$TMP/dirty"
check "but fsync does" flushed_before flushed <"$TMP/dirty"
guest 'dd if=/dev/zero of=/mnt/usb/big bs=1M count=20 status=none'
yank usb
guest_status=0
guest 'grep /mnt/usb /proc/mounts; ls -A /mnt/usb; sync -f /mnt/usb' || guest_status=$?
check "after a yank the mount stays, and syncfs fails" test "$guest_status" -ne 0
guest umount /mnt/usb

disk_new slow 64M whole
plug slow write_cache=off bps=4000000
check "it says write through" test "$(guest 'cat /sys/block/sd?/queue/write_cache')" = 'write through'
mount_disk slow
trace_begin
guest_said 'echo x >/mnt/slow/file; sync /mnt/slow/file; echo synced'
check "nobody sends a SYNC then" expect_exit 1 flushed_before synced < <(scsi_trace)
begun=$EPOCHREALTIME
guest 'dd if=/dev/zero of=/mnt/slow/file bs=1M count=12 status=none conv=fsync'
check "the slow disk is slow" test "$(seconds_since "$begun" | cut -d. -f1)" -ge 2
guest umount /mnt/slow
yank slow

disk_new sick 64M
plug sick error=flush
mount_disk sick
check "an injected flush error arrives" expect_exit 1 guest 'echo x >/mnt/sick/file; sync /mnt/sick/file'
guest_start later 'sleep 1; echo said; exit 3'
check "a command in the background ends" expect_exit 3 guest_wait later 10
guest umount /mnt/sick

guest 'echo kept >kept; sync kept'
power_cut
check "a dead machine answers nothing" expect_exit 124 guest true
machine_start
check "the internal disk outlives a power cut" test "$(guest 'cat kept')" = kept
