#!/usr/bin/env bash
# The screen: a drive appears and leaves within two seconds of udev; ejected by
# a key, SAFE TO UNPLUG is painted after the disk was flushed and stopped; a
# drive that is pulled in the middle of a run is PULLED.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

trace_begin
guest 'udevadm monitor --udev --subsystem-match=block \
    >/dev/virtio-ports/marks 2>&1 </dev/null &'
screen_start
screen_wait 20 /dev/vdb

disk_new usb 256M label=HDD_HOME
attach usb vendor=Seagate model='Expansion HDD' serial=NAAX1
screen_wait 20 HDD_HOME
scsi_trace >"$TMP/trace"
took=$(seconds_between 'MARK UDEV.*add .*/sda1 ' 'SCREEN.*HDD_HOME' <"$TMP/trace")
check "its volume is on the screen $took s after udev" awk "BEGIN { exit !($took < 2) }"

press q

mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 20 20000
    berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'berth sync'
guest 'head -c 5000000 /dev/urandom >/mnt/usb/mine'
trace_begin
screen_start
screen_wait 20 'nothing pending'
trace_begin
press e
screen_wait 60 'SAFE TO UNPLUG'
scsi_trace >"$TMP/trace"
brief <"$TMP/trace" | cut -c1-200 >&2
check "flushed, then stopped, then painted" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
yank usb
check "fsck finds nothing" fsck_disk usb

press $'\r'
guest 'make_files source/more 60 500000'
trace_begin
plug usb bps=6000000
mount_disk usb
screen_wait 20 '61 pending'
press s
guest 'until_true 60 has_staged 8 /mnt/usb'
yank usb
screen_wait 20 PULLED
check "PULLED is on the screen" screen_has PULLED
