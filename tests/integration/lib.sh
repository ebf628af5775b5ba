# Helpers of the integration tests. A test begins with:
#
#     #!/usr/bin/env bash
#     # quick
#     . "$(dirname "$0")/lib.sh"
#
#     root=$(make_volume ext4 usb 64M)
#     berth volume add "$root" --name usb
#     expect_exit 1 berth diff
#     check "the file arrived" cmp "$source/a" "$root/a"
#
# and is run by tests/run-integration --only NAME build/release, which says
# what the environment is. The first failing command ends it.
# shellcheck shell=bash
set -euo pipefail

: "${BERTH:?run me with tests/run-integration --only NAME build/release}"
: "${TMP:?}"
volumes_=$TMP/.volumes # one file per volume: "filesystem loop-device"
mkdir -p "$volumes_"

# berth with a configuration and a state that are this test's own.
berth() {
    "$BERTH" --config "$TMP/berth.conf" --state-dir "$TMP/state" "$@"
}

fail() {
    echo "failed: $*" >&2
    exit 1
}

skip() {
    echo "$*" >&2
    exit 77
}

# check "sentence" COMMAND…: what must be true.
check() {
    local sentence=$1
    shift
    "$@" || fail "$sentence"
    echo "ok: $sentence" >&2
}

# expect_exit CODE COMMAND…: its output goes where it would go anyway.
expect_exit() {
    local expected=$1 code=0
    shift
    "$@" || code=$?
    [ "$code" -eq "$expected" ] ||
        fail "exit code $code instead of $expected: $*"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
}

need_command() {
    local name
    for name; do
        command -v "$name" >/dev/null || skip "needs the command $name"
    done
}

# make_volume ext4|btrfs|xfs|exfat NAME SIZE: a fresh volume on a loop device.
# Prints its mount point, $TMP/mnt/NAME. The image is sparse, and made larger
# than SIZE where the filesystem insists. exFAT is served by FUSE: not every
# kernel that runs tests has it.
make_volume() {
    local filesystem=$1 name=$2 image=$TMP/$2.img smallest=0 size loop mkfs
    need_root
    size=$(numfmt --from=iec "$3")
    case $filesystem in
    ext4) mkfs=(mkfs.ext4 -q -m 0) ;;
    btrfs) mkfs=(mkfs.btrfs -q) smallest=134217728 ;;
    xfs) mkfs=(mkfs.xfs -q) smallest=335544320 ;;
    exfat)
        mkfs=(mkfs.exfat)
        need_command mount.exfat-fuse
        [ -e /dev/fuse ] || skip "needs /dev/fuse"
        ;;
    *) fail "make_volume: unknown filesystem $filesystem" ;;
    esac
    need_command losetup "${mkfs[0]}"
    [ "$size" -ge "$smallest" ] || size=$smallest
    truncate -s "$size" "$image"
    loop=$(losetup --find --show "$image") || skip "needs loop devices"
    "${mkfs[@]}" -L "$name" "$loop" >&2
    echo "$filesystem $loop" >"$volumes_/$name"
    mount_volume "$name"
}

# mount_volume NAME: prints the mount point.
mount_volume() {
    local filesystem loop point=$TMP/mnt/$1
    read -r filesystem loop <"$volumes_/$1"
    mkdir -p "$point"
    if [ "$filesystem" = exfat ]; then
        mount.exfat-fuse "$loop" "$point" >&2
    else
        mount -t "$filesystem" "$loop" "$point" || skip "cannot mount $filesystem"
    fi
    echo "$point"
}

# leave MOUNT-POINT: umount. Another test's berth may look at each mounted
# filesystem for a moment: it is asked again for two seconds.
leave() {
    local try
    for try in $(seq 20); do
        ! umount "$1" 2>"$TMP/.umount" || return 0
        sleep 0.1
    done
    echo "$try times: $(cat "$TMP/.umount")" >&2
    return 1
}

# unmount_volume NAME: the image $TMP/NAME.img is complete afterwards.
unmount_volume() {
    leave "$TMP/mnt/$1"
}

remount_volume() {
    unmount_volume "$1"
    mount_volume "$1" >/dev/null
}

# replug_volume NAME: the device itself leaves and comes back.
replug_volume() {
    local filesystem loop
    read -r filesystem loop <"$volumes_/$1"
    unmount_volume "$1"
    losetup -d "$loop"
    loop=$(losetup --find --show "$TMP/$1.img")
    echo "$filesystem $loop" >"$volumes_/$1"
    mount_volume "$1" >/dev/null
}

# tree_digest DIRECTORY: SHA-256 and path of every regular file, sorted, but
# for berth's own: what must be equal on both sides, told by another program.
tree_digest() {
    (cd "$1" && find . -name .berth -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 -r sha256sum --)
}
