#!/usr/bin/env bash
# quick
# A machine that only reads a drive, and another one that writes to it meanwhile:
# restore and versions give what is there now, not what was known last.
. "$(dirname "$0")/lib.sh"

host() { # NAME COMMAND…
    local name=$1
    shift
    "$BERTH" --config "$TMP/$name.conf" --state-dir "$TMP/state-$name" "$@"
}

mkdir "$TMP/drive" "$TMP/source"
mkdir "$TMP/source/folder"
echo first >"$TMP/source/changed"
echo gone >"$TMP/source/gone"
echo moved >"$TMP/source/folder/moved"
host nas volume add "$TMP/drive" --name d --folder
host nas job add docs --source "$TMP/source" --target d:/docs
sleep 0.1
expect_exit 0 host nas sync
host laptop volume add "$TMP/drive" --name d --folder

echo second, and longer >"$TMP/source/changed"
rm "$TMP/source/gone"
mv "$TMP/source/folder" "$TMP/source/other"
echo new >"$TMP/source/new"
sleep 0.1
expect_exit 0 host nas sync

expect_exit 0 host laptop restore d:/docs --to "$TMP/to" 2>"$TMP/said"
check "all that is there now comes back" \
    diff <(tree_digest "$TMP/source") <(tree_digest "$TMP/to/docs")
check "and is no rot" test ! -s "$TMP/said"
expect_exit 0 host laptop versions d:/docs/gone >"$TMP/said"
check "versions knows what was deleted" grep -q deleted "$TMP/said"

# A drive that is away is answered for as it was known last.
mv "$TMP/drive" "$TMP/away"
host laptop versions d:/docs/gone >"$TMP/said"
check "offline, too" grep -q deleted "$TMP/said"
mv "$TMP/away" "$TMP/drive"

# What was damaged in between is passed over, and told by nobody as rot.
echo third >"$TMP/source/changed"
sleep 0.1
expect_exit 0 host nas sync
for log in "$TMP/drive/.berth/commits/"*.commit; do echo damage >"$log"; done
host laptop versions d:/docs/changed >"$TMP/said" 2>&1
check "a damaged log leaves what was known" grep -q 'on the drive' "$TMP/said"
