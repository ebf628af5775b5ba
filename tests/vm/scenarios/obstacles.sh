#!/usr/bin/env bash
# What is in the way of `E`, each picture from its real cause: an ordinary user
# at the screen, UDisks2, polkit, the kernel's exFAT.
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

# picture_of "what" PATTERN…: after `E`; Esc leads back to the drives.
picture_of() {
    local what=$1
    shift
    shows 90 "$@"
    sed 's/^/    /' "$TMP/picture" >&2
    check "$what" true
}

# Esc leads back to the drives; after a run to its report, and `q` from there.
back() {
    press $'\e'
    until_true 3 is_shown 'Enter review' || press q
    shows 30 'Enter review'
}

# changed PATTERN: the drive is compared anew, and its row says so.
changed() {
    press R
    compared 60 "$1"
}

disk_new usb 128M label=HDD_HOME
guest 'start_udisks && allow_me'
plug usb vendor=Seagate model='Expansion HDD'
guest 'as_me udisksctl mount -b "$(node_of usb)"
    ln -s /media/me/HDD_HOME disk
    make_files source 20 20000
    as_me berth volume add /media/me/HDD_HOME --name usb
    as_me berth job add docs --source "$PWD/source" --target usb:/docs'
expect_exit 0 guest 'as_me berth sync'
as=as_me screen_start
shows 60 'Seagate Expansion' 'nothing pending'

guest 'mkdir aside; mv source/file\ 0000* aside'
changed ' 10 pending'
press E
picture_of "over the cap" '10 deletes held'
back
guest 'mv aside/* source'
changed 'nothing pending'

guest 'make_files source/more 7 20000000'
changed ' 8 pending'
press E
picture_of "full" 'is too full' 'Esc'
back
guest 'rm -r source/more'
changed 'nothing pending'

guest 'echo secret >source/secret; echo plain >source/plain
    chown root source/secret; chmod 000 source/secret'
changed ' 2 pending'
press E
picture_of "failed files" '1 file did not arrive'
back
guest 'rm source/secret'
changed 'nothing pending'

# Written to for as long as it is read: a copy takes longer than the next dd.
guest 'head -c 20000000 /dev/urandom >source/busy'
guest_start writer 'while :; do
        dd if=/dev/urandom of=source/busy bs=64k count=300 conv=notrunc status=none
    done'
changed ' 1 pending'
press E
picture_of "files that change" 'still changing'
# Its dd would make the file again.
guest 'pkill -f calls/writer; until_true 20 eval "! pgrep -x dd"; rm source/busy'
back
changed 'nothing pending'

guest 'echo new >source/new; mount -o remount,ro /media/me/HDD_HOME'
changed 'read-only'
press E
picture_of "read-only" 'is mounted read-only'
back
guest 'mount -o remount,rw /media/me/HDD_HOME'
changed ' 1 pending'

# Held, then let go; and polkit does not let this user power a drive off.
guest 'sed -i "s/subject.user == \"me\"/& \&\& action.id.indexOf(\"power-off\") < 0/" \
        /etc/polkit-1/rules.d/50-vm.rules
    until_true 60 eval "! pkcheck_me"'
guest_start holder 'cd /media/me/HDD_HOME/docs && as_me sleep 1000'
guest 'until_true 10 pgrep -x sleep'
press E
picture_of "busy" 'is held by' 'sleep'
guest 'pkill -x sleep'
picture_of "power-off refused" 'UNMOUNTED AND FLUSHED'
yank usb

# The disk says yes to each write and refuses to flush its cache: once with
# nothing to copy, once in the middle of a run, and it stays red.
plug usb vendor=Seagate model='Expansion HDD' error=flush
guest 'as_me udisksctl mount -b "$(node_of usb)"
    echo mine >/media/me/HDD_HOME/mine'
shows 60 'Enter review' 'nothing pending'
press E
picture_of "a failed flush" 'DO NOT UNPLUG' 'error while its data was flushed' \
    '. not flushed' 'everything is on it'
back
guest 'echo newer >source/newer'
changed ' 1 pending'
shows 10 'DO NOT UNPLUG'
press E
picture_of "a failed flush in a run" 'DO NOT UNPLUG: the drive failed' 'r retry'
press x
picture_of "ejected all the same" 'DO NOT UNPLUG ·' '. not flushed' '1 pending'
