#!/usr/bin/env bash
# kill -9 at a system call of each stage, on the kernel's exFAT: the next sync
# repairs without being asked, and nothing is lost, doubled or left behind.
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 256M
plug usb
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 40 5000
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync'
round=0
# In the first barriers, between renames, before and after the commit file.
for moment in syncfs=1 renameat,renameat2=1 renameat,renameat2=20 fsync=2 fsync=4; do
    round=$((round + 1))
    guest "make_files 'source/new $round' 20 3000
        echo changed >>'source/file 0000$round'
        rm 'source/file 0001$round'
        mv 'source/file 0002$round' 'source/renamed $round'"
    if ! guest "sync_stalled ${moment%=*} ${moment#*=}"; then
        guest 'cat paused.log'
        fail "$moment is not reached"
    fi
    guest kill_berth
    expect_exit 0 guest 'berth sync'
    check "$moment: equal after the repair" guest 'are_equal source /mnt/usb/docs'
    check "$moment: no staging is left" guest \
        'test -z "$(find /mnt/usb/.berth/staging -mindepth 1)"'
done
expect_exit 0 guest 'berth diff --full'
expect_exit 0 guest 'berth verify'
