#!/usr/bin/env bash
# quick
# doctor and init on drives of paper: what they find, in words that name the
# thing, the reason and the remedy, and the exit code of findings.
. "$(dirname "$0")/lib.sh"

need_command python3
export BERTH_PRACTICE_PROGRAM=$BERTH_PRACTICE
export BERTH_PRACTICE=$TMP/sandbox
program=$BERTH_PRACTICE_PROGRAM
berth() { "$program" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"; }

has() { # TEXT: in what was printed last
    grep -q -- "$1" "$TMP/out" || fail "\"$1\" is not in: $(cat "$TMP/out")"
    echo "ok: it says: $1" >&2
}
has_not() {
    ! grep -q -- "$1" "$TMP/out" || fail "\"$1\" is in: $(cat "$TMP/out")"
}

mkdir -p "$BERTH_PRACTICE" "$TMP/my media" "$TMP/data"
echo film >"$TMP/my media/film"
echo data >"$TMP/data/row"
cat >"$BERTH_PRACTICE/script" <<'END'
drive hdd vendor=Seagate model=Expansion serial=1 bus=usb external=yes smart=passed
volume hdd1 drive=hdd label="HDD Homelab" family=exfat size=4GB
END
drive=$BERTH_PRACTICE/drives/hdd1
cat >"$TMP/nightly.sh" <<END
#!/bin/sh
# rsync -a --delete /commented $drive/commented
rsync -a --exclude '*.tmp' \\
    "$TMP/data/" $drive/sqlite/ && echo done
END
cat >"$BERTH_PRACTICE/crontab" <<END
MAILTO=me
0 2 * * * rsync -a --delete "$TMP/my media" $drive/ >/dev/null 2>&1
30 2 * * * $TMP/nightly.sh
END

# --- init: what is there becomes volumes and jobs ---------------------------

berth init >"$TMP/out" 2>"$TMP/words" # nothing is done yet
has "berth volume add '$drive' --name HDD_Homelab"
has "berth job add my_media --source '$TMP/my media' --target 'HDD_Homelab:/my media' --mode mirror"
has "berth job add data --source '$TMP/data' --target 'HDD_Homelab:/sqlite' --mode update --exclude '\*.tmp'"
has_not commented
check "init alone changes nothing" test ! -e "$TMP/berth.conf"
rsync_did="$drive/my media"
mkdir -p "$rsync_did"
cp -p "$TMP/my media/film" "$rsync_did/"
berth init --yes --json >"$TMP/json"
check "what was said is in JSON" python3 -c '
import json, sys
said = json.load(open(sys.argv[1]))["suggestions"]
assert [s["command"].split()[1] for s in said] == ["volume", "job", "job"], said
' "$TMP/json"
check "it is in the configuration" grep -q 'mode = "update"' "$TMP/berth.conf"
berth init >"$TMP/out"
check "a second init has nothing to say" test ! -s "$TMP/out"
check "nothing was copied" test ! -e "$drive/sqlite"

# --- doctor: findings, each with a remedy -----------------------------------

expect_exit 3 berth doctor >"$TMP/out"
has "^finding  old cron line: crontab: rsync still writes to $drive/my media, and its --delete would remove .berth"
has "^finding  old cron line: $TMP/nightly.sh: rsync still writes to $drive/sqlite: comment it out"
has '^note     volume HDD_Homelab: exfat loses: no journal .*read by: Mac'
has '^note     schedule: no job has one: '
has '^ok       clock'
has "^ok       job data: $TMP/data can be read"
: >"$BERTH_PRACTICE/crontab"
berth sync
expect_exit 0 berth doctor >"$TMP/out"
has_not '^finding'

echo unsynchronised >"$BERTH_PRACTICE/clock"
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  clock: .*set-ntp'
rm "$BERTH_PRACTICE/clock"

# What a timer may do is asked by day.
berth doctor >"$TMP/out"
has '^ok       rights: a timer may mount'
touch "$BERTH_PRACTICE/rights"
expect_exit 0 berth doctor >"$TMP/out"
has '^note     rights: a timer of this user may not mount drives.*berth-polkit.rules'
sed -i 's|name = "HDD_Homelab";|& mount = true;|' "$TMP/berth.conf"
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  rights: a timer of this user may not mount drives.*berth-polkit.rules'
sed -i 's| mount = true;||' "$TMP/berth.conf"
rm "$BERTH_PRACTICE/rights"

mv "$TMP/data" "$TMP/elsewhere"
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  job data: .*data.*: mount it'
mv "$TMP/elsewhere" "$TMP/data"

sed -i 's|source = |schedule = "03:15"; source = |' "$TMP/berth.conf"
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  schedule: .*nothing is installed: run .berth schedule install'
berth schedule install >"$TMP/out"
has '^03:15 .*my_media, data'

# The rule for polkit is missed only where it is missing.
sed -i 's|name = "HDD_Homelab";|& mount = true;|' "$TMP/berth.conf"
berth schedule install >"$TMP/out" 2>&1
has_not polkit
touch "$BERTH_PRACTICE/rights"
berth schedule install >"$TMP/out" 2>&1
has 'volume HDD_Homelab is to be mounted .* refuses: berth-polkit.rules'
rm "$BERTH_PRACTICE/rights"
sed -i 's| mount = true;||' "$TMP/berth.conf"
expect_exit 0 berth doctor >"$TMP/out"
touch "$BERTH_PRACTICE/linger"
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  schedule: nothing is started while .* is logged out: .sudo loginctl enable-linger'
rm "$BERTH_PRACTICE/linger"

mv "$drive" "$TMP/away"
expect_exit 5 berth sync --scheduled 03:15 2>/dev/null
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  schedule 03:15: its last run ended with 5'
mv "$TMP/away" "$drive"

cat >"$BERTH_PRACTICE/script" <<'END'
drive hdd vendor=Seagate model=Expansion serial=1 bus=usb external=yes smart=passed under-voltage=yes
volume hdd1 drive=hdd label="HDD Homelab" family=exfat size=4GB
END
rm -r "$BERTH_PRACTICE/cards"
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  drive Seagate Expansion: .*use the power supply made for this board'
berth schedule remove
