#!/usr/bin/env bash
# quick
# Messages, read aloud: each names the thing, says what is wrong with it, and
# what to do. They go to stderr, as one line; stdout has nothing of them.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/source" "$TMP/other" "$TMP/drive" "$TMP/second"
echo one >"$TMP/source/one"

# aloud CODE THING REASON REMEDY COMMAND…
aloud() {
    local code=$1 thing=$2 reason=$3 remedy=$4 part
    shift 4
    expect_exit "$code" "$@" >"$TMP/out" 2>"$TMP/words"
    for part in "$thing" "$reason" "$remedy"; do
        grep -q -e "$part" "$TMP/words" ||
            fail "\"$part\" is not in: $(cat "$TMP/words") (${*:2})"
    done
    ! grep -v '^berth: ' "$TMP/words" || fail "not a message: $(cat "$TMP/words")"
    sed 's/^/    /' "$TMP/words" >&2
}

aloud 2 frobnicate 'no command' 'berth --help' berth frobnicate
aloud 2 volume 'part of a command' 'berth volume refresh' berth volume
aloud 2 'berth job add NAME' usage 'berth job add --help' berth job add
aloud 2 more 'too many' 'berth doctor --help' berth doctor more
aloud 2 'quick' 'no drive' 'choose one' berth diff --quick --full
aloud 5 nothing 'not a drive' 'name a volume' berth eject nothing
aloud 2 '--frob' 'not an option' 'berth sync --help' berth sync --frob
aloud 2 'job' 'no job yet' 'berth job add' berth sync
aloud 4 "$TMP/drive" 'not the root of a mounted' 'use --folder' \
    berth volume add "$TMP/drive" --name d
# A variable that is not set is neither the directory it runs in nor any drive.
aloud 2 'behind .eject.' 'empty' 'variable' berth eject ''
aloud 2 'behind .find.' 'empty' 'variable' berth find ''
aloud 2 '--state-dir' 'empty' 'variable' berth diff --state-dir ''
aloud 2 '--config' 'empty' 'variable' berth diff --config=
aloud 2 '--source' 'empty' 'variable' \
    berth job add more --source '' --target d:/more
aloud 2 '--to' 'empty' 'variable' berth restore d:/docs --to ''
berth volume add "$TMP/drive" --name d --folder
berth volume add "$TMP/second" --name e --folder
aloud 2 'job d' 'already' 'choose another name' \
    berth volume add "$TMP/other" --name d --folder
berth job add docs --source "$TMP/source" --target d:/docs
aloud 2 nothing 'no job or volume' 'berth job list' berth diff nothing
aloud 2 '"nothing"' 'no job' 'berth job list' berth job remove nothing
aloud 2 '"nothing"' 'no volume' 'berth volume list' berth volume forget nothing
aloud 2 'that volume' 'no job has' 'berth job list' berth sync e
aloud 2 'd is a volume' 'not a job' 'berth job list' berth job claim d
aloud 2 'volume d' 'job docs has' 'remove the job' berth volume forget d
aloud 2 'targets = "d:/docs" in job "more"' 'overlaps' 'use a directory' \
    berth job add more --source "$TMP/other" --target d:/docs
aloud 2 'e:\|volume e' 'no catalogue\|nothing that berth' 'berth sync\|berth job list' \
    berth versions e:/docs
aloud 2 'no run changed anything' 'taken back' 'berth history' berth undo
aloud 2 'volume nowhere' 'no volume' 'berth volume list' \
    berth history --volume nowhere
aloud 2 'volume nowhere' 'no volume' 'berth volume list' \
    berth undo --volume nowhere
berth sync
aloud 2 'run 99' 'no' 'berth history' berth history 99
aloud 2 'run 99' 'no' 'berth history' berth undo 99
aloud 2 "$TMP/other" 'no job' 'berth job list' berth restore "$TMP/other/x"
aloud 2 'someday' 'at' 'give' berth restore "$TMP/source/one" --at someday
aloud 2 '--deletes' 'one job' 'name that job' berth sync --deletes 3
aloud 2 'schedule' 'no job' 'add schedule' berth schedule install

# Files that may be open: as many as the machine allows, and never too few.
few_files() { (ulimit "$1" 16 && shift && "$BERTH" --version "$@"); }
aloud 2 'at most 16 files' 'needs' 'ulimit -n' few_files -n
expect_exit 0 few_files -Sn >/dev/null

mv "$TMP/source" "$TMP/gone"
aloud 4 "source $TMP/source\|$TMP/source" 'No such file' 'mount its disk' berth sync
mkdir "$TMP/source"
aloud 4 "$TMP/source" 'empty' 'right disk mounted' berth sync
rmdir "$TMP/source"
mv "$TMP/gone" "$TMP/source"
for i in $(seq 20); do echo "$i" >"$TMP/source/$i"; done
berth sync
rm "$TMP/source"/1*
expect_exit 1 berth sync >"$TMP/words" 2>&1
for part in 'docs' 'held' 'berth diff docs' '--deletes 11'; do
    grep -q -e "$part" "$TMP/words" || fail "\"$part\": $(cat "$TMP/words")"
done

mv "$TMP/drive" "$TMP/away"
aloud 5 'volume d' 'cannot open\|away' "$TMP/drive" berth sync
mv "$TMP/away" "$TMP/drive"
sed -i 's/"format": 1/"format": 99/' "$TMP/drive/.berth/volume"
aloud 4 'volume d' 'newer berth (format 99' 'update berth' berth sync
sed -i 's/"format": 99/"format": 1/' "$TMP/drive/.berth/volume"
sed -i 's/mode/mod/; s/targets/targest/' "$TMP/berth.conf"
aloud 2 'berth.conf:[0-9]*:' 'targest' 'targets' berth sync

# One of anything is not several.
one() {
    "$@" >"$TMP/out" 2>&1 || true
    sed 's/^/    /' "$TMP/out" >&2
    ! grep -E '(^|[^0-9.,])1 ([a-z]+ )?[a-z]*(files|runs|jobs|volumes|copies|versions|databases|directories|deletes|things)( |$)|(^|[^0-9.,])1 (stay|are|have) ' \
        "$TMP/out" || fail "a plural of one: $* said: $(cat "$TMP/out")"
}
mkdir "$TMP/single" "$TMP/single/below" "$TMP/third" "$TMP/still"
echo one >"$TMP/single/below/file"
echo one >"$TMP/still/file"
single=(--config "$TMP/single.conf" --state-dir "$TMP/single.state")
lone() { one "$BERTH" "${single[@]}" "$@"; }
lone volume add "$TMP/third" --name third --folder
lone job add only --source "$TMP/single" --target third:/only --mode move
lone doctor
grep -q '1 volume, 1 job$' "$TMP/out" || fail "no count: $(cat "$TMP/out")"
lone diff
lone sync
grep -q '1 new, 1 new directory,' "$TMP/out" || fail "no sync: $(cat "$TMP/out")"
lone tidy --dry-run
grep -q '1 stays here' "$TMP/out" || fail "no tidy: $(cat "$TMP/out")"
lone copies
lone verify
lone verify --heal
rm "$TMP/single/below/file"
sed -i 's/mode = "move"/mode = "mirror"/' "$TMP/single.conf"
lone sync
rm -r "$TMP/single/below"
mkdir "$TMP/single/other"
lone sync
lone prune --dry-run
lone prune --free 1T
lone undo
lone restore third:/ --to "$TMP/back"
lone verify
lone doctor
lone volume add "$TMP/still" --name still --folder --role read-only
grep -q '1 file as' "$TMP/out" || fail "no contents: $(cat "$TMP/out")"
lone volume refresh still
