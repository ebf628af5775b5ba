#!/usr/bin/env bash
# What cannot be examined is named by its whole path, on either side, and is
# not taken for gone (ENGINE G4, G11).
. "$(dirname "$0")/lib.sh"

need_command cc
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
mkdir -p "$TMP/usb" "$TMP/source/one/deep" "$TMP/source/two"
for name in one/deep/plain one/deep/sick two/plain; do
    echo "$name" >"$TMP/source/$name"
done
berth volume add "$TMP/usb" --name usb --folder
berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 berth sync
echo changed >"$TMP/source/two/plain"

# sick NAME CODE COMMAND…: nothing of that name can be examined. What is said
# goes to $TMP/words.
sick() {
    local name=$1 code=$2
    shift 2
    export LD_PRELOAD=$TMP/shim.so BERTH_SHIM_SICK=$name
    expect_exit "$code" berth "$@" >"$TMP/words" 2>&1
    unset LD_PRELOAD BERTH_SHIM_SICK
    cat "$TMP/words" >&2
}

sick sick 3 sync --full
check "in the source: its directory is named" grep -q 'one/deep' "$TMP/words"
check "nothing there counts as gone" \
    test -e "$TMP/usb/docs/one/deep/sick" -a -e "$TMP/usb/docs/one/deep/plain"
check "the rest arrives" cmp "$TMP/source/two/plain" "$TMP/usb/docs/two/plain"

echo somebody >"$TMP/usb/docs/one/deep/ill"
echo changed again >"$TMP/source/two/plain"
sick ill 7 sync --full
check "on the drive: it is named, from the root of the drive" \
    grep -q 'cannot examine docs/one/deep/ill: input/output error' "$TMP/words"
check "nothing is deleted, nothing copied" \
    test "$(cat "$TMP/usb/docs/two/plain")" = changed -a \
    -e "$TMP/usb/docs/one/deep/sick"
expect_exit 0 berth sync --full
check "and once it is well all goes on" \
    cmp "$TMP/source/two/plain" "$TMP/usb/docs/two/plain"
