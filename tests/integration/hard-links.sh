#!/usr/bin/env bash
# quick
# Names of one file in the source are files of their own on the drive, as with
# `rsync -a`: whole, on exFAT and on ext4. What is written through one name
# arrives under all, and neither a new name nor a name that goes is a conflict,
# a delete of the others, or a reason to copy those again.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3
source_dir=$TMP/source

# run_said NEW CHANGED RENAMED DELETED: what the last run did.
run_said() {
    berth history --json | python3 -c '
import json, sys
run = json.load(sys.stdin)["runs"][0]
print(run["new"], run["changed"], run["renamed"], run["deleted"])' >"$TMP/counts"
    check "$fs, $what: $*" test "$(cat "$TMP/counts")" = "$*"
}

# night WHAT NEW CHANGED RENAMED DELETED
night() {
    what=$1
    shift
    sleep 0.05 # not copied in the moment in which it changed
    expect_exit 0 berth sync >"$TMP/words" 2>&1
    run_said "$@"
    check "$fs, $what: no conflict" expect_exit 0 berth diff --full
    diff -r -x .berth "$source_dir" "$root/docs" || fail "$fs, $what: not equal"
    if [ $fs = ext4 ] && command -v rsync >/dev/null; then
        left=$(rsync -ain --delete --exclude=/.berth "$source_dir/" "$root/docs/")
        check "$fs, $what: rsync -a has nothing to do: $left" test -z "$left"
    fi
}

for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir"
    root=$(make_volume $fs "usb_$fs" 64M)
    mkdir -p "$source_dir/sub"
    head -c 300000 /dev/urandom >"$source_dir/a"
    ln "$source_dir/a" "$source_dir/b"
    ln "$source_dir/a" "$source_dir/sub/c"
    echo other >"$source_dir/other"
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    night "three names" 4 0 0 0
    check "$fs: each is a file of its own" \
        test "$(stat -c %i "$root/docs/a" "$root/docs/b" "$root/docs/sub/c" | sort -u | wc -l)" -eq 3
    echo more >>"$source_dir/b"
    night "written through one name" 0 3 0 0
    ln "$source_dir/a" "$source_dir/sub/d"
    night "one more name" 1 0 0 0
    rm "$source_dir/a"
    night "one name goes" 0 0 0 1
    mv "$source_dir/b" "$source_dir/sub/renamed"
    night "one name is renamed" 0 0 1 0
    echo own >"$TMP/own"
    mv "$TMP/own" "$source_dir/sub/c" # as an editor saves
    night "one name becomes a file of its own" 0 1 0 0
    rm -rf "$TMP/back"
    expect_exit 0 berth restore usb:/docs --to "$TMP/back" >/dev/null
    check "$fs: restore brings each name back" diff -r "$source_dir" "$TMP/back/docs"
    unmount_volume "usb_$fs"
done
