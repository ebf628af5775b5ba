#!/usr/bin/env bash
# A directory of the drive that cannot be read (somebody else's), or one that is
# too deep: it is left alone and named, exit 3, and the others are copied
# (ENGINE G11).
. "$(dirname "$0")/lib.sh"

need_root
need_command setpriv
root=$(make_volume ext4 usb 64M)
mkdir -p "$TMP/source/theirs" "$TMP/source/ours"
echo one | tee "$TMP/source/theirs/file" >"$TMP/source/ours/file"
chown -R 1234:1234 "$TMP" "$root"
user_berth() {
    setpriv --reuid 1234 --regid 1234 --clear-groups \
        "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"
}
user_berth volume add "$root" --name usb
user_berth job add docs --source "$TMP/source" --target usb:/docs
expect_exit 0 user_berth sync

chown root:root "$root/docs/theirs"
chmod 700 "$root/docs/theirs"
echo two | tee "$TMP/source/theirs/file" >"$TMP/source/ours/file"
rm -r "$TMP/source/theirs/file"
for _ in 1 2; do
    expect_exit 3 user_berth sync --full 2>"$TMP/words"
    check "it is named, with the volume and the reason" \
        grep -q 'theirs could not be read: on volume usb: .*denied' "$TMP/words"
done
check "the others are copied" grep -qx two "$root/docs/ours/file"
check "it is left alone" grep -qx one "$root/docs/theirs/file"
expect_exit 1 user_berth diff --full
chown 1234:1234 "$root/docs/theirs"
expect_exit 0 user_berth sync --full
check "equal when it can be read" diff -r "$TMP/source" "$root/docs"

# Deeper than berth goes (SCAN_DEPTH_LIMIT).
long=$(printf 'd/%.0s' $(seq 2046))
python3 - "$TMP/source" <<'PYTHON'
import os, sys
os.chdir(sys.argv[1])
for _ in range(2046):
    os.mkdir("d")
    os.chdir("d")
PYTHON
for word in three four; do
    echo $word >"$TMP/source/ours/file"
    expect_exit 3 user_berth sync --full 2>"$TMP/words"
    check "what is too deep does not keep the others from the drive" \
        grep -qx $word "$root/docs/ours/file"
    check "it is named" grep -q "${long:0:40}.* more than 2000 directories" \
        "$TMP/words"
done
