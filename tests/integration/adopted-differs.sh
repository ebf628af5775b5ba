#!/usr/bin/env bash
# quick
# A file that something else brought to the drive, of the source's size and
# time and with another content: which is right berth cannot know. It says so,
# and never calls the source rotten on the drive's word (ENGINE G8).
. "$(dirname "$0")/lib.sh"

source_dir=$TMP/source
docs=$TMP/drive/docs
mkdir -p "$source_dir" "$docs"
echo "good content" | tee "$source_dir/file" "$source_dir/other" >/dev/null
cp -p "$source_dir/file" "$source_dir/other" "$docs"
echo "rot  content" >"$docs/file"
touch -r "$source_dir/file" "$docs/file"
sleep 0.1
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$source_dir" --target usb:/docs
expect_exit 0 berth sync
expect_exit 0 berth verify # its first reading: the hash is the drive's

expect_exit 3 berth verify --heal >"$TMP/words" 2>&1
check "the two differ" grep -q 'file: source and drive differ' "$TMP/words"
check "the source is not called rotten" sh -c "! grep -q 'rot in the source' '$TMP/words'"
check "nor the drive's copy the right one" sh -c "! grep -q 'what was written' '$TMP/words'"
check "nothing was done to the source" grep -qx 'good content' "$source_dir/file"
check "nor to the drive" grep -qx 'rot  content' "$docs/file"

# Nor is it kept from the drive once the drive has none.
rm "$docs/file"
expect_exit 0 berth sync --full
check "what is missing there is copied again" cmp "$source_dir/file" "$docs/file"
expect_exit 0 berth verify --heal
