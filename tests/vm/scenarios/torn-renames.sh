#!/usr/bin/env bash
# exFAT renames in two sectors, and the power goes between them. Allowed after
# any rename: the old name, the new name, both on the same clusters, neither.
# `both` and `neither` are built here for each rename of a run (new files, a
# changed one, one that moved, a deleted one), and recovered from.
# timeout 1200
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new usb 32M whole
plug usb log=on
mount_disk usb
guest 'berth volume add /mnt/usb --name usb
    make_files source 12 5000
    mkdir source/a source/b
    mv source/file\ 0000[4-7] source/a
    berth job add docs --source "$PWD/source" --target usb:/docs
    berth sync'
# What the run replaces may be lost with `neither`: its old contents and names.
GUEST_TIMEOUT=300 guest 'tree_digest source | grep -v "file 0000[148]" | cut -d" " -f1 | sort >before
    echo new >source/new
    echo changed >>source/file\ 00001
    rm source/file\ 00008
    mv source/a/file\ 00004 source/b/moved
    sync_volume() { sync -f /mnt/usb; sync /mnt/usb; }
    record_cuts usb sync_volume; cat sync.log; umount /mnt/usb'
guest 'cat cuts' >"$TMP/cuts"
cat "$TMP/cuts" >&2

# Each rename is between the stop before it and its own; berth's own files are
# replaced within one sector.
built=0 before=0
while read -r number entries call; do
    if [[ $call == renameat* && $call != *.commit && $call != *session ]]; then
        disk_cut usb all "$before" && cp "$VM/share/cut.img" "$TMP/before.img"
        disk_cut usb all "$entries" && cp "$VM/share/cut.img" "$TMP/after.img"
        for what in both neither; do
            code=0
            "$vm_dir/torn" "$TMP/before.img" "$TMP/after.img" $what \
                "$VM/share/cut.img" >&2 || code=$?
            [ "$code" -ne 77 ] || continue 2
            check "$call: $what: all is well again" guest "recover exfat $number >log 2>&1 || { cat log; false; }"
            built=$((built + 1))
        done
    fi
    before=$entries
done <"$TMP/cuts"
check "$built torn directories were built" test "$built" -ge 4
