#!/usr/bin/env bash
# quick
# The units that the package brings: systemd reads them, the timer starts the
# service, the service's command line is one that berth takes, and a stop gives
# it the time that a clean boundary needs.
. "$(dirname "$0")/lib.sh"

need_command systemd-analyze
mkdir "$TMP/units"
sed "s|/usr/bin/berth|$BERTH|" "$REPO/packaging/systemd/berth.service" \
    >"$TMP/units/berth.service"
cp "$REPO/packaging/systemd/berth.timer" "$TMP/units/"
export XDG_RUNTIME_DIR=$TMP/run
mkdir -m 700 "$XDG_RUNTIME_DIR"

# --man=no: the page is not installed here.
systemd-analyze verify --user --man=no --recursive-errors=no \
    "$TMP/units/berth.timer" "$TMP/units/berth.service" >"$TMP/out" 2>&1 ||
    fail "systemd-analyze: $(cat "$TMP/out")"
check "systemd has nothing to say of them" test -z "$(grep berth "$TMP/out")"
check "it can fail" bash -c "
    sed 's/oneshot/onshot/' '$TMP/units/berth.service' >'$TMP/units/wrong.service'
    systemd-analyze verify --user --man=no '$TMP/units/wrong.service' 2>&1 |
        grep -q 'onshot'"
check "the night's time is one of systemd's" systemd-analyze calendar --iterations=2 \
    "$(sed -n 's/^OnCalendar=//p' "$TMP/units/berth.timer")"
check "a missed night is caught up" grep -qx 'Persistent=true' "$TMP/units/berth.timer"
# shellcheck disable=SC2046 # words
expect_exit 2 berth $(sed -n 's/^ExecStart=[^ ]* //p' "$TMP/units/berth.service") 2>"$TMP/out"
check "its command line is a command" grep -q 'there is no job yet' "$TMP/out"
