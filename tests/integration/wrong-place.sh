#!/usr/bin/env bash
# timeout 300
# The ground changes under a run, at every STEPth changing call: another drive
# is mounted over its path, the volume is taken from it (lazily) and another put
# there, a directory of the target becomes a symlink, or gets another filesystem
# mounted on it, a clone turns up. Not a byte lands anywhere else, and the next
# run on the right volume ends equal (ENGINE G1).
# shellcheck disable=SC2016 # commands in quotes are run later
. "$(dirname "$0")/lib.sh"

need_root
need_command cc
cc -shared -fPIC -O1 -o "$TMP/shim.so" "$REPO/tests/shim/shim.c" -ldl
source_dir=$TMP/source
root=$(make_volume ext4 usb 64M)
other=$(make_volume ext4 other 64M)
umount "$other"
loop=$(cut -d' ' -f2 "$volumes_/usb")
other_loop=$(cut -d' ' -f2 "$volumes_/other")
mkdir -p "$source_dir/sub/deep" "$TMP/elsewhere" "$TMP/mnt/clone"
berth volume add "$root" --name usb
berth job add docs --source "$source_dir" --target usb:/docs

edit() { # ROUND
    echo "new $1" >"$source_dir/new $1"
    echo "in sub $1" >"$source_dir/sub/file"
    echo "deep $1" >"$source_dir/sub/deep/file $1"
    rm -f "$source_dir/sub/deep/file $(($1 - 1))" "$source_dir/new $(($1 - 3))"
    # As long as before, so that only the times tell.
    [ ! -e "$source_dir/sub/moved" ] || rm "$source_dir/sub/moved"
    echo "moved $1" >"$source_dir/sub/moved"
}

# sync_with HOOK NUMBER: the exit code goes to $code.
sync_with() {
    code=0
    BERTH_SHIM=hook:$2 BERTH_SHIM_HOOK=$1 BERTH_SHIM_LOG=$TMP/hits \
        LD_PRELOAD=$TMP/shim.so berth sync --full >"$TMP/words" 2>&1 || code=$?
    ! grep -q 'the hook failed' "$TMP/hits" || fail "$2: the hook failed"
}

# What must have stayed as it was: name, content and number of files.
is_untouched() {
    test -z "$(find "$@" -mindepth 1 -not -name lost+found)"
}

settle() { # WHAT
    local rest
    for rest in 1 2 3; do
        code=0
        berth sync --full >"$TMP/words" 2>&1 || code=$?
        [ "$code" -ne 0 ] || break
    done
    [ "$code" -eq 0 ] || fail "$1 ($number, $rest): exit code $code: $(cat "$TMP/words")"
    diff -r "$source_dir" "$root/docs" || fail "$1 ($number): not equal after the repair"
}

edit 1
expect_exit 0 berth sync
edit 2
BERTH_SHIM=count BERTH_SHIM_LOG=$TMP/calls LD_PRELOAD=$TMP/shim.so \
    expect_exit 0 berth sync --full
calls=$(awk '{ print $1 }' "$TMP/calls")
check "a run makes over 50 changing calls ($calls)" test "$calls" -gt 50
round=3

# attack NAME HOOK UNDO CHECK: at every STEPth call.
attack() {
    local name=$1 hook=$2 undo=$3 check=$4 points=0
    for number in $(seq "${FIRST:-1}" "${STEP:-13}" "$calls"); do
        edit $((round += 1))
        sync_with "$hook" "$number"
        eval "$check" || fail "$name ($number): $(cat "$TMP/words")"
        eval "$undo"
        settle "$name"
        points=$((points + 1))
    done
    echo "ok: $name, at $points points" >&2
}

attack "another drive mounted over the volume" \
    "mount '$other_loop' '$root'" \
    'patiently umount "$root"' \
    'is_untouched "$root"'
attack "another drive in the volume's place" \
    "umount -l '$root' && mount '$other_loop' '$root'" \
    'patiently umount "$root"; is_untouched "$root" || fail "below the mount point"
     mount "$loop" "$root"' \
    'is_untouched "$root"'
attack "the volume unmounted, its path empty" \
    "umount -l '$root'" \
    'mount "$loop" "$root"' \
    'is_untouched "$root"'
attack "a symlink in the target's place" \
    "mv '$root/docs/sub' '$root/docs/aside' && ln -s '$TMP/elsewhere' '$root/docs/sub'" \
    'if [ -L "$root/docs/sub" ]; then
         rm "$root/docs/sub"
         mv "$root/docs/aside" "$root/docs/sub"
     else # a version by now, and a directory was made in its place
         rm -r "$root/docs/aside"
     fi' \
    'is_untouched "$TMP/elsewhere"'
attack "another filesystem mounted within the target" \
    "mount '$other_loop' '$root/docs/sub'" \
    'patiently umount "$root/docs/sub"' \
    'is_untouched "$root/docs/sub"'

# A clone has everything of the volume, its UUID and its marker. The run that
# was under way knows which is its own; the next one asks.
clone_appears="cp --sparse=always '$TMP/usb.img' '$TMP/clone.img' &&
    mount -o loop '$TMP/clone.img' '$TMP/mnt/clone' &&
    (cd '$TMP/mnt/clone' && find . -type f -print0 | sort -z |
        xargs -0 sha256sum) >'$TMP/clone.before'"
clone_is_untouched() {
    (cd "$TMP/mnt/clone" && find . -type f -print0 | sort -z |
        xargs -0 sha256sum) | diff "$TMP/clone.before" - >&2
}
attack "a clone of the volume" "$clone_appears" \
    'code=0; berth sync --full >"$TMP/words" 2>&1 || code=$?
     [ "$code" -eq 4 ] && grep -q clone "$TMP/words" ||
         fail "the clone is not seen: exit code $code: $(cat "$TMP/words")"
     clone_is_untouched || fail "the clone was written to"
     patiently umount "$TMP/mnt/clone"' \
    'clone_is_untouched'
