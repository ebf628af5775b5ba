#!/usr/bin/env bash
# quick
# The command line: exit codes, words that name the thing, the reason and the
# remedy, and JSON that another program reads.
. "$(dirname "$0")/lib.sh"

need_command python3
mkdir "$TMP/source" "$TMP/drive" "$TMP/other"
echo content >"$TMP/source/file"

says() { # CODE TEXT COMMAND…
    local code=$1 text=$2
    shift 2
    expect_exit "$code" "$@" >"$TMP/out" 2>"$TMP/words"
    grep -q -- "$text" "$TMP/words" ||
        fail "\"$text\" is not in: $(cat "$TMP/words") ($*)"
    echo "ok: ${*:2} says: $text" >&2
}

json() { # COMMAND…: what it prints is one JSON document
    berth "$@" --json >"$TMP/json" || :
    python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$TMP/json" ||
        fail "not JSON: berth $* --json"
}

expect_exit 0 berth --help >/dev/null
expect_exit 0 berth sync --help >/dev/null
expect_exit 0 berth --version >/dev/null
says 2 'no command .frobnicate' berth frobnicate
says 2 '--frob is not an option of .berth sync' berth sync --frob
says 2 'needs a value' berth sync --deletes
says 2 'exact number' berth sync --deletes many
says 2 'usage: berth job remove NAME' berth job remove
says 2 'a volume needs a name' berth volume add "$TMP/drive"
says 4 'is not the root of a mounted volume' berth volume add "$TMP/drive" --name d
says 5 'cannot open' berth volume add "$TMP/nowhere" --name d
says 2 'there is no job yet' berth sync

berth volume add "$TMP/drive" --name d --folder
says 2 'already: choose another name' berth volume add "$TMP/other" --name d --folder
says 2 'is known already, as volume d' berth volume add "$TMP/drive" --name e --folder
says 2 'needs a source and a target' berth job add docs
says 2 'cannot open' berth job add docs --source "$TMP/nothing" --target d:/docs
says 2 'mirror' berth job add docs --source "$TMP/source" --target d:/docs --mode miror
says 2 '25:00: give a time' berth job add docs --source "$TMP/source" --target d:/docs --schedule 25:00
berth job add docs --source "$TMP/source" --target d:/docs --exclude '*.tmp'
says 2 'docs' berth job add more --source "$TMP/source" --target d:/docs/below
says 2 'there is no job or volume nothing' berth diff nothing
says 2 'has volume d as a target' berth volume forget d

expect_exit 1 berth diff >/dev/null
expect_exit 1 berth sync --dry-run >/dev/null
check "a dry run changes nothing" test ! -e "$TMP/drive/docs"
for command in 'volume list' 'job list' diff 'sync --dry-run' sync diff verify \
    history 'history 1' drives; do
    # shellcheck disable=SC2086
    json $command
done
expect_exit 0 berth diff
check "JSON names the file that failed to be nothing" \
    python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["exit"] == 0 and d["diffs"][0]["pending"] == 0' \
    < <(berth diff --json)
says 2 'there is no run 99' berth history 99

printf 'one\ntwo' >"$TMP/source/$(printf 'bad\033[31mname\nline')"
berth sync
berth history --volume d >/dev/null
check "a name cannot write on the terminal" \
    test -z "$(berth history 4 | grep -P '[\x00-\x08\x0b-\x1f]' || berth history 3 | grep -P '[\x00-\x08\x0b-\x1f]' || :)"
berth diff --json >"$TMP/json"

# The configuration names file, line and key, and comments stay.
{
    echo '# my drives'
    cat "$TMP/berth.conf"
} >"$TMP/edited" && cp "$TMP/edited" "$TMP/berth.conf"
berth job add second --source "$TMP/other" --target d:/second
check "comments stay" grep -q '^# my drives' "$TMP/berth.conf"
berth job remove second
cmp "$TMP/edited" "$TMP/berth.conf" || fail "add and remove give the file back"
sed -i 's/exclude/exlude/' "$TMP/berth.conf"
says 2 'berth.conf:[0-9]*:.*exlude.*exclude' berth sync
sed -i 's/exlude/exclude/' "$TMP/berth.conf"

# A bandwidth is kept to.
head -c 2000000 /dev/zero >"$TMP/source/zeros"
sed -i 's/targets/bandwidth = "1MB\/s"; targets/' "$TMP/berth.conf"
started=$(date +%s%N)
berth sync docs
check "two megabytes at one a second take about two seconds" \
    test $(($(date +%s%N) - started)) -gt 1500000000
# That of the volume, too, for a job that has a higher one.
head -c 2000000 /dev/zero >"$TMP/source/more zeros"
sed -i 's/bandwidth = "1MB\/s"; targets/bandwidth = "90MB\/s"; targets/
    s/name = "d";/& bandwidth = "1MB\/s";/' "$TMP/berth.conf"
started=$(date +%s%N)
berth sync docs
check "a volume's bandwidth holds for all of its jobs" \
    test $(($(date +%s%N) - started)) -gt 1500000000
