#!/usr/bin/env bash
# quick
# Two drives take turns, and the one that is there was synced before the other:
# what restore gives back from it is told to be older, and what only the other
# has is not called unknown.
. "$(dirname "$0")/lib.sh"

source_dir=$TMP/source
mkdir "$source_dir" "$TMP/one" "$TMP/two"
berth volume add "$TMP/one" --name one --folder
berth volume add "$TMP/two" --name two --folder
berth job add docs --source "$source_dir" --target one:/docs --target two:/docs
echo first >"$source_dir/changed"
echo first >"$source_dir/deleted"
echo first >"$source_dir/same"
sleep 0.1
expect_exit 0 berth sync
mv "$TMP/two" "$TMP/two away"
echo second >"$source_dir/changed"
echo second >"$source_dir/new"
rm "$source_dir/deleted"
sleep 0.1
expect_exit 0 berth sync

mv "$TMP/one" "$TMP/one away"
mv "$TMP/two away" "$TMP/two"
restore() { # CODE WHAT…
    local code=$1
    shift
    rm -rf "$TMP/to"
    expect_exit "$code" berth restore "$@" --to "$TMP/to" 2>"$TMP/said"
}
restore 5 "$source_dir"
check "the older state comes back" grep -qx first "$TMP/to/source/changed"
check "and is told to be older, with what helps" \
    grep -q 'volume one was synced later: 3 files .*Restore again when it is there' "$TMP/said"
restore 5 "$source_dir/changed"
check "so is one file" grep -q 'volume one was synced later: 1 file ' "$TMP/said"
restore 0 "$source_dir/same"
check "of what is the same nothing is said" \
    test "$(grep -c 'synced later' "$TMP/said")" -eq 0
restore 5 "$source_dir/new"
check "what only the other drive has is not unknown" \
    grep -q 'source/new: volume one: cannot open' "$TMP/said"
restore 0 "$source_dir" --at 1
check "as of a time that both know nothing is missed" \
    test "$(grep -c 'synced later' "$TMP/said")" -eq 0
restore 0 two:/docs
check "nor where the volume was named" test "$(grep -c 'synced later' "$TMP/said")" -eq 0

mv "$TMP/one away" "$TMP/one"
restore 0 "$source_dir"
check "with both it is the newest" grep -qx second "$TMP/to/source/changed"
mv "$TMP/two" "$TMP/two away"
restore 0 "$source_dir"
check "the older one is not missed" grep -qx second "$TMP/to/source/new"
