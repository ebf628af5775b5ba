#!/usr/bin/env bash
# quick
# A drive that rsync filled: nothing is copied again, not even when its times
# are off by a clock shift (another time zone, local time on FAT); and what only
# looks like that is replaced, the drive's own kept as a version.
. "$(dirname "$0")/lib.sh"

need_root
need_command rsync
source_dir=$TMP/source

# make_files COUNT: sizes that repeat, as photographs of one camera do not.
make_files() {
    local i
    rm -rf "$source_dir"
    mkdir -p "$source_dir/sub"
    for i in $(seq "$1"); do
        printf 'file %03d' "$i" >"$source_dir/sub/$i"
        touch -d "2024-07-01 12:00:$((i % 60))" "$source_dir/sub/$i"
    done
}

# shift_times HOURS DIRECTORY: of everything in it, on the drive.
shift_times() {
    find "$root/$2" -type f -printf '%T@ %p\n' | while read -r time path; do
        touch -d "@$((${time%.*} + $1 * 3600)).${time#*.}" "$path"
    done
}

for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf"
    root=$(make_volume $fs "usb_$fs" 64M)
    berth volume add "$root" --name usb
    make_files 20
    berth job add docs --source "$source_dir" --target usb:/docs
    rsync -rt "$source_dir/" "$root/docs"
    shift_times 2 docs
    expect_exit 0 berth sync >"$TMP/words" 2>&1
    check "$fs: a clock shift is said" grep -q '20 files on volume usb are off by +120 minutes' "$TMP/words"
    check "$fs: nothing is copied" test ! -e "$root/.berth/versions"
    expect_exit 0 berth sync --full >"$TMP/words" 2>&1
    check "$fs: it is said once" sh -c "! grep -q 'clock shift' '$TMP/words'"
    check "$fs: and stays adopted" grep -q 'nothing to do' "$TMP/words"
    expect_exit 0 berth verify

    # One of them has another content: it is no shift that can be believed.
    berth job remove docs
    make_files 8
    rsync -rt "$source_dir/" "$root/other"
    printf 'FILE 003' >"$root/other/sub/3"
    touch -r "$source_dir/sub/3" "$root/other/sub/3"
    shift_times -1 other
    berth job add other --source "$source_dir" --target usb:/other
    expect_exit 0 berth sync >"$TMP/words" 2>&1
    check "$fs: what only looks like a shift is replaced" \
        diff -r "$source_dir" "$root/other"
    check "$fs: and kept" grep -qrx 'FILE 003' "$root/.berth/versions"
    unmount_volume "usb_$fs"
done
