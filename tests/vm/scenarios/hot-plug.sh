#!/usr/bin/env bash
# A drive is plugged in, and pulled: what berth knows of it. How soon the screen
# does is in screen.sh.
. "$(dirname "$0")/../lib.sh"

disk_new usb 64M label=HDD_HOME
plug usb vendor=Seagate model='Expansion HDD' serial=NAAX1
guest 'berth drives --json' >"$TMP/drives.json"
disk=$(device_of usb)
disk=${disk%1}
drive='[d for d in d["drives"] if d["bus"] == "USB"][0]'
for fact in 'attached" == True' 'external" == True' 'serial" == "NAAX1"' \
    'size_bytes" == 67108864' "device\" == \"$disk\""; do
    check "drive: $fact" test "$(json "${drive}[\"${fact/\"/\"]}" <"$TMP/drives.json")" = True
done
check "its model is in the title" test "$(json "'Expansion' in ${drive}['title']" <"$TMP/drives.json")" = True
for fact in 'label" == "HDD_HOME"' 'filesystem" == "exfat"' 'mounted" == False'; do
    check "volume: $fact" test "$(json "${drive}['volumes'][0][\"${fact/\"/\"]}" <"$TMP/drives.json")" = True
done

yank usb
guest "until_true 10 eval '! compgen -G \"/dev/sd*\"'"
check "gone with it" guest '! berth drives --json | grep -q NAAX1'
plug usb serial=NAAX1
check "and back with it" guest 'berth drives --json | grep -q NAAX1'
