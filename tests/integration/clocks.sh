#!/usr/bin/env bash
# quick
# A clock that is wrong for a night, ahead or years behind, costs no version:
# those that were there, and those that were made in that night.
. "$(dirname "$0")/lib.sh"

need_command cc
[ "$(uname -s)" = Linux ] || skip "needs LD_PRELOAD"
cc -shared -fPIC -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
mkdir "$TMP/source" "$TMP/drive"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$TMP/source" --target usb:/docs

night() { # DAY [CLOCK]: its sync on that day, by that clock
    echo "$1" >"$TMP/source/file"
    LD_PRELOAD="$TMP/clock.so" BERTH_CLOCK_OFFSET=$((${2:-$1} * 86400)) berth sync
}
kept() { # DAYS…: of these the content is kept as versions
    local day
    for day; do
        grep -rqx "$day" "$TMP/drive/.berth/versions" || {
            echo "no version of day $day" >&2
            return 1
        }
    done
}

for day in 0 1 2; do night $day; done
check "what was replaced is kept" kept 0 1
night 3 -2000 # its clock stands years back, and replaces day 2's
night 4 -2000
for day in 5 6 7 8; do night $day; done
check "a night's versions are not old because its clock was" kept 0 1 2 3 4 5 6 7
night 9 400 # a year ahead
for day in 10 11 12; do night $day; done
check "nor are the others because of a clock that was ahead" kept 0 1 2 3 4 5 6 7 8 9 10
for day in 36 37 38; do night $day; done
check "all of them go when their time has come" \
    expect_exit 1 kept 0
check "also those of the clock that was behind" expect_exit 1 kept 3
check "and only those" kept 8 9 10 11
