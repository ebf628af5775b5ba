#!/usr/bin/env bash
# quick
# An ordinary user's directories that nobody may write to (Go's modules are
# 0555), or that are shut for a while: on a drive that keeps modes they stay
# workable, the catalogue knows how they were, and restore gives that back.
. "$(dirname "$0")/lib.sh"

need_root
need_command setpriv
root=$(make_volume ext4 usb 64M)
chown nobody "$root" "$TMP" "$TMP/home"
as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
user_berth() {
    as_nobody "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"
}
as_nobody mkdir -p "$TMP/source/module/sub" "$TMP/source/shut"
as_nobody sh -c "echo one >'$TMP/source/module/sub/a'; echo two >'$TMP/source/shut/b'"
as_nobody chmod 0555 "$TMP/source/module/sub" "$TMP/source/module"
user_berth volume add "$root" --name usb
user_berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 user_berth sync

as_nobody chmod 0755 "$TMP/source/module/sub"
as_nobody sh -c "echo more >'$TMP/source/module/sub/c'; echo new >'$TMP/source/module/sub/a'"
as_nobody chmod 0555 "$TMP/source/module/sub"
expect_exit 0 user_berth sync
check "what is new in a read-only directory arrives" grep -qx more "$root/docs/module/sub/c"
expect_exit 0 user_berth diff --full

as_nobody chmod 0 "$TMP/source/shut"
expect_exit 3 user_berth sync --full
as_nobody chmod 0755 "$TMP/source/shut"
as_nobody mv "$TMP/source/shut" "$TMP/source/open"
expect_exit 0 user_berth sync --full
check "what was shut for a while is renamed" grep -qx two "$root/docs/open/b"

as_nobody mkdir "$TMP/back"
user_berth restore "$TMP/source/module" --to "$TMP/back"
check "restore gives 0555 back" \
    test "$(find "$TMP/back" -name sub -printf '%m')" = 555
