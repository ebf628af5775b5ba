# Attacks by tests/shim/shim.c. Sourced after lib.sh.
# shellcheck shell=bash

need_root
need_command python3 cc
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
attacks=0

# attack kill|fail|short FILESYSTEM [ERRNO [STEP]]
attack() {
    local name="usb$((attacks += 1))" root work
    root=$(make_volume "$2" "$name" 512M 2>/dev/null)
    work=$TMP/$name
    mkdir "$work"
    python3 "$REPO/tests/integration/every_call.py" "$1" "$2" "$root" "$work" \
        "$BERTH" "$TMP/shim.so" "${@:3}" >&2
    unmount_volume "$name"
}
