#!/usr/bin/env bash
# timeout 300
# A flush that failed never turns green by being retried (ENGINE G8): after
# each of a sync's flushes of the volume failed in turn, the drive is not to be
# unplugged, however often one asks; the next sync stages anew what was written
# since the last good flush, reads it back, and only then it may go.
. "$(dirname "$0")/lib.sh"

need_root
need_command cc python3
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
source_dir=$TMP/source

edit() { # ROUND
    echo "new $1" >"$source_dir/new $1"
    echo "changed $1" >"$source_dir/changed"
    rm -f "$source_dir/new $(($1 - 2))"
}

# failing CALL NUMBER: a sync in which that flush of the volume fails.
failing() {
    rm -f "$TMP/hit"
    code=0
    LD_PRELOAD=$TMP/shim.so BERTH_SHIM=fail:$2:5 BERTH_SHIM_CALLS=$1 \
        BERTH_SHIM_BELOW=$root BERTH_SHIM_LOG=$TMP/hit \
        berth sync --full >"$TMP/words" 2>&1 || code=$?
    [ -e "$TMP/hit" ]
}

stays_red() { # HOW OFTEN ASKED
    local code=0
    berth eject usb >"$TMP/words" 2>&1 || code=$?
    { [ "$code" -eq 7 ] && grep -q 'DO NOT UNPLUG' "$TMP/words"; } ||
        fail "$fs, $call $number, asked the $1 time: exit $code: $(cat "$TMP/words")"
    mountpoint -q "$root" || mount_volume "$name" >/dev/null
}

# On exFAT the first sync after another mount is a careful one: it deletes
# nothing, and says 1.
repair() {
    local code=0
    berth sync >"$TMP/words" 2>&1 || code=$?
    { [ $fs = exfat ] && [ "$code" -eq 1 ]; } || [ "$code" -eq 0 ] ||
        fail "$fs, $call $number: the repair says $code: $(cat "$TMP/words")"
    expect_exit 0 berth sync >"$TMP/words" 2>&1
}

# How many files are noted as doubtful: written since the last good flush.
doubtful() {
    python3 - "$TMP/state" <<'PYTHON'
import glob, sqlite3, sys
path, = glob.glob(sys.argv[1] + "/volumes/*.db")
print(sqlite3.connect(path).execute("SELECT count(*) FROM poisoned").fetchone()[0])
PYTHON
}

inodes() { # of what the failed run had written
    stat -c '%n %i' "$root/docs/changed" "$root/docs/new $round" 2>/dev/null || :
}

for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir"
    name=usb_$fs
    root=$(make_volume $fs $name 64M)
    mkdir "$source_dir"
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    round=1 points=0 anew=0
    edit $round
    expect_exit 0 berth sync
    for call in syncfs fsync; do
        for ((number = 1; ; number++)); do
            edit $((round += 1))
            failing $call $number || break
            [ "$code" -eq 7 ] ||
                fail "$fs, $call $number: the sync says $code: $(cat "$TMP/words")"
            before=$(inodes) noted=$(doubtful)
            stays_red first
            stays_red second
            repair
            diff -r "$source_dir" "$root/docs" || fail "$fs, $call $number: not equal"
            after=$(inodes)
            [ "$noted" -eq 0 ] || [ "$before" != "$after" ] ||
                fail "$fs, $call $number: nothing was staged anew"
            [ "$(doubtful)" -eq 0 ] || fail "$fs, $call $number: still doubtful"
            [ "$noted" -eq 0 ] || anew=$((anew + 1))
            points=$((points + 1))
        done
        expect_exit 0 berth sync
    done
    code=0
    berth eject usb >"$TMP/words" 2>&1 || code=$?
    check "$fs: $points flushes failed, none was forgotten; after $anew files were staged anew" \
        test "$points" -gt 3 -a "$anew" -gt 0
    check "$fs: then it may go" test "$code" -eq 0
done
