#!/usr/bin/env bash
# timeout 900
# Getting things back (ENGINE G3, G10, G12): versions are listed and restored,
# a whole volume comes back with names, modes and times, a rotten copy is named
# and another one taken, and neither a kill, a full disk nor a planted symlink
# makes restore overwrite or leave anything.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3

# What a tree is, told by another program: names, types, modes, times, content.
portrait() {
    python3 - "$1" <<'PYTHON'
import hashlib, os, stat, sys
for folder, names, files in os.walk(os.fsencode(sys.argv[1])):
    for name in names + files:
        path = os.path.join(folder, name)
        seen = os.lstat(path)
        what = b""
        if stat.S_ISLNK(seen.st_mode):
            what = os.readlink(path)
        elif name == b"lab.db": # a snapshot has other bytes
            what = b"a database"
        elif stat.S_ISREG(seen.st_mode):
            what = hashlib.sha256(open(path, "rb").read()).hexdigest().encode()
        mode = 0 if stat.S_ISLNK(seen.st_mode) else seen.st_mode
        print(repr(os.path.relpath(path, os.fsencode(sys.argv[1]))), oct(mode),
              seen.st_mtime_ns, seen.st_uid, seen.st_gid, what)
PYTHON
}

same_trees() {
    portrait "$1" | LC_ALL=C sort >"$TMP/one.portrait"
    portrait "$2" | LC_ALL=C sort >"$TMP/other.portrait"
    diff "$TMP/one.portrait" "$TMP/other.portrait" >&2
}

make_source() {
    rm -rf "$source_dir"
    python3 - "$source_dir" <<'PYTHON'
import os, random, sqlite3, sys
root = os.fsencode(sys.argv[1])
random.seed(7)
names = [b"plain", b"a b  c", b"q: what?", "gro\u0308\u00dfe".encode(),
         "日本語".encode(), b"-rf", b"tab\there", b"con", b"trailing.",
         b"bad\xffbytes", b"*", "fullwidth：".encode()]
for depth in (b"", b"sub", b"sub/deep: er", "日本".encode()):
    os.makedirs(os.path.join(root, depth), exist_ok=True)
    for i, name in enumerate(names):
        path = os.path.join(root, depth, name)
        with open(path, "wb") as file:
            file.write(random.randbytes(random.choice([0, 10, 5000, 300000])))
        os.chown(path, 1000 * (i % 2), 1000 * (i % 3))
        os.chmod(path, [0o644, 0o600, 0o755, 0o444, 0o2755, 0o4711][i % 6])
        os.utime(path, ns=(0, 1500000000123456789 + i * 10**9))
os.makedirs(os.path.join(root, b"empty"))
os.symlink(b"../outside", os.path.join(root, b"sub/link"))
os.symlink(b"plain", os.path.join(root, b"link"))
db = sqlite3.connect(os.path.join(root, b"lab.db").decode())
db.execute("CREATE TABLE t (n)"); db.execute("INSERT INTO t VALUES (1)")
db.commit(); db.close()
for path, mode in ((b"sub/deep: er", 0o700), (b"sub", 0o2750), (b"empty", 0o555)):
    os.chmod(os.path.join(root, path), mode)
    os.utime(os.path.join(root, path), ns=(0, 1400000000987654321))
PYTHON
}

no_partials() {
    test -z "$(find "$1" -name '.berth-*')"
}

# --- what was edited, deleted, renamed ---

edit_and_restore() { # FILESYSTEM
    local fs=$1
    echo one >"$source_dir/edited"
    echo two >"$source_dir/deleted"
    mkdir "$source_dir/gone"
    echo three >"$source_dir/gone/inside"
    echo four >"$source_dir/renamed"
    expect_exit 0 berth sync
    echo ONE! >"$source_dir/edited"
    rm -r "$source_dir/deleted" "$source_dir/gone"
    mv "$source_dir/renamed" "$source_dir/has another name"
    expect_exit 0 berth sync

    berth versions "$source_dir/edited" >"$TMP/words"
    check "$fs: versions tells what is on the drive" grep -q 'on the drive' "$TMP/words"
    check "$fs: and what was replaced in which run" grep -q 'replaced.*(run 2)' "$TMP/words"
    check "$fs: a path on the volume means the same" \
        cmp "$TMP/words" <(berth versions usb:/docs/edited)
    berth versions "$source_dir" >"$TMP/words"
    check "$fs: a directory tells of all in it" test "$(wc -l <"$TMP/words")" -eq 3
    mv "$source_dir/edited" "$source_dir/edited and renamed"
    expect_exit 0 berth sync
    berth versions "$source_dir/edited and renamed" >"$TMP/words"
    check "$fs: versions follow a rename" grep -q 'replaced.*(run 2)' "$TMP/words"
    mv "$source_dir/edited and renamed" "$source_dir/edited"
    expect_exit 0 berth sync

    expect_exit 0 berth restore "$source_dir/deleted" >/dev/null
    check "$fs: a deleted file is back in its place" grep -qx two "$source_dir/deleted"
    expect_exit 0 berth restore "$source_dir/gone" >/dev/null
    check "$fs: a deleted directory, too" grep -qx three "$source_dir/gone/inside"
    expect_exit 0 berth restore "$source_dir/edited" --at 1 >/dev/null
    check "$fs: what is there stays" grep -qx 'ONE!' "$source_dir/edited"
    check "$fs: and the version comes beside it" \
        grep -qx one "$source_dir/edited.restored-$(date +%F)"
    expect_exit 0 berth restore "$source_dir/edited" --at 1 >/dev/null
    check "$fs: once" test ! -e "$source_dir/edited.restored-$(date +%F)-2"
    expect_exit 0 berth restore "$source_dir/edited" --at 1 --replace >/dev/null
    check "$fs: --replace puts it there" grep -qx one "$source_dir/edited"
    check "$fs: and keeps what was there" \
        grep -qx 'ONE!' "$source_dir/edited.replaced-$(date +%F)"
    expect_exit 0 berth restore 'usb:/docs/has another name' --to "$TMP/out/new" >/dev/null
    check "$fs: --to makes the directory" grep -qx four "$TMP/out/new/has another name"
    expect_exit 2 berth restore "$source_dir/never was"
    expect_exit 2 berth restore "$source_dir/edited" --at "last week"
    expect_exit 4 berth restore "$source_dir/edited" --to "$root/docs"
    check "$fs: nothing partial is left" no_partials "$source_dir"
    rm -rf "$TMP/out"
}

# --- everything ---

whole_volume() { # FILESYSTEM
    local fs=$1
    make_source
    expect_exit 0 berth sync docs --deletes 4
    expect_exit 0 berth restore usb:/ --to "$TMP/all" >/dev/null
    check "$fs: a whole volume is back, with names, modes and times" \
        same_trees "$source_dir" "$TMP/all/docs"
    expect_exit 0 berth restore usb:/ --to "$TMP/all" >"$TMP/words"
    check "$fs: and again there is nothing to do" grep -q '^0 files restored' "$TMP/words"
    rm -rf "$TMP/all"
    remount_read_only
    expect_exit 0 berth restore usb:/ --to "$TMP/all" >/dev/null
    check "$fs: from a volume that is mounted read-only, too" \
        same_trees "$source_dir" "$TMP/all/docs"
    remount_volume "usb_$fs"
    rm -rf "$TMP/all"
}

remount_read_only() {
    mount -o remount,ro "$root" 2>/dev/null || echo "(not remounted read-only)" >&2
}

# Another state directory sees the rows of another host: its setuid is not
# believed.
no_trust() { # FILESYSTEM
    local fs=$1 other=00000000000000000000000000000000
    cp -r "$TMP/state" "$TMP/other-state"
    echo $other >"$TMP/other-state/host"
    [ "$(cat "$TMP/state/host")" != $other ] || fail "hosts are told apart"
    expect_exit 2 "$BERTH" --config "$TMP/berth.conf" \
        --state-dir "$TMP/other-state" restore usb:/
    expect_exit 0 "$BERTH" --config "$TMP/berth.conf" \
        --state-dir "$TMP/other-state" restore usb:/ --to "$TMP/all" >/dev/null
    check "$fs: rows of another host give no setuid" \
        test -z "$(find "$TMP/all" -perm /7000)"
    check "$fs: the content is there" test -f "$TMP/all/docs/plain"
    rm -rf "$TMP/all"
    expect_exit 0 "$BERTH" --config "$TMP/berth.conf" \
        --state-dir "$TMP/other-state" restore usb:/ --to "$TMP/all" --trust >/dev/null
    check "$fs: unless they are trusted" same_trees "$source_dir" "$TMP/all/docs"
    rm -rf "$TMP/all" "$TMP/other-state"
}

# The internal disk is dead: no state, no configuration, an empty machine. All
# that there is comes from the drive: files, owners, and what was deleted.
dead_disk() { # FILESYSTEM
    local fs=$1
    mv "$TMP/state" "$TMP/dead-state"
    mv "$TMP/berth.conf" "$TMP/dead.conf"
    remount_volume "usb_$fs"
    expect_exit 0 berth volume add "$root" --name found >/dev/null
    expect_exit 0 berth restore found:/ --to "$TMP/all" --trust >/dev/null
    check "$fs: from the drive alone all is back: names, modes, owners, times" \
        same_trees "$source_dir" "$TMP/all/docs"
    expect_exit 0 berth restore found:/docs/edited --at 1 --to "$TMP/all/old" >/dev/null
    check "$fs: a version, too" grep -qx one "$TMP/all/old/edited"
    expect_exit 0 berth restore found:/docs/gone --to "$TMP/all/old" >/dev/null
    check "$fs: and what was deleted" grep -qx three "$TMP/all/old/gone/inside"
    rm -rf "$TMP/all" "$TMP/state" "$TMP/berth.conf"
    mv "$TMP/dead-state" "$TMP/state"
    mv "$TMP/dead.conf" "$TMP/berth.conf"
}

# --- rot ---

rot() { # FILESYSTEM
    local fs=$1
    echo "first content" >"$source_dir/rotting"
    expect_exit 0 berth sync
    echo "other content" >"$source_dir/rotting"
    expect_exit 0 berth sync
    printf 'X' | dd of="$root/docs/rotting" bs=1 count=1 conv=notrunc status=none
    rm "$source_dir/rotting"
    expect_exit 3 berth restore "$source_dir/rotting" >"$TMP/out.words" 2>"$TMP/words"
    check "$fs: a rotten copy is named" grep -q 'rotting: rot' "$TMP/words"
    check "$fs: an older version is taken, and said to be one" \
        grep -q 'an older version' "$TMP/out.words"
    check "$fs: with its content" grep -qx 'first content' "$source_dir/rotting"
    rm "$source_dir/rotting" "$root"/.berth/versions/*/docs/rotting
    expect_exit 3 berth restore "$source_dir/rotting" 2>"$TMP/words"
    check "$fs: where none is good nothing is made" test ! -e "$source_dir/rotting"
    check "$fs: not even partly" no_partials "$source_dir"
}

another_target() { # FILESYSTEM
    local fs=$1 second=$TMP/second
    mkdir "$second"
    berth volume add "$second" --name nas --folder
    sed -i 's|targets = \[ *"usb:/docs" *\]|targets = [ "usb:/docs", "nas:/docs" ]|' "$TMP/berth.conf"
    echo "on both" >"$source_dir/rotting"
    expect_exit 0 berth sync
    rm "$source_dir/rotting"
    for one in "$root" "$second"; do
        printf 'X' | dd of="$one/docs/rotting" bs=1 count=1 conv=notrunc status=none
        expect_exit 3 berth restore usb:/docs/rotting --to "$TMP/all" >/dev/null 2>&1
        [ "$one" = "$second" ] || check "$fs: the copy of another target is taken" \
            grep -qx 'on both' "$TMP/all/rotting"
        rm -rf "$TMP/all"
    done
}

# --- databases in use ---

databases() { # FILESYSTEM
    local fs=$1
    python3 - "$source_dir/lab.db" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("INSERT INTO t VALUES (2)"); db.commit()
PYTHON
    : >"$source_dir/lab.db-wal"
    expect_exit 4 berth restore "$source_dir/lab.db" --replace 2>"$TMP/words"
    check "$fs: a database with a -wal is refused" grep -q 'lab.db-wal' "$TMP/words"
    rm "$source_dir/lab.db-wal"
    (exec 9<"$source_dir/lab.db" && exec sleep 600) &
    local holder=$!
    sleep 0.2
    expect_exit 4 berth restore "$source_dir/lab.db" --replace >"$TMP/told" \
        2>"$TMP/words"
    check "$fs: one that is open is refused" grep -q 'has open' "$TMP/words"
    check "$fs: and counted" grep -q '1 file refused: named above' "$TMP/told"
    kill $holder
    wait $holder || :
    expect_exit 0 berth restore "$source_dir/lab.db" --replace >/dev/null
    check "$fs: else it is replaced" \
        test "$(python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM t").fetchone()[0])' "$source_dir/lab.db")" = 1
    rm "$source_dir"/lab.db.replaced-*
}

# --- hostile ---

# Somebody swaps a directory of the destination for a symlink, all the time.
planted_symlink() { # FILESYSTEM
    local fs=$1 swapper
    mkdir -p "$TMP/all/docs/sub" "$TMP/victim"
    python3 - "$TMP/all/docs/sub" "$TMP/victim" <<'PYTHON' &
import os, sys, time
path, victim = sys.argv[1:]
while True:
    try:
        os.rename(path, path + ".aside")
        os.symlink(victim, path)
        time.sleep(0.0005)
        os.unlink(path)
        os.rename(path + ".aside", path)
        time.sleep(0.0005)
    except OSError:
        try:
            os.unlink(path)
        except OSError:
            pass
        os.makedirs(path, exist_ok=True)
PYTHON
    swapper=$!
    for _ in 1 2 3 4 5; do
        berth restore usb:/ --to "$TMP/all" >/dev/null 2>&1 || :
        rm -rf "$TMP/all/docs/日本" "$TMP/all/docs/plain"
    done
    kill $swapper
    wait $swapper || :
    check "$fs: nothing went through a planted symlink" \
        test -z "$(ls -A "$TMP/victim")"
    rm -rf "$TMP/all" "$TMP/victim"
}

# --- kills and a full disk ---

killed() { # FILESYSTEM
    local fs=$1 round pid
    for round in $(seq 12); do
        setsid "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" \
            restore usb:/ --to "$TMP/all" >/dev/null 2>&1 &
        pid=$!
        sleep "0.0$((round * 7 % 90 + 10))"
        kill -KILL -- "-$pid" 2>/dev/null || :
        wait $pid 2>/dev/null || :
        [ ! -d "$TMP/all/docs" ] ||
            (cd "$TMP/all" && find . -type f ! -name '.berth-*' -print0 |
                LC_ALL=C sort -z | xargs -0 -r sha256sum) >"$TMP/now"
        [ $((round % 3)) -gt 0 ] || {
            expect_exit 0 berth restore usb:/ --to "$TMP/all" >/dev/null
            same_trees "$source_dir" "$TMP/all/docs" ||
                fail "$fs, kill $round: the same restore again makes it whole"
            no_partials "$TMP/all" || fail "$fs, kill $round: a partial file is left"
            rm -rf "$TMP/all"
        }
    done
    check "$fs: a killed restore is finished by the next" true
}

full_disk() { # FILESYSTEM
    local fs=$1 small
    head -c 30M /dev/urandom >"$source_dir/large"
    expect_exit 0 berth sync
    [ -e "$TMP/small.img" ] || make_volume ext4 small 16M >/dev/null
    small=$TMP/mnt/small
    expect_exit 9 berth restore usb:/ --to "$small/all" 2>"$TMP/words"
    check "$fs: a full disk says so" grep -qi 'space' "$TMP/words"
    check "$fs: and nothing partial is left" no_partials "$small"
    check "$fs: nor anything wrong" test ! -e "$small/all/docs/large"
    rm -rf "$small/all" "$source_dir/large"
}

source_dir=$TMP/source
for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$TMP/second"
    root=$(make_volume $fs "usb_$fs" 256M)
    rm -rf "$source_dir"
    mkdir "$source_dir"
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    edit_and_restore $fs
    whole_volume $fs
    no_trust $fs
    dead_disk $fs
    killed $fs
    planted_symlink $fs
    databases $fs
    full_disk $fs
    rot $fs
    another_target $fs
    unmount_volume "usb_$fs"
done
