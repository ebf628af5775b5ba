#!/usr/bin/env bash
# Somebody writes names on the drive in other cases (a television, a file
# manager): to exFAT they are the same names, and so they are to berth.
. "$(dirname "$0")/lib.sh"

root=$(make_volume exfat usb 64M)
source_dir=$TMP/source
mkdir -p "$source_dir/Dir/Sub"
for file in Case Dir/Sub/File Dir/other Gone Moved; do
    echo "$file" >"$source_dir/$file"
done
berth volume add "$root" --name usb
berth job add docs --source "$source_dir" --target usb:/docs
expect_exit 0 berth sync

respell() { # FROM TO: exFAT takes no rename in case only
    mv "$root/docs/$1" "$root/docs/another name"
    mv "$root/docs/another name" "$root/docs/$2"
}
respell Case cASE
respell Dir/Sub/File Dir/Sub/FILE
respell Dir DIR
respell Gone GONE
respell Moved mOVED
replug_volume usb
expect_exit 0 berth diff --full
expect_exit 0 berth sync
check "the drive keeps its spelling" test "$(cd "$root/docs" && echo *)" = 'DIR GONE cASE mOVED'
echo changed >"$source_dir/Case"
echo changed >"$source_dir/Dir/Sub/File"
echo new >"$source_dir/Dir/new"
rm "$source_dir/Gone"
mv "$source_dir/Moved" "$source_dir/elsewhere"
expect_exit 0 berth sync
check "what changes goes on arriving" grep -qx changed "$root/docs/cASE"
check "below a directory, too" grep -qx changed "$root/docs/DIR/Sub/FILE"
check "what is gone goes" test ! -e "$root/docs/GONE"
check "what has another name has it" cmp "$source_dir/elsewhere" "$root/docs/elsewhere"
expect_exit 0 berth diff --full
expect_exit 0 berth verify
mv "$source_dir/Dir" "$source_dir/dir"
mv "$source_dir/Case" "$source_dir/CaSe"
respell DIR dIR
expect_exit 0 berth sync --full
expect_exit 0 berth diff --full
check "both in other cases: the source's" test -e "$source_dir/dir/Sub/File"
check "is what the drive has" test "$(cd "$root/docs" && echo *)" = 'CaSe dir elsewhere'

# What somebody changed on the drive, or made a directory of, has the name of
# something new in other cases: the one becomes a version, the other is a
# conflict, and neither fails each night.
echo old | tee "$source_dir/b" >"$source_dir/c"
expect_exit 0 berth sync
echo "changed there" >"$root/docs/b"
rm "$root/docs/c" && mkdir "$root/docs/c"
rm "$source_dir/b" "$source_dir/c"
mkdir "$source_dir/B"
echo new | tee "$source_dir/B/file" >"$source_dir/C"
for _ in 1 2; do expect_exit 1 berth sync --full; done
check "what is new arrives" cmp "$source_dir/B/file" "$root/docs/B/file"
check "what was changed there is a version" \
    grep -rqx "changed there" "$root/.berth/versions"
expect_exit 1 berth diff --full >"$TMP/words"
check "the other is in conflict" grep -q '! *C .*the same on the drive' "$TMP/words"
rmdir "$root/docs/c"
expect_exit 0 berth sync --full
check "then it arrives" cmp "$source_dir/C" "$root/docs/C"

# So is a file with the name of a directory in other cases, of which somebody
# changed a file: that one stays.
mkdir "$source_dir/Tree"
echo edited >"$source_dir/Tree/edited"
expect_exit 0 berth sync
echo "theirs, and longer" >"$root/docs/Tree/edited"
rm -r "$source_dir/Tree"
echo "a file" >"$source_dir/tree"
for _ in 1 2; do expect_exit 1 berth sync --full; done
check "what somebody changed stays" grep -q theirs "$root/docs/Tree/edited"
rm -r "$root/docs/Tree"
expect_exit 0 berth sync --full
check "and then the file arrives" cmp "$source_dir/tree" "$root/docs/tree"

# A symlink that exFAT cannot hold is gone: another name that is the same
# there is not touched, and the run can be taken back.
ln -s nowhere "$source_dir/link"
echo gone >"$source_dir/gone too"
expect_exit 0 berth sync
echo theirs >"$root/docs/LINK"
rm "$source_dir/link" "$source_dir/gone too"
expect_exit 0 berth sync --full
check "what has such a name stays" grep -qx theirs "$root/docs/LINK"
expect_exit 0 berth diff --full
expect_exit 0 berth undo
check "the run is taken back" grep -qx gone "$root/docs/gone too"

# Where the drive has a file of the name of such a symlink, that is a version
# afterwards, and the next sync has nothing to do.
echo "in the way" >"$root/docs/held"
ln -s nowhere "$source_dir/held"
expect_exit 0 berth sync --full
expect_exit 0 berth diff --full
check "it is a version" grep -rqx "in the way" "$root/.berth/versions"
check "the drive has nothing of that name" test ! -e "$root/docs/held"
