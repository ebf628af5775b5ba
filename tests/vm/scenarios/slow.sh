#!/usr/bin/env bash
# A slow disk: what is said to be done follows the disk, not the memory in
# front of it, and an eject after the sync has next to nothing left to flush.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb bps=3000000
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 40 1000000
    berth job add docs --source "$PWD/source" --target usb:/docs'

# written PATTERN: MB that the disk was sent before it was said.
written() {
    awk -v pattern="$1" '$2 == "WRITE" { blocks += $4 }
        $2 == "MARK" && $0 ~ pattern { printf "%d\n", blocks / 2000; exit }' \
        "$TMP/trace"
}

trace_begin
guest_start sync 'berth sync'
guest 'until_true 60 has_staged 8 /mnt/usb'
for look in 1 2; do
    guest_said "sleep 0.7
        berth drives --json | sed -n 's/.*\"done_bytes\": *\([0-9]*\).*/look $look: \1/p'" >"$TMP/look"
    scsi_trace >"$TMP/trace"
    read -r _ _ done_bytes <"$TMP/look" || fail "no run is seen in berth drives"
    check "look $look: $((done_bytes / 1000000)) MB are said to be done, $(written "look $look") are" \
        test "$((done_bytes / 1000000))" -le $(($(written "look $look") + 2))
done
expect_exit 0 guest_wait sync 60
guest_said 'echo synced'
scsi_trace >"$TMP/trace"
check "all of it is on the disk when it ends" flushed_before synced <"$TMP/trace"
seconds=$(seconds_between WRITE 'MARK synced' <"$TMP/trace")
check "which took as long as the disk needs ($seconds s)" awk "BEGIN { exit !($seconds > 5) }"
eject_said 0 usb
check "it says SAFE TO UNPLUG" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "the eject had to write $(written SAFE) MB" test "$(written SAFE)" -le 1
yank usb

# The screen: what it says is left, some seconds in, is about what it takes. Of
# files that go past the cache: small ones are "written" before the disk has them.
plug usb bps=3000000
mount_disk usb
guest 'make_files source/more 10 6000000'
screen_start
compared 60 ' 11 pending'
press s
shows 60 ' s left'
sleep 3
shows 10 ' s left'
left=$(grep -oE '[0-9]+ s left' "$TMP/picture" | head -n 1 | cut -d ' ' -f 1)
begun=$SECONDS
until_true 120 eval '! is_shown " s left" && ! is_shown "making it durable"'
took=$((SECONDS - begun))
check "$left s are said to be left, it takes $took s" \
    test "$took" -ge $((left / 2 - 2)) -a "$took" -le $((left * 2 + 5))
