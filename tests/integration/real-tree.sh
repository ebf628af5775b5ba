#!/usr/bin/env bash
# timeout 1500
# The job on a real tree: 20,000 files with names in several scripts and a
# database that a writer keeps changing, to exFAT, ext4, btrfs and xfs. First
# run while it is written, second one after; then edits, renames and deletes,
# of which only the changes travel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"

need_root
need_command sqlite3 python3

json() { # FILTER: a Python expression over the document `d`
    python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

compare_content() { # source and target hold the same, under the same names
    local spelling=cat
    [ "$fs" != exfat ] || spelling=as_on_exfat
    tree_digest "$source_dir" | drop_snapshots | $spelling |
        LC_ALL=C sort -k2 >"$TMP/source.sums"
    tree_digest "$target" | drop_snapshots |
        LC_ALL=C sort -k2 >"$TMP/target.sums"
    check "$fs: contents are equal by sha256" \
        diff -q "$TMP/source.sums" "$TMP/target.sums"
}

check_snapshot() {
    local copy=$target/live/lab.db
    check "$fs: the copy passes integrity_check" \
        test "$(sqlite3 "file:$copy?mode=ro&immutable=1" 'PRAGMA integrity_check')" = ok
    check "$fs: the copy holds a state that existed" \
        test "$(sqlite3 "file:$copy?mode=ro&immutable=1" "$state_query")" = 1
    check "$fs: no -wal and no -shm travel" \
        test ! -e "$copy-wal" -a ! -e "$copy-shm"
}

run_filesystem() {
    fs=$1
    root=$(make_volume "$fs" "vol_$fs" 3G)
    target=$root/lab
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir"
    make_tree "$source_dir" 20000
    start_writer "$source_dir/live/lab.db"
    berth volume add "$root" --name "vol_$fs"
    berth job add lab --source "$source_dir" --target "vol_$fs:/lab"

    expect_exit 1 berth diff >"$TMP/diff.$fs"
    check "$fs: the diff names 20,000 files" \
        test "$(grep -c '^  + ' "$TMP/diff.$fs")" -ge 20000
    expect_exit 0 berth sync
    check_snapshot
    stop_writer
    expect_exit 0 berth sync
    expect_exit 0 berth diff
    expect_exit 0 berth diff --full
    check_snapshot
    compare_content
    check "$fs: the database is the writer's last state" \
        test "$(sqlite3 "$source_dir/live/lab.db" 'SELECT max(n) FROM log')" = \
        "$(sqlite3 "file:$target/live/lab.db?immutable=1" 'SELECT max(n) FROM log')"

    change_tree "$source_dir"
    expect_exit 1 berth diff
    expect_exit 0 berth sync --json >"$TMP/sync.json"
    check "$fs: only the changes travel" test "$(json \
        '[(j["new"], j["changed"], j["renamed"], j["deleted"]) for j in d["jobs"]]' \
        <"$TMP/sync.json")" = "[($changed_new, $changed_updated, $changed_renamed, $changed_deleted)]"
    expect_exit 0 berth diff
    expect_exit 0 berth diff --full
    compare_content
    check "$fs: deleted and overwritten files are versions" \
        test "$(find "$root/.berth/versions" -type f | wc -l)" -ge \
        $((changed_deleted + changed_updated))
    check "$fs: a deleted file's content is in its version" \
        grep -rqsF 'deleted but not lost' "$root/.berth/versions"
    check "$fs: nothing is left in staging" \
        test -z "$(find "$root/.berth/staging" -mindepth 1)"

    remount_volume "vol_$fs"
    expect_exit 0 berth diff --full
    expect_exit 0 berth verify
    compare_content
    unmount_volume "vol_$fs"
    rm -f "$TMP/vol_$fs.img"
}

source_dir=$TMP/source
for fs in ${FILESYSTEMS:-exfat ext4 btrfs xfs}; do
    run_filesystem "$fs"
done
