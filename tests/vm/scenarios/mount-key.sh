#!/usr/bin/env bash
# An ordinary user at the screen plugs a drive in that nobody mounts: `m` mounts
# it through UDisks2. It was pulled without eject before: who may read the
# device, as the group `disk` may, is told so by `E` before the first byte.
# timeout 600
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M label=HDD_HOME
guest 'start_udisks && allow_me'
plug usb vendor=Seagate model='Expansion HDD'
guest 'as_me udisksctl mount -b "$(node_of usb)"
    make_files source 5 20000
    as_me berth volume add /media/me/HDD_HOME --name usb
    as_me berth job add docs --source "$PWD/source" --target usb:/docs
    as_me berth sync; umount /media/me/HDD_HOME
    mkdir -p /run/udev/rules.d
    echo "SUBSYSTEM==\"block\", ENV{ID_BUS}==\"usb\", MODE=\"0664\"" \
        >/run/udev/rules.d/99-vm.rules; udevadm control --reload; echo newer >source/newer'
yank usb
make_dirty usb
as=as_me screen_start
plug usb vendor=Seagate model='Expansion HDD'
shows 60 'Seagate Expansion' 'not mounted'
press m
shows 60 ' 1 pending'
check "m mounts it, as this user" until_true 60 guest 'mountpoint -q /media/me/HDD_HOME'
# What was not read yet when the key was pressed wants to be seen first.
press E
until_true 15 is_shown 'was unplugged without eject' || press E
shows 90 'was unplugged without eject'
sed 's/^/    /' "$TMP/picture" >&2
check "the picture of a dirty drive" true
press $'\e'
guest 'umount /media/me/HDD_HOME; rm /run/udev/rules.d/99-vm.rules; udevadm control --reload'
