#!/usr/bin/env bash
# Every command of the table, with the real backend, on a tree of files and an
# exFAT drive: its exit code, and its JSON as docs/json.md has it, read by
# Python's parser. A command that is in the table and not in here fails.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3 sqlite3
: >"$TMP/ran"

# does CODE COMMAND WORDS…: COMMAND of one or two words, as in the table.
does() {
    local code=$1 command=$2 words
    shift 2
    read -r -a words <<<"$command"
    expect_exit "$code" berth "${words[@]}" "$@" --json >"$TMP/json" 2>"$TMP/words"
    python3 "$REPO/tests/integration/json_tables.py" "$REPO/docs/json.md" \
        "$command" "$code" <"$TMP/json" >/dev/null ||
        fail "$command $*: $(head -c 2000 "$TMP/json")"
    ! grep -v '^berth: ' "$TMP/words" || fail "$command $*: not a message"
    echo "$command" >>"$TMP/ran"
    echo "ok: berth $command $*: $code" >&2
}

# says PYTHON: of the document `d` that was printed last.
says() {
    python3 -c "
import json, sys
d = json.load(open(sys.argv[1]))
assert $1, d" "$TMP/json" || fail "not so: $1"
    echo "ok: $1" >&2
}

# The machine's crontab is somebody's: this one is ours. No systemd here.
mkdir "$TMP/bin"
cat >"$TMP/bin/crontab" <<END
#!/bin/sh
case \$1 in
-l) cat "$TMP/crontab" 2>/dev/null ;;
-r) rm -f "$TMP/crontab" ;;
-) cat >"$TMP/crontab" ;;
*) cp "\$1" "$TMP/crontab" ;;
esac
END
chmod +x "$TMP/bin/crontab"
PATH=$TMP/bin:$PATH
export SHELL=/bin/sh

# --- a tree ------------------------------------------------------------------

source=$TMP/source
mkdir -p "$source/deep/er" "$TMP/outgoing" "$TMP/static"
for name in a b 'with space' 'ünï' deep/c deep/er/d; do
    echo "$name" >"$source/$name"
done
printf 'latin\n' >"$source/"$'latin \xe9'
ln -s a "$source/link"
head -c 3000000 /dev/urandom >"$source/large"
sqlite3 "$source/live.sqlite" 'pragma journal_mode = wal; create table t (x);
    insert into t values (1)' >/dev/null
echo film >"$TMP/outgoing/film"
echo tool >"$TMP/static/tool"
drive=$(make_volume exfat usb 96M)
echo "0 2 * * * rsync -a $source/ $drive/docs/" >"$TMP/crontab"

# --- the first run -----------------------------------------------------------

does 0 init
does 0 'volume add' "$drive" --name usb
does 0 'volume add' "$TMP/static" --name static --folder --role read-only
says 'd["contents"][0]["files"] == 1'
does 0 'volume list'
says '[v["name"] for v in d["volumes"]] == ["usb", "static"]'
does 0 'job add' docs --source "$source" --target usb:/docs
does 0 'job add' out --source "$TMP/outgoing" --target usb:/out --mode move
does 0 'job add' spare --source "$TMP/static" --target usb:/spare --mode update
does 0 'job list'
says 'sorted(j["mode"] for j in d["jobs"]) == ["mirror", "move", "update"]'
does 0 'job claim' docs
does 0 'job remove' spare
does 1 diff
says 'sum(x["pending"] for x in d["diffs"]) >= 9'
does 1 diff docs --quick
does 1 sync --dry-run
does 0 drives
says '[v["pending"] for x in d["drives"] for v in x["volumes"] if v["name"] == "usb"][0] >= 9'
does 0 sync
says 'sum(j["new"] for j in d["jobs"]) >= 9 and not any(j["failed"] for j in d["jobs"])'
does 0 diff docs --full
says 'd["diffs"][0]["pending"] == 0'
check "the files are there" cmp "$source/large" "$drive/docs/large"
check "the database is a whole one" test \
    "$(sqlite3 "$drive/docs/live.sqlite" 'select x from t')" = 1

# --- changes, and getting back ----------------------------------------------

sleep 0.1
cp "$source/a" "$TMP/a.before"
echo other >"$source/a"
rm "$source/b"
mv "$source/deep" "$source/deeper"
does 0 sync docs
says 'd["jobs"][0]["changed"] == 1 and d["jobs"][0]["deleted"] == 1'
does 0 history
says 'len(d["runs"]) == 2'
does 0 history 2
does 0 versions "$source/a"
says 'len(d["versions"]) == 2'
does 0 copies
does 0 copies "$source/large"
does 0 find 'film'
says 'd["found"][0]["volume"] == "usb"'
does 0 restore "$source/b"
check "what was deleted is back" grep -qx b "$source/b"
does 0 restore usb:/docs --to "$TMP/back"
check "all of it comes back" cmp "$source/large" "$TMP/back/docs/large"
rm "$source/b"
does 0 undo
check "undone: the old one is there" cmp "$TMP/a.before" "$drive/docs/a"
does 0 sync docs
does 0 prune --dry-run
does 0 prune
does 0 tidy --dry-run

# --- reading back ------------------------------------------------------------

replug_volume usb
does 0 verify
python3 - "$drive/docs/large" <<'PYTHON'
import os, sys
found = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as file:
    file.write(b"ROT")
os.utime(sys.argv[1], ns=(found.st_atime_ns, found.st_mtime_ns))
PYTHON
replug_volume usb
does 3 verify usb
says 'd["findings"][0]["path"] == "large"'
does 3 doctor
says 'any("rotten" in c["words"] for c in d["checks"] if c["level"] == "finding")'
says 'any("rsync still writes" in c["words"] for c in d["checks"])'
does 3 verify usb --heal # rot was found: it is a finding, although mended
check "healed from the source" cmp "$source/large" "$drive/docs/large"
does 3 doctor # the clock of a container, the rsync line
says 'not any("rotten" in c["words"] for c in d["checks"])'
echo another >"$TMP/static/another"
does 3 verify static
does 0 'volume refresh' static
says 'd["contents"][0]["new"] == 1'
does 0 verify static

berth job add odd --source "$TMP/static" --target 'usb:/what?/spare.' --mode update
does 4 sync odd # exFAT has no such name
check "the name is told" grep -q 'usb cannot hold a directory called .*what?' "$TMP/json"
berth job remove odd

# --- by itself ---------------------------------------------------------------

does 2 'schedule install'
sed -i 's|name = "docs"; |&schedule = "02:00"; |' "$TMP/berth.conf"
does 0 'schedule install'
check "it is in the crontab" grep -q "^0 2 .*'sync' '--scheduled' '02:00' 'docs'" "$TMP/crontab"
check "so is what was there" grep -q 'rsync -a' "$TMP/crontab"
does 0 'schedule show'
says 'd["schedule"][0]["at"] == "02:00" and d["schedule"][0]["installed"]'
echo new >"$source/new"
sh -c "$(sed -n "s/^0 2 [* ]*\(.*'--scheduled'.*\)/\1/p" "$TMP/crontab")" ||
    fail "the line of the crontab ended with $?"
check "the line of the crontab syncs" test -e "$drive/docs/new"
does 0 'schedule remove'
check "only berth's lines are gone" grep -q 'rsync -a' "$TMP/crontab"

# --- leaving -----------------------------------------------------------------

exec 9<"$drive/docs/large"
does 6 eject usb
exec 9<&-
does 0 eject usb
says 'd["ejected"][-1]["verdict"] in ("yellow", "green")'
does 5 sync
does 5 verify usb
echo later >"$source/later"
does 1 diff # by the catalogue
does 5 mount nothing
does 0 find film
does 2 'volume forget' usb
does 0 'job remove' docs
does 0 'job remove' out
does 0 'volume forget' usb
BERTH_PRACTICE_DELAY_MS=1 expect_exit 1 berth demo diff --json >"$TMP/json"
echo demo >>"$TMP/ran"
says 'd["diffs"]'

# --- none was left out -------------------------------------------------------

berth --help | sed -n '/^  volume add/,/^$/p' | sed -n 's/^  \([a-z ]*[a-z]\)  .*/\1/p' |
    sort >"$TMP/table"
check "the table is the table" test "$(wc -l <"$TMP/table")" -ge 28
check "every command of the table ran" diff "$TMP/table" <(sort -u "$TMP/ran")
