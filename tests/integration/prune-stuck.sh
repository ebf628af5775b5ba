#!/usr/bin/env bash
# quick
# A version that cannot be removed (somebody made a directory of it) is told,
# counts as left, and is in nobody's way.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/drive" "$TMP/source"
berth volume add "$TMP/drive" --name d --folder
berth job add docs --source "$TMP/source" --target d:/docs
sed -i 's|\(target[^}]*\); }|\1; delete_cap = "100%, 1000"; }|' "$TMP/berth.conf"
for round in 1 2 3; do
    echo "$round" >"$TMP/source/one"
    echo "$round" >"$TMP/source/two"
    sleep 0.1
    expect_exit 0 berth sync
done
stuck=$(find "$TMP/drive/.berth/versions" -name one | sort | head -n 1)
rm "$stuck"
mkdir "$stuck"
echo somebody >"$stuck/mine"
sed -i 's|delete_cap|versions = "0"; delete_cap|' "$TMP/berth.conf"

expect_exit 3 berth prune >"$TMP/said" 2>&1
check "it is named" grep -q '1 version could not be removed.*/docs/one: ' "$TMP/said"
check "and not counted as removed" grep -q '^d: 3 versions pruned.*; 1 kept' "$TMP/said"
expect_exit 3 berth sync >"$TMP/said" 2>&1
check "a sync says so, too" grep -q '1 version could not be removed' "$TMP/said"
check "nothing of somebody's is touched" grep -qx somebody "$stuck/mine"
rm -r "$stuck"
expect_exit 0 berth prune
expect_exit 0 berth prune >"$TMP/said"
check "once it is gone so is the version" grep -q '^d: 0 versions pruned.*; 0 kept' "$TMP/said"
