#!/usr/bin/env bash
# quick
# What stays on the drive though its source is gone, and what is copied though
# its time is odd: settings that change between two runs.
. "$(dirname "$0")/lib.sh"

source_dir=$TMP/source
mkdir -p "$source_dir/big/deep" "$source_dir/out/in" "$source_dir/swap" "$TMP/drive"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$source_dir" --target usb:/docs
for file in big/deep/one a.tmp out/in/b.tmp out/in/c swap/q.tmp keep; do
    echo "$file" >"$source_dir/$file"
done
expect_exit 0 berth sync
cp -a "$TMP/drive/docs" "$TMP/first"

# Excluded now, and then removed: whoever does so has not deleted the backup.
sed -i 's|name = "docs";|name = "docs"; exclude = [ "big/", "*.tmp" ];|' "$TMP/berth.conf"
rm -r "$source_dir/big" "$source_dir/a.tmp" "$source_dir/out" "$source_dir/swap"
echo "a file now" >"$source_dir/swap"
expect_exit 1 berth diff >"$TMP/words"
check "it is listed as excluded" grep -q '\. *big/.*excluded' "$TMP/words"
expect_exit 0 berth sync
for file in big/deep/one a.tmp out/in/b.tmp; do
    check "$file stays" cmp "$TMP/first/$file" "$TMP/drive/docs/$file"
done
check "what is not excluded goes" test ! -e "$TMP/drive/docs/out/in/c"
check "what stands in the way of something new goes" \
    cmp "$source_dir/swap" "$TMP/drive/docs/swap"
expect_exit 0 berth diff
expect_exit 0 berth diff --full
sed -i 's|exclude = [^;]*;||' "$TMP/berth.conf"
expect_exit 1 berth diff >/dev/null
expect_exit 0 berth sync
check "without the exclusion it goes, too" test ! -e "$TMP/drive/docs/big"
expect_exit 0 berth diff --full

# A directory that is gone, and somebody else's file in it on the drive.
mkdir -p "$source_dir/dir/sub"
echo ours >"$source_dir/dir/sub/file"
expect_exit 0 berth sync
echo theirs >"$TMP/drive/docs/dir/sub/theirs"
rm -r "$source_dir/dir"
for _ in 1 2 3; do expect_exit 0 berth sync; done
check "what is foreign stays" grep -qx theirs "$TMP/drive/docs/dir/sub/theirs"
expect_exit 0 berth diff
expect_exit 0 berth diff --full

# A time that has not come yet is no sign of youth.
sed -i 's|name = "docs";|name = "docs"; settle = "1h";|' "$TMP/berth.conf"
echo new >"$source_dir/new"
echo future >"$source_dir/future"
touch -d '+20 years' "$source_dir/future"
expect_exit 0 berth sync
check "just changed, whatever its time: next time" \
    test ! -e "$TMP/drive/docs/new" -a ! -e "$TMP/drive/docs/future"
sed -i 's|settle = "1h"|settle = "1s"|' "$TMP/berth.conf"
sleep 1.1
expect_exit 0 berth sync
check "then it is copied" cmp "$source_dir/future" "$TMP/drive/docs/future"
