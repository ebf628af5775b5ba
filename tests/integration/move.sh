#!/usr/bin/env bash
# timeout 300
# The mode "move": local files go when enough copies are proved, and only then.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3 cc
cc -shared -fPIC -O1 -o "$TMP/clock.so" "$REPO/tests/shim/clock.c" -ldl
export LD_PRELOAD=$TMP/clock.so
source_dir=$TMP/source
mkdir "$source_dir"

# What the lead's replica will do: it was read back, with all rows until now.
note_replica() { # VOLUME…
    python3 - "$TMP" "$@" <<'PYTHON'
import re, sqlite3, sys, time
tmp, names = sys.argv[1], sys.argv[2:]
conf = open(tmp + "/berth.conf").read()
for name in names:
    id = re.search(r'name = "%s";\s*id = "([0-9a-f]{32})"' % name, conf).group(1)
    db = sqlite3.connect(tmp + "/state/volumes/%s.db" % id)
    db.execute("INSERT INTO meta VALUES ('replica_until', ?1) "
               "ON CONFLICT (name) DO UPDATE SET value = ?1",
               (str(time.time_ns()),))
    db.commit()
PYTHON
}

# add_move_job NAME KEYS TARGET…
add_move_job() {
    local name=$1 keys=$2 targets=()
    shift 2
    for target; do targets+=(--target "$target"); done
    berth job add "$name" --source "$source_dir" "${targets[@]}" --mode move
    sed -i "s|mode = \"move\";|mode = \"move\"; $keys|" "$TMP/berth.conf"
}

tidy_says() { # PATTERN
    berth tidy --dry-run >"$TMP/said" 2>&1 || :
    grep -q "$1" "$TMP/said" || {
        cat "$TMP/said" >&2
        fail "tidy --dry-run does not say: $1"
    }
    echo "ok: tidy says: $1" >&2
}

# --- three nights, two drives that take turns ---
one=$(make_volume ext4 one 64M)
two=$(make_volume ext4 two 64M)
berth volume add "$one" --name one
berth volume add "$two" --name two
add_move_job scrapes 'min_copies = 2;' one:/raw two:/raw
mkdir -p "$source_dir/2024/deep" "$source_dir/empty before"
echo first >"$source_dir/2024/first.txt"
echo deep >"$source_dir/2024/deep/deep.txt"
echo second >"$source_dir/second.txt"
tree_digest "$source_dir" >"$TMP/before"
sleep 0.1

unmount_volume two
expect_exit 5 berth sync # a target that was never synced counts as out of date
tidy_says 'stays.*second.txt.*no replica of the catalogue.*: one'
check "the first night removes nothing" diff "$TMP/before" <(tree_digest "$source_dir")
note_replica one
tidy_says 'stays.*second.txt.*waiting for another copy: two'
unmount_volume one
mount_volume two >/dev/null
expect_exit 0 berth sync
tidy_says 'stays.*second.txt.*no replica of the catalogue.*: two'
check "the second night, without a replica, removes nothing" \
    diff "$TMP/before" <(tree_digest "$source_dir")
expect_exit 0 berth diff
note_replica two
tidy_says 'would go.*second.txt.*2 copies'
check "a dry run removes nothing" diff "$TMP/before" <(tree_digest "$source_dir")
expect_exit 0 berth sync >"$TMP/said"
check "the sync says what it removed" grep -q '3 files removed from this machine' "$TMP/said"
check "the local files are gone" test -z "$(find "$source_dir" -type f)"
check "the directories that were emptied went, too" test ! -e "$source_dir/2024"
check "an empty one that was empty before stays" test -d "$source_dir/empty before"
unmount_volume two
mount_volume one >/dev/null
expect_exit 0 berth sync --full
check "the third night keeps every copy" diff "$TMP/before" <(tree_digest "$one/raw")
expect_exit 0 berth diff --full one
berth copies "$source_dir/second.txt" >"$TMP/said"
check "copies says that it is offloaded, on both" \
    test "$(grep -c 'verified.*offloaded' "$TMP/said")" -eq 2
berth find '*.txt' >"$TMP/said"
check "find finds it on both, offline" \
    test "$(grep -c 'second.txt.*(offloaded)' "$TMP/said")" -eq 2
