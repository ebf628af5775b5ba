#!/usr/bin/env bash
# Health of a disk that says it passed, whose critical counts grow, that fails,
# sleeps, or hides behind its bridge (smartctl is scripted; the real one's
# answers are in tests/linux/smartctl.c); of a supply that is too weak, and
# of a link that is reset.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

# smartctl STATUS TEXT: from now on.
smartctl() {
    printf '#!/bin/sh\ncat <<"END"\n%s\nEND\nexit %s\n' "$2" "$1" >"$VM/share/smartctl"
    guest 'install -m 755 /host/smartctl /usr/local/bin/smartctl'
}

# is STATE PATTERN: health of the USB drive, and why.
is() {
    guest 'berth drives --json' >"$TMP/drives.json"
    [ "$(json '[r["health"] for r in d["drives"] if r["bus"] == "USB"]' \
        <"$TMP/drives.json")" = "['$1']" ] &&
        json '[r["health_why"] for r in d["drives"] if r["bus"] == "USB"]' \
            <"$TMP/drives.json" | grep -q "$2"
}

table() { # RAW
    echo "{\"smart_status\": {\"passed\": true}, \"temperature\": {\"current\": 34},
        \"power_on_time\": {\"hours\": 4120}, \"ata_smart_attributes\": {\"table\": [
        {\"id\": 5, \"name\": \"Reallocated_Sector_Ct\", \"value\": 100,
        \"worst\": 100, \"thresh\": 10, \"flags\": {\"prefailure\": true},
        \"raw\": {\"value\": $1, \"string\": \"$1\"}}]}}"
}

disk_new usb 64M
smartctl 0 "$(table 8)"
plug usb
check "good: passed" is good 'SMART passed.*34.*4,120'
smartctl 0 "$(table 9)"
check "watch: a critical count grew" is watch 'grew from 8 to 9'
smartctl 8 '{"smart_status": {"passed": false}}'
check "failing: it says so itself" is failing 'fails'
smartctl 2 '{"smartctl": {"messages": [{"string": "Device is in STANDBY mode, exit(2)"}]}}'
trace_begin
check "asleep: not woken" is unknown 'asleep'
smartctl 1 '{"smartctl": {"messages": [{"string": "Unknown USB bridge"}]}}'
check "hidden by the bridge" is unknown 'bridge hides SMART'
guest 'rm /usr/local/bin/smartctl'
check "link speed is known" test "$(guest 'berth drives --json' |
    json '[r["link_mbit"] for r in d["drives"] if r["bus"] == "USB"]')" = '[5000]'
# QEMU neither has a weak supply nor resets a link: the kernel's words for them.
guest 'echo "<2>hwmon hwmon1: Undervoltage detected!" >/dev/kmsg'
check "watch: the power was too weak since it was plugged in" is watch 'power supply is too weak'
guest 'for device in /sys/bus/usb/devices/*; do
        ! grep -qs HARDDRIVE "$device/product" || name=${device##*/}
    done
    echo "<6>usb $name: reset SuperSpeed USB device number 2 using xhci_hcd" >/dev/kmsg'
check "watch: its link was reset" is watch '1 USB reset\b'
