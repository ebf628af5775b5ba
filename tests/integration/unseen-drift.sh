#!/usr/bin/env bash
# quick
# What somebody changed on the drive is not seen by a sync that does not read
# it; but nothing is done to it, and it is not taken for berth's own (ENGINE,
# Comparing): not by a rename, not by new permissions.
. "$(dirname "$0")/lib.sh"

source_dir=$TMP/source
docs=$TMP/drive/docs
mkdir -p "$source_dir/sub" "$source_dir/to" "$TMP/drive"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$source_dir" --target usb:/docs
for name in renamed moved kept swap; do echo "$name" >"$source_dir/sub/$name"; done
chmod 644 "$source_dir/sub/kept"
sleep 0.1
expect_exit 0 berth sync

# Below the root, so that nothing tells of it; one of the same size.
echo "somebody's" >"$docs/sub/renamed"
echo "somebody's" >"$docs/sub/moved"
echo tpek >"$docs/sub/kept"
touch -d '1 hour ago' "$docs/sub/kept"
mv "$source_dir/sub/renamed" "$source_dir/sub/other"
mv "$source_dir/sub/moved" "$source_dir/to/moved"
chmod 600 "$source_dir/sub/kept"
expect_exit 3 berth sync 2>"$TMP/words"
for name in sub/renamed sub/moved sub/kept; do
    check "$name is named" grep -q "$name has changed on the drive" "$TMP/words"
done
check "its permissions are somebody's, too" test "$(stat -c %a "$docs/sub/kept")" != 600
check "nothing is under the new name" test ! -e "$docs/sub/other"
expect_exit 1 berth sync >"$TMP/words"
check "the next sync reads the drive" grep -q '2 in conflict' "$TMP/words"
for name in sub/other to/moved sub/kept; do
    check "$name is the source's" cmp "$source_dir/$name" "$docs/$name"
done
check "what somebody changed is kept" grep -q somebody "$docs/sub/renamed"
check "what was replaced is a version" grep -rqx tpek "$TMP/drive/.berth/versions"
expect_exit 1 berth diff --full
