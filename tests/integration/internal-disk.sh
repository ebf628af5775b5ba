#!/usr/bin/env bash
# quick
# The internal disk, where berth's own records are, is full or read-only: it is
# said in words, and what cannot be read is not taken for a clean past.
. "$(dirname "$0")/lib.sh"

need_root
need_command sqlite3 mount
mkdir "$TMP/source" "$TMP/drive" "$TMP/state"
mount -t tmpfs -o size=1500k none "$TMP/state"
trap 'umount "$TMP/state"' EXIT
for i in 1 2 3; do echo "$i" >"$TMP/source/$i"; done
berth volume add "$TMP/drive" --name drive --folder
berth job add docs --source "$TMP/source" --target drive:/docs
berth sync
echo new >"$TMP/source/new"

catalogue=$(echo "$TMP"/state/volumes/*.db)
flush_has_failed() { # yes|""
    sqlite3 "$catalogue" "INSERT OR REPLACE INTO meta VALUES ('flush_failed', '$1');
        PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
    rm -f "$catalogue-shm" "$catalogue-wal"
}
is_red() {
    expect_exit 7 berth eject drive >"$TMP/out" 2>&1
    grep -q 'DO NOT UNPLUG' "$TMP/out"
}
flush_has_failed yes
check "a flush that failed is remembered" is_red
rm -f "$catalogue-shm" "$catalogue-wal"

head -c 5M /dev/zero >"$TMP/state/fill" 2>/dev/null || true
check "also while the catalogue cannot be read" is_red
check "it is said that it is not known" grep -q 'is not known' "$TMP/out"
berth drives >"$TMP/out"
check "drives says why" grep -q 'DO NOT UNPLUG.*the disk it is on is full' "$TMP/out"
expect_exit 9 berth sync 2>"$TMP/words"
check "a full disk is called one" grep -q 'is full: make room there' "$TMP/words"
check "and not an error of the disk" test -z "$(grep 'I/O' "$TMP/words")"
rm "$TMP/state/fill"
flush_has_failed ''
berth eject drive
berth sync
check "with room it goes on" cmp "$TMP/source/new" "$TMP/drive/docs/new"

echo newer >"$TMP/source/newer"
mount -o remount,ro "$TMP/state"
for command in sync verify undo; do
    expect_exit 3 berth $command 2>"$TMP/words"
    check "$command: a read-only disk is called one" \
        grep -q 'read-only: make it writable' "$TMP/words"
done
expect_exit 1 berth diff
berth find newer
mount -o remount,rw "$TMP/state"
berth sync
check "writable it goes on" cmp "$TMP/source/newer" "$TMP/drive/docs/newer"
