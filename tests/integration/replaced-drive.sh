#!/usr/bin/env bash
# quick
# One of two drives of a move job is replaced: the new one knows nothing of what
# was removed from this machine. doctor says so, and what it names helps.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
export LD_PRELOAD=$TMP/clock.so
source_dir=$TMP/source
mkdir "$source_dir"
for name in one two three; do
    root=$(make_volume ext4 $name 64M)
    berth volume add "$root" --name $name
done
berth job add films --source "$source_dir" --target one:/films --target two:/films --mode move
sed -i 's|mode = "move";|mode = "move"; min_copies = 2;|' "$TMP/berth.conf"
mkdir "$source_dir/deep"
echo film >"$source_dir/film"
echo deep >"$source_dir/deep/film"
tree_digest "$source_dir" >"$TMP/before"
sleep 0.1
expect_exit 0 berth sync
check "they are removed here" test -z "$(find "$source_dir" -type f)"
berth doctor >"$TMP/said" || :
check "with both drives doctor has nothing to say of it" \
    test "$(grep -c 'fewer drives' "$TMP/said")" -eq 0

sed -i 's|two:/films|three:/films|' "$TMP/berth.conf"
unmount_volume two
expect_exit 0 berth sync
expect_exit 3 berth doctor >"$TMP/said"
check "with another one it has" \
    grep -q '2 files that it has removed .* fewer drives than min_copies = 2' "$TMP/said"
expect_exit 0 berth restore "$source_dir"
expect_exit 0 berth sync films
check "what it says helps" diff "$TMP/before" <(tree_digest "$TMP/mnt/three/films")
expect_exit 0 berth sync films
check "and they are removed here again" test -z "$(find "$source_dir" -type f)"
berth doctor >"$TMP/said" || :
check "doctor is content" test "$(grep -c 'fewer drives' "$TMP/said")" -eq 0
