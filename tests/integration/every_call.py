"""Makes every changing call of a sync its last, or makes it fail, one by one.

    every_call.py kill|fail|short FILESYSTEM ROOT WORK BERTH SHIMS [ERRNO [STEP]]

A small tree goes from state A to state B and back, again and again; each pass
has everything in it: new, changed, renamed, renamed in case only, two files
that change names, a renamed directory, a file that becomes a directory and the
other way round, deleted, made and removed directories, a database, and a film
that a second job moves away. In pass N the Nth changing call is hit
(tests/shim/shim.c; SHIMS is "clock.so shim.so"). Then the drive is looked at as
another machine would see it: under each final name is the old file, the new
file, or nothing. A run that said 0 has done everything. A plain sync repairs;
contents are equal, staging is empty, diff and verify have nothing to say, and
each film is in one place at least, whole.
"""

import errno
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time

MODE, FS, ROOT, WORK, BERTH, SHIMS = sys.argv[1:7]
CLOCK = SHIMS.split()[0]
ERRNO = getattr(errno, sys.argv[7], 0) if len(sys.argv) > 7 else 0
STEP = int(sys.argv[8]) if len(sys.argv) > 8 else 1
SOURCE = os.path.join(WORK, "source")
TARGET = os.path.join(ROOT, "docs")
FILMS = os.path.join(WORK, "films")
FILMED = os.path.join(ROOT, "films")
LOG = os.path.join(WORK, "shim.log")
COMMON = [BERTH, "--config", os.path.join(WORK, "berth.conf"),
          "--state-dir", os.path.join(WORK, "state")]

random.seed(7)
CONTENT = {name: random.randbytes(size) for name, size in {
    "keep": 5000, "edit-a": 70000, "edit-b": 60000, "moved": 9000,
    "case": 300, "swap-file": 800, "inner": 900, "x": 700, "dir-as-file": 600,
    "gone": 4000, "new": 3000, "deep": 2000, "p": 1500, "q": 1600,
    "in-dir": 2500, "late": 100}.items()}


def path(*parts):
    return os.path.join(SOURCE, *parts)


def write(name, *parts):
    os.makedirs(os.path.dirname(path(*parts)), exist_ok=True)
    with open(path(*parts), "wb") as file:
        file.write(CONTENT[name])


def set_database(value):
    db = sqlite3.connect(path("lab.db"))
    db.execute("CREATE TABLE IF NOT EXISTS t (v INTEGER)")
    db.execute("DELETE FROM t")
    db.execute("INSERT INTO t VALUES (?)", (value,))
    db.commit()
    db.close()


def make_a():
    write("keep", "keep.txt")
    write("edit-a", "edit.txt")
    write("moved", "old name")
    write("case", "Case.txt")
    write("swap-file", "swap")
    write("x", "tree", "x")
    write("gone", "gone.txt")
    write("deep", "deep", "er", "f.txt")
    write("p", "p")
    write("q", "q")
    write("in-dir", "dir one", "inside")
    os.makedirs(path("empty"), exist_ok=True)
    set_database(1)


def exchange_names():
    os.rename(path("p"), path("t"))
    os.rename(path("q"), path("p"))
    os.rename(path("t"), path("q"))


def a_to_b():
    write("edit-b", "edit.txt")
    os.makedirs(path("made", "below"))
    os.rename(path("old name"), path("made", "new name"))
    os.rename(path("Case.txt"), path("CASE.txt"))
    os.remove(path("swap"))
    write("inner", "swap", "inner")
    shutil.rmtree(path("tree"))
    write("dir-as-file", "tree")
    os.remove(path("gone.txt"))
    write("new", "made", "below", "new.txt")
    os.rename(path("deep", "er"), path("deep", "est"))
    exchange_names()
    os.rename(path("dir one"), path("dir two"))
    os.rmdir(path("empty"))
    set_database(2)


def b_to_a():
    write("edit-a", "edit.txt")
    os.rename(path("made", "new name"), path("old name"))
    os.rename(path("CASE.txt"), path("Case.txt"))
    shutil.rmtree(path("swap"))
    write("swap-file", "swap")
    os.remove(path("tree"))
    write("x", "tree", "x")
    write("gone", "gone.txt")
    shutil.rmtree(path("made"))
    os.rename(path("deep", "est"), path("deep", "er"))
    exchange_names()
    os.rename(path("dir two"), path("dir one"))
    os.makedirs(path("empty"))
    set_database(1)


def digest(file_path):
    with open(file_path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def look(root):
    """Relative path -> digest of every file below, None for directories."""
    seen = {}
    for folder, _, files in os.walk(root):
        seen[os.path.relpath(folder, root)] = None
        for name in files:
            full = os.path.join(folder, name)
            seen[os.path.relpath(full, root)] = digest(full)
    return seen


EVER = {}  # path -> digests that some source file of that path ever had
# On FUSE a copy counts as read back after another plug only: films stay.
IS_PROVED = FS != "exfat"


def remember():
    for name, value in look(SOURCE).items():
        if value:
            EVER.setdefault(name, set()).add(value)


def database_value(file_path):
    db = sqlite3.connect("file:%s?mode=ro&immutable=1" % file_path, uri=True)
    value = db.execute("SELECT v FROM t").fetchall()
    check = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()
    return value if check == "ok" else check


def check_whole(when):
    """Old file, new file or nothing under every final name (G2)."""
    if not os.path.isdir(TARGET):
        return
    for name, value in look(TARGET).items():
        if value is None:
            continue
        if name == "lab.db":
            found = database_value(os.path.join(TARGET, name))
            if found not in ([(1,)], [(2,)]):
                fail("%s: a torn database: %s" % (when, found))
        elif value not in EVER.get(name, ()):
            fail("%s: %s is neither the old nor the new file" % (when, name))


def check_equal(when):
    ours, theirs = look(SOURCE), look(TARGET)
    for seen in (ours, theirs):
        seen.pop("lab.db", None)
        for side in ("lab.db-wal", "lab.db-shm", "lab.db-journal"):
            seen.pop(side, None)
    if ours != theirs:
        only = set(ours.items()) ^ set(theirs.items())
        fail("%s: source and drive differ: %s" % (when, sorted(only)[:6]))
    if database_value(path("lab.db")) != database_value(
            os.path.join(TARGET, "lab.db")):
        fail("%s: the database differs" % when)


def check_staging(when):
    staging = os.path.join(ROOT, ".berth", "staging")
    if os.path.isdir(staging) and os.listdir(staging):
        fail("%s: staging is left: %s" % (when, os.listdir(staging)))


def film_name(number):
    return "film %d" % number


def make_film(number):
    with open(os.path.join(FILMS, film_name(number)), "w") as file:
        file.write("the content of film %d\n" % number)
    try:
        os.setxattr(file.name, "user.origin", b"somewhere")
    except OSError:
        pass  # not on this filesystem


def has_film(folder, number, when):
    """Whole, or not at all."""
    full = os.path.join(folder, film_name(number))
    if not os.path.exists(full):
        return False
    with open(full) as file:
        if file.read() != "the content of film %d\n" % number:
            fail("%s: %s is torn" % (when, full))
    return True


def check_film(number, when):
    here = has_film(FILMS, number, when)
    if not has_film(FILMED, number, when) and not here:
        fail("%s: %s is lost" % (when, film_name(number)))
    return here


def check_films_settled(number, was_hit, when):
    """After the repair: on the drive, and where it left it is known to have."""
    here = check_film(number, when)
    if not has_film(FILMED, number, when):
        fail("%s: %s is not on the drive" % (when, film_name(number)))
    private = [name for name in os.listdir(FILMS) if name[:5] != "film "]
    if private:
        fail("%s: left in the source: %s" % (when, private))
    if not was_hit and IS_PROVED and os.listdir(FILMS):
        fail("%s: still in the source: %s" % (when, os.listdir(FILMS)))
    if here:
        return  # what was put back by the repair waits for another run
    _, text = berth("find", film_name(number))
    if not IS_PROVED or "(offloaded)" not in text:
        fail("%s: %s is gone and not known as offloaded: %s" % (
            when, film_name(number), text))


def fail(words):
    print("failed: " + words, file=sys.stderr)
    sys.exit(1)


def berth(*words, **environment):
    result = subprocess.run(
        COMMON + list(words), capture_output=True, timeout=300,
        env=dict(os.environ, **dict({"LD_PRELOAD": CLOCK}, **environment)))
    return result.returncode, (result.stdout + result.stderr).decode(
        "utf-8", "replace")


def plain(when, *words):
    code, text = berth(*words)
    if code:
        fail("%s: berth %s: exit %d: %s" % (when, " ".join(words), code, text))


# A fault may end a run in any of these ways, never in a crash or a hang.
ALLOWED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
# What is only short, or interrupted by a signal, is gone on with; but SQLite
# takes neither at its flushes and its shared memory.
IS_GONE_ON_WITH = MODE == "short" or ERRNO == errno.EINTR


def attack(number):
    """True when the call was reached."""
    time.sleep(0.03)  # not copied in the moment in which it changed
    if os.path.exists(LOG):
        os.remove(LOG)
    what = {"kill": "kill:%d", "short": "short:%d"}.get(
        MODE, "fail:%%d:%d" % ERRNO) % number
    code, text = berth("sync", "--full", LD_PRELOAD=SHIMS, BERTH_SHIM=what,
                       BERTH_SHIM_LOG=LOG)
    was_hit = os.path.exists(LOG)
    if MODE == "kill":
        if was_hit != (code == -9):
            fail("call %d: exit %d: %s" % (number, code, text))
    elif code not in ALLOWED or (
            code and IS_GONE_ON_WITH and "(SQLite " not in text):
        fail("call %d: exit %d: %s" % (number, code, text))
    return was_hit, code, text


def names_something(text):
    leaves = set(os.path.basename(name) for name in EVER)
    return any(name in text for name in leaves | set(os.listdir(FILMS)) |
               {"film", "empty", "made", "swap", "tree", "deep", "dir "})


def main():
    os.mkdir(FILMS)
    make_a()
    remember()
    plain("begin", "volume", "add", ROOT, "--name", "usb")
    plain("begin", "job", "add", "docs", "--source", SOURCE, "--target",
          "usb:/docs")
    plain("begin", "job", "add", "films", "--source", FILMS, "--target",
          "usb:/films", "--mode", "move")
    conf = os.path.join(WORK, "berth.conf")
    with open(conf) as file:
        text = file.read()
    with open(conf, "w") as file:
        file.write(text.replace('"usb:/docs" ];',
                                '"usb:/docs" ]; delete_cap = "100%, 1000";'))
    plain("begin", "sync")
    number, points, missed, codes, calls = 1, 0, 0, {}, {}
    is_b = False
    while missed < 2:
        (b_to_a if is_b else a_to_b)()
        is_b = not is_b
        make_film(number)
        remember()
        was_hit, code, text = attack(number)
        when = "%s, %s at call %d" % (FS, MODE, number)
        if was_hit:
            points += 1
            codes[code] = codes.get(code, 0) + 1
            with open(LOG) as file:
                call = file.read().split()[1]
            calls[call] = calls.get(call, 0) + 1
            when += " (%s)" % call
        else:
            missed += 1
        check_whole(when)
        check_film(number, when)
        if was_hit and code == 0:
            check_equal(when + ", which said 0")
        if code == 3 and not names_something(text):
            fail("%s: exit 3, and no file is named: %s" % (when, text))
        plain(when, "sync")
        check_films_settled(number, was_hit, when)
        check_equal(when)
        check_staging(when)
        plain(when, "diff", "--full")
        if number % 20 == 0 or not was_hit:
            plain(when, "verify")
        number += STEP
    print("ok: %s, %s%s: %d points, exit codes %s, calls %s" % (
        FS, MODE, " " + sys.argv[7] if ERRNO else "", points,
        dict(sorted(codes.items())), dict(sorted(calls.items()))))


main()
