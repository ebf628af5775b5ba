#!/usr/bin/env bash
# What a nightly run leaves where nobody watches: the journal with priorities,
# syslog for cron; and nothing of either for a person at a terminal.
. "$(dirname "$0")/lib.sh"

need_command cc stat
[ "$(uname -s)" = Linux ] || skip "needs LD_PRELOAD"
cc -shared -fPIC -o "$TMP/syslog.so" "$REPO/tests/shim/syslog.c"
export BERTH_SYSLOG=$TMP/syslog
mkdir "$TMP/source" "$TMP/drive"
echo one >"$TMP/source/file"
berth volume add "$TMP/drive" --name d --folder
berth job add docs --source "$TMP/source" --target d:/docs
: >"$TMP/journal"
stream=$(stat -c %d:%i "$TMP/journal")

# What a timer's run says in the journal: JOURNAL_STREAM names its stderr.
JOURNAL_STREAM=$stream expect_exit 0 berth sync --scheduled 02:00 2>>"$TMP/journal"
check "a night without trouble is silent" test ! -s "$TMP/journal"
rm -r "$TMP/source/file"
mv "$TMP/source" "$TMP/gone"
JOURNAL_STREAM=$stream expect_exit 4 berth sync --scheduled 02:00 2>>"$TMP/journal" ||
    fail "the source is gone"
check "each line has its priority" \
    test "$(grep -c . "$TMP/journal")" -eq "$(grep -c '^<[34]>berth: ' "$TMP/journal")"
check "it names the source" grep -q "source" "$TMP/journal"

# By cron: syslog, and stderr for its mail.
LD_PRELOAD=$TMP/syslog.so expect_exit 4 berth sync --scheduled 02:00 2>"$TMP/mail"
check "cron's mail has no priorities" test -z "$(grep '^<' "$TMP/mail" || :)"
check "syslog has the same words" grep -q "source" "$TMP/syslog"
check "syslog has how it ended" grep -q '^<4>the scheduled sync ended with exit 4' "$TMP/syslog"
rm "$TMP/syslog"
LD_PRELOAD=$TMP/syslog.so expect_exit 4 berth sync 2>"$TMP/mail"
check "a run by hand goes to no log" test ! -e "$TMP/syslog"
JOURNAL_STREAM=1:1 expect_exit 4 berth sync 2>"$TMP/mail"
check "another's stream is not ours" test -z "$(grep '^<' "$TMP/mail" || :)"

# The night is noted with its end.
berth schedule show 2>/dev/null || :
check "the record has the exit code" grep -q '^exit 4' "$TMP/state/schedule/0200"
expect_exit 2 berth sync --scheduled 25:00 2>"$TMP/words"
check "a wrong time is named" grep -q '25:00: give a time' "$TMP/words"
