#!/usr/bin/env bash
# quick
# Several berths change the configuration at the same time: none takes back
# what another wrote.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/drive"
berth volume add "$TMP/drive" --name d --folder
for i in {1..12}; do
    mkdir "$TMP/source$i"
    berth job add "job$i" --source "$TMP/source$i" --target "d:/$i" &
    added[i]=$!
done
for i in {1..12}; do
    wait "${added[i]}" || fail "job$i was not added"
done
check "all twelve are there" test "$(berth job list | grep -c '^job')" = 12
for i in {1..12}; do
    berth job remove "job$i" &
    removed[i]=$!
done
for i in {1..12}; do
    wait "${removed[i]}" || fail "job$i was not removed"
done
check "none came back" test -z "$(berth job list)"
