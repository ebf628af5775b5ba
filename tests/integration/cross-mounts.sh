#!/usr/bin/env bash
# timeout 300
# Filesystems mounted below a source (ENGINE G4): left alone, or with
# cross_mounts entered; and one that is missing, another, empty, or mounted over
# files that the drive has never looks as if its files had been deleted.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc python3
source_dir=$TMP/source
mkdir "$source_dir"
root=$(make_volume ext4 usb 64M)
berth volume add "$root" --name usb
berth job add docs --source "$source_dir" --target usb:/docs

cross() { # true|false
    sed -i 's/ cross_mounts = [a-z]*;//; s/\(name = "docs";\)/\1 cross_mounts = '"$1"';/' \
        "$TMP/berth.conf"
    grep -q "cross_mounts = $1" "$TMP/berth.conf" || fail "cross_mounts $1"
}

# place NAME AT: what make_volume made as NAME is mounted there instead.
place() {
    local filesystem loop
    read -r filesystem loop <"$volumes_/$1"
    mkdir -p "$2"
    mount -t "$filesystem" "$loop" "$2"
}
disk() { # NAME SIZE AT: a filesystem of its own
    make_volume ext4 "$1" "$2" >/dev/null
    unmount_volume "$1"
    place "$1" "$3"
}
gone() { patiently umount "$source_dir/$1"; }

remember() { tree_digest "$root" >"$TMP/before"; }
untouched() { check "$1" diff "$TMP/before" <(tree_digest "$root"); }
has() { # PATH CONTENT
    check "$1 is on the drive" test "$(cat "$root/docs/$1")" = "$2"
}

# frozen WHAT WORDS: neither a quick nor a full diff, nor any sync, does
# anything there, and each of them says so.
frozen() {
    local depth full
    remember
    for depth in --quick --full; do
        full=()
        [ "$depth" = --quick ] || full=(--full)
        expect_exit 1 berth diff $depth >"$TMP/said" 2>"$TMP/words"
        check "$1: diff $depth names it" grep -q 'disk.*not the filesystem that was mounted' "$TMP/said"
        check "$1: diff $depth: $2" grep -q "$2" "$TMP/words"
        expect_exit 3 berth sync docs ${full[@]+"${full[@]}"} --deletes 3 >"$TMP/said" 2>"$TMP/words"
        check "$1: sync $depth: $2" grep -q "$2" "$TMP/words"
        check "$1: it says what to do" grep -q 'berth job claim docs' "$TMP/words"
        untouched "$1: nothing is deleted ($depth)"
    done
}
arrived() { # COUNT: so many new files in the last run
    check "the last run copied $1" test "$(berth history --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["runs"][0]["new"])')" -eq "$1"
}

# --- left alone, which is the default ---
echo own >"$source_dir/own"
disk media 64M "$source_dir/disk"
echo film >"$source_dir/disk/film"
expect_exit 0 berth sync
check "what is mounted is not copied" test ! -e "$root/docs/disk/film"
has own own
berth diff >"$TMP/said"
check "it is named" grep -q 'disk.*another filesystem is mounted here' "$TMP/said"
berth doctor >"$TMP/said" 2>&1 || :
check "doctor names it" grep -q 'disk is another filesystem, and left alone: cross_mounts is not set' "$TMP/said"
mkdir "$source_dir/plain"
for i in 1 2 3; do echo "$i" >"$source_dir/plain/$i"; done
expect_exit 0 berth sync
remember
mount -t tmpfs none "$source_dir/plain"
expect_exit 0 berth sync --full
untouched "a mount over recorded files hides them, and deletes nothing"
cross true
expect_exit 3 berth sync 2>"$TMP/words"
check "entered, it is asked about" grep -q 'plain: tmpfs .* mounted over a directory of which' "$TMP/words"
check "the rest is copied" test "$(cat "$root/docs/disk/film")" = film
rm -r "$root/docs/disk" # for the comparison: only what is below "plain" counts
check "nothing is deleted" diff "$TMP/before" <(tree_digest "$root")
gone plain
expect_exit 0 berth sync --full

# --- entered ---
mkdir -p "$TMP/outside/part" "$source_dir/disk/inner" "$source_dir/bound"
echo outside >"$TMP/outside/part/file"
disk second 64M "$source_dir/disk/inner"
mkdir "$source_dir/disk/inner/deep"
echo inner >"$source_dir/disk/inner/deep/file"
ln -s deep/file "$source_dir/disk/inner/link"
chmod 640 "$source_dir/disk/inner/deep/file"
mount --bind "$TMP/outside/part" "$source_dir/bound"
expect_exit 1 berth diff --quick
expect_exit 0 berth sync
has disk/film film
has disk/inner/deep/file inner
has bound/file outside
check "links, too" test "$(readlink "$root/docs/disk/inner/link")" = deep/file
expect_exit 0 berth diff --quick
expect_exit 0 berth diff --full
berth doctor >"$TMP/said" 2>&1 || :
check "doctor names what is entered" grep -q 'disk/inner is another filesystem: ext4' "$TMP/said"
echo more >>"$source_dir/disk/inner/deep/file"
rm "$source_dir/disk/inner/link"
mv "$source_dir/disk/film" "$source_dir/disk/movie"
expect_exit 0 berth sync
has disk/inner/deep/file 'inner
more'
check "a file deleted in there is deleted" test ! -e "$root/docs/disk/inner/link"
has disk/movie film
arrived 0 # renamed

# What is never entered: the drive itself, a part of it, what is in the source
# already, what only looks like files.
mkdir "$source_dir"/{drive,part,loop,twice,kernel}
remember
for pair in "$root drive" "$root/docs part" "$source_dir loop" "$source_dir/disk twice"; do
    mount --bind "${pair% *}" "$source_dir/${pair#* }"
done
mount -t proc proc "$source_dir/kernel"
echo single >"$TMP/outside/single"
touch "$source_dir/single"
mount --bind "$TMP/outside/single" "$source_dir/single"
expect_exit 0 berth sync 2>"$TMP/words"
untouched "nothing is copied into itself, twice, or from the kernel"
berth diff >"$TMP/said" 2>&1
for name in drive part loop twice kernel single; do
    check "$name is named" grep -q "$name.*another filesystem is mounted here" "$TMP/said"
done
for name in drive part loop twice kernel single; do
    gone $name
    rm -d "$source_dir/$name"
done

# --- away, and what stands there instead ---
gone disk/inner
frozen "a nested one is unmounted" 'disk/inner: .*not mounted there any more'
rm -d "$source_dir/disk/inner"
frozen "and its directory removed" 'not mounted there any more'
echo file >"$source_dir/disk/inner"
frozen "and a file there" 'not mounted there any more'
rm "$source_dir/disk/inner"
place second "$source_dir/disk/inner"
expect_exit 0 berth sync --full
arrived 0
gone disk/inner
gone disk
frozen "both are unmounted" 'disk: .*not mounted there any more'
berth doctor >"$TMP/said" 2>&1 || :
check "doctor names what is away, and what to do" \
    grep -q 'disk: .*not mounted there any more; its backup on volume usb stays' "$TMP/said"
check "doctor says what to do" grep -q 'berth job claim docs' "$TMP/said"
expect_exit 4 berth restore "$source_dir/disk/movie" 2>"$TMP/words"
check "restore does not fill the disk below" grep -q 'disk: .*not mounted there any more' "$TMP/words"
expect_exit 3 berth restore "$source_dir" 2>"$TMP/words"
check "nor with all else" grep -q 'disk/movie: disk: .*not mounted there any more' "$TMP/words"
check "nothing is written there" test -z "$(ls "$source_dir/disk")"
cross false
frozen "both, and the job does not cross any more" 'not mounted there any more'
cross true
mkdir -p "$source_dir/elsewhere"
rmdir "$source_dir/disk"
ln -s elsewhere "$source_dir/disk"
frozen "a symlink stands there" 'not mounted there any more'
rm "$source_dir/disk"
mkdir "$source_dir/disk"
echo stray >"$source_dir/disk/stray"
frozen "files in the directory below" 'not mounted there any more'
rm "$source_dir/disk/stray"
disk other 64M "$source_dir/disk"
frozen "another filesystem is mounted" 'another filesystem is mounted there'
gone disk
place media "$source_dir/disk"
place second "$source_dir/disk/inner"
expect_exit 0 berth sync --full
arrived 0
mv "$source_dir/bound" "$source_dir/renamed" 2>/dev/null &&
    fail "a mount point was renamed"
gone bound
expect_exit 3 berth sync --full 2>"$TMP/words"
check "a bind mount, too" grep -q 'bound: .*not mounted there any more' "$TMP/words"
has bound/file outside
mount --bind "$TMP/outside/part" "$source_dir/bound"

# A parent is renamed: the mount goes with it or is gone.
mkdir -p "$source_dir/above/here"
disk third 64M "$source_dir/above/here"
echo third >"$source_dir/above/here/file"
echo beside >"$source_dir/above/beside"
expect_exit 0 berth sync
gone above/here
mv "$source_dir/above" "$source_dir/Above"
expect_exit 3 berth sync --full 2>"$TMP/words"
check "its directory was renamed" grep -q 'above/here: .*not mounted there any more' "$TMP/words"
has above/here/file third
rm "$source_dir/Above/beside"
rmdir "$source_dir/Above/here" "$source_dir/Above"
mkdir "$source_dir/above"
echo beside >"$source_dir/above/beside"
expect_exit 3 berth sync --full
rm -r "$source_dir/above"
echo file >"$source_dir/above"
expect_exit 3 berth sync --full
has above/here/file third
has above/beside beside # no half of a swap
rm "$source_dir/above"
expect_exit 3 berth sync --full
has above/here/file third
place third "$source_dir/above/here"
expect_exit 0 berth sync --full
arrived 0

# An empty one of the same name: a tmpfs after a reboot, a share without its
# disk.
mkdir "$source_dir/memory"
mount -t tmpfs none "$source_dir/memory"
echo memory >"$source_dir/memory/file"
expect_exit 0 berth sync
gone memory
mount -t tmpfs none "$source_dir/memory"
expect_exit 3 berth sync --full 2>"$TMP/words"
check "an empty one is asked about" grep -q 'memory: the filesystem there is empty' "$TMP/words"
has memory/file memory

# --- for good ---
gone above/here
rm -r "$source_dir/above"
berth job claim docs 2>"$TMP/words" >"$TMP/said"
check "what is accepted is said" grep -q 'accepted for above/here: .*not mounted' "$TMP/words" "$TMP/said"
check "so is the empty one" grep -q 'accepted for memory: .*empty' "$TMP/words" "$TMP/said"
expect_exit 0 berth sync
check "what was there is deleted now" test ! -e "$root/docs/above"
check "and the empty one's" test ! -e "$root/docs/memory/file"
check "into the versions" berth versions usb:/docs/above/here/file
expect_exit 0 berth diff --full
echo again >"$source_dir/memory/file"
expect_exit 0 berth sync
gone memory
mount -t tmpfs none "$source_dir/memory"
expect_exit 3 berth sync
has memory/file again # accepted once, for what was empty then

# --- inodes of two filesystems say nothing of each other ---
for name in left right; do
    make_volume ext4 $name 64M >/dev/null
    unmount_volume $name
    mkfs.ext4 -q -F -I 128 "$(cut -d' ' -f2 "$volumes_/$name")" 2>/dev/null
    place $name "$source_dir/$name"
done
echo aaaa >"$source_dir/left/one"
touch -d '2020-01-01 00:00:00' "$source_dir/left/one"
sleep 2.1
gone memory
rmdir "$source_dir/memory"
berth job claim docs
expect_exit 0 berth sync
echo bbbb >"$source_dir/right/two"
touch -d '2020-01-01 00:00:00' "$source_dir/right/two"
check "the same inode" test "$(stat -c %i "$source_dir/left/one")" = \
    "$(stat -c %i "$source_dir/right/two")"
rm "$source_dir/left/one"
expect_exit 0 berth sync
has right/two bbbb
mv "$source_dir/right/two" "$source_dir/left/three"
expect_exit 0 berth sync --full
has left/three bbbb
inode=$(stat -c %i "$source_dir/left/three")
gone left
make_volume ext4 swapped 64M >/dev/null
unmount_volume swapped
mkfs.ext4 -q -F -I 128 "$(cut -d' ' -f2 "$volumes_/swapped")" 2>/dev/null
place swapped "$source_dir/left"
echo cccc >"$source_dir/left/four"
touch -d '2020-01-01 00:00:00' "$source_dir/left/four"
check "again the same inode" test "$inode" = "$(stat -c %i "$source_dir/left/four")"
expect_exit 3 berth sync
berth job claim docs
expect_exit 0 berth sync
has left/four cccc
check "what was on the other one is deleted" test ! -e "$root/docs/left/three"

# --- databases, and getting back ---
if command -v sqlite3 >/dev/null; then
    sqlite3 "$source_dir/disk/d.db" 'PRAGMA journal_mode = wal; CREATE TABLE t (v); INSERT INTO t VALUES (7)' >/dev/null
    sleep 0.1 # else the copy is of the moment of its change
    expect_exit 0 berth sync
    check "a database in there" test "$(sqlite3 "$root/docs/disk/d.db" 'SELECT v FROM t')" = 7
fi
rm "$source_dir/disk/movie"
expect_exit 0 berth restore "$source_dir/disk/movie"
check "restore writes into it" test "$(cat "$source_dir/disk/movie")" = film
berth copies "$source_dir/disk/movie" >"$TMP/said"
check "copies knows it" grep -q usb "$TMP/said"
expect_exit 0 berth diff --full

# --- a move ---
berth job remove docs
gone disk/inner
moving=$TMP/moving
mkdir "$moving"
disk taken 64M "$moving/disk"
mkdir "$moving/disk/deep"
for i in 1 2 3; do
    echo "$i" >"$moving/$i"
    echo "$i" >"$moving/disk/$i"
    echo "$i" >"$moving/disk/deep/$i"
done
berth job add scrapes --source "$moving" --target usb:/raw --mode move
sed -i 's/\(name = "scrapes";\)/\1 cross_mounts = true;/' "$TMP/berth.conf"
sleep 0.1
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
export LD_PRELOAD=$TMP/clock.so # one that follows a time server
expect_exit 0 berth sync scrapes >"$TMP/said"
check "what is in there is removed, too" test -z "$(find "$moving" -type f)"
check "and the directories that were emptied" test ! -e "$moving/disk/deep"
check "the mount point is not" mountpoint -q "$moving/disk"
check "all of it is on the drive" test "$(find "$root/raw" -type f | wc -l)" -eq 9
