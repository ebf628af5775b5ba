#!/usr/bin/env bash
# Extended attributes and capabilities: an ext4 drive has them as `rsync -aX`
# would, an exFAT one has them in the catalogue; a change of them alone is a
# change; restore brings them back, from other machines' rows only with --trust
# (ENGINE G10, G12).
. "$(dirname "$0")/lib.sh"

need_root
need_command python3
source_dir=$(make_volume ext4 source 64M)/home
mkdir "$source_dir"

# attributes FILE [NAME=VALUE]…: makes them so; without words prints them.
attributes() {
    python3 - "$@" <<'PYTHON'
import os, sys
path, wanted = sys.argv[1], dict(word.split("=") for word in sys.argv[2:])
if not wanted:
    print([(name, os.getxattr(path, name)) for name in sorted(os.listxattr(path))])
for name in os.listxattr(path) if wanted else []:
    os.removexattr(path, name)
for name, value in wanted.items():
    os.setxattr(path, name, bytes.fromhex(value))
PYTHON
}

same_attributes() { # DIRECTORY DIRECTORY
    local name
    for name in plain program locked; do
        test "$(attributes "$1/$name")" = "$(attributes "$2/$name")" || return 1
    done
}

may_send=0100000200200000000000000000000000000000 # cap_net_raw
for fs in ext4 exfat; do
    rm -rf "$TMP/state" "$TMP/berth.conf" "${source_dir:?}"/*
    root=$(make_volume $fs "usb_$fs" 64M)
    for name in plain program locked; do echo $name >"$source_dir/$name"; done
    attributes "$source_dir/plain" user.comment=6869 user.empty=
    attributes "$source_dir/program" security.capability=$may_send
    attributes "$source_dir/locked" user.a=00ff00
    chmod 444 "$source_dir/locked"
    sleep 0.05 # not copied in the moment in which they changed
    berth volume add "$root" --name usb
    berth job add docs --source "$source_dir" --target usb:/docs
    expect_exit 0 berth sync
    [ $fs = exfat ] || check "ext4: the drive has them" \
        same_attributes "$source_dir" "$root/docs"

    attributes "$source_dir/plain" user.comment=6279
    attributes "$source_dir/locked" user.b=01
    if [ $fs = ext4 ]; then
        expect_exit 1 berth diff >"$TMP/words"
        check "ext4: a change of them alone is pending" grep -q plain "$TMP/words"
    else
        expect_exit 0 berth diff
    fi
    expect_exit 0 berth sync
    check "$fs: nothing is copied for it" test "$(berth history --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["runs"][0]["changed"])')" -eq 0
    expect_exit 0 berth diff --full
    if [ $fs = ext4 ]; then
        check "ext4: the drive has them as they are now" \
            same_attributes "$source_dir" "$root/docs"
        ! command -v rsync >/dev/null || check "ext4: rsync -aX has nothing to do" \
            test -z "$(rsync -aXin --delete "$source_dir/" "$root/docs/")"
    fi

    expect_exit 0 berth restore usb:/docs --to "$source_dir/../back" >/dev/null
    check "$fs: restore brings them back" \
        same_attributes "$source_dir" "$source_dir/../back/docs"
    rm -rf "$TMP/state" "$TMP/berth.conf" "$source_dir/../back" # another machine
    expect_exit 0 berth volume add "$root" --name usb >/dev/null
    expect_exit 0 berth restore usb:/docs --to "$source_dir/../back" >/dev/null
    check "$fs: another machine's are not believed" \
        test "$(attributes "$source_dir/../back/docs/program")" = '[]'
    rm -rf "$source_dir/../back"
    expect_exit 0 berth restore usb:/docs --to "$source_dir/../back" --trust >/dev/null
    check "$fs: unless they are trusted" \
        same_attributes "$source_dir" "$source_dir/../back/docs"
    rm -rf "$source_dir/../back"
    unmount_volume "usb_$fs"
done

# More than ext4 takes: the catalogue has them.
rm -rf "$TMP/state" "$TMP/berth.conf"
mkdir "$TMP/many"
for name in plain program locked; do echo $name >"$TMP/many/$name"; done
python3 - "$TMP/many/plain" <<'PYTHON' || skip "but for more than 4 KiB: not held here"
import os, sys
os.setxattr(sys.argv[1], "user.long", b"x" * 20000)
PYTHON
root=$(make_volume ext4 usb_many 64M)
berth volume add "$root" --name usb
berth job add docs --source "$TMP/many" --target usb:/docs
expect_exit 0 berth sync
check "too many for ext4: the file is there" cmp "$TMP/many/plain" "$root/docs/plain"
expect_exit 0 berth diff --full
expect_exit 0 berth restore usb:/docs --to "$TMP/many.back" >/dev/null
check "too many for ext4: restore has them" same_attributes "$TMP/many" "$TMP/many.back/docs"

# A database's content is compared, and not copied again; what else of it a
# drive holds is.
rm -rf "$TMP/state" "$TMP/berth.conf"
mkdir "$TMP/data"
python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE t (v)")
db.commit()' "$TMP/data/secrets.db"
root=$(make_volume ext4 data 64M)
berth volume add "$root" --name usb
berth job add docs --source "$TMP/data" --target usb:/docs
expect_exit 0 berth sync
chmod 600 "$TMP/data/secrets.db"
expect_exit 0 berth sync
check "a database's new mode is the copy's, too" \
    test "$(stat -c %a "$root/docs/secrets.db")" = 600
attributes "$TMP/data/secrets.db" user.comment=6869
expect_exit 0 berth sync
check "and its extended attributes" \
    test "$(attributes "$root/docs/secrets.db")" = "$(attributes "$TMP/data/secrets.db")"
touch "$TMP/data/secrets.db"
sleep 0.1 # not copied in the moment in which it changed
expect_exit 0 berth sync --json >"$TMP/json"
check "a touched one is not copied" grep -q '"changed":0' "$TMP/json"
expect_exit 0 berth diff --full

# More than can be kept: the file arrives, and it is said.
rm -rf "$TMP/state" "$TMP/berth.conf"
mkdir "$TMP/large" "$TMP/folder"
echo large >"$TMP/large/file"
python3 - "$TMP/large/file" <<'PYTHON' || skip "but for more than 64 KiB: not held here"
import os, sys
for name in ("user.one", "user.two"):
    os.setxattr(sys.argv[1], name, b"x" * 40000)
PYTHON
berth volume add "$TMP/folder" --name nas --folder
berth job add docs --source "$TMP/large" --target nas:/docs
expect_exit 3 berth sync 2>"$TMP/words"
check "too many: the file is there" cmp "$TMP/large/file" "$TMP/folder/docs/file"
check "too many: it is named" grep -q 'file: copied without its extended' "$TMP/words"
expect_exit 0 berth sync
