#!/usr/bin/env bash
# quick
# Directories have the source's times on a drive that keeps them, as with
# `rsync -a`: where something came, went, or was renamed out of one.
. "$(dirname "$0")/lib.sh"

need_root
need_command rsync
root=$(make_volume ext4 usb 64M)
source_dir=$TMP/source
mkdir -p "$source_dir/a/deep" "$source_dir/b" "$source_dir/c"
for name in 1 2 3 4 5 6 7; do
    echo "$name" >"$source_dir/a/$name"
    echo "deep $name" >"$source_dir/a/deep/$name"
done
berth volume add "$root" --name usb
berth job add docs --source "$source_dir" --target usb:/docs

# Years apart: a drive's own time is never the source's by chance.
year=1990
evening() { # WHAT
    find "$source_dir" -depth -type d -exec touch -d "$((year += 1))-01-01" {} +
    sleep 0.05 # not copied in the moment in which it changed
    expect_exit 0 berth sync >"$TMP/words" 2>&1
    left=$(rsync -ain --delete --exclude=/.berth "$source_dir/" "$root/docs/")
    check "$1: rsync -a has nothing to do: $left" test -z "$left"
}

# In each directory something happens: what only was touched is no work.
everywhere() { # COMMAND: with a directory
    find "$source_dir" -type d | while read -r directory; do
        "$1" "$directory"
    done
}
add() { echo new >"$1/new" && echo more >"$1/more"; }
remove() { rm "$1/new"; }
rename() { mv "$1/more" "$1/renamed"; }

evening "a first sync"
everywhere add
evening "two files more in each"
everywhere remove
evening "one less in each"
everywhere rename
evening "one renamed in each"
mv "$source_dir/renamed" "$source_dir/a/down"
mv "$source_dir/b/renamed" "$source_dir/a/deep/across"
mv "$source_dir/c/renamed" "$source_dir/a/there"
evening "three have lost one to others"
mv "$source_dir/c" "$source_dir/a/c"
touch "$source_dir/b/some" "$source_dir/a/c/some" "$source_dir/a/deep/some"
evening "a directory is moved"
