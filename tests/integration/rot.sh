#!/usr/bin/env bash
# quick
# Rot as a disk does it: a bit of a file's cluster flips on the medium, size and
# all times stay. On the drive, in the source, on both; found by `verify --heal`,
# healed from the good side, never spread; what has no good copy is named by
# every run and left alone.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3

# flip NAME TEXT…: one bit of each text on the volume's medium.
flip() {
    local name=$1
    shift
    unmount_volume "$name"
    python3 - "$TMP/$name.img" "$@" <<'END'
import mmap, sys
with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), 0) as image:
    for text in sys.argv[2:]:
        at = image.find(text.encode())
        assert at >= 0 and image.find(text.encode(), at + 1) < 0, text
        image[at] ^= 1
END
    mount_volume "$name" >/dev/null
}

for filesystem in ext4 exfat; do
    source=$(make_volume ext4 "from-$filesystem" 32M)
    usb=$(make_volume "$filesystem" "$filesystem" 64M)
    rm -rf "$TMP/state" "$TMP/berth.conf"
    for i in 1 2 3 4; do
        printf 'this is what file %d says, on %s' "$i" "$filesystem" >"$source/file$i"
    done
    # The kernel's clock ticks: what was written as it was copied is not certain.
    sleep 0.1
    berth volume add "$usb" --name usb
    berth job add docs --source "$source" --target usb:/docs
    berth sync
    cp -a "$source" "$TMP/good"

    flip "$filesystem" 'this is what file 1 says' 'this is what file 3 says'
    flip "from-$filesystem" 'this is what file 2 says' 'this is what file 3 says'
    expect_exit 0 berth sync --full
    check "$filesystem: size and times hide it" cmp -s "$source/file1" "$TMP/good/file1"
    expect_exit 3 berth verify --heal >"$TMP/words" 2>&1
    cat "$TMP/words" >&2
    check "$filesystem: rot on the drive is named" grep -q 'file1: rot' "$TMP/words"
    check "$filesystem: and healed" cmp "$usb/docs/file1" "$TMP/good/file1"
    check "$filesystem: rot in the source is named" \
        grep -q 'file2: rot in the source.*is what was written' "$TMP/words"
    check "$filesystem: and not copied" cmp "$usb/docs/file2" "$TMP/good/file2"
    check "$filesystem: no good copy is named" \
        grep -q 'file3: rot in the source.*is rotten, too' "$TMP/words"
    check "$filesystem: what is sound is left alone" cmp "$usb/docs/file4" "$TMP/good/file4"
    cp "$usb/docs/file3" "$TMP/file3"
    expect_exit 3 berth sync 2>"$TMP/words"
    check "$filesystem: each run names it" grep -q 'file3: rot in the source' "$TMP/words"
    check "$filesystem: and leaves it" cmp "$usb/docs/file3" "$TMP/file3"

    # The user decides: the drive's copy replaces what rotted in the source.
    expect_exit 0 berth restore --replace "$source/file2"
    check "$filesystem: restored" cmp "$source/file2" "$TMP/good/file2"
    cp -p "$TMP/good/file3" "$source/file3"
    touch "$source/file3"
    expect_exit 0 berth sync
    rm -f "$source"/*.replaced-*
    berth sync >/dev/null || :
    expect_exit 0 berth verify --heal >/dev/null
    check "$filesystem: all is well" diff -r "$source" "$usb/docs" -x lost+found
    rm -rf "$TMP/good"
    unmount_volume "$filesystem"
    unmount_volume "from-$filesystem"
done
