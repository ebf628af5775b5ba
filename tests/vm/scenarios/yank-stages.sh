#!/usr/bin/env bash
# The plug is pulled at one moment of each stage: while the drive is read, in
# the barriers, between renames, before the commit, and in the middle of an
# eject. berth names it (7), and after the next plug all of it is there.
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 128M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 30 5000
    for i in 1 2 3 4 5 6 7 8; do mkdir source/d$i; echo $i >source/d$i/file; done
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync'

# pull WORDS…: while berth is paused; its exit code must be 7.
pull() {
    yank usb
    until_true 60 guest test -s paused.code || fail "it does not end"
    guest cat paused.log
    check "$1: its exit code is 7" test "$(guest cat paused.code)" = 7
    guest 'umount /mnt/usb 2>/dev/null' || :
    plug usb
    mount_disk usb
}

# What was cut off in the middle wants fsck first (4), or deletes nothing before
# it (1). Once the drive has been read back deletes are done, too.
repaired() {
    local code=0
    guest 'berth sync' || code=$?
    if [ "$code" -ne 0 ]; then
        check "$1: fsck is asked for ($code)" test "$code" -eq 1 -o "$code" -eq 4
        guest 'fsck_mounted usb; berth sync || berth sync'
    fi
    check "$1: equal" guest 'are_equal source /mnt/usb/docs'
    check "$1: no staging is left" guest \
        'test -z "$(find /mnt/usb/.berth/staging -mindepth 1)"'
}

# Which thread reads which directory is not known: any of the drive's.
guest 'paused 4 getdents64 7 diff --full' || fail "no directory is read"
pull scan
check "scan: nothing was changed" guest 'are_equal source /mnt/usb/docs'

round=0
for moment in barrier:syncfs=1 renames:renameat,renameat2=8 \
    second-barrier:syncfs=2; do
    stage=${moment%%:*} call=${moment#*:} round=$((round + 1))
    guest "make_files 'source/new $round' 6 3000
        echo changed >>'source/file 0000$round'
        rm 'source/file 0001$round'
        mv 'source/file 0002$round' 'source/renamed $round'
        paused 4 ${call%=*} ${call#*=} sync" || fail "$stage is not reached"
    pull "$stage"
    repaired "$stage"
done

guest 'echo mine >/mnt/usb/mine; paused 4 umount2 1 eject usb' ||
    fail "no umount is seen"
pull eject
check "eject: it did not say SAFE" guest '! grep -q SAFE paused.log'
check "eject: but DO NOT UNPLUG" guest 'grep -q "DO NOT UNPLUG" paused.log'
repaired eject
