#!/usr/bin/env bash
# quick
# Each command on a real tree: its JSON is read by Python's parser and compared,
# key by key, with docs/json.md, and its exit code is the document's.
. "$(dirname "$0")/lib.sh"

need_command python3
program=$BERTH_PRACTICE
export BERTH_PRACTICE_PROGRAM=$program BERTH_PRACTICE=$TMP/sandbox
berth() { "$program" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"; }
: >"$TMP/seen"

# reads CODE COMMAND WORDS…: COMMAND of one or two words, as in the tables.
reads() {
    local code=$1 command=$2 words
    shift 2
    read -r -a words <<<"$command"
    expect_exit "$code" berth "${words[@]}" "$@" --json >"$TMP/json"
    python3 "$REPO/tests/integration/json_tables.py" "$REPO/docs/json.md" \
        "$command" "$code" <"$TMP/json" >>"$TMP/seen" ||
        fail "$command $*: $(head -c 2000 "$TMP/json")"
    echo "ok: $command $* is as documented" >&2
}

mkdir -p "$BERTH_PRACTICE" "$TMP/source/deep" "$TMP/moved"
cat >"$BERTH_PRACTICE/script" <<'END'
drive hdd vendor=Seagate model=Expansion serial=1 bus=usb external=yes smart=passed
volume hdd1 drive=hdd label=hdd family=exfat size=4GB
drive old vendor=WD model=Passport serial=2 bus=usb external=yes
volume old1 drive=old label=old family=exfat size=1GB
END
export BERTH_PRACTICE_DELAY_MS=1
drive=$BERTH_PRACTICE/drives/hdd1

for name in a b $'with "quotes" \\ and\ttab' $'line\nbreak' $'latin \xe9' 'ünï' \
    deep/c; do
    echo "$name" >"$TMP/source/$name"
done
echo "0 2 * * * rsync -a $TMP/source/ $drive/docs/" >"$BERTH_PRACTICE/crontab"
berth drives >/dev/null # plugs them in
reads 0 init
: >"$BERTH_PRACTICE/crontab"
berth volume add "$drive" --name hdd
berth job add docs --source "$TMP/source" --target hdd:/docs
berth job add out --source "$TMP/moved" --target hdd:/out --mode move
echo gone >"$TMP/moved/file"

mkdir "$TMP/static"
echo tool >"$TMP/static/tool"
reads 0 'volume add' "$TMP/static" --name static --folder --role read-only
echo another >"$TMP/static/another"
reads 3 verify static
reads 0 'volume refresh' static
reads 0 'volume list'
reads 0 'job list'
reads 1 diff
reads 1 sync --dry-run
reads 0 drives
chmod 000 "$TMP/source/b"
if [ "$(id -u)" -eq 0 ]; then reads 0 sync; else reads 3 sync; fi
chmod 644 "$TMP/source/b"
echo changed >"$TMP/source/a"
rm "$TMP/source/b"
reads 0 sync docs
reads 0 verify
reads 0 history
reads 0 history 2
reads 0 versions "$TMP/source/a"
reads 0 copies
reads 0 copies "$TMP/source/a"
reads 0 find 'a*'
reads 0 restore "$TMP/source/b"
reads 0 restore "hdd:/docs" --to "$TMP/back"
reads 0 prune --dry-run
reads 0 tidy --dry-run
echo again >"$TMP/source/a"
reads 0 sync docs
reads 0 undo
python3 - "$drive/docs/a" <<'PYTHON'
import os, sys
found = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as file:
    file.write(b"X")
os.utime(sys.argv[1], ns=(found.st_atime_ns, found.st_mtime_ns))
PYTHON
reads 3 verify
reads 3 verify --heal
sed -i 's|source = |schedule = "02:00"; source = |' "$TMP/berth.conf"
reads 0 'schedule install'
reads 0 'schedule show'
echo "0 2 * * * rsync -a $TMP/source/ $drive/docs/" >"$BERTH_PRACTICE/crontab"
reads 3 doctor
# A file that does not arrive: a database that is none.
{
    printf 'SQLite format 3\0\20\0\1\1\0\100\040\040'
    head -c 8172 /dev/urandom
} >"$TMP/source/torn.sqlite"
reads 3 sync docs
reads 0 eject hdd
# Every list of the tables was seen with a value in it.
sed -n 's/^### \(.*: .*\)/\1/p' "$REPO/docs/json.md" | sort >"$TMP/tables"
sort -u "$TMP/seen" >"$TMP/seen.sorted"
check "every table was seen filled" diff "$TMP/tables" "$TMP/seen.sorted"
