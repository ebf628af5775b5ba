#!/usr/bin/env bash
# timeout 900
# undo takes a run back, prune removes what the rule does not keep, both are
# repaired after kill -9 at random moments, and a full drive is pruned first.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3

delay_of() { # SEED SECONDS
    python3 -c 'import random, sys
random.seed(int(sys.argv[1])); print("%.4f" % (random.random() * float(sys.argv[2])))' "$@"
}

kill_at_random() { # SEED SECONDS COMMAND…
    local pid delay
    delay=$(delay_of "$1" "$2")
    shift 2
    setsid "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@" \
        >/dev/null 2>&1 &
    pid=$!
    sleep "$delay"
    kill -KILL -- "-$pid" 2>/dev/null || :
    wait $pid 2>/dev/null || :
}

rule() { # RULE: of the job, from now on
    sed -i 's/ versions = "[^"]*";//; s|\(target[^}]*\); }|\1; versions = "'"$1"'"; }|' "$TMP/berth.conf"
    grep -q "versions = \"$1\"" "$TMP/berth.conf"
}

make_source() {
    rm -rf "$source_dir"
    mkdir -p "$source_dir/gone/deep" "$source_dir/sub"
    for i in $(seq 40); do
        head -c $((i * 3000)) /dev/urandom >"$source_dir/file $i"
    done
    echo deep >"$source_dir/gone/deep/file"
    echo 1 >"$source_dir/swap 1"
    echo 2 >"$source_dir/swap 2"
    echo case >"$source_dir/case"
    echo odd >"$source_dir/what: is this?"
}

change_source() {
    for i in 1 2 3 4 5 6; do
        head -c $((i * 4000)) /dev/urandom >"$source_dir/file $i"
    done
    rm "$source_dir/file 7" "$source_dir/file 8"
    rm -r "$source_dir/gone"
    mv "$source_dir/file 9" "$source_dir/sub/renamed"
    mv "$source_dir/swap 1" "$TMP/swap"
    mv "$source_dir/swap 2" "$source_dir/swap 1"
    mv "$TMP/swap" "$source_dir/swap 2"
    mv "$source_dir/case" "$source_dir/CASE"
    echo new >"$source_dir/new"
    mkdir "$source_dir/made"
    echo new >"$source_dir/made/new"
    rm "$source_dir/what: is this?"
}

digest() {
    tree_digest "$root/docs"
}

undo_run() { # FILESYSTEM
    local fs=$1
    make_source
    expect_exit 0 berth sync
    digest >"$TMP/before"
    change_source
    expect_exit 0 berth sync
    digest >"$TMP/after"
    expect_exit 0 berth undo >"$TMP/words"
    check "$fs: undo takes the run back" cmp "$TMP/before" <(digest)
    check "$fs: the drive is as the catalogue says" expect_exit 0 berth verify
    check "$fs: and what is pending is what was taken back" \
        test "$(berth diff --full | grep -c '^  [-+~»]')" -ge 12
    expect_exit 0 berth undo >/dev/null
    check "$fs: undo takes an undo back" cmp "$TMP/after" <(digest)
    expect_exit 0 berth verify
    expect_exit 0 berth undo >/dev/null
    expect_exit 0 berth sync
    check "$fs: the next sync does it again" cmp "$TMP/after" <(digest)
    expect_exit 0 berth diff --full

    expect_exit 4 berth undo 1 2>"$TMP/words"
    check "$fs: an old run is refused, with the reason" \
        grep -q 'changed by a later run' "$TMP/words"
    echo foreign >"$root/docs/file 1"
    expect_exit 4 berth undo 2>"$TMP/words"
    check "$fs: so is what somebody else changed" \
        grep -q 'file 1 has changed on the drive' "$TMP/words"
    check "$fs: and nothing of it is done" test ! -e "$root/docs/file 7"
    expect_exit 0 berth sync --full
}

killed_undo() { # FILESYSTEM
    local fs=$1 seed
    for seed in $(seq 8); do
        make_source
        expect_exit 0 berth sync --full
        digest >"$TMP/before"
        change_source
        expect_exit 0 berth sync
        digest >"$TMP/after"
        kill_at_random "$seed" 0.15 undo
        # Whatever was done of it: all content is there, in its place or in
        # the versions, and the next sync goes on from it.
        find "$root" -type f -print0 | xargs -0 sha256sum | cut -c1-64 |
            LC_ALL=C sort -u >"$TMP/there"
        cat "$TMP/before" "$TMP/after" | cut -c1-64 | LC_ALL=C sort -u >"$TMP/ever"
        [ -z "$(LC_ALL=C comm -23 "$TMP/ever" "$TMP/there")" ] ||
            fail "$fs, kill $seed: content is lost"
        expect_exit 0 berth sync
        cmp "$TMP/after" <(digest) || fail "$fs, kill $seed: the sync repairs"
        expect_exit 0 berth verify
        expect_exit 0 berth diff --full
        [ -z "$(find "$root/.berth/staging" -mindepth 1)" ] ||
            fail "$fs, kill $seed: staging is left"
    done >"$TMP/killed.log" 2>&1 || fail "$(tail -5 "$TMP/killed.log")"
    check "$fs: an undo that is killed is repaired" true
}

# The versions that the catalogue knows and those on the drive are the same.
versions_agree() {
    berth versions usb:/ --json >"$TMP/versions.json"
    python3 - "$TMP/versions.json" "$root" <<'PYTHON'
import json, os, sys
known = {v["stored"] for v in json.load(open(sys.argv[1]))["versions"]}
top, found = os.path.join(sys.argv[2], ".berth/versions"), set()
for folder, names, files in os.walk(top):
    found |= {os.path.relpath(os.path.join(folder, f), sys.argv[2]) for f in files}
    if not names and not files and folder != top:
        sys.exit("an empty directory: " + folder)
sys.exit(0 if known == found else "%s" % (known ^ found))
PYTHON
}

prunes() { # FILESYSTEM
    local fs=$1 seed
    rule 1
    expect_exit 0 berth sync
    check "$fs: a sync prunes at its end" versions_agree
    check "$fs: by the job's rule" \
        test "$(berth versions "$source_dir/file 1" | grep -c until)" -le 1
    for seed in $(seq 6); do
        rule 9999
        for i in $(seq 1 4); do
            echo "$seed $i" >"$source_dir/file 1"
            cp "$source_dir/file 1" "$source_dir/file 2"
            cp "$source_dir/file 1" "$source_dir/sub/file 3"
            expect_exit 0 berth sync
        done
        rule 1
        kill_at_random "$seed" 0.12 prune
        expect_exit 0 berth prune
        versions_agree || fail "$fs, kill $seed: versions and catalogue agree"
        expect_exit 0 berth diff --full
    done >"$TMP/killed.log" 2>&1 || fail "$(tail -5 "$TMP/killed.log")"
    check "$fs: a prune that is killed is repaired" true

    rule 9999
    rm "$source_dir"/file*
    expect_exit 1 berth sync
    rule 0
    expect_exit 4 berth prune 2>"$TMP/words"
    check "$fs: nothing is pruned while deletes are held" \
        grep -q 'deletes are held' "$TMP/words"
    expect_exit 1 berth sync
    check "$fs: by a sync neither" test -n "$(berth versions usb:/)"
    expect_exit 0 berth sync docs --deletes "$(find "$root/docs" -name 'file*' -not -path '*/sub/*' | wc -l)"
    check "$fs: when they are released it goes on" test -z "$(find "$root/.berth/versions" -type f)"
}

# 24 MiB of versions on a 64 MiB drive, and 40 MiB to come.
full_drive() { # FILESYSTEM
    local fs=$1
    root=$(make_volume "$fs" "full_$fs" 64M)
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir"
    mkdir "$source_dir"
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    echo keep >"$source_dir/keep"
    for i in 1 2 3; do
        head -c 8M /dev/urandom >"$source_dir/large $i"
    done
    expect_exit 0 berth sync
    rm "$source_dir"/large*
    expect_exit 0 berth sync
    for i in 1 2 3 4 5; do
        head -c 8M /dev/urandom >"$source_dir/new $i"
    done
    expect_exit 9 berth sync 2>"$TMP/words"
    check "$fs: what the rule keeps stays on a full drive" \
        test "$(find "$root/.berth/versions" -type f | wc -l)" -eq 3
    check "$fs: what fits is there" test -e "$root/docs/new 1"
    expect_exit 0 berth prune --free 20M
    check "$fs: --free goes beyond the rule, oldest first" \
        test "$(find "$root/.berth/versions" -type f | wc -l)" -lt 3
    rule 0s
    expect_exit 0 berth sync
    check "$fs: what the rule does not keep makes room first" \
        cmp "$source_dir/new 5" "$root/docs/new 5"
    unmount_volume "full_$fs"
}

source_dir=$TMP/source
for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir"
    root=$(make_volume $fs "usb_$fs" 512M)
    mkdir "$source_dir"
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    sed -i 's|\(target[^}]*\); }|\1; delete_cap = "60%, 100"; }|' "$TMP/berth.conf"
    undo_run $fs
    killed_undo $fs
    prunes $fs
    unmount_volume "usb_$fs"
    full_drive $fs
done
