#!/usr/bin/env bash
# quick
# What others start by themselves is left alone: a crontab that cannot be read
# is not replaced, and only the systemd units that berth made are removed.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/bin" "$TMP/source" "$TMP/drive"
cat >"$TMP/bin/crontab" <<'END'
#!/bin/sh
# The tests' own: a file, and $TMP/words for why it cannot be read.
[ "$1" = -l ] || { cp "$1" "$TMP/crontab"; exit; }
[ ! -e "$TMP/why" ] || { cat "$TMP/why" >&2; exit 1; }
[ -e "$TMP/crontab" ] || { echo "no crontab for me" >&2; exit 1; }
cat "$TMP/crontab"
END
chmod +x "$TMP/bin/crontab"
export PATH=$TMP/bin:$PATH TMP
berth volume add "$TMP/drive" --name drive --folder
berth job add docs --source "$TMP/source" --target drive:/docs
sed -i 's|"drive:/docs" \];|& schedule = "02:00";|' "$TMP/berth.conf"

units=$HOME/.config/systemd/user
mkdir -p "$units"
echo "[Timer]" >"$units/berth-verify.timer"
printf '%s\n' "# Made by \`berth schedule install\`, removed by \`berth schedule remove\`." \
    "[Timer]" >"$units/berth-0300.timer"
berth schedule remove
check "the user's own unit stays" test -e "$units/berth-verify.timer"
check "berth's is removed" test ! -e "$units/berth-0300.timer"

[ ! -d /run/systemd/system ] || exit 0
berth schedule install
check "where there was none ours is made" grep -q "sync" "$TMP/crontab"
if [ ! -e /run/crond.pid ] && [ ! -e /run/cron.pid ]; then
    berth schedule show >"$TMP/said" 2>&1
    check "it is cron that does not run" grep -q 'cron is not running, start it' "$TMP/said"
    check "not what was just installed" test -z "$(grep 'out of date\|once more' "$TMP/said")"
    berth doctor >"$TMP/said" || true
    check "doctor finds it, too" grep -q 'schedule: .*cron is not running: start' "$TMP/said"
fi
echo "0 1 * * * backup" >"$TMP/crontab"
berth schedule install
check "what was there stays" grep -q "0 1 \* \* \* backup" "$TMP/crontab"
cp "$TMP/crontab" "$TMP/before"
echo "crontabs/me: Input/output error" >"$TMP/why"
for verb in install remove; do
    expect_exit 3 berth schedule $verb 2>"$TMP/said"
    check "$verb: a crontab that cannot be read is left as it is" \
        cmp "$TMP/before" "$TMP/crontab"
    check "$verb: it says why" grep -q 'cannot read your crontab.*Input/output' "$TMP/said"
done
rm "$TMP/why"
berth schedule remove
check "ours is gone, theirs is there" \
    test "$(cat "$TMP/crontab")" = "0 1 * * * backup"
