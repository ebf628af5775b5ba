#!/usr/bin/env bash
# The schedule, by a real systemd user manager: installed, a missed night is
# caught up at once (Persistent), a plugged drive starts its job, removed.
# The manager runs in a mount and process namespace of its own, with a cgroup
# and a /run that are its own: nothing of the machine's is touched.
. "$(dirname "$0")/lib.sh"

need_root
need_command systemctl unshare python3
manager=/lib/systemd/systemd
[ -x "$manager" ] || skip "needs systemd"
[ "$(uname -s)" = Linux ] || skip "needs Linux"

if [ "${1-}" != inside ]; then
    unshare --mount --pid --fork --mount-proc true 2>/dev/null ||
        skip "needs namespaces"
    exec unshare --mount --pid --fork --mount-proc "$0" inside
fi

# systemd asks for this directory before it runs for a user (sd_booted(3)).
mount -t tmpfs none /run
mkdir -p /run/systemd/system
mount -t tmpfs none /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || skip "needs cgroup2"
own=/sys/fs/cgroup/berth-test-$$-$RANDOM
mkdir "$own" 2>/dev/null || skip "needs a cgroup of its own"
echo $$ >"$own/cgroup.procs"
export XDG_RUNTIME_DIR=/run/user-test
mkdir -m 700 "$XDG_RUNTIME_DIR"
"$manager" --user --log-target=console --log-level=info >"$TMP/manager.log" 2>&1 &
manager_pid=$!
finish() {
    kill -TERM "$manager_pid" 2>/dev/null || :
    wait "$manager_pid" 2>/dev/null || :
    echo $$ >/sys/fs/cgroup/cgroup.procs
    find "$own" -depth -type d -exec rmdir {} + 2>/dev/null || :
}
trap finish EXIT
for _ in $(seq 100); do
    systemctl --user show-environment >/dev/null 2>&1 && break
    sleep 0.1
done
systemctl --user show-environment >/dev/null 2>&1 ||
    skip "systemd --user does not start here: $(tail -n 1 "$TMP/manager.log")"

wait_for() { # SENTENCE COMMAND…
    local i sentence=$1
    shift
    for ((i = 0; i < 100; i++)); do
        if "$@" >/dev/null 2>&1; then
            echo "ok: $sentence" >&2
            return 0
        fi
        sleep 0.1
    done
    berth schedule show >&2 || :
    tail -n 20 "$TMP/manager.log" >&2
    fail "$sentence"
}

mkdir -p "$TMP/source" "$TMP/drive" "$TMP/plugged 1"
echo one >"$TMP/source/file"
berth volume add "$TMP/drive" --name d --folder
berth job add docs --source "$TMP/source" --target d:/docs
says_in() { grep -q -- "$1" "$2" || fail "\"$1\" is not in: $(cat "$2")"; }

expect_exit 2 berth schedule install 2>"$TMP/words"
says_in 'no job in .* has a schedule' "$TMP/words"
sed -i 's|source = |schedule = "02:00"; source = |' "$TMP/berth.conf"
berth schedule show >/dev/null 2>"$TMP/words"
says_in 'nothing is installed' "$TMP/words"

berth schedule install >"$TMP/out" 2>"$TMP/words"
says_in '02:00 .*docs .*systemd user timer.*next' "$TMP/out"
says_in 'enable-linger' "$TMP/words"
check "the timer waits" systemctl --user is-active berth-0200.timer
check "it catches up on what is missed" \
    test "$(systemctl --user show -P Persistent berth-0200.timer)" = yes
check "it is due at 02:00" grep -q 'OnCalendar=\*-\*-\* 02:00:00' \
    "$HOME/.config/systemd/user/berth-0200.timer"
if command -v systemd-analyze >/dev/null; then
    check "systemd has nothing to say about the units" \
        test -z "$(systemd-analyze --user verify --man=no \
            "$HOME/.config/systemd/user/berth-0200.timer" 2>&1)"
fi
check "it has not run yet" test ! -e "$TMP/drive/docs/file"

# The machine was off for a week: the stamp of the last run is old.
systemctl --user stop berth-0200.timer
stamp=$HOME/.local/share/systemd/timers/stamp-berth-0200.timer
check "systemd remembers the last run" test -e "$stamp"
touch -d '7 days ago' "$stamp"
sed -i "s/^installed .*/installed $(date -d '7 days ago 12:00' +%s)000000000/" \
    "$TMP/state/schedule/0200"
berth schedule show --json >"$TMP/json" 2>"$TMP/words"
check "what was missed is shown" python3 -c '
import json, sys
night = json.load(open(sys.argv[1]))["schedule"][0]
assert night["overdue"] >= 6, night
assert night["installed"] and not night["current"] and night["jobs"] == "docs"
' "$TMP/json"
expect_exit 3 berth doctor >"$TMP/out"
says_in 'runs of docs did not happen' "$TMP/out"
systemctl --user start berth-0200.timer
wait_for "systemd's timer starts the sync that was missed" \
    cmp "$TMP/source/file" "$TMP/drive/docs/file"
wait_for "and it ends well" grep -q '^exit 0' "$TMP/state/schedule/0200"
wait_for "the service has succeeded" test \
    "$(systemctl --user show -P Result berth-0200.service)" = success
berth schedule show >"$TMP/out" 2>/dev/null
says_in 'exit 0' "$TMP/out"
says_in 'were missed before the last run' "$TMP/out"

# A job of a drive that is plugged in.
mount -t tmpfs none "$TMP/plugged 1"
berth volume add "$TMP/plugged 1" --name p --folder
berth job add more --source "$TMP/source" --target p:/more --schedule on-plug
berth schedule show 2>&1 | grep -q 'not what the configuration says' ||
    fail "an old schedule is named"
berth schedule install >"$TMP/out" 2>"$TMP/words"
says_in '^on-plug .*more' "$TMP/out"
cp -a "$TMP/plugged 1" "$TMP/kept"
umount "$TMP/plugged 1"
sleep 0.5
check "nothing has started it yet" test ! -e "$TMP/kept/more"
mount --bind "$TMP/kept" "$TMP/plugged 1"
wait_for "mounting the drive starts its job" cmp "$TMP/source/file" "$TMP/kept/more/file"
wait_for "the plugged run is noted" grep -q '^exit 0' "$TMP/state/schedule/on-plug"

berth schedule remove
check "no unit stays" test -z "$(find "$HOME/.config/systemd" -name 'berth-*')"
check "no timer stays" test -z "$(systemctl --user list-timers --all --no-legend 'berth-*')"
berth schedule remove 2>&1 | grep -q 'nothing was installed' || fail "twice is said"
