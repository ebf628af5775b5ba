#!/usr/bin/env bash
# quick
# A source that keeps whole seconds: what changes in the second in which it was
# read is not missed.
. "$(dirname "$0")/lib.sh"

need_root
need_command mkfs.ext4 python3
truncate -s 128M "$TMP/source.img"
mkfs.ext4 -q -I 128 "$TMP/source.img" 2>/dev/null
source_dir=$TMP/mnt/source
mkdir -p "$source_dir" "$TMP/drive"
mount -o loop "$TMP/source.img" "$source_dir" || skip "cannot mount ext4"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$source_dir" --target usb:/docs
echo first >"$source_dir/first"
expect_exit 0 berth sync
check "its lost+found stays where it is" test ! -e "$TMP/drive/docs/lost+found"

next_second() {
    python3 -c 'import time; time.sleep(1.02 - time.time() % 1)'
}

# changes_within_the_second SYNCS
changes_within_the_second() {
    local try before
    for try in 1 2 3; do
        next_second
        echo "one $try" >"$source_dir/file"
        before=$(stat -c %z "$source_dir/file")
        for ((i = 0; i < $1; i++)); do expect_exit 0 berth sync; done
        echo "two $try" >"$source_dir/file"
        [ "$(stat -c %z "$source_dir/file")" != "$before" ] || return 0
    done
    skip "too slow: the second was over"
}

changes_within_the_second 1
expect_exit 0 berth sync
check "what changed after the copy is copied" cmp "$source_dir/file" "$TMP/drive/docs/file"
changes_within_the_second 2
expect_exit 0 berth sync
check "and after it was compared" cmp "$source_dir/file" "$TMP/drive/docs/file"
sleep 2
expect_exit 0 berth sync
expect_exit 0 berth diff --full

# A large file, stopped in the middle, changes in the second of its copying:
# another run must not go on with the part of the old one.
berth_slowly() {
    timeout --signal=INT 0.4 "$BERTH" --config "$TMP/slow.conf" --state-dir "$TMP/state" sync \
        >"$TMP/words" 2>&1
}

sed 's/name = "usb";/& bandwidth = "40M";/' "$TMP/berth.conf" >"$TMP/slow.conf"
stopped=false
for try in 1 2 3 4 5; do
    python3 -c 'import os, sys; open(sys.argv[1], "wb").write(os.urandom(40 << 20))' "$TMP/large"
    next_second
    cat "$TMP/large" >"$source_dir/large"
    before=$(stat -c %z "$source_dir/large")
    code=0
    berth_slowly || code=$?
    echo "another beginning $try" | dd of="$source_dir/large" conv=notrunc status=none
    # 0: it was whole before it was stopped.
    if [ "$(stat -c %z "$source_dir/large")" = "$before" ] && [ "$code" -ne 0 ]; then
        stopped=true
        break
    fi
    rm "$source_dir/large"
    expect_exit 0 berth sync
done
$stopped || skip "too slow: the second was over"
expect_exit 0 berth sync
check "a part that was read in the second of a change is not gone on with" \
    cmp "$source_dir/large" "$TMP/drive/docs/large"
