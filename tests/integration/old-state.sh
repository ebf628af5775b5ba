#!/usr/bin/env bash
# quick
# A state directory restored from a backup, or a catalogue that was removed:
# the drive knows more than the machine, and none of it may be replaced.
. "$(dirname "$0")/lib.sh"

# What the drive alone brings back, told by another machine.
stranger_restores() { # NAME
    local other=("$BERTH" --config "$TMP/$1.conf" --state-dir "$TMP/$1.state")
    mkdir "$TMP/$1"
    "${other[@]}" volume add "$TMP/drive" --name usb --folder
    "${other[@]}" restore usb:/ --to "$TMP/$1" >&2
    tree_digest "$TMP/$1"
}

mkdir "$TMP/source" "$TMP/drive"
berth volume add "$TMP/drive" --name usb --folder
berth job add docs --source "$TMP/source" --target usb:/docs
echo one >"$TMP/source/a"
echo gone soon >"$TMP/source/b"
expect_exit 0 berth sync
cp -a "$TMP/state" "$TMP/backup"
echo two, longer >"$TMP/source/a"
rm "$TMP/source/b"
echo secret >"$TMP/source/c"
chmod 600 "$TMP/source/c"
expect_exit 0 berth sync
echo three, longer still >"$TMP/source/a"
expect_exit 0 berth sync
berth versions "$TMP/source/a" | sed 's/ (run.*//' >"$TMP/versions.a"
stranger_restores before >"$TMP/before.txt"
ls "$TMP/drive/.berth/commits" >"$TMP/log"

rm -r "$TMP/state"
cp -a "$TMP/backup" "$TMP/state"
expect_exit 4 berth diff 2>"$TMP/words"
check "a diff with a state older than the drive says so" \
    grep -q 'volume usb knows of later runs.*berth job claim' "$TMP/words"
expect_exit 4 berth diff --json 2>/dev/null >"$TMP/words"
check "in JSON, too" grep -q '"error": *"volume usb knows of later runs' "$TMP/words"
expect_exit 4 berth sync 2>"$TMP/words"
check "a state older than the drive is refused, and the remedy named" \
    grep -q 'volume usb knows of later runs.*berth job claim' "$TMP/words"
check "what the drive was told stays" diff "$TMP/log" <(ls "$TMP/drive/.berth/commits")
expect_exit 0 berth job claim docs 2>"$TMP/words"
check "claiming learns it" grep -q 'what this machine had forgotten of it is learnt' "$TMP/words"
expect_exit 0 berth sync >"$TMP/words"
check "and copies nothing" grep -q 'nothing to do' "$TMP/words"
expect_exit 0 berth diff --full
check "the versions are known again" \
    diff "$TMP/versions.a" <(berth versions "$TMP/source/a" | sed 's/ (run.*//')
check "those of what was deleted, too" grep -q 'deleted' <(berth versions "$TMP/source/b")
check "the drive alone brings back as much as before" \
    diff "$TMP/before.txt" <(stranger_restores after)
check "modes included" test "$(stat -c %a "$TMP/after/docs/c")" = 600
echo four >"$TMP/source/d"
expect_exit 0 berth sync
expect_exit 0 berth sync
check "later runs are this machine's own" cmp "$TMP/source/d" "$TMP/drive/docs/d"

# Only the catalogue is gone.
rm "$TMP"/state/volumes/*
expect_exit 4 berth sync
check "a catalogue that was removed is learnt again, too" berth job claim docs
expect_exit 0 berth sync
expect_exit 0 berth diff --full
check "with its versions" grep -q 'deleted' <(berth versions "$TMP/source/b")

# It is damaged: each command names it and the way out, which works.
catalogue=$(echo "$TMP"/state/volumes/*.db)
printf 'not a database' | dd of="$catalogue" conv=notrunc status=none
for words in sync diff history 'find secret' 'restore usb:/' 'job claim docs'; do
    # shellcheck disable=SC2086 # words of a command
    expect_exit 4 berth $words 2>"$TMP/words"
    check "$words: a damaged catalogue is one, and what to do about it" \
        grep -q 'volume usb: .*\.db is damaged (.*): move it away .* .berth job claim JOB' "$TMP/words"
done
berth job list >"$TMP/words" 2>&1
check "a list does not take it for an empty one" grep -q 'last sync not known' "$TMP/words"
expect_exit 3 berth doctor >"$TMP/words"
check "doctor goes on behind it" grep -q '^finding  volume usb: .* is damaged' "$TMP/words"
check "to the end" grep -q 'schedule' "$TMP/words"
rm "$catalogue" "$catalogue"-*
expect_exit 4 berth sync 2>"$TMP/words"
expect_exit 0 berth job claim docs
expect_exit 0 berth sync >"$TMP/words"
check "rebuilt from the drive, nothing is copied" grep -q 'nothing to do' "$TMP/words"
check "with its versions" grep -q 'deleted' <(berth versions "$TMP/source/b")

# What was restored along with the state is older than the drive.
rm -r "$TMP/state"
cp -a "$TMP/backup" "$TMP/state"
echo one >"$TMP/source/a"
touch -d '2001-01-01' "$TMP/source/a"
rm "$TMP/source/c"
expect_exit 0 berth job claim docs
expect_exit 1 berth sync
check "what is newer on the drive is not rolled back" \
    grep -qx 'three, longer still' "$TMP/drive/docs/a"
check "nor deleted" test -e "$TMP/drive/docs/c"

# What another machine said of owners and modes is not this one's word, also
# not after it took the job over (ENGINE G10).
mkdir "$TMP/theirs"
echo tool >"$TMP/theirs/tool"
chmod 4755 "$TMP/theirs/tool"
other=("$BERTH" --config "$TMP/other.conf" --state-dir "$TMP/other.state")
"${other[@]}" volume add "$TMP/drive" --name usb --folder
"${other[@]}" job add tools --source "$TMP/theirs" --target usb:/tools
expect_exit 0 "${other[@]}" sync
echo tool, version 2 >"$TMP/theirs/tool"
chmod 4755 "$TMP/theirs/tool"
expect_exit 0 "${other[@]}" sync
mkdir "$TMP/tools"
berth job add tools --source "$TMP/tools" --target usb:/tools
expect_exit 0 berth job claim tools
expect_exit 0 berth restore usb:/tools/tool --to "$TMP/doubted"
check "a claimed file's setuid is not believed" test ! -u "$(find "$TMP/doubted" -type f)"
replaced=$(berth versions "$TMP/tools/tool" | sed -n 's/.*replaced.*(run \([0-9]*\)).*/\1/p')
expect_exit 0 berth restore usb:/tools/tool --to "$TMP/doubted.version" --at "$((replaced - 1))"
check "this is its version" grep -qrx tool "$TMP/doubted.version"
check "nor a claimed version's" test -z "$(find "$TMP/doubted.version" -type f -perm -4000)"
expect_exit 0 berth restore usb:/tools/tool --to "$TMP/trusted" --trust
check "unless it is trusted" test -u "$(find "$TMP/trusted" -type f)"

# An older image of the drive came back: what it does not have is not listed as
# if it were there.
rm -r "$TMP/state" "$TMP/berth.conf"
mkdir "$TMP/image" "$TMP/s2"
berth volume add "$TMP/image" --name image --folder
berth job add late --source "$TMP/s2" --target image:/late
echo one >"$TMP/s2/file"
berth sync
cp -a "$TMP/image" "$TMP/image.old"
echo two, longer >"$TMP/s2/file"
echo new >"$TMP/s2/new"
berth sync
berth versions "$TMP/s2" >"$TMP/words"
check "as long as it is there nothing is gone" expect_exit 1 grep -q GONE "$TMP/words"
rm -r "$TMP/image"
mv "$TMP/image.old" "$TMP/image"
berth versions "$TMP/s2/file" >"$TMP/words" 2>"$TMP/said"
check "a version that the image does not have is gone" grep -q 'replaced .*GONE' "$TMP/words"
check "what the name has is there" grep -q 'on the drive' "$TMP/words"
check "and why is said" grep -q 'older image' "$TMP/said"
berth versions "$TMP/s2/new" >"$TMP/words" 2>/dev/null
check "a file that it does not have, too" grep -q 'recorded .*GONE' "$TMP/words"
