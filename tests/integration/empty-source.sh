#!/usr/bin/env bash
# quick
# An absent source deletes nothing (ENGINE G4): empty, gone, unreadable, on
# another filesystem.
. "$(dirname "$0")/lib.sh"

need_root
root=$(make_volume ext4 usb 64M)
home=$(make_volume ext4 home 64M)
mkdir "$home/source"
for i in $(seq 20); do
    echo "$i" >"$home/source/file $i"
done
mkdir "$home/source/closed"
echo secret >"$home/source/closed/file"
berth volume add "$root" --name usb
berth job add docs --source "$home/source" --target usb:/docs
expect_exit 0 berth sync
tree_digest "$root" >"$TMP/before"
untouched() {
    check "$1" diff -q "$TMP/before" <(tree_digest "$root")
}

mkdir "$TMP/aside"
mv "$home/source"/* "$TMP/aside"
expect_exit 4 berth sync 2>"$TMP/words"
check "it says that the source is empty" grep -q 'source .* is empty' "$TMP/words"
untouched "an empty source deletes nothing"
expect_exit 4 berth diff

rmdir "$home/source"
expect_exit 4 berth sync
untouched "a missing source deletes nothing"

unmount_volume home
expect_exit 4 berth sync
untouched "an unmounted source deletes nothing"
mkdir -p "$home/source"
cp -a "$TMP/aside/file 1" "$home/source"
expect_exit 4 berth sync 2>"$TMP/words"
check "it says that the filesystem is another one" \
    grep -q 'on another filesystem than before' "$TMP/words"
untouched "a directory of the same name on another filesystem deletes nothing"
rm -r "$home/source"

mount_volume home >/dev/null
mkdir "$home/source"
mv "$TMP/aside"/* "$home/source"
expect_exit 0 berth diff
if command -v setpriv >/dev/null; then
    # As somebody who may not read one of the directories.
    chmod 700 "$home/source/closed"
    chown -R 12345 "$TMP" "$root" "$home" 2>/dev/null || :
    chown 0 "$home/source/closed"
    user() {
        setpriv --reuid 12345 --clear-groups "$BERTH" --config \
            "$TMP/berth.conf" --state-dir "$TMP/state" "$@"
    }
    expect_exit 3 user sync 2>"$TMP/words"
    untouched "an unreadable directory is not an empty one"
    chown -R 0 "$TMP/state" "$TMP/berth.conf"
    expect_exit 0 berth sync
fi

cp -a "$home/source" "$TMP/moved"
sed -i "s|$home/source|$TMP/moved|" "$TMP/berth.conf"
expect_exit 4 berth sync
berth job claim docs
expect_exit 0 berth sync
untouched "a source that moved is claimed, and not copied again"
check "claiming copied nothing" \
    test "$(berth history --json | grep -c '"new":2[0-9]')" -eq 1
