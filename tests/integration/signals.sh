#!/usr/bin/env bash
# quick
# SIGINT, SIGTERM and SIGHUP stop staging within a second: what is staged whole
# is committed, the unfinished file is kept to be resumed, exit 8; a second signal leaves at
# once; the next run finishes. Progress on a terminal, plain lines in a log.
. "$(dirname "$0")/lib.sh"

need_root
root=$(make_volume ext4 usb 1G)
mkdir "$TMP/source"
for i in 1 2 3 4 5; do
    head -c 100000 /dev/urandom >"$TMP/source/a small $i"
done
head -c 60000000 /dev/urandom >"$TMP/source/large"
berth volume add "$root" --name usb
berth job add docs --source "$TMP/source" --target usb:/docs
sed -i 's|\(target[^}]*\); }|\1; bandwidth = "10M"; }|' "$TMP/berth.conf"

stop_with() { # SIGNAL
    local signal=$1 pid begun code=0
    "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync \
        >"$TMP/out" 2>"$TMP/words" &
    pid=$!
    sleep 1.5
    begun=$EPOCHREALTIME
    kill -"$signal" $pid
    wait $pid || code=$?
    took=$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
    check "$signal: exit 8" test $code -eq 8
    check "$signal: within a second ($took s)" awk -v t="$took" 'BEGIN { exit t > 1.0 }'
    check "$signal: the unfinished file is not there" test ! -e "$root/docs/large"
    check "$signal: nothing is left in staging" \
        test -z "$(find "$root/.berth/staging" -mindepth 1)"
}

stop_with INT
check "what was staged whole is committed" \
    test "$(find "$root/docs" -name 'a small*' | wc -l)" -eq 5
check "the history says so" grep -q '"exit":8' <(berth history --json)
check "a log gets no control characters" test -z "$(grep -P '[\x00-\x08\x1b]' "$TMP/words")"
stop_with TERM
sed -i 's|"10M"|"500K"|' "$TMP/berth.conf" # a piece takes many seconds
stop_with HUP
sed -i 's|"500K"|"10M"|' "$TMP/berth.conf"

code=0
"$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync >/dev/null 2>&1 &
pid=$!
sleep 1
kill -INT $pid
sleep 0.02
kill -INT $pid 2>/dev/null || :
wait $pid || code=$?
check "a second signal leaves as well: exit 8" test $code -eq 8

sed -i 's|bandwidth = "10M"|bandwidth = "30M"|' "$TMP/berth.conf"
if command -v script >/dev/null; then
    script -qec "'$BERTH' --config '$TMP/berth.conf' --state-dir '$TMP/state' sync" \
        "$TMP/typescript" >/dev/null
    check "a terminal gets a line that is drawn anew" \
        grep -q $'\r\033\[K.*copying: ' "$TMP/typescript"
else
    expect_exit 0 berth sync
fi
check "the next run finishes" cmp "$TMP/source/large" "$root/docs/large"
expect_exit 0 berth diff --full
