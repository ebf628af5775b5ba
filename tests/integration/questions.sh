#!/usr/bin/env bash
# quick
# What a person at a terminal is asked: init about each thing that it would do,
# then for more directories; then it shows the first diff and copies nothing.
# `sync --yes` mounts what is attached; nothing is asked where nobody is.
. "$(dirname "$0")/lib.sh"

need_command python3
export BERTH_PRACTICE_PROGRAM=$BERTH_PRACTICE
export BERTH_PRACTICE=$TMP/sandbox BERTH_PRACTICE_DELAY_MS=1
program=$BERTH_PRACTICE_PROGRAM
berth() { "$program" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"; }

mkdir -p "$BERTH_PRACTICE" "$TMP/media" "$TMP/data" "$TMP/more"
for name in media data more; do echo $name >"$TMP/$name/file"; done
cat >"$BERTH_PRACTICE/script" <<'END'
drive hdd vendor=Seagate model=Expansion serial=1 bus=usb external=yes smart=passed
volume hdd1 drive=hdd label=usb family=exfat size=4GB
drive old vendor=WD model=Passport serial=2 bus=usb external=yes
volume old1 drive=old label=usb family=exfat size=1GB
END
drive=$BERTH_PRACTICE/drives/hdd1
cat >"$BERTH_PRACTICE/crontab" <<END
0 2 * * * rsync -a --delete $TMP/media/ $drive/media
0 3 * * * rsync -a $TMP/data/ $drive/data
END

# typed ANSWERS COMMAND…: on a terminal of its own, a line for each question.
typed() {
    local answers=$1
    shift
    python3 - "$answers" "$TMP/screen" "$program" --config "$TMP/berth.conf" \
        --state-dir "$TMP/state" "$@" <<'PYTHON'
import os, pty, re, select, sys
answers, screen, argv = sys.argv[1].split("|"), sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if not pid:
    os.execv(argv[0], argv)
seen = asked_to = b""
question = re.compile(rb"(\[Y/n\] |: )$")
while True:
    if not select.select([terminal], [], [], 20)[0]:
        os.kill(pid, 9)
        sys.exit(f"still asking: {seen.decode()}")
    try:
        got = os.read(terminal, 4096)
    except OSError:
        break
    if not got:
        break
    seen += got
    if question.search(seen) and answers and not select.select(
            [terminal], [], [], 0.2)[0]:
        answer = answers.pop(0)
        os.write(terminal, b"\x03" if answer == "^C" else answer.encode() + b"\n")
open(screen, "wb").write(seen.replace(b"\r\n", b"\n"))
if answers:
    os.kill(pid, 9)
    sys.exit(f"never asked for {answers}: {seen.decode()}")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
}
has() { # TEXT
    grep -q -- "$1" "$TMP/screen" || fail "\"$1\" is not in: $(cat "$TMP/screen")"
    echo "ok: it says: $1" >&2
}

berth drives >/dev/null # plugs them in

expect_exit 8 typed '^C' init
check "Ctrl-C at a question does nothing" test ! -e "$TMP/berth.conf"

# The first drive, not the second; media, not data; a job by hand, at first to a
# volume that is not there.
expect_exit 1 typed "y|n|Y|n|$TMP/more|nowhere:/more|update|more|$TMP/more|usb:/more||extra|" init
has "berth volume add '$drive' --name usb"
has "volume add '.*old1' --name usb2"
has 'do that? \[Y/n\]'
has 'there is no such volume: use one of "usb"'
has 'Nothing was copied yet'
has '+  file  6 B'
has 'Seagate Expansion is a drive that berth does not know yet'
check "the drive that was not wanted is not there" test -z "$(grep usb2 "$TMP/berth.conf")"
check "nor is the job" test -z "$(grep '"data"' "$TMP/berth.conf")"
check "what was wanted is" grep -q 'name = "media"' "$TMP/berth.conf"
check "so is the job by hand" grep -q 'name = "extra"' "$TMP/berth.conf"
check "nothing was copied" test ! -e "$drive/media/file"
berth init </dev/null >"$TMP/screen"
has 'name usb2'
check "in a pipe nothing is asked" test -z "$(grep 'Y/n' "$TMP/screen")"

# --- sync --yes ---------------------------------------------------------------

berth sync >/dev/null
echo changed >"$TMP/media/file"
echo 'unmount hdd1' >>"$BERTH_PRACTICE/control"
expect_exit 5 berth sync 2>"$TMP/screen"
has 'volume usb is not attached or not mounted'
expect_exit 0 berth sync --yes >/dev/null
check "--yes mounts it" cmp "$TMP/media/file" "$drive/media/file"

# Not even --yes releases what is held.
for i in $(seq 20); do echo "$i" >"$TMP/media/$i"; done
berth sync >/dev/null
rm "$TMP"/media/1*
expect_exit 1 berth sync --yes >"$TMP/screen"
has '11 held'
check "held deletes stay held" test -e "$drive/media/11"
