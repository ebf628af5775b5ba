#!/usr/bin/env bash
# Two rotating drives, one always away, for 30 simulated nights: no alarm; both
# away, or one of them for longer than its stale_after: an alarm that says so.
. "$(dirname "$0")/lib.sh"

need_command cc
[ "$(uname -s)" = Linux ] || skip "needs LD_PRELOAD"
cc -shared -fPIC -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl

mkdir "$TMP/source" "$TMP/one" "$TMP/two"
echo 0 >"$TMP/source/file"
berth volume add "$TMP/one" --name one --folder
berth volume add "$TMP/two" --name two --folder
berth job add docs --source "$TMP/source" --target one:/docs --target two:/docs

night() { # NUMBER: its sync at 02:00, an exit code
    local code=0
    echo "$1" >"$TMP/source/file"
    env LD_PRELOAD="$TMP/clock.so" BERTH_CLOCK_OFFSET=$(($1 * 86400)) \
        "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" \
        sync >"$TMP/out" 2>"$TMP/words" || code=$?
    echo "$code"
}

away() { mv "$TMP/$1" "$TMP/$1.away"; }
back() { mv "$TMP/$1.away" "$TMP/$1"; }

# A week each: six days old at most when it comes back.
present=one
away two
for ((i = 0; i < 30; i++)); do
    code=$(night "$i")
    [ "$code" -eq 0 ] || fail "night $i: exit $code: $(cat "$TMP/words")"
    ! grep -q 'away' "$TMP/words" || fail "night $i: $(cat "$TMP/words")"
    [ "$(cat "$TMP/$present/docs/file")" = "$i" ] || fail "night $i: not copied"
    if ((i % 7 == 6)); then
        away "$present"
        if [ "$present" = one ]; then present=two; else present=one; fi
        back "$present"
    fi
done
echo "ok: thirty nights without a false alarm" >&2

# The other one stays away: quiet for ten days, then named.
other=two
[ "$present" = one ] || other=one
alarmed=
for ((i = 30; i < 45; i++)); do
    code=$(night "$i")
    [ "$code" -eq 0 ] || { alarmed=$i && break; }
done
check "one that stays away raises the alarm" test "${alarmed:-0}" -gt 30
check "the alarm is exit 5" test "$code" -eq 5
check "it names the drive" grep -q "volume $other is away" "$TMP/words"
check "the other one was served" test "$(cat "$TMP/$present/docs/file")" = "$alarmed"

away "$present"
code=$(night "$alarmed")
check "both away is an alarm" test "$code" -eq 5
check "it names the first" grep -q 'volume one' "$TMP/words"
check "it names the second" grep -q 'volume two' "$TMP/words"

# Never in sync, never seen since: quiet at first, too, and then named.
back "$present"
mkdir "$TMP/three"
berth volume add "$TMP/three" --name three --folder
berth job add more --source "$TMP/source" --target "$present:/more" --target three:/more
away three
code=$(night 45)
check "the first night of a new pair: only the old alarm" \
    test "$(grep -c 'volume three is away' "$TMP/words")" -eq 0
night 60 >/dev/null
check "a drive that never came is named after its stale_after" \
    grep -q 'job more: volume three is away' "$TMP/words"
