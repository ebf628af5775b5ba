#!/usr/bin/env bash
# quick
# Old format against new: what the first format wrote (tests/fixtures/format-1:
# a drive, a state and a configuration of November 2026, as text) is read by
# this berth, with its state or from the drive alone, and so is the second's
# catalogue; what a newer one wrote is left exactly as it is, with words that say what to do.
. "$(dirname "$0")/lib.sh"

need_command python3 sqlite3
fixture=$REPO/tests/fixtures/format-1
text="$REPO/tests/integration/tree_text.py"

lay_out() { # the drive, the source and the state of then
    rm -rf "$TMP/drive" "$TMP/source" "$TMP/state"
    mkdir -p "$TMP/state/volumes" "$TMP/drive" "$TMP/source"
    python3 "$text" unpack "$TMP/drive" <"$fixture/drive.tree"
    python3 "$text" unpack "$TMP/source" <"$fixture/source.tree"
    sed "s|@ROOT@|$TMP|" "$fixture/berth.conf" >"$TMP/berth.conf"
    cp "$fixture/host" "$TMP/state/host"
    id=$(sed -n 's/.* id = "\([0-9a-f]*\)".*/\1/p' "$TMP/berth.conf")
    catalogue=$TMP/state/volumes/$id.db
    sqlite3 "$catalogue" <"$fixture/catalogue.sql"
    sqlite3 "$catalogue" 'PRAGMA journal_mode = wal' >/dev/null
}

reads_old() {
    berth history >"$TMP/out"
    check "$1: both runs are in the history" \
        test "$(grep -c ' docs\| -> \|docs' "$TMP/out")" -ge 2
    berth versions d:/docs/a >"$TMP/out"
    check "$1: the old state of a file is known" grep -q 'docs: a .*replaced' "$TMP/out"
    [ "$1" != "with its state" ] || expect_exit 0 berth verify d # needs a job
    rm -rf "$TMP/back"
    expect_exit 0 berth restore d:/docs --to "$TMP/back"
    check "$1: all of it is given back" test "$(tree_digest "$TMP/back/docs")" = \
        "$(tree_digest "$TMP/source")"
    check "$1: with its modes" test "$(stat -c %a "$TMP/back/docs/a")" = 750
    check "$1: and its links" test "$(readlink "$TMP/back/docs/link")" = a
    berth find 'rena*' >"$TMP/out"
    check "$1: and found" grep -q 'deep/renamed' "$TMP/out"
}

lay_out
reads_old "with its state"
# The source is on another filesystem than then: said, and accepted by a claim.
berth job claim docs
echo new >"$TMP/source/new"
expect_exit 0 berth sync
check "a sync goes on from there" cmp "$TMP/source/new" "$TMP/drive/docs/new"
check "nothing else is copied again" \
    test "$(berth history --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["runs"][0]["new"])')" -eq 1
expect_exit 0 berth diff
lay_out
rm -r "$TMP/state" "$TMP/berth.conf" # another machine, or all is lost
berth volume add "$TMP/drive" --name d --folder
reads_old "from the drive alone"

# Format 2: what was mounted where. Format 1 is left as it is without a mount.
lay_out
berth job claim docs
expect_exit 0 berth sync
format() { sqlite3 "$catalogue" 'PRAGMA user_version'; }
check "without a mount an older berth may go on" test "$(format)" -eq 1
lay_out
sqlite3 "$catalogue" <"$REPO/tests/fixtures/format-2/mounts.sql"
sqlite3 "$catalogue" "UPDATE owner SET source_identity = ''"
reads_old "format 2, with its state"
rm -r "$TMP/source/deep"
expect_exit 3 berth sync --full 2>"$TMP/words"
check "a mount of then is missed" grep -q 'deep: .*sdz1 is not mounted there any more' "$TMP/words"
check "its files stay" test -e "$TMP/drive/docs/deep/renamed"
berth job claim docs
expect_exit 0 berth sync
check "until that is accepted" test ! -e "$TMP/drive/docs/deep/renamed"
check "the format stays" test "$(format)" -eq 2

# A newer berth was here: nothing is touched.
digest_all() {
    (cd "$TMP" && find drive state -type f ! -name '*-wal' ! -name '*-shm' \
        ! -path 'state/scratch/*' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum)
}
refuses_newer() { # WHAT
    local before
    before=$(digest_all)
    expect_exit 4 berth sync 2>"$TMP/words"
    check "$1: it says to update" grep -qi 'newer.*update\|update.*berth' "$TMP/words"
    check "$1: nothing was changed" test "$before" = "$(digest_all)"
}
lay_out
sqlite3 "$catalogue" 'PRAGMA user_version = 99; PRAGMA wal_checkpoint(truncate)' >/dev/null
refuses_newer "a newer catalogue"
lay_out
sed -i 's/"format": 1/"format": 99/' "$TMP/drive/.berth/volume"
refuses_newer "a newer marker"
lay_out
sed -i 's/"format": 1/"format": 99/' "$TMP/drive/.berth/session"
refuses_newer "a newer session record"

# A key of a later configuration is no reason to guess.
lay_out
sed -i 's/targets = /from_the_future = 1; targets = /' "$TMP/berth.conf"
expect_exit 2 berth sync 2>"$TMP/words"
check "an unknown key is named with its line" \
    grep -q 'berth.conf:[0-9]*:.*from_the_future' "$TMP/words"
