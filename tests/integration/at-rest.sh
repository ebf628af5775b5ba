#!/usr/bin/env bash
# The screen at rest: strace sees not one system call in five seconds, of no
# thread, with a job and its drive on it. (That no disk is sent anything is in
# tests/vm/scenarios/rest.sh.)
. "$(dirname "$0")/lib.sh"

need_root
need_command strace unshare python3
unshare -Urnm true 2>/dev/null || skip "needs user namespaces (not in a chroot)"
root=$(make_volume ext4 usb 64M)
mkdir "$TMP/source"
echo something >"$TMP/source/file"
berth volume add "$root" --name usb
berth job add docs --source "$TMP/source" --target usb:/docs
berth sync

cat >"$TMP/rest.py" <<'END'
import os, pty, select, sys, time

calls, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("strace", ["strace", "-f", "-o", calls] + command)


def lines():
    with open(calls, errors="replace") as file:
        return sum(1 for _ in file)


# At most a minute until it rests, then five seconds in which it must.
begun, last, count = time.monotonic(), time.monotonic(), -1
while time.monotonic() - last < 5 and time.monotonic() - begun < 60:
    if select.select([terminal], [], [], 0.2)[0]:
        os.read(terminal, 65536)
    if os.path.exists(calls) and lines() != count:
        count, last = lines(), time.monotonic()
is_at_rest = count > 0 and time.monotonic() - last >= 5
with open(calls, errors="replace") as file:
    print("".join(file.readlines()[-20:]))
print(f"{count} calls in {last - begun:.1f} s, then none for "
      f"{time.monotonic() - last:.1f} s")
os.write(terminal, b"q")
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    pass
os.waitpid(pid, 0)
sys.exit(not is_at_rest)
END

# Others plug, mount and publish at the same time: without their mounts, and
# where the kernel tells nobody of their devices (tests/linux/platform_linux.c).
# shellcheck disable=SC2016 # for the inner shells
check "at rest it makes no system call" unshare --mount sh -c '
    keep=$1 && shift
    awk "{ print \$5 }" /proc/self/mountinfo | grep -E "^/(tmp|mnt|media)/" |
        tac | while read -r point; do
            case $keep/ in
            "$point"/*) ;;
            *) umount --lazy "$point" 2>/dev/null ;;
            esac
        done
    exec unshare -Urnm sh -c "mount -t tmpfs none /run/lock; exec \"\$@\"" sh "$@"
' sh "$root" env TERM=xterm python3 "$TMP/rest.py" "$TMP/calls" "$BERTH" \
    --config "$TMP/berth.conf" --state-dir "$TMP/state"
