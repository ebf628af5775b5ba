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
expect_exit 0 berth sync # the second of a rotating pair is not missed yet
tidy_says 'stays.*second.txt.*waiting for another copy: two'
check "the first night removes nothing" diff "$TMP/before" <(tree_digest "$source_dir")
unmount_volume one
mount_volume two >/dev/null
export BERTH_UNSYNCHRONISED=1
expect_exit 0 berth sync
unset BERTH_UNSYNCHRONISED
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

# --- what is lost on one drive comes back from the other ---
mount_volume two >/dev/null
rm -r "$one/raw/2024"
echo damaged >"$one/raw/second.txt"
expect_exit 3 berth diff --full one >"$TMP/said"
check "diff names the losses" \
    test "$(grep -c 'was offloaded to the drive and is damaged' "$TMP/said")" -eq 3
unmount_volume two
expect_exit 3 berth sync --full one 2>"$TMP/said"
check "a loss says which drive would help" \
    grep -q 'second.txt: was offloaded.*plug in two as well' "$TMP/said"
check "and nothing is forgotten of it" test "$(berth find '*.txt' | grep -c '^one:.*offloaded')" -eq 3
expect_exit 3 berth diff one >"$TMP/said"
check "a diff that does not read the drive knows of it, too" \
    test "$(grep -c 'was offloaded to the drive and is damaged' "$TMP/said")" -eq 3
berth drives >"$TMP/said"
check "nor do the drives call it complete" grep -q 'NOT on it: 3 in conflict' "$TMP/said"
mount_volume two >/dev/null
expect_exit 3 berth sync --full >"$TMP/said" 2>&1
check "it is named and copied back" grep -q 'second.txt.*copied back from two' "$TMP/said"
expect_exit 0 berth diff --full one >"$TMP/said" # read back by the same run
check "what was lost stands there again" diff "$TMP/before" <(tree_digest "$one/raw")
check "the damaged file is a version" \
    grep -qrx damaged "$one/.berth/versions"
expect_exit 0 berth sync --full
expect_exit 0 berth diff --full
expect_exit 0 berth verify
check "it is still offloaded" test "$(berth find '*.txt' | grep -c offloaded)" -eq 6

# --- what somebody puts back himself is no loss any more ---
unmount_volume two
mv "$one/raw/second.txt" "$TMP"
expect_exit 3 berth sync --full one 2>"$TMP/said"
cp -p "$TMP/second.txt" "$one/raw"
expect_exit 0 berth sync one
expect_exit 0 berth diff one
expect_exit 0 berth sync --full one
mount_volume two >/dev/null

# --- both damaged: the loss is named, and rot does not spread ---
printf 'SECOND\n' >"$two/raw/second.txt"
touch -r "$TMP/before" "$two/raw/second.txt"
rm "$one/raw/second.txt"
expect_exit 3 berth sync --full >"$TMP/said" 2>&1
check "what is damaged on both is not copied" test ! -e "$one/raw/second.txt"
berth job remove scrapes

# --- what was proved once is worth nothing when it is found otherwise ---
add_move_job proof 'min_copies = 1;' one:/proof
for name in rotten drifted fine; do echo $name >"$source_dir/$name"; done
sleep 0.1
BERTH_UNSYNCHRONISED=1 expect_exit 0 berth sync proof
tidy_says 'would go.*rotten'
touch -r "$one/proof/rotten" "$TMP/time"
printf 'ROTTEN\n' >"$one/proof/rotten"
touch -r "$TMP/time" "$one/proof/rotten"
sync -f "$one"
expect_exit 3 berth verify proof >"$TMP/said"
tidy_says 'stays.*rotten.*the copy is not as it was recorded: one'
echo somebody >"$one/proof/drifted"
tidy_says 'stays.*drifted.*not as it was recorded: one'
BERTH_UNSYNCHRONISED=1 expect_exit 3 berth sync proof --full >"$TMP/said" 2>&1
unmount_volume one # and it is remembered while the drive is away
tidy_says 'stays.*drifted.*the copy was not read back yet: one'
tidy_says 'would go.*fine'
mount_volume one >/dev/null
berth job remove proof
rm "$source_dir"/*ed "$source_dir"/rotten "$source_dir"/fine

# --- what stays, and why ---
add_move_job stay 'min_copies = 1;' one:/stay
echo x >"$source_dir/open"
echo x >"$source_dir/linked"
ln "$source_dir/linked" "$TMP/other name"
echo x >"$source_dir/changed"
echo x >"$source_dir/plain"
ln -s plain "$source_dir/symlink"
python3 - "$source_dir/lab.db" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE t (v)")
db.commit()
PYTHON
sleep 0.1
export BERTH_UNSYNCHRONISED=1
expect_exit 0 berth sync stay >"$TMP/said"
tidy_says 'stays.*plain.*clock is not synchronised'
expect_exit 0 berth sync stay
unset BERTH_UNSYNCHRONISED
export BERTH_CLOCK_OFFSET=-3600
tidy_says 'stays.*plain.*\(clock is behind\|read back over 90\)'
unset BERTH_CLOCK_OFFSET
echo y >>"$source_dir/changed"
exec 8<"$source_dir/open"
expect_exit 0 berth tidy stay >"$TMP/said"
exec 8<&-
check "what is plain goes" test ! -e "$source_dir/plain"
for name in open linked changed symlink lab.db; do
    check "$name stays" test -e "$source_dir/$name" -o -L "$source_dir/$name"
done
check "open says so" grep -q 'stays.*open.*open in another program' "$TMP/said"
check "linked says so" grep -q 'stays.*linked.*hard link' "$TMP/said"
check "changed says so" grep -q 'stays.*changed.*changed since' "$TMP/said"
check "a symlink says so" grep -q 'stays.*symlink.*a symlink' "$TMP/said"
check "a database says so" grep -q 'stays.*lab.db.*a database' "$TMP/said"
berth tidy stay --dry-run --json | python3 -c 'import json,sys; json.load(sys.stdin)'
berth copies --json | python3 -c 'import json,sys; json.load(sys.stdin)'
berth copies "$source_dir/plain" --json | python3 -c 'import json,sys; json.load(sys.stdin)'
berth find plain --json | python3 -c 'import json,sys; json.load(sys.stdin)'
# A name that is made anew: what was offloaded becomes a version.
echo anew >"$source_dir/plain"
expect_exit 0 berth sync stay
check "the file that was offloaded is a version" \
    test "$(berth find plain | grep -c version)" -eq 1
check "the new one is on the drive" grep -qx anew "$one/stay/plain"
berth job remove stay

# --- what could only be compared waits; a replug proves it ---
rm -r "$source_dir"
mkdir "$source_dir"
stick=$(make_volume exfat stick 64M)
berth volume add "$stick" --name stick
add_move_job film 'min_copies = 1;' stick:/film
echo film >"$source_dir/film"
sleep 0.1
expect_exit 0 berth sync film
tidy_says 'stays.*film.*read back only as "compared" here: stick'
remount_volume stick
expect_exit 0 berth sync film
tidy_says 'stays.*film.*read back only as "compared" here: stick'
# Nor is its replica believed before it came from the device; a damaged one is
# named, written anew, and read back after the next replug.
log=$(ls "$stick"/.berth/commits/*.commit)
python3 - "$log" <<'PYTHON'
import sys
file = open(sys.argv[1], "r+b")
file.seek(40)
byte = file.read(1)[0]
file.seek(40)
file.write(bytes([byte ^ 1]))
PYTHON
replug_volume stick
expect_exit 1 berth sync film >"$TMP/said" 2>&1
check "what does not read back of it is named" \
    grep -q 'stick: what berth told it last .* does not read back' "$TMP/said"
tidy_says 'stays.*film.*read back only as "compared" here: stick'
check "and it was written anew" test -n "$(echo "$stick"/.berth/commits/*.replica)"
replug_volume stick
expect_exit 0 berth sync film
check "after a replug it goes" test ! -e "$source_dir/film"
check "and stands on the drive" grep -qx film "$stick/film/film"
