#!/usr/bin/env bash
# quick
# When a volume was last verified is told of `drives`: only a reading of all that
# is recorded of it, from the device and without a finding, counts. Not one of
# a sample, of one job, through a cache, or one that found something.
. "$(dirname "$0")/lib.sh"

need_root
need_command python3

verified() { # of volume usb
    berth drives --json >"$TMP/json"
    python3 - "$TMP/json" <<'END'
import json, sys
for drive in json.load(open(sys.argv[1]))["drives"]:
    for volume in drive["volumes"]:
        if volume["name"] == "usb":
            print(volume["verified"])
END
}

stays() { # WHY
    [ "$(verified)" = "$before" ] || fail "$1: $(verified), it was $before"
    echo "ok: $1" >&2
}

for filesystem in ext4 exfat; do
    usb=$(make_volume "$filesystem" "$filesystem" 64M)
    rm -rf "$TMP/state" "$TMP/berth.conf"
    berth volume add "$usb" --name usb
    for job in notes films; do
        mkdir -p "$TMP/$filesystem/$job"
        for i in 1 2 3 4 5 6 7 8; do
            head -c 9000 /dev/urandom >"$TMP/$filesystem/$job/$i"
        done
        touch -d '2 days ago' "$TMP/$filesystem/$job"/*
        berth job add "$job" --source "$TMP/$filesystem/$job" --target "usb:/$job"
    done
    berth sync
    before=None
    stays "never, on $filesystem"
    if [ "$filesystem" = exfat ]; then
        remount_volume exfat # exfat-fuse may keep pages
        expect_exit 0 berth verify
        stays "what may come from memory does not count"
    fi
    replug_volume "$filesystem"
    expect_exit 0 berth verify notes
    stays "one job of two does not count"
    expect_exit 0 berth verify --sample 10%
    stays "a sample does not count"
    expect_exit 0 berth verify
    before=$(verified)
    [ "$before" != None ] || fail "all of it was read on $filesystem"
    sleep 1.1
    expect_exit 0 berth verify
    [ "$(verified)" \> "$before" ] || fail "the last time counts, not the first"
    before=$(verified)
    berth drives >"$TMP/out"
    check "people read it, too" grep -q "verified $(date +%d)" "$TMP/out"
    rm "$usb/notes/3"
    expect_exit 3 berth verify
    stays "a finding is no verification"
    unmount_volume "$filesystem"
    stays "it is told of a drive that is away"
done
