#!/usr/bin/env bash
# timeout 900
# Two machines feed one drive in turn, killed with kill -9 at random calls and
# pulled (another mount) before they can repair; a third one, that knows
# nothing, learns everything from the drive alone (ENGINE G12, G13).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/shim.sh"

# host NAME COMMAND…: berth with a state of that machine's own.
host() {
    local name=$1
    shift
    "$BERTH" --config "$TMP/$name.conf" --state-dir "$TMP/state-$name" "$@"
}

stir() { # TREE SEED
    python3 - "$1" "$2" <<'PYTHON'
import os, random, sys
tree, seed = sys.argv[1], int(sys.argv[2])
random.seed(seed)
os.makedirs(tree, exist_ok=True)
names = sorted(os.listdir(tree))
for name in random.sample(names, len(names) // 4):
    path = os.path.join(tree, name)
    deed = random.randrange(3)
    if deed == 0 and len(names) > 40:
        os.remove(path)
    elif deed == 1:
        os.rename(path, os.path.join(tree, "moved %d %s" % (seed, name[-9:])))
    else:
        with open(path, "wb") as file:
            file.write(random.randbytes(random.randrange(1 << 18)))
for i in range(20):
    with open(os.path.join(tree, "new %d: %d" % (seed, i)), "wb") as file:
        file.write(random.randbytes(random.choice([0, 100, 5000, 1 << 20])))
PYTHON
}

# kill -9 at one of its changing calls: a moment by the clock is after the end
# where a run is quick.
kill_at_random() { # HOST SEED
    local call code=0
    call=$(python3 -c 'import random, sys
random.seed(int(sys.argv[1])); print(random.randrange(1, 250))' "$2")
    LD_PRELOAD=$TMP/shim.so BERTH_SHIM=kill:$call \
        host "$1" sync >/dev/null 2>"$TMP/killed.log" || code=$?
    [ "$code" -ne 137 ] || hits=$((hits + 1))
}

# After a kill the volume counts as unclean for the other machine: what is
# deleted waits for the run after the one that read everything back.
settle() { # HOST
    local code=0
    for _ in 1 2 3; do
        code=0
        host "$1" sync >"$TMP/words" 2>&1 || code=$?
        [ "$code" -eq 1 ] || break
    done
    [ "$code" -eq 0 ] || fail "$fs, $1: exit code $code: $(cat "$TMP/words")"
    host "$1" sync --full >"$TMP/words" 2>&1
    ! grep -q ' new\| changed' "$TMP/words" ||
        fail "$fs, $1: copied twice: $(cat "$TMP/words")"
}

# Every file of the source stands on the drive, by name and content; exFAT
# spells some names differently. What else stands there is a file of a run whose
# record was dropped because the other machine wrote since (ENGINE, "Recovery"),
# and whose source went before the next run: kept, and listed as foreign.
arrived() { # HOST
    host "$1" diff --full >"$TMP/diff"
    python3 - "$TMP/source-$1" "$root/$1" "$TMP/diff" <<'PYTHON'
import os, sys
def tree(root):
    return {n.replace("\u201b\uff1a", ":"): open(os.path.join(root, n), "rb").read()
            for n in os.listdir(root)}
source, drive = tree(sys.argv[1]), tree(sys.argv[2])
assert source, "an empty source"
foreign = {line.strip()[3:] for line in open(sys.argv[3])
           if line.strip().startswith(".  ")}
wrong = [name for name in sorted(set(source) | set(drive))
         if source.get(name) != drive.get(name)
         and not (name not in source and name in foreign)]
for name in wrong:
    print("differs:", repr(name), name in source, name in drive)
sys.exit(bool(wrong))
PYTHON
}

for fs in exfat ext4; do
    rm -rf "$TMP"/state-* "$TMP"/*.conf "$TMP"/source-*
    root=$(make_volume $fs "usb_$fs" 4G)
    hits=0
    for name in nas laptop; do
        stir "$TMP/source-$name" 1
        expect_exit 0 host $name volume add "$root" --name usb
        expect_exit 0 host $name job add docs --source "$TMP/source-$name" \
            --target "usb:/$name"
        sed -i 's|\(target[^}]*\); }|\1; delete_cap = "100%, 100000"; }|' \
            "$TMP/$name.conf"
    done
    for round in $(seq "${KILLS:-12}"); do
        name=nas
        [ $((round % 3)) -ne 0 ] || name=laptop
        stir "$TMP/source-$name" $((round + 1))
        kill_at_random $name "$round"
        [ $((round % 2)) -ne 0 ] || remount_volume "usb_$fs"
        [ $((round % 4)) -eq 0 ] || settle $name
    done
    for name in nas laptop; do
        settle $name
        settle $name
        check "$fs: all of $name arrived" arrived $name
    done
    check "$fs: of ${KILLS:-12} kills $hits hit a run" \
        test "$hits" -ge $((${KILLS:-12} / 2))

    # A third machine: everything from the drive.
    expect_exit 0 host new volume add "$root" --name usb 2>"$TMP/words"
    host new history >"$TMP/history"
    check "$fs: a new machine knows the runs of both" \
        test "$(grep -c 'docs (' "$TMP/history")" -gt 2
    code=0
    host new job add docs --source "$TMP/source-nas" --target usb:/nas \
        2>"$TMP/words" || code=$?
    check "$fs: a target of another machine is refused" test "$code" -eq 2
    check "$fs: and its machine is named" grep -q 'belongs to job docs of' "$TMP/words"

    code=0
    host new job add other --source "$TMP/source-nas" --target usb:/laptop \
        --claim 2>"$TMP/words" || code=$?
    check "$fs: --claim takes it over" test "$code" -eq 0
    host new job list >"$TMP/words"
    check "$fs: the job is there" grep -q usb:/laptop "$TMP/words"
    expect_exit 4 host laptop sync 2>"$TMP/words"
    expect_exit 0 host laptop job claim docs 2>>"$TMP/words"

    # The machine dies; its source lives on in a new one.
    before=$(cd "$root/nas" && find . -type f -printf '%p %T@\n' | sort)
    rm -rf "$TMP/state-nas"
    expect_exit 4 host nas sync 2>"$TMP/words"
    expect_exit 0 host nas job claim docs 2>>"$TMP/words"
    expect_exit 0 host nas sync >"$TMP/words" 2>&1
    check "$fs: after a claim nothing is copied" \
        grep -q 'nothing to do' "$TMP/words"
    check "$fs: nor touched" test "$before" = \
        "$(cd "$root/nas" && find . -type f -printf '%p %T@\n' | sort)"
    expect_exit 0 host nas verify
    expect_exit 0 host laptop sync
    unmount_volume "usb_$fs"
done
