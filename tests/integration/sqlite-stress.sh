#!/usr/bin/env bash
# timeout 300
# Ten programs write databases, in WAL and in rollback mode, while syncs run:
# every copy opens, passes integrity_check and is a state that existed; no
# writer meets anything but a lock, and none for over 250 ms; database and -wal
# stay byte for byte as their programs left them. Beside them what only looks
# like one: encrypted files, a foo-journal, a hot journal, a damaged database.
. "$(dirname "$0")/lib.sh"

need_command python3
seconds=${STRESS_SECONDS:-15}
root=$TMP/usb
source=$TMP/source
copies=$root/docs
mkdir "$root" "$source"
berth volume add "$root" --name usb --folder
berth job add docs --source "$source" --target usb:/docs

cat >"$TMP/writer.py" <<'END'
# writer.py DATABASE MODE CONTROL: until CONTROL says stop; idle, with its
# connection open, while it says pause. The sum of all v is always 0, and n is
# the number of rows of log.
import os, random, sqlite3, sys, time

path, mode, control = sys.argv[1:]
worst = 0.0
count = 0
idle = False
db = sqlite3.connect(path, timeout=0, isolation_level=None)


def insist(statement, values=()):
    """Waits for locks only; how long the worst one was counts."""
    global worst
    begun = None
    while True:
        try:
            return db.execute(statement, values)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            begun = begun or time.monotonic()
            time.sleep(0.001)
        finally:
            if begun:
                worst = max(worst, time.monotonic() - begun)


insist("PRAGMA journal_mode = " + mode)
insist("PRAGMA synchronous = OFF")
insist("CREATE TABLE t (i INTEGER PRIMARY KEY, v INTEGER, pad TEXT)")
insist("CREATE TABLE log (n INTEGER PRIMARY KEY, what TEXT)")
insist("BEGIN")
for i in range(500):
    insist("INSERT INTO t VALUES (?, 0, ?)", (i, "x" * 500))
insist("COMMIT")
while (said := open(control).read()) != "stop":
    if said == "pause":
        if not idle:
            open(path + ".idle", "w").close()
        idle = True
        time.sleep(0.02)
        continue
    step = random.randrange(1, 100)
    insist("BEGIN IMMEDIATE")
    for _ in range(5):
        insist("UPDATE t SET v = v + ? WHERE i = ?", (step, random.randrange(500)))
        insist("UPDATE t SET v = v - ? WHERE i = ?", (step, random.randrange(500)))
    count += 1
    insist("INSERT INTO log VALUES (?, ?)", (count, os.urandom(100).hex()))
    insist("COMMIT")
    time.sleep(0.01)
print(f"{count} {worst * 1000:.0f}")
END

cat >"$TMP/check.py" <<'END'
# check.py COPY…: prints the number of each one's last transaction. One that
# was busy all the time has no copy yet.
import os, sqlite3, sys
for path in sys.argv[1:]:
    if not os.path.exists(path):
        continue
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    result = db.execute("PRAGMA integrity_check").fetchone()[0]
    total, = db.execute("SELECT sum(v) FROM t").fetchone()
    rows, last = db.execute("SELECT count(*), coalesce(max(n), 0) FROM log").fetchone()
    if (result, total, rows) != ("ok", 0, last):
        sys.exit(f"{path}: {result}, sum {total}, {rows} rows, last {last}")
    print(path, last)
END

# What only looks like a database, or is none that can be copied now.
cd "$source"
head -c 65536 /dev/urandom >cipher.db
head -c 20000 /dev/urandom >cipher.db-wal
echo 'no journal of anything' >foo-journal
python3 - <<'END'
import os, shutil, sqlite3
db = sqlite3.connect("made.db", isolation_level=None)
db.execute("PRAGMA cache_size = 5")
db.execute("CREATE TABLE t (v TEXT)")
db.executemany("INSERT INTO t VALUES (?)", [("a" * 900,)] * 200)
db.execute("PRAGMA cache_spill = 1")
db.execute("BEGIN")
db.execute("UPDATE t SET v = replace(v, 'a', 'b')")
shutil.copy("made.db", "hot.db")
shutil.copy("made.db-journal", "hot.db-journal")
db.execute("ROLLBACK")
db.close()
shutil.copy("made.db", "damaged.db")
with open("damaged.db", "r+b") as file:
    file.seek(4096 * 3)
    file.write(os.urandom(4096 * 2))
os.remove("made.db")
END
cd - >/dev/null
sha256sum "$source"/{hot.db,hot.db-journal,damaged.db,cipher.db,cipher.db-wal,foo-journal} \
    >"$TMP/beside.sums"

echo run >"$TMP/control.new"
printf run >"$TMP/control"
pids=()
for i in 0 1 2 3 4 5 6 7 8 9; do
    mode=wal
    [ $((i % 2)) -eq 0 ] || mode=delete
    python3 "$TMP/writer.py" "$source/$mode$i.db" $mode "$TMP/control" \
        >"$TMP/writer$i" 2>&1 &
    pids+=($!)
done

stop_writers() {
    printf stop >"$TMP/control"
    wait "${pids[@]}" || :
}
trap stop_writers EXIT

sleep 2
end=$((SECONDS + seconds)) runs=0
while [ $SECONDS -lt $end ]; do
    # 3: the hot journal and the damaged one; a busy one counts there, too.
    expect_exit 3 berth sync >/dev/null 2>"$TMP/words"
    runs=$((runs + 1))
    grep 'delete.\.db' "$TMP/words" >&2 || :
    python3 "$TMP/check.py" "$copies"/{wal,delete}[0-9].db >"$TMP/states.$runs" ||
        fail "run $runs: a copy is not a state that existed"
done
followed=$(cat "$TMP"/states.* | awk '$2 > 0' | sort -u | wc -l)
check "$runs runs: each copy whole, and a state that existed ($followed states)" \
    test $runs -ge 3 -a "$followed" -ge 10
check "the hot journal is named" grep -q 'hot.db' "$TMP/words"
check "the damaged one is named" grep -q 'damaged.db' "$TMP/words"
check "neither is copied" test ! -e "$copies/hot.db" -a ! -e "$copies/damaged.db"
check "no side file of a snapshot travels" test -z \
    "$(cd "$copies" && find . -name 'wal*-*' -o -name 'delete*-*')"
check "an encrypted one and its -wal are files" \
    test "$(cd "$copies" && sha256sum <cipher.db; sha256sum <cipher.db-wal)" = \
    "$(cd "$source" && sha256sum <cipher.db; sha256sum <cipher.db-wal)"
check "foo-journal is a file" cmp "$source/foo-journal" "$copies/foo-journal"

# Idle, their connections open: nothing but berth could change anything.
printf pause >"$TMP/control"
for i in $(seq 100); do
    [ "$(find "$source" -name '*.idle' | wc -l)" -lt 10 ] || break
    sleep 0.1
done
sums() {
    find "$source" -name '*.db' -o -name '*-wal' -o -name '*-journal' |
        sort | xargs sha256sum
    find "$source" \( -name '*.db' -o -name '*-wal' \) -printf '%p %T@ %C@\n' | sort
}
sums >"$TMP/before"
expect_exit 3 berth sync >/dev/null 2>&1
rm -r "$copies"
expect_exit 3 berth sync --full >/dev/null 2>&1
sums >"$TMP/after"
check "databases and -wal are untouched" cmp "$TMP/before" "$TMP/after"
check "what lies beside is, too" sha256sum --quiet -c "$TMP/beside.sums"
python3 "$TMP/check.py" "$copies"/{wal,delete}[0-9].db >"$TMP/last"
check "all ten are there" test "$(wc -l <"$TMP/last")" -eq 10

stop_writers
trap - EXIT
for i in 0 1 2 3 4 5 6 7 8 9; do
    read -r count worst <"$TMP/writer$i" || fail "writer $i died: $(cat "$TMP/writer$i")"
    [[ $count =~ ^[0-9]+$ ]] || fail "writer $i died: $(cat "$TMP/writer$i")"
    check "writer $i: $count transactions, waited for a lock $worst ms at most" \
        test "$worst" -le 250
    check "writer $i: the last copy is its last state" grep -q "$i.db $count$" "$TMP/last"
done
