#!/usr/bin/env bash
# quick
# A configuration or a state directory that belongs to somebody else, as after
# one run with sudo: it is named, with what to do, and is no absent drive (5)
# and no failed file (3).
. "$(dirname "$0")/lib.sh"

need_root
need_command setpriv chown
mkdir "$TMP/source" "$TMP/drive" "$TMP/config" "$TMP/hers"
echo one >"$TMP/source/one"
config=$TMP/config/berth.conf
hers() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$BERTH" \
        --config "$config" --state-dir "$TMP/hers/state" "$@"
}
says() { # CODE WORDS COMMAND…
    local code=$1 words=$2
    shift 2
    expect_exit "$code" "$@" >"$TMP/out" 2>&1
    grep -q -e "$words" "$TMP/out" || fail "\"$words\" is not in: $(cat "$TMP/out")"
    echo "ok: $words" >&2
}
chmod 755 "$TMP"
chown -R 65534 "$TMP/source" "$TMP/drive" "$TMP/config" "$TMP/hers"
hers volume add "$TMP/drive" --name d --folder
hers job add docs --source "$TMP/source" --target d:/docs
hers sync
hers doctor >"$TMP/out" || true
check "nothing of the state to find" test -z "$(grep 'state:' "$TMP/out")"

chown -R 0 "$TMP/hers"
chmod -R a+rX "$TMP/hers"
says 3 'state: .*/hers/state cannot be written by this user.*chown' hers doctor
chmod 600 "$TMP/hers/state/host"
says 2 'state directory .*/hers/state .*--state-dir' hers sync
rm -r "$TMP/hers/state"
says 2 'state directory .*/hers/state .*--state-dir' hers diff
touch "$TMP/hers/state"
says 2 'state directory .*/hers/state .*--state-dir' hers drives
rm "$TMP/hers/state"
chown -R 65534 "$TMP/hers"

chown 0 "$TMP/config"
says 2 'berth.conf stays as it was: let this user' hers job remove docs
check "it is as it was" grep -q docs "$config"
chown 0 "$config"
says 2 'cannot open .*/berth.conf.*let this user read it' hers diff
