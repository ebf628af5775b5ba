#!/usr/bin/env bash
# timeout 900
# A large file is gone on with where an earlier run stopped (ENGINE G6): after a
# signal and after SIGKILL, only the rest is written; a prefix that is not what
# was written, or a source that changed: from its beginning. What will not come
# goes. On ext4 and exFAT.
. "$(dirname "$0")/lib.sh"

need_root
need_command strace
need_command python3
file=$TMP/source/large.bin

# The offset of the one row, 0 without.
offset() {
    python3 - "$TMP/state" <<'END'
import glob, sqlite3, sys
for path in glob.glob(sys.argv[1] + "/**/*.db", recursive=True):
    try:
        print(sqlite3.connect(path).execute(
            "SELECT offset FROM resumable").fetchone()[0])
        sys.exit()
    except (sqlite3.Error, TypeError):
        pass
print(0)
END
}

# interrupted SIGNAL: a sync that gets it in the middle of the file. One that
# changed just now would not be gone on with.
interrupted() {
    local pid code=0
    sleep 0.05
    sed -i 's|"1G"|"60M"|' "$TMP/berth.conf"
    "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync \
        >/dev/null 2>"$TMP/words" &
    pid=$!
    if [ "$1" = KILL ]; then # after the first row of a run that nobody stopped
        until [ "$(offset)" -gt 0 ] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
    else
        until [ "$(find "$kept" -size +30M 2>/dev/null)" ] || ! kill -0 $pid 2>/dev/null; do
            sleep 0.05
        done
    fi
    kill -"$1" $pid
    wait $pid 2>/dev/null || code=$?
    test ! -e "$root/docs/large.bin"
    check "$fs, $1: it is kept (exit code $code, offset $(offset))" \
        test "$(offset)" -gt 20000000
}

# written: a sync to its end; how many bytes it wrote to files of this size.
written() {
    sed -i 's|"60M"|"1G"|' "$TMP/berth.conf"
    strace -f -qq -e trace=write,pwrite64 -o "$TMP/trace" "$BERTH" \
        --config "$TMP/berth.conf" --state-dir "$TMP/state" sync >&2
    awk '$NF >= 65536 { sum += $NF } END { print sum + 0 }' "$TMP/trace"
}

finish() { # WORDS LEAST MOST
    local bytes
    bytes=$(written)
    check "$fs, $1: $bytes bytes written, $2 to $3" test "$bytes" -ge "$2" -a "$bytes" -le "$3"
    check "$fs, $1: equal" cmp "$file" "$root/docs/large.bin"
    check "$fs, $1: nothing lingers" test ! -e "$kept" -a "$(offset)" -eq 0
    expect_exit 0 berth verify >/dev/null
    rm -rf "$root/docs" # and once more
    echo . >>"$file"
    touch -d '1 hour ago' "$file"
}

for fs in ext4 exfat; do
    rm -rf "$TMP/source" "$TMP/state" "$TMP/berth.conf"
    root=$(make_volume $fs "usb_$fs" 700M)
    kept=$root/.berth/resumable
    mkdir "$TMP/source"
    head -c 190000000 /dev/urandom >"$file"
    touch -d '1 hour ago' "$file"
    berth volume add "$root" --name usb
    berth job add docs --source "$TMP/source" --target usb:/docs
    sed -i 's|\(target[^}]*\); }|\1; bandwidth = "60M"; }|' "$TMP/berth.conf"

    interrupted KILL
    at=$(offset)
    check "$fs, SIGKILL: the row is that of a flush" test "$at" -eq 134217728
    finish 'after SIGKILL' $((189000000 - at)) $((191000000 - at))

    # Shorter from here on.
    truncate -s 60000000 "$file"
    touch -d '1 hour ago' "$file"
    interrupted TERM
    at=$(offset)
    finish 'after a signal' $((59000000 - at)) $((61000000 - at))

    interrupted INT
    printf xxxxxxxx | dd of="$(echo "$kept"/*)" bs=8 seek=100000 conv=notrunc status=none
    finish 'a damaged prefix' 59000000 61000000

    interrupted INT
    rm "$kept"/*
    finish 'a lost prefix' 59000000 61000000

    interrupted INT
    head -c 60000000 /dev/urandom >"$file"
    finish 'another source' 59000000 61000000

    interrupted INT
    mine=$(echo "$kept"/*)
    echo unknown >"${mine%????}abcd"
    rm "$file"
    echo other >"$TMP/source/other"
    expect_exit 0 berth sync
    check "$fs: what will not come goes" test ! -e "$kept" -a "$(offset)" -eq 0
    unmount_volume "usb_$fs"
    rm "$TMP/usb_$fs.img" # it lies in memory
done
