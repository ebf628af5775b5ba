#!/usr/bin/env bash
# `berth demo`: practice drives that are read, synced, pulled and ejected, and
# nothing of the user's touched.
. "$(dirname "$0")/lib.sh"

practice=$BERTH_PRACTICE
unset BERTH_PRACTICE # the runner's word for the program, the program's for a sandbox
box=$TMP/box

demo() {
    "$practice" demo --keep "$box" "$@"
}

# Lines for the drives: carried out by the next command, or the one that runs.
play() {
    echo "$*" >>"$box/control"
}


whole_database() { # FILE
    [ "$(sqlite3 "file:$1?mode=ro&immutable=1" 'PRAGMA integrity_check')" = ok ]
}

# --- nothing of the user's --------------------------------------------------

need_command strace sqlite3
mkdir -p "$HOME/.config/berth"
echo 'volumes = "broken"' >"$HOME/.config/berth/berth.conf"
tree_digest "$HOME" >"$TMP/home-before"
# LeakSanitizer cannot work below strace.
ASAN_OPTIONS=detect_leaks=0 strace -ff -y -qq -o "$TMP/calls" \
    -e trace=openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,connect \
    env BERTH_CONFIG="$HOME/.config/berth/berth.conf" "$practice" demo drives \
    >"$TMP/drives"
check "the drives are there" grep -q '^Seagate Expansion .*good' "$TMP/drives"
check "one is read as what it is" grep -q 'hdd_homelab .*1.9 TB of 5.0 TB free' "$TMP/drives"
check "one is away" grep -q '^hdd_rotating  away' "$TMP/drives"
check "the disk inside has a worry" grep -q 'Samsung SSD 970 .*watch' "$TMP/drives"
check "a sandbox that is not kept is removed" test -z "$(ls -A "$TMPDIR")"
check "the user's own files are as they were" \
    diff "$TMP/home-before" <(tree_digest "$HOME")
# Names, and directories that names are below (-y), of all that was written.
grep -hE 'O_WRONLY|O_RDWR|O_CREAT|(mkdir|rename|unlink|link|symlink|truncate|chmod)[a-z0-9]*\(|connect\(' \
    "$TMP"/calls.* | grep -v ' = -1 ' |
    grep -oE '[("<]/[^">]*|connect\(.*' | cut -c 2- >"$TMP/written" || :
check "something was seen being written" grep -q "^$TMPDIR/berth-demo-" "$TMP/written"
grep -vE "^$TMPDIR(/|\$)|^$PWD\$|^/dev/null|^/proc/self/fd/[0-9]+\$" "$TMP/written" | sort -u >"$TMP/elsewhere" || :
check "nothing is written anywhere else" diff /dev/null "$TMP/elsewhere"

# --- the screen, however it ends --------------------------------------------

need_command script
mkfifo "$TMP/keys"
exec 3<>"$TMP/keys"

# Opens the demo in a terminal whose keys come from descriptor 3.
open_screen() {
    TERM=xterm script -qefc "exec '$practice' demo" "$TMP/screen" <&3 >/dev/null &
    screen=$!
    for ((i = 0; i < 300; i++)); do
        ! grep -qs 'Seagate Expansion' "$TMP/screen" || return 0
        sleep 0.1
    done
    fail "the screen does not show the drives"
}

open_screen
printf q >&3
check "q leaves the screen" wait "$screen"
check "and nothing behind" test -z "$(ls -A "$TMPDIR")"
for signal in TERM KILL; do
    rm "$TMP/screen"
    open_screen
    box=$(echo "$TMPDIR"/berth-demo-*)
    pid=${box##*/berth-demo-}
    kill -$signal "${pid%-*}"
    wait "$screen" || :
    [ $signal = KILL ] || check "nor does SIGTERM" test ! -e "$box"
done
exec 3>&-
check "a killed one leaves its sandbox" test -d "$box"
"$practice" demo drives >"$TMP/words"
check "which the next one removes" test -z "$(ls -A "$TMPDIR")"
box=$TMP/box

# --- the other program ------------------------------------------------------

"$BERTH" demo drives >"$TMP/words"
check "berth starts berth-practice" grep -q '^Seagate Expansion' "$TMP/words"
mkdir "$TMP/alone"
cp "$BERTH" "$TMP/alone/berth"
expect_exit 5 "$TMP/alone/berth" demo drives 2>"$TMP/words"
check "without it, it says what is missing" \
    grep -q "the demo needs berth-practice, which is neither $TMP/alone/berth-practice" "$TMP/words"

# --- a sandbox that is kept -------------------------------------------------

mkdir "$TMP/taken"
touch "$TMP/taken/file"
expect_exit 2 "$practice" demo --keep "$TMP/taken" drives 2>"$TMP/words"
check "what is no sandbox is left alone" grep -q 'is no sandbox of the demo' "$TMP/words"
expect_exit 2 demo diff --config "$TMP/x" 2>"$TMP/words"
check "it has its own configuration" grep -q 'of its own' "$TMP/words"
expect_exit 1 demo diff hdd_homelab >"$TMP/diff"
check "new pages wait" grep -q '^scrapes -> hdd_homelab: 125 new' "$TMP/diff"
check "a renamed film is seen as such" grep -q '» films/Metropolis' "$TMP/diff"
check "deletes are held" grep -q '^notes -> .* 14 held' "$TMP/diff"

# --- pulled in the middle, repaired -----------------------------------------

play set hdd slow=100MB
play on files 40 hdd_homelab unplug hdd
expect_exit 7 demo sync scrapes 2>"$TMP/words"
check "it says what to do" grep -q 'hdd_homelab: PULLED .* in flight, plug in to repair' "$TMP/words"
check "and gone" test -z "$(demo drives | grep '^Seagate')"
play plug hdd
play plug rotating
demo sync scrapes >"$TMP/repaired" 2>"$TMP/words" || [ $? -eq 1 ]
check "the interruption is told" grep -q 'left in the middle of a run' "$TMP/words"
check "what had arrived is not copied again" grep -q '^scrapes -> hdd_homelab: 85 new' "$TMP/repaired"
expect_exit 0 demo sync scrapes
expect_exit 0 demo diff scrapes >"$TMP/diff"
check "nothing is left of it" diff <(tree_digest "$box/home/lab/tmp/scrapes") \
    <(tree_digest "$box/drives/hdd_homelab/raw_scrapes")

# --- the live database ------------------------------------------------------

play set hdd slow=8MB
demo sync media databases >"$TMP/words"
check "copying takes as long as such a drive does" \
    grep -qE '^media .* 64.0 MB in ([789]|1[0-9])\.[0-9] s' "$TMP/words"
# The writer wrote in all these seconds; so it does while this one is copied.
for ((i = 0; i < 3; i++)); do
    sqlite3 "$box/home/data/archive.sqlite" '.timeout 5000' \
        "INSERT INTO pages(url, body) VALUES('x', hex(randomblob(50000)))"
    demo sync databases >"$TMP/words"
    check "the copy is whole" whole_database "$box/drives/hdd_homelab/sqlite/archive.sqlite"
done
rows=$(sqlite3 "$box/home/data/archive.sqlite" 'SELECT count(*) FROM pages')
check "it is alive: rows come by themselves" test "$rows" -gt 1510
copied=$(sqlite3 "file:$box/drives/hdd_homelab/sqlite/archive.sqlite?immutable=1" \
    'SELECT count(*) FROM pages')
check "the copy is up to date ($copied of $rows)" test "$copied" -ge $((rows - 5))

# --- busy, full, failing ----------------------------------------------------

play busy hdd_homelab 4242 vlc media/film.mkv
expect_exit 6 demo eject hdd_homelab >"$TMP/words" 2>&1
check "who holds it is said" grep -q 'held by vlc' "$TMP/words"
play free hdd_homelab
play busy hdd_homelab - mpv media/film.mkv for=60
started=$SECONDS
words=$(demo eject hdd_homelab 2>&1) || :
check "a real process holds it, too" grep -q 'held by mpv' <<<"$words"
check "but not the pipe that is read" test $((SECONDS - started)) -lt 40
play free hdd_homelab

echo more >"$box/home/lab/out/more.txt"
play full hdd_homelab
expect_exit 9 demo sync outputs 2>"$TMP/words"
play mend hdd
play fail flush hdd
expect_exit 7 demo sync outputs 2>"$TMP/words"
expect_exit 1 demo sync outputs 2>"$TMP/words" # the conflict stays
check "it arrived" cmp "$box/home/lab/out/more.txt" \
    "$box/drives/hdd_homelab/llm_outputs/more.txt"

# --- three verdicts ---------------------------------------------------------

demo eject hdd_homelab >"$TMP/words"
check "green" grep -q '^\[practice\] Seagate Expansion: SAFE TO UNPLUG' "$TMP/words"
check "and gone" test -z "$(demo drives | grep '^Seagate')"
play plug hdd
expect_exit 1 demo sync scrapes media outputs --eject >"$TMP/words"
check "a sync that leaves a conflict ejects, and only once" \
    test "$(grep -c 'Seagate.*SAFE TO UNPLUG' "$TMP/words")" = 1
play plug hdd
play set hdd power-off=unsupported
demo eject hdd_homelab >"$TMP/words"
check "yellow" grep -q '^\[practice\] .*UNMOUNTED AND FLUSHED' "$TMP/words"
play set hdd power-off=yes
play unplug hdd
play plug hdd
play fail flush hdd
echo again >"$box/home/lab/out/more.txt"
expect_exit 7 demo sync outputs --eject >"$TMP/words" 2>&1
check "a drive that failed is not ejected" test -z "$(grep UNPLUG "$TMP/words")"
expect_exit 7 demo eject hdd_homelab >"$TMP/words" 2>&1
check "red" grep -q 'DO NOT UNPLUG' "$TMP/words"
play unplug hdd
play plug hdd
expect_exit 7 demo eject hdd_homelab >"$TMP/words" 2>&1
check "a flush that works the next time is not believed" \
    grep -q 'DO NOT UNPLUG' "$TMP/words"
play unplug hdd
play plug hdd
expect_exit 1 demo sync databases outputs >"$TMP/words" 2>&1 # the conflict stays
demo eject hdd_homelab >"$TMP/words"
check "green after a sync that ended well" grep -q 'SAFE TO UNPLUG' "$TMP/words"
check "every line was understood" test ! -e "$box/control.errors"
