#!/usr/bin/env bash
# A flash drive of static files, role read-only: hashed once when it is added,
# every later change is drift or rot, named with exit 3, until `volume refresh`
# accepts it. Nothing but the marker is ever written to it. On exFAT.
. "$(dirname "$0")/lib.sh"

need_command python3
root=$(make_volume exfat tools 64M)
mkdir -p "$root/deep/er" "$root/.Spotlight-V100" "$root/Android/data"
for name in a b c 'with space' 'ünï' deep/d deep/er/e; do
    echo "$name" >"$root/$name"
done
head -c 3000000 /dev/urandom >"$root/large"
cp -a "$root" "$TMP/before"

has() { # TEXT: in what was printed last
    grep -q -- "$1" "$TMP/out" || fail "\"$1\" is not in: $(cat "$TMP/out")"
    echo "ok: it says: $1" >&2
}

berth volume add "$root" --name tools --role read-only >"$TMP/out"
has '^tools: 8 files as they are to stay, 8 new'
check "only berth's own directory was added" \
    diff -r --exclude .berth "$TMP/before" "$root"
expect_exit 0 berth verify >"$TMP/out"
has '^  8 \(verified\|compared\)'
berth find 'ünï' >"$TMP/out"
has 'tools:/ünï'
expect_exit 2 berth job add docs --source "$TMP/before" --target tools:/docs 2>"$TMP/out"
has 'that volume is read-only: use one whose role'

# --- what systems leave there is no change ----------------------------------

touch "$root/.Spotlight-V100/store" "$root/Android/data/x" "$root/.DS_Store"
expect_exit 0 berth verify >/dev/null

# --- new, gone, changed, rotten ---------------------------------------------

remount_volume tools
echo new >"$root/deep/new"
rm -r "$root/deep/er"
echo changed >"$root/b"
python3 - "$root/c" <<'PYTHON'
import os, sys
found = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as file:
    file.write(b"X")
os.utime(sys.argv[1], ns=(found.st_atime_ns, found.st_mtime_ns))
PYTHON
for again in 1 2; do
    expect_exit 3 berth verify tools >"$TMP/out" 2>"$TMP/words"
    has '^tools: deep/new: drift: it was not there before'
    has '^tools: deep/er/e: missing on the drive'
    has '^tools: b: drift: something other than berth changed it'
    has '^tools: c: rot: the content changed, size and time did not'
    has "^  4 not as recorded"
    check "it says how to accept that ($again)" \
        grep -q 'berth volume refresh tools' "$TMP/words"
done
expect_exit 3 berth doctor >"$TMP/out"
has '^finding  volume tools: its last verify found 4 files not as recorded: .berth verify tools. names them'

expect_exit 0 berth volume refresh tools --json >"$TMP/json"
check "refresh counts what it accepts" python3 -c '
import json, sys
[found] = json.load(open(sys.argv[1]))["contents"]
assert [found[k] for k in ("files", "new", "changed", "gone", "failed")] == \
    [8, 1, 2, 1, 0], found
' "$TMP/json"
expect_exit 0 berth verify tools >/dev/null
berth doctor >"$TMP/out" || :
check "doctor has nothing more to say of it" test -z "$(grep 'not as recorded' "$TMP/out")"
berth volume refresh tools >"$TMP/out"
has 'nothing new; 0 B read'
check "all that was written below .berth is its marker" \
    test "$(cd "$root/.berth" && find . -type f ! -name .nomedia)" = ./volume

# --- away, and unreadable ----------------------------------------------------

unmount_volume tools
expect_exit 5 berth verify tools 2>"$TMP/out"
has 'volume tools is not attached or not mounted'
expect_exit 0 berth find 'a' >"$TMP/out"
has 'tools:/a'
mount_volume tools >/dev/null
expect_exit 2 berth volume refresh nothing 2>"$TMP/out"
has 'there is no volume nothing in .*berth volume list'
mkdir "$TMP/backup"
berth volume add "$TMP/backup" --name backup --folder
expect_exit 2 berth volume refresh backup 2>"$TMP/out"
has 'refresh is for role = "read-only"'
