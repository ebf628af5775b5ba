#!/usr/bin/env bash
# Two drives at once: each gets its copy, one is ejected and the other stays.
# A clone of one beside it: neither is written until it is gone.
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

disk_new one 64M
disk_new two 64M
plug one model='First HDD'
plug two model='Second HDD'
mount_disk one
mount_disk two
guest 'berth volume add /mnt/one --name one
    berth volume add /mnt/two --name two
    make_files source 20 20000
    berth job add docs --source "$PWD/source" --target one:/docs --target two:/docs'
expect_exit 0 guest 'berth sync'
check "both are equal" guest 'are_equal source /mnt/one/docs && are_equal source /mnt/two/docs'
expect_exit 0 guest 'berth eject two' >"$TMP/words"
check "it says SAFE of the second" grep -q 'Second HDD: SAFE TO UNPLUG' "$TMP/words"
check "the first stays" guest 'mountpoint -q /mnt/one && ! mountpoint -q /mnt/two'
check "which one is away is known" guest 'berth drives | grep "^two .*away"'
yank two
guest 'echo late >source/late'
expect_exit 0 guest 'berth sync'

guest 'sync -f /mnt/one; sync /mnt/one'
cp --sparse=always "$TMP/one.img" "$TMP/clone.img"
cp "$TMP/one.start" "$TMP/clone.start"
plug clone
mount_disk clone
guest 'echo later >source/later; tree_digest /mnt/one >one.before'
expect_exit 4 guest 'berth sync' 2>"$TMP/words"
cat "$TMP/words" >&2
check "a clone: both are named" grep -q '/mnt/one.*/mnt/clone\|/mnt/clone.*/mnt/one' "$TMP/words"
check "neither is written" guest 'tree_digest /mnt/one | cmp - one.before &&
    tree_digest /mnt/clone | cmp - one.before'
guest 'umount /mnt/clone'
yank clone
expect_exit 0 guest 'berth sync'
check "without it, the first gets it" guest 'are_equal source /mnt/one/docs'
