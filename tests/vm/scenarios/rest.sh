#!/usr/bin/env bash
# Nothing wakes a sleeping disk, and at rest berth only waits: with the screen
# open for five seconds strace sees no other call, and the disk, which was told to
# stop, is sent nothing; nor by a list of drives and a diff from the catalogue.
# (The screen's clock wakes it at each full minute: five seconds without one.)
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 64M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 5 20000
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync'
trace_begin
guest 'TERM=linux setsid strace -f -o calls berth </dev/hvc0 >/dev/hvc0 2>screen.err &'
screen_wait 60 'nothing pending'
# Through its sg device: udev looks at a disk that somebody opened for writing.
generic=$(device_of usb)
generic=/sys/class/block/${generic##*/}/../device/scsi_generic
stop_disk="sync -f /mnt/usb; sync /mnt/usb; modprobe -q sg
    until_true 20 eval 'ls $generic/sg* >/dev/null'
    sg_start --stop /dev/\$(ls $generic)"
guest "$stop_disk"
# Waiting; a call that strace shows in two lines, too.
waits='(poll|ppoll|epoll_wait|epoll_pwait|futex|select|pselect6|restart_syscall)(\(| resumed)'
guest "others() { grep -vcE '$waits' calls; }
    at_rest() { before=\$(others); sleep 3; [ \"\$before\" -eq \"\$(others)\" ]; }
    until_true 90 at_rest" || {
    guest "grep -vE '$waits' calls | tail -n 20" >&2
    fail "it does not come to rest"
}
guest 'between_minutes() { [ "$(date +%-S)" -ge 3 ] && [ "$(date +%-S)" -le 45 ]; }
    until_true 30 between_minutes'
trace_begin
before=$(guest 'wc -l <calls')
sleep 5
guest "tail -n +$((before + 1)) calls" >"$TMP/calls"
grep -vE "$waits" "$TMP/calls" >"$TMP/others" || :
[ ! -s "$TMP/others" ] || guest 'tail -n 40 calls' >&2
check "in five seconds at rest $(wc -l <"$TMP/calls") calls, all of them waiting" \
    test ! -s "$TMP/others"
scsi_trace | grep -v 'SCREEN\|MARK' >"$TMP/commands" || :
check "the disk was sent nothing" test ! -s "$TMP/commands"
press q
guest 'until_true 10 eval "! pgrep -x berth"'

guest "berth drives >/dev/null; $stop_disk"
trace_begin
guest 'berth drives >/dev/null; berth diff --quick'
scsi_trace | grep -v 'SCREEN\|MARK' >"$TMP/commands" || :
cat "$TMP/commands" >&2
check "a list of drives and a quick diff do not wake it" test ! -s "$TMP/commands"
