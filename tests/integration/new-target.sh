#!/usr/bin/env bash
# quick
# A job gets another directory of its drive in the configuration: doctor says
# what became of what it had copied before, and nobody calls it unknown.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/drive" "$TMP/source"
echo kept >"$TMP/source/kept"
echo gone >"$TMP/source/gone"
berth volume add "$TMP/drive" --name d --folder
berth job add docs --source "$TMP/source" --target d:/old --mode update
sleep 0.1
expect_exit 0 berth sync
berth doctor >"$TMP/said" || :
check "doctor has nothing to say of its target" test "$(grep -c '/old' "$TMP/said")" -eq 0

sed -i 's|d:/old|d:/new|' "$TMP/berth.conf"
rm "$TMP/source/gone"
expect_exit 0 berth sync
berth doctor >"$TMP/said" || :
check "doctor names what was left behind" \
    grep -q 'job docs has no target d:/old any more: .*berth restore d:/old' "$TMP/said"
expect_exit 2 berth restore "$TMP/source/gone" 2>"$TMP/said"
check "restore says who finds it" grep -q 'berth find' "$TMP/said"
expect_exit 2 berth copies "$TMP/source/gone" 2>"$TMP/said"
check "and so does copies" grep -q 'berth find' "$TMP/said"
berth find gone >"$TMP/said"
check "find finds it" grep -q 'd:/old/gone' "$TMP/said"
expect_exit 0 berth restore d:/old/gone --to "$TMP/to"
check "and that place gets it back" grep -qx gone "$TMP/to/gone"
