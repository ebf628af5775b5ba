#!/usr/bin/env bash
# quick
# The delete cap (ENGINE G5): 111 of 200 files gone, headless: copies run,
# deletes are held, exit 1; the exact number releases them.
. "$(dirname "$0")/lib.sh"

need_root
for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$TMP/source"
    root=$(make_volume $fs "usb_$fs" 64M)
    mkdir "$TMP/source"
    for i in $(seq 200); do
        echo "$i" >"$TMP/source/file $i"
    done
    berth volume add "$root" --name usb
    berth job add docs --source "$TMP/source" --target usb:/docs
    expect_exit 0 berth sync
    for i in $(seq 111); do
        rm "$TMP/source/file $i"
    done
    echo new >"$TMP/source/new"

    expect_exit 1 berth diff >"$TMP/diff"
    check "$fs: the diff marks them as held" test "$(grep -c '^  -?' "$TMP/diff")" -eq 111
    expect_exit 1 berth sync >"$TMP/words"
    check "$fs: it names the number and what to do" \
        grep -q '111 held.*--deletes 111' "$TMP/words"
    check "$fs: copies run" cmp "$TMP/source/new" "$root/docs/new"
    check "$fs: deletes are held" test "$(find "$root/docs" -type f | wc -l)" -eq 201
    expect_exit 1 berth sync --deletes 110 docs
    check "$fs: another number releases nothing" \
        test "$(find "$root/docs" -type f | wc -l)" -eq 201
    expect_exit 2 berth sync --deletes 111
    expect_exit 0 berth sync --deletes 111 docs
    check "$fs: the exact number releases them" \
        test "$(find "$root/docs" -type f | wc -l)" -eq 90
    check "$fs: what is deleted is kept as versions" \
        test "$(find "$root/.berth/versions" -type f | wc -l)" -eq 111
    expect_exit 0 berth diff --full

    # Four are few: deleted without a question.
    rm "$TMP/source/file 112" "$TMP/source/file 113" "$TMP/source/file 114" \
        "$TMP/source/file 115"
    expect_exit 0 berth sync
    # A rename of everything is no delete of everything.
    mkdir "$TMP/source/sub"
    mv "$TMP/source"/file* "$TMP/source/sub"
    expect_exit 0 berth sync --json >"$TMP/sync.json"
    check "$fs: renames are not counted as deletes" \
        grep -q '"renamed":85,"deleted":0' "$TMP/sync.json"
    expect_exit 0 berth diff --full
    check "$fs: equal at the end" diff -r "$TMP/source" "$root/docs"
done
