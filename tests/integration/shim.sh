# Attacks by tests/shim/shim.c. Sourced after lib.sh.
# shellcheck shell=bash

need_root
need_command python3 cc
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
attacks=0

# The same with batches of three files: nearly every step begins another one.
with_small_batches() {
    local BERTH=$BERTH
    BERTH=$(dirname "$BERTH")/tests/berth-small-batches
    [ -x "$BERTH" ] || fail "make tests builds $BERTH"
    "$@"
}

# attack kill|fail|short FILESYSTEM [ERRNO [STEP]]
attack() {
    local name="usb$((attacks += 1))" root work
    root=$(make_volume "$2" "$name" 512M 2>/dev/null)
    work=$TMP/$name
    mkdir "$work"
    python3 "$REPO/tests/integration/every_call.py" "$1" "$2" "$root" "$work" \
        "$BERTH" "$TMP/clock.so $TMP/shim.so" "${@:3}" >&2
    unmount_volume "$name"
}
