#!/usr/bin/env bash
# quick
# A drive that berth knows nothing of is ejected as any other, and is red for as
# long as it stays plugged in once a flush of it failed (ENGINE G8).
. "$(dirname "$0")/lib.sh"

export BERTH_PRACTICE_PROGRAM=$BERTH_PRACTICE
export BERTH_PRACTICE=$TMP/sandbox
program=$BERTH_PRACTICE_PROGRAM
berth() { "$program" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"; }
play() { # WORDS: and wait until it has happened
    echo "$*" >>"$BERTH_PRACTICE/control"
    berth drives >/dev/null
}
ejects() { # CODE VERDICT
    expect_exit "$1" berth eject FILMS >"$TMP/out" 2>&1
    grep -q "$2" "$TMP/out" || fail "not $2: $(cat "$TMP/out")"
    echo "ok: $2" >&2
}

mkdir -p "$BERTH_PRACTICE"
cat >"$BERTH_PRACTICE/script" <<'END'
drive stick vendor=SanDisk model=Ultra serial=1 bus=usb external=yes
volume films drive=stick label=FILMS family=exfat size=4GB
END
berth drives >/dev/null
play fail flush stick
ejects 7 'DO NOT UNPLUG.*copy again what was written'
check "the drive is listed with it" grep -q 'DO NOT UNPLUG: a flush of FILMS failed' \
    <(berth drives)
ejects 7 'DO NOT UNPLUG.*copy again what was written'
play unplug stick
play plug stick
ejects 0 'SAFE TO UNPLUG'

play plug stick
echo damage >"$TMP/state/lost-writes.json"
check "the file is named" grep -q "lost-writes.json is damaged" <(berth drives)
ejects 7 'DO NOT UNPLUG.*not known'
