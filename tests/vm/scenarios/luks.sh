#!/usr/bin/env bash
# A volume in a LUKS container: synced, ejected with the container locked before
# the disk is stopped, and locked again after the next plug until it is opened.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

unlock() {
    guest 'echo secret | cryptsetup open "$(readlink -f /dev/disk/by-id/usb-*_usb-0:0)" vault
        udevadm settle'
}

disk_new usb 64M whole
plug usb
# Cheap to open: this machine is emulated.
guest 'modprobe -a dm-crypt xts ecb algif_skcipher
    echo secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
        --pbkdf-force-iterations 1000 "$(node_of usb)"'
unlock
guest 'mkfs.exfat -L Vault /dev/mapper/vault >/dev/null; udevadm settle
    mkdir -p /mnt/usb; mount -t exfat /dev/mapper/vault /mnt/usb
    berth volume add /mnt/usb --name vault
    make_files source 10 20000
    berth job add docs --source "$PWD/source" --target vault:/docs'
expect_exit 0 guest 'berth sync'
check "it belongs to its USB drive" test "$(guest 'berth drives --json' |
    json '[v["name"] for r in d["drives"] if r["bus"] == "USB" for v in r["volumes"] if v["name"]]')" = "['vault']"
eject_said 0 vault
check "it says SAFE TO UNPLUG" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
check "it is locked" guest '! ls /dev/mapper/vault 2>/dev/null'
yank usb
plug usb
check "the list names the container" guest 'berth drives | grep -i luks'
expect_exit 5 guest 'berth sync'
unlock
guest 'mount -t exfat /dev/mapper/vault /mnt/usb'
check "equal to the source" guest 'are_equal source /mnt/usb/docs'
expect_exit 0 guest 'berth sync'
