#!/usr/bin/env bash
# quick
# What lies beside a database: a drive that rsync filled while it was open is
# not adopted without what its -wal holds; no -wal and no journal, in whatever
# state, stands beside a snapshot on the drive; and a name that leaves no room
# for "-wal" is a name.
. "$(dirname "$0")/lib.sh"

need_command python3
root=$TMP/usb
source=$TMP/source
mkdir "$root" "$source"
berth volume add "$root" --name usb --folder
berth job add docs --source "$source" --target usb:/docs
berth job add kept --source "$source" --target usb:/kept --mode update

cat >"$TMP/play.py" <<'END_PYTHON'
import os, shutil, sqlite3, subprocess, sys, time

berth, top, source, root = sys.argv[1:]
docs, kept = root + "/docs", root + "/kept"


def sync(expected=0):
    time.sleep(0.05)
    said = subprocess.run([berth, "--config", top + "/berth.conf", "--state-dir",
                           top + "/state", "sync", "--full"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if said.returncode != expected:
        sys.exit(f"exit {said.returncode} instead of {expected}: {said.stdout}")


def open_in(name, mode):
    db = sqlite3.connect(source + "/" + name, isolation_level=None)
    db.execute("PRAGMA journal_mode = " + mode)
    return db


def rows(path):
    """As whoever plugs the drive in would see it."""
    copy = top + "/copy"
    shutil.rmtree(copy, ignore_errors=True)
    os.mkdir(copy)
    for suffix in "", "-wal", "-journal":
        if os.path.exists(path + suffix):
            shutil.copy(path + suffix, copy + "/x" + suffix)
    db = sqlite3.connect(copy + "/x")
    if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        sys.exit(path + ": damaged")
    return [v for v, in db.execute("SELECT v FROM t ORDER BY v")]


def check(sentence, is_true):
    if not is_true:
        sys.exit("failed: " + sentence)
    print("ok:", sentence)


def fill(name, mode, *values):
    db = open_in(name, mode)
    db.execute("CREATE TABLE t (v)")
    db.executemany("INSERT INTO t VALUES (?)", [(v,) for v in values])
    return db


def copy_to_drives(*names):
    """As rsync does."""
    for drive in docs, kept:
        os.makedirs(drive, exist_ok=True)
        for name in names:
            shutil.copy2(source + "/" + name, drive + "/" + name)


live = fill("live", "WAL", 1)
live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
live.execute("INSERT INTO t VALUES (2)")
copy_to_drives("live", "live-wal")
live.execute("INSERT INTO t VALUES (3)")
sync()
for drive in docs, kept:
    check("what is only in the -wal arrives on a drive that rsync filled",
          rows(drive + "/live") == [1, 2, 3])
live.execute("INSERT INTO t VALUES (4)")
sync()
check("and what is added there later", rows(docs + "/live") == [1, 2, 3, 4])

rest = fill("rest", "WAL", *range(500))
rest.execute("PRAGMA wal_checkpoint(TRUNCATE)")
rest.execute("UPDATE t SET v = v + 1000 WHERE v % 7 = 0")
copy_to_drives("rest", "rest-wal", "rest-shm")
for drive in docs, kept:
    os.utime(drive + "/rest", (1700000000, 1700000000))
rest.execute("DELETE FROM t WHERE v > 100")
rest.close()
sync()
for drive in docs, kept:
    check("a -wal that rsync left does not stay beside the snapshot",
          not os.path.exists(drive + "/rest-wal"))
    check("which is what its program left",
          rows(drive + "/rest") == [v for v in range(101) if v % 7])

hot = fill("hot", "DELETE", *range(2000))
hot.execute("PRAGMA cache_size = 2")
hot.execute("BEGIN")
hot.execute("UPDATE t SET v = v + 5000")
for name in "hot", "hot-journal":
    shutil.copy(source + "/" + name, top + "/" + name)
hot.execute("ROLLBACK")
hot.close()
for name in "hot", "hot-journal":
    os.rename(top + "/" + name, source + "/" + name)
copy_to_drives("hot", "hot-journal")
for drive in docs, kept:
    os.utime(drive + "/hot", (1700000000, 1700000000))
sync(3)
check("a journal stays beside what it belongs to when no snapshot comes",
      rows(docs + "/hot") == rows(kept + "/hot") == list(range(2000)))
check("its program repairs it", rows(source + "/hot") == list(range(2000)))
sqlite3.connect(source + "/hot").execute("SELECT count(*) FROM t").fetchone()
sync()
check("then the snapshot comes, and the journal goes",
      rows(docs + "/hot") == list(range(2000)) and
      not os.path.exists(docs + "/hot-journal"))

persist = fill("persist", "PERSIST", 1)
check("an unused journal is there", os.path.getsize(source + "/persist-journal"))
sync()
check("an unused journal does not travel",
      not os.path.exists(docs + "/persist-journal"))
check("its database does", rows(docs + "/persist") == [1])

gone = fill("gone", "WAL", 1)
shutil.copy(source + "/gone-wal", top + "/gone-wal")
gone.close()
sync()
shutil.copy(top + "/gone-wal", source + "/gone-wal")
os.remove(source + "/gone")
sync()
check("a -wal without its database does not go beside the kept snapshot",
      rows(kept + "/gone") == [1] and not os.path.exists(kept + "/gone-wal"))

long = []
for mode, length in ("WAL", 250), ("WAL", 255), ("DELETE", 248), ("DELETE", 255):
    fill("short", mode, length).close()
    long.append((mode[0] * length, length))
    os.rename(source + "/short", source + "/" + long[-1][0])
sync()
check("names that leave no room for -wal and -journal arrive",
      all(rows(docs + "/" + name) == [length] for name, length in long))
END_PYTHON
python3 "$TMP/play.py" "$BERTH" "$TMP" "$source" "$root" >&2
