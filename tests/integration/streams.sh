#!/usr/bin/env bash
# quick
# Where the words go: an output that cannot be written is said and costs the
# exit code; what is closed is not taken by a file or by our own signal pipe.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/source" "$TMP/drive" "$TMP/away"
for i in $(seq 50); do head -c 100000 /dev/urandom >"$TMP/source/$i"; done
berth volume add "$TMP/drive" --name drive --folder
berth volume add "$TMP/away" --name away --folder
berth job add docs --source "$TMP/source" --target drive:/docs --target away:/docs
mv "$TMP/away" "$TMP/gone"
berth sync >"$TMP/out" 2>"$TMP/words" || true
check "there is something to say" test -s "$TMP/words"

closed() { # REDIRECTIONS: sync with some of its streams closed
    rm -rf "$TMP/drive/docs"
    bash -c '"$@" '"$1" - "$BERTH" --config "$TMP/berth.conf" \
        --state-dir "$TMP/state" sync
    code=$?
    check "with $1 all is copied (exit $code)" \
        diff -r "$TMP/source" "$TMP/drive/docs"
    check "with $1 words are not taken for signals" test $code -ne 8
}
set +e
closed '>&- 2>&-'
closed '<&- >&-'
closed '<&- >&- 2>&-'
closed '2>&-'
set -e

for arguments in --version --help 'find *' 'drives --json' 'job list'; do
    set -f
    # shellcheck disable=SC2086
    expect_exit 3 berth $arguments >/dev/full 2>"$TMP/words"
    set +f
    check "$arguments: why is said" \
        grep -q 'cannot write the output: No space left on device' "$TMP/words"
done
berth find '*' 2>"$TMP/words" | head -1 >/dev/null || true
check "whoever reads the first line only hears no complaint" test ! -s "$TMP/words"
