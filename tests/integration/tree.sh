# Trees for the integration tests: real files and generated ones, and a writer
# that keeps a database busy. Sourced after lib.sh.
# shellcheck shell=bash

# make_tree DIRECTORY FILES: up to three quarters are real (/usr/share, below
# 256 KiB each), the rest is generated, with names in several scripts.
make_tree() {
    local tree=$1 count=$2
    mkdir -p "$tree/share" "$tree/live"
    # head ends early, and sort hears of it
    (set +o pipefail && cd /usr/share && find . -type f -size -256k -readable -print0 |
        LC_ALL=C sort -z | head -z -n $((count * 3 / 4)) |
        tar --create --null --files-from=- --file=-) |
        tar --extract --file=- --directory="$tree/share"
    python3 - "$tree" "$count" <<'PYTHON'
import os, random, shutil, sys
tree, count = sys.argv[1], int(sys.argv[2])
random.seed(20261122)
# Names that differ in case only are conflicts on exFAT: another test's matter.
for folder, names, files in os.walk(tree):
    seen = set()
    for name in sorted(names + files):
        if name.casefold() in seen:
            path = os.path.join(folder, name)
            if name in files:
                os.remove(path)
            else:
                names.remove(name)
                shutil.rmtree(path)
        seen.add(name.casefold())
have = sum(len(files) for _, _, files in os.walk(tree))
words = ["data", "Größe", "naïve", "日本語", "русский", "العربية", "עברית",
         "ไทย", "한국어", "emoji 🚢", "Ωmega", "a b  c", "résumé", "ｆｕｌｌ",
         "e\u0301 nfd", "x'y", "100%", "#1", "semi;colon", "(copy)"]
number = 0
while have < count:
    folder = os.path.join(tree, random.choice(words), random.choice(words),
                          "%02d" % (number % 40))
    os.makedirs(folder, exist_ok=True)
    name = "%s %d.%s" % (random.choice(words), number,
                         random.choice(["txt", "json", "html", "bin"]))
    size = random.choice([0, 1, 100, 4096, 5000, 20000, 70000])
    with open(os.path.join(folder, name), "wb") as file:
        file.write(random.randbytes(size))
    number += 1
    have += 1
with open(os.path.join(tree, "big.bin"), "wb") as file:
    for _ in range(48):
        file.write(random.randbytes(1 << 20))
for name in ("rename me.txt", "edit me.txt", "delete me.txt", "Case.txt"):
    with open(os.path.join(tree, name), "w") as file:
        file.write("deleted but not lost\n" if "delete" in name
                   else name + "\n")
PYTHON
}

# change_tree DIRECTORY: sets changed_new, _updated, _renamed, _deleted.
change_tree() {
    local tree=$1
    mv "$tree/rename me.txt" "$tree/renamed.txt"
    mv "$tree/Case.txt" "$tree/CASE.txt"
    mkdir "$tree/moved here"
    mv "$tree/big.bin" "$tree/moved here/großer Film.bin"
    mv "$tree/日本語" "$tree/日本" # a directory, with all that is in it
    echo more >>"$tree/edit me.txt"
    rm "$tree/delete me.txt"
    echo new >"$tree/new: file?.txt"
    changed_new=1 changed_updated=1 changed_renamed=4 changed_deleted=1
    # shellcheck disable=SC2034 # used by the tests
    : "$changed_new $changed_updated $changed_renamed $changed_deleted"
}

# Each transaction adds one line to the log and moves money between two
# accounts: a state that existed has all lines up to its last and the same sum.
# shellcheck disable=SC2034 # used by the tests
state_query="SELECT (SELECT count(*) = max(n) FROM log) AND
    (SELECT sum(money) = 100000 FROM account)"

start_writer() {
    rm -f "$TMP/stop-writer"
    python3 - "$1" "$TMP/stop-writer" >/dev/null 2>"$TMP/writer.log" <<'PYTHON' &
import os, random, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("CREATE TABLE log (n INTEGER PRIMARY KEY, filler BLOB)")
db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER)")
db.executemany("INSERT INTO account VALUES (?, 1000)",
               [(i,) for i in range(100)])
n = 0
while not os.path.exists(sys.argv[2]):
    n += 1
    amount = random.randrange(100)
    a, b = random.sample(range(100), 2)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO log VALUES (?, randomblob(300))", (n,))
    db.execute("UPDATE account SET money = money - ? WHERE id = ?", (amount, a))
    db.execute("UPDATE account SET money = money + ? WHERE id = ?", (amount, b))
    db.execute("COMMIT")
    time.sleep(0.002)
# Left as a program leaves it that was killed: with its -wal.
os._exit(0)
PYTHON
    writer=$!
    until [ -e "$1-wal" ]; do
        sleep 0.05
    done
    sleep 0.3
}

stop_writer() {
    : >"$TMP/stop-writer"
    wait "$writer"
}

# The database is compared by its content, not by its bytes.
drop_snapshots() {
    grep -v -e '/live/lab\.db'
}

# Names that exFAT cannot hold have another spelling there, and all are NFC.
# Reads lines of tree_digest.
as_on_exfat() {
    python3 -c '
import sys, unicodedata
for line in sys.stdin:
    digest, path = line.rstrip("\n").split("  ", 1)
    path = unicodedata.normalize("NFC", path)
    for refused in "\"*:<>?|\\":
        path = path.replace(refused, "\u201b" + chr(ord(refused) + 0xfee0))
    print(digest + "  " + path)' | LC_ALL=C sort -k2
}
