#!/usr/bin/env bash
# quick
# What stands in the way on the drive, and is not berth's to remove, is a
# conflict (exit 1) that is named, not a failure of each night (ENGINE,
# Comparing); and what is, makes room.
. "$(dirname "$0")/lib.sh"

source_dir=$TMP/source
docs=$TMP/drive/docs
mkdir -p "$source_dir/tree" "$source_dir/linked" "$source_dir/swap" "$TMP/drive"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$source_dir" --target usb:/docs
for file in file changed tree/file linked/file swap/gone swap/edited keep; do
    echo "$file" >"$source_dir/$file"
done
expect_exit 0 berth sync

# Somebody made directories of files, and a symlink of a directory.
rm "$docs/file" "$docs/changed" && mkdir "$docs/file" "$docs/changed"
echo theirs >"$docs/file/theirs"
mv "$docs/linked" "$TMP/elsewhere" && ln -s "$TMP/elsewhere" "$docs/linked"
echo "other content" >"$source_dir/changed"
# Of a directory that is a file now somebody changed one on the drive.
rm -r "$source_dir/swap"
echo "a file" >"$source_dir/swap"
echo "theirs, and longer" >"$docs/swap/edited"

for _ in 1 2; do
    expect_exit 1 berth sync --full >"$TMP/words"
    check "four are in conflict" grep -q '4 in conflict' "$TMP/words"
done
check "a directory somebody made stays" grep -qx theirs "$docs/file/theirs"
check "what somebody changed stays" grep -q theirs "$docs/swap/edited"
check "what nobody changed of it is gone" test ! -e "$docs/swap/gone"
check "the symlink made room for the directory" test ! -L "$docs/linked"
check "with its file" cmp "$source_dir/linked/file" "$docs/linked/file"
check "nothing was written through it" cmp "$source_dir/linked/file" "$TMP/elsewhere/file"
expect_exit 1 berth diff --full >"$TMP/words"
for file in file changed swap; do
    check "$file is named with its reason" \
        grep -q "! *$file .*a directory on the drive has this name" "$TMP/words"
done
rm -r "$docs/file" "$docs/changed" "$docs/swap"
expect_exit 0 berth sync --full
check "equal once it is out of the way" diff -r "$source_dir" "$docs"
