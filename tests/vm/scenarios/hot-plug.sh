#!/usr/bin/env bash
# A drive is plugged in, and pulled: berth knows it within two seconds of udev.
. "$(dirname "$0")/../lib.sh"

disk_new usb 64M label=HDD_HOME
plug usb vendor=Seagate model='Expansion HDD' serial=NAAX1
needs_drives
guest 'berth drives --json' >"$TMP/drives.json"
drive='[d for d in d["drives"] if d["bus"] == "USB"][0]'
for fact in 'attached" == True' 'external" == True' 'serial" == "NAAX1"' \
    'size_bytes" == 67108864' 'device" == "/dev/sda"'; do
    check "drive: $fact" test "$(json "${drive}[\"${fact/\"/\"]}" <"$TMP/drives.json")" = True
done
check "its model is in the title" test "$(json "'Expansion' in ${drive}['title']" <"$TMP/drives.json")" = True
for fact in 'label" == "HDD_HOME"' 'filesystem" == "exfat"' 'mounted" == False'; do
    check "volume: $fact" test "$(json "${drive}['volumes'][0][\"${fact/\"/\"]}" <"$TMP/drives.json")" = True
done

yank usb
check "it is gone within 2 s" guest 'until_true 2 eval "! ls /dev/sda 2>/dev/null" &&
    ! berth drives --json | grep -q NAAX1'
attach usb serial=NAAX1
guest 'until_true 15 has_filesystem NAAX1; date +%s.%N; until_true 5 eval \
    "berth drives --json | grep -q NAAX1"; date +%s.%N' >"$TMP/times"
check "it is back within 2 s of udev" test "$(awk \
    'NR == 1 { a = $1 } NR == 2 { print $1 - a < 2 }' "$TMP/times")" -eq 1
