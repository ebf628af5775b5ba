#!/usr/bin/env bash
# The job on a real tree with a live database, to the kernel's exFAT on a USB
# disk: 1,500 files arrive, what berth calls done is in the disk and not in its
# cache, nothing is left to do, and verify may say "verified".
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"
. "$REPO/tests/integration/tree.sh"

disk_new usb 512M
plug usb
mount_disk usb
guest_tree 1500
guest 'berth volume add /mnt/usb --name usb
    berth job add lab --source "$PWD/source" --target usb:/lab'
guest_start writer 'write_database source/live/lab.db'
guest 'until_true 20 test -e source/live/lab.db-wal'
expect_exit 1 guest 'berth diff' >"$TMP/diff"
check "the diff names 1,500 files" test "$(grep -c '^  + .*[^/]$' "$TMP/diff")" -ge 1500

trace_begin
expect_exit 0 guest_said 'berth sync'
scsi_trace >"$TMP/trace"
brief <"$TMP/trace" >&2
check "SYNCHRONIZE CACHE after the last WRITE, before it says that it is done" \
    flushed_before 'lab -> usb: 1,5.. new' <"$TMP/trace"
read -r _ copied_state < <(guest 'state_of /mnt/usb/lab/live/lab.db')
check "the database's copy is a state that existed" test "$copied_state" = whole
check "no -wal and no -shm travel" guest 'test ! -e /mnt/usb/lab/live/lab.db-wal -a \
    ! -e /mnt/usb/lab/live/lab.db-shm'

guest 'pkill -KILL sqlite3'
expect_exit 0 guest 'berth sync'
check "the database's copy is the last state" test \
    "$(guest 'state_of source/live/lab.db')" = \
    "$(guest 'state_of /mnt/usb/lab/live/lab.db')"
# Reading the copy changed its access time.
guest 'sync -f /mnt/usb'
trace_begin
expect_exit 0 guest 'berth sync --json' >"$TMP/sync.json"
check "the next sync has nothing to do" test "$(json \
    '[(j["new"], j["changed"], j["renamed"], j["deleted"]) for j in d["jobs"]]' \
    <"$TMP/sync.json")" = '[(0, 0, 0, 0)]'
guest 'sync -f /mnt/usb; sync /mnt/usb'
scsi_trace >"$TMP/idle.trace"
check "and writes nothing" expect_exit 1 grep WRITE "$TMP/idle.trace"
expect_exit 0 guest 'berth diff --full'

trace_begin
expect_exit 0 guest 'berth verify --json' >"$TMP/verify.json"
check "all of it is verified, not just compared" test "$(json \
    '[(v["verified"] >= 1500, v["compared"], v["rotten"]) for v in d["volumes"]]' \
    <"$TMP/verify.json")" = '[(True, 0, 0)]'
bytes=$(json 'd["volumes"][0]["bytes"]' <"$TMP/verify.json")
guest 'sync -f /mnt/usb; sync /mnt/usb'
scsi_trace >"$TMP/verify.trace"
brief <"$TMP/verify.trace" >&2
check "verify writes nothing" expect_exit 1 grep WRITE "$TMP/verify.trace"
check "the bytes came from the disk" test "$(awk \
    '$2 == "READ" { blocks += $4 } END { print blocks * 512 }' "$TMP/verify.trace")" -ge "$bytes"
guest 'tree_digest source' | drop_snapshots | as_on_exfat >"$TMP/source.sums"
guest 'tree_digest /mnt/usb/lab' | drop_snapshots | LC_ALL=C sort -k2 >"$TMP/target.sums"
check "contents are equal" diff -q "$TMP/source.sums" "$TMP/target.sums"
guest 'umount /mnt/usb'
yank usb
check "clean" is_clean usb
check "fsck finds nothing" fsck_disk usb
