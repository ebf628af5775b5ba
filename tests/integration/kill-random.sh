#!/usr/bin/env bash
# timeout 900
# kill -9 at 50 random moments, each followed by a look at the drive as another
# machine would see it, then a sync that repairs (ENGINE G2, G6): no partial
# file is ever visible under a final name, no staging is left, contents equal.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3

# What stands under a final name must be, byte for byte, what some source file
# of that path was at some time.
remember_source() {
    tree_digest "$source_dir" >>"$TMP/ever"
    LC_ALL=C sort -u -o "$TMP/ever" "$TMP/ever"
}

nothing_partial() {
    [ ! -d "$root/docs" ] || tree_digest "$root/docs" | LC_ALL=C sort >"$TMP/now"
    [ ! -d "$root/docs" ] ||
        test -z "$(LC_ALL=C comm -23 "$TMP/now" "$TMP/ever")"
}

# Every file is new, changed, renamed or gone now and then; some are large
# enough that most kills hit a copy.
stir() {
    python3 - "$source_dir" "$1" <<'PYTHON'
import os, random, sys
tree, seed = sys.argv[1], int(sys.argv[2])
random.seed(seed)
os.makedirs(tree, exist_ok=True)
names = sorted(n for n in os.listdir(tree))
for name in random.sample(names, len(names) // 4):
    path = os.path.join(tree, name)
    if not os.path.exists(path):
        continue
    deed = random.randrange(4)
    if deed == 0 and len(names) > 60:
        os.remove(path)
    elif deed == 1:
        other = os.path.join(tree, "renamed %d %s" % (seed, name[-12:]))
        os.rename(path, other)
    elif deed == 2:
        with open(path, "wb") as file:
            file.write(random.randbytes(random.randrange(1 << 20)))
    else:
        # the names of two change places
        other = os.path.join(tree, random.choice(names))
        if other != path and os.path.exists(other) and os.path.exists(path):
            os.rename(path, path + "~swap")
            os.rename(other, path)
            os.rename(path + "~swap", other)
for i in range(30):
    with open(os.path.join(tree, "new %d %d" % (seed, i)), "wb") as file:
        file.write(random.randbytes(random.choice([0, 100, 5000, 3 << 20])))
PYTHON
}

kill_at_random() { # SEED
    local pid delay
    delay=$(python3 -c 'import random, sys
random.seed(int(sys.argv[1])); print("%.4f" % (random.random() * float(sys.argv[2])))' \
        "$1" "$took")
    setsid "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" sync \
        --full >/dev/null 2>"$TMP/killed.log" &
    pid=$!
    sleep "$delay"
    if kill -KILL -- "-$pid" 2>/dev/null; then
        hits=$((hits + 1))
    fi
    wait "$pid" 2>/dev/null || :
}

source_dir=$TMP/source
total=${KILLS:-25}
for fs in exfat ext4; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir" "$TMP/ever"
    : >"$TMP/ever"
    root=$(make_volume $fs "usb_$fs" 8G)
    stir 1
    remember_source
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    # The cap is another test's matter; here everything may go.
    sed -i 's|\(target[^}]*\); }|\1; delete_cap = "100%, 100000"; }|' "$TMP/berth.conf"
    hits=0 repaired=0 took=0.5
    for round in $(seq "$total"); do
        stir $((round + 1))
        remember_source
        kill_at_random "$round"
        nothing_partial || fail "$fs, kill $round: a partial file under a final name"
        begun=$EPOCHREALTIME
        expect_exit 0 berth sync 2>"$TMP/words"
        took=$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { print b - a + 0.02 }')
        ! grep -q 'was repaired' "$TMP/words" || repaired=$((repaired + 1))
        diff -r "$source_dir" "$root/docs" >/dev/null ||
            fail "$fs, kill $round: contents differ after the repair"
        [ -z "$(find "$root/.berth/staging" -mindepth 1)" ] ||
            fail "$fs, kill $round: staging is left"
    done
    expect_exit 0 berth diff --full
    expect_exit 0 berth verify
    check "$fs: $hits of $total kills hit a running sync, $repaired of them between record and commit" \
        test "$hits" -ge $((total / 2))
    unmount_volume "usb_$fs"
done
