#!/usr/bin/env bash
# quick
# A job gets another name in the configuration: doctor says what became of the
# old one, `job claim` hands its rows and versions over, before and after the
# new name's first sync; nothing is copied again, and nothing is deleted.
. "$(dirname "$0")/lib.sh"

need_command python3
mkdir "$TMP/drive" "$TMP/source"
for i in $(seq 8); do echo "$i" >"$TMP/source/$i"; done
berth volume add "$TMP/drive" --name d --folder
berth job add old --source "$TMP/source" --target d:/docs
sleep 0.1
expect_exit 0 berth sync
echo second >"$TMP/source/1"
sleep 0.1
expect_exit 0 berth sync
cp "$TMP/berth.conf" "$TMP/old.conf"
cp -a "$TMP/state" "$TMP/old.state"
cp -a "$TMP/drive" "$TMP/old.drive"
again() {
    rm -rf "$TMP/state" "$TMP/drive"
    cp -a "$TMP/old.state" "$TMP/state"
    cp -a "$TMP/old.drive" "$TMP/drive"
}
copied() { # in the last run
    berth history --json | python3 -c '
import json, sys
run = json.load(sys.stdin)["runs"][0]
print(run["new"] + run["changed"])'
}
doctor_says() { # WORDS
    berth doctor >"$TMP/said" 2>&1 || :
    check "doctor: $1" grep -q "$1" "$TMP/said"
}
is_new_names() { # WHEN
    berth versions d:/docs/1 >"$TMP/said"
    check "$1: its versions are the new name's" grep -q '^new: 1 .*replaced' "$TMP/said"
    berth find 2 --json >"$TMP/said"
    check "$1: find lists it once" test "$(grep -o '"job"' "$TMP/said" | wc -l)" -eq 1
    check "$1: under the new name" grep -q '"job": *"new"' "$TMP/said"
    berth doctor >"$TMP/said" 2>&1 || :
    check "$1: doctor has nothing to say of the old name" \
        test "$(grep -c 'job old is not' "$TMP/said")" -eq 0
}

sed -i 's/name = "old"/name = "new"/' "$TMP/berth.conf"
doctor_says '^finding .*job old is not in the configuration any more, and job new has its directory.*berth job claim new'
berth job claim new 2>"$TMP/words"
check "what is handed over is said" grep -q 'what job old had in d:/docs is this job' "$TMP/words"
rm "$TMP/source/8"
expect_exit 0 berth sync
check "nothing is copied again" test "$(copied)" -eq 0
check "nothing is deleted for another name" test -e "$TMP/drive/docs/8"
is_new_names "before a sync"
echo third >"$TMP/source/1"
rm "$TMP/source/7"
expect_exit 0 berth sync
check "from there on it is as any job: copied" test "$(cat "$TMP/drive/docs/1")" = third
check "and deleted" test ! -e "$TMP/drive/docs/7"

again
expect_exit 0 berth sync # as many will
berth job claim new
is_new_names "after a sync"
expect_exit 0 berth diff --full

again
cp "$TMP/old.conf" "$TMP/berth.conf"
berth job remove old
doctor_says '^note .*job old is not in the configuration any more: what it copied to /docs stays'
cp "$TMP/old.conf" "$TMP/berth.conf"
doctor_says 'job old: .* can be read'
check "as long as it is there, nothing is said" test "$(grep -c 'job old is not' "$TMP/said")" -eq 0
