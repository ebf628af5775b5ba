#!/usr/bin/env bash
# The same tree with `rsync -a --delete` beside it: it is new, then some of it
# changes, is renamed and goes, and each time rsync finds nothing left to do on
# berth's drive. (What takes how long: make bench.)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"

need_root
need_command rsync python3

source_dir=$TMP/source
make_tree "$source_dir" 4000

rsync_would() { # FLAGS ROOT
    rsync "$1" -n --delete --exclude=/.berth --itemize-changes "$source_dir/" "$2/lab/"
}

stir() { # SEED
    python3 - "$source_dir" "$1" <<'PYTHON'
import os, random, sys
tree, seed = sys.argv[1], int(sys.argv[2])
random.seed(seed)
files = sorted(os.path.join(folder, name)
               for folder, _, names in os.walk(tree) for name in names)
files = [file for file in files if not os.path.islink(file)]
for file in random.sample(files, 60):
    deed = random.randrange(3)
    if deed == 0:
        os.remove(file)
    elif deed == 1:
        os.rename(file, "%s, moved %d" % (file, seed))
    else:
        with open(file, "ab") as out:
            out.write(b"round %d\n" % seed)
PYTHON
}

for fs in ext4 exfat; do
    flags=-a otherwise='^$'
    # It has no links, and what it cannot hold is spelt otherwise there.
    [ $fs != exfat ] || flags=-rt otherwise='nfd\|[:：]'
    rm -rf "$TMP/state" "$TMP/berth.conf"
    root=$(make_volume $fs "usb_$fs" 2G)
    berth volume add "$root" --name usb
    berth job add lab --source "$source_dir" --target usb:/lab
    sed -i 's|\(target[^}]*\); }|\1; delete_cap = "100%, 100000"; }|' "$TMP/berth.conf"
    for round in 1 2 3; do
        expect_exit 0 berth sync
        left=$(rsync_would $flags "$root" | grep -v "$otherwise" || :)
        check "$fs, round $round: rsync finds nothing left to do: $left" test -z "$left"
        stir $round
    done
    check "$fs: rsync finds what changed" test -n "$(rsync_would $flags "$root")"
    unmount_volume "usb_$fs"
done
