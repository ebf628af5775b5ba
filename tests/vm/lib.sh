# Helpers of the scenarios. A scenario begins with:
#
#     #!/usr/bin/env bash
#     . "$(dirname "$0")/../lib.sh"
#
#     disk_new usb 128M
#     plug usb
#     mount_disk usb
#     guest 'berth volume add /mnt/usb --name usb'
#     expect_exit 1 guest 'berth diff'
#
# and is run by tests/vm/run --only NAME build/release, in a machine that
# others used before: no disk is plugged, nothing is mounted, the guest's
# directory /home/SCENARIO is empty and current, and berth's configuration and
# state are in it. The first failing command ends it.
# shellcheck shell=bash
set -euo pipefail

: "${VM:?run me with tests/vm/run --only NAME build/release}"
: "${TMP:?}" "${SCENARIO:?}"
# shellcheck source=tests/vm/machine.sh
. "$REPO/tests/vm/machine.sh"
begun_=$EPOCHREALTIME

fail() {
    echo "failed: $*" >&2
    exit 1
}

skip() {
    echo "$*" >&2
    exit 77
}

# known REASON…: what berth is known to do wrong, seen now; the runner lists it.
known() {
    echo "known: $*"
}

# check "sentence" COMMAND…: what must be true.
check() {
    local sentence=$1
    shift
    "$@" || fail "$sentence"
    echo "ok: $sentence ($(seconds_since "$begun_") s)" >&2
}

# expect_exit CODE COMMAND…: its output goes where it would go anyway.
expect_exit() {
    local expected=$1 code=0
    shift
    "$@" || code=$?
    [ "$code" -eq "$expected" ] ||
        fail "exit code $code instead of $expected: $*"
}

# json FILTER: a Python expression over the document `d` on stdin.
json() {
    python3 -c 'import json, sys
d = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$1"
}

# guest_tree COUNT: make_tree of tests/integration/tree.sh, about COUNT files
# with names in several scripts, in the guest's directory `source`.
guest_tree() {
    make_tree "$TMP/tree" "$1"
    rm "$TMP/tree/big.bin"
    tar -C "$TMP/tree" -cf "$VM/share/tree.tar" .
    rm -r "$TMP/tree"
    guest 'mkdir source && tar -C source -xf /host/tree.tar'
    rm "$VM/share/tree.tar"
}

# --- longer commands in the guest -------------------------------------------

# guest_start NAME TEXT…: like guest, but goes on; stdout is /host/calls/NAME.log.
guest_start() {
    local name=$1
    shift
    printf '%s\n' "$*" >"$VM/share/calls/$name"
    guest "cd /host/calls; rm -f $name.status
        { cd '/home/$SCENARIO'
          setsid bash --norc /host/guest/call /host/calls/$name
          echo \$? >/host/calls/$name.new
          mv /host/calls/$name.new /host/calls/$name.status
        } >/host/calls/$name.log 2>&1 </dev/null &"
}

# guest_log NAME: what it said so far.
guest_log() {
    cat "$VM/share/calls/$1.log"
}

# guest_wait NAME [SECONDS]: prints what it said, returns its status.
guest_wait() {
    until_true "${2:-120}" test -s "$VM/share/calls/$1.status" || return 124
    guest_log "$1"
    return "$(<"$VM/share/calls/$1.status")"
}

# until_true SECONDS COMMAND…: tries ten times a second.
until_true() {
    local until=$((SECONDS + $1 + 1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

# --- disks ------------------------------------------------------------------

# disk_new NAME SIZE [whole] [label=L] [cluster=BYTES] [type=ext4]: an image
# $TMP/NAME.img with exFAT on its one partition, or on all of it.
disk_new() {
    local name=$1 size image=$TMP/$1.img whole=false label=$1 cluster=32768 word
    local type=exfat
    size=$(numfmt --from=iec "$2")
    shift 2
    for word; do
        case $word in
        whole) whole=true ;;
        label=* | cluster=* | type=*) local "${word?}" ;;
        *) fail "disk_new: what is $word" ;;
        esac
    done
    rm -f "$image"
    truncate -s "$size" "$image"
    if $whole; then
        make_filesystem "$image"
        echo 0 >"$TMP/$name.start"
        return
    fi
    echo 1048576 >"$TMP/$name.start"
    echo 'start=2048, type=7' | sfdisk -q "$image"
    truncate -s $((size - 1048576)) "$TMP/$name.part"
    make_filesystem "$TMP/$name.part"
    dd if="$TMP/$name.part" of="$image" bs=1M seek=1 conv=sparse,notrunc \
        status=none
    rm "$TMP/$name.part"
}

make_filesystem() { # FILE, for disk_new
    case $type in
    exfat) mkfs.exfat -L "$label" -c "$cluster" "$1" >/dev/null ;;
    *) "mkfs.$type" -q -L "$label" "$1" ;;
    esac
}

# disk_partition NAME: a copy of the filesystem on it, for fsck and the like.
disk_partition() {
    local copy=$TMP/$1.part
    rm -f "$copy"
    truncate -s $(($(stat -c %s "$TMP/$1.img") - $(<"$TMP/$1.start"))) "$copy"
    dd if="$TMP/$1.img" of="$copy" bs=1M conv=sparse,notrunc status=none \
        iflag=skip_bytes skip="$(<"$TMP/$1.start")"
    echo "$copy"
}

# attach NAME [vendor=V] [model=M] [serial=S] [removable=on] [write_cache=off]
# [bps=BYTES] [error=read|write|flush] [log=on] [read_only=on]: the plug goes in.
# `bps` throttles; `error` makes all such requests fail with EIO; `log` keeps what
# disk_lose needs. The serial defaults to NAME.
attach() {
    local name=$1 vendor=QEMU model='QEMU HARDDISK' serial=$1 removable=off
    local write_cache=on bps='' error='' log='' read_only=off word node=file-$1 commands=()
    local nodes=("file-$1")
    shift
    for word; do
        case $word in
        vendor=* | model=* | serial=* | removable=* | write_cache=* | bps=* | \
            error=* | log=* | read_only=*) local "${word?}" ;;
        *) fail "attach: what is $word" ;;
        esac
    done
    echo "$serial" >"$TMP/$name.serial"
    commands+=(blockdev-add "{\"node-name\": \"$node\", \"driver\": \"file\",
        \"filename\": \"$TMP/$name.img\", \"discard\": \"unmap\",
        \"read-only\": $([ "$read_only" = on ] && echo true || echo false),
        \"cache\": {\"direct\": false, \"no-flush\": true}}")
    if [ -n "$log" ]; then
        cp --sparse=always "$TMP/$name.img" "$TMP/$name.base"
        : >"$TMP/$name.log"
        ln -f "$TMP/$name.log" "$VM/share/$name.log" # for record_cuts
        commands+=(blockdev-add "{\"node-name\": \"log-$name\",
            \"driver\": \"blklogwrites\", \"file\": \"$node\", \"log\":
            {\"driver\": \"file\", \"filename\": \"$TMP/$name.log\"},
            \"log-sector-size\": 512, \"log-super-update-interval\": 1}")
        node=log-$name
        nodes=("$node" "${nodes[@]}")
    fi
    if [ -n "$error" ]; then
        commands+=(blockdev-add "{\"node-name\": \"error-$name\",
            \"driver\": \"blkdebug\", \"image\": \"$node\", \"inject-error\":
            [{\"event\": \"none\", \"iotype\": \"$error\", \"errno\": 5}]}")
        node=error-$name
        nodes=("$node" "${nodes[@]}")
    fi
    if [ -n "$bps" ]; then
        commands+=(object-add "{\"qom-type\": \"throttle-group\",
            \"id\": \"group-$name\", \"limits\": {\"bps-total\": $bps}}"
            blockdev-add "{\"node-name\": \"slow-$name\",
            \"driver\": \"throttle\", \"throttle-group\": \"group-$name\",
            \"file\": \"$node\"}")
        node=slow-$name
        nodes=("$node" "${nodes[@]}")
    fi
    # usb-bot with a disk of its own: usb-storage has no vendor and model.
    qmp "${commands[@]}" \
        device_add "{\"driver\": \"usb-bot\", \"id\": \"usb-$name\",
            \"bus\": \"usb.0\", \"serial\": \"$serial\"}" \
        device_add "{\"driver\": \"scsi-hd\", \"id\": \"disk-$name\",
            \"bus\": \"usb-$name.0\", \"drive\": \"$node\", \"lun\": 0,
            \"vendor\": \"$vendor\", \"product\": \"$model\",
            \"serial\": \"$serial\", \"removable\": \"$removable\",
            \"write-cache\": \"$write_cache\"}" \
        qom-set "{\"path\": \"usb-$name\", \"property\": \"attached\",
            \"value\": true}"
    printf '%s\n' "${nodes[@]}" >"$TMP/$name.nodes"
}

# plug NAME …: attach, and wait until udev knows the filesystem on it.
plug() {
    attach "$@"
    guest "until_true 15 has_filesystem '$(<"$TMP/$1.serial")'" ||
        fail "$1 does not appear in the guest"
}

# device_of NAME: /dev/sda1 in the guest; empty when it is not there.
device_of() {
    guest "node_of '$(<"$TMP/$1.serial")'"
}

# queue_of NAME: where the kernel tells of the disk's queue, in the guest.
queue_of() {
    local node
    node=$(device_of "$1")
    echo "/sys/class/block/${node##*/}/../queue"
}

# yank NAME: the plug is pulled, now. A drive that was powered off can be, too.
yank() {
    local name=$1 node commands=()
    while read -r node; do
        commands+=(until:blockdev-del "{\"node-name\": \"$node\"}")
        [ "$node" != "slow-$name" ] ||
            commands+=(until:object-del "{\"id\": \"group-$name\"}")
    done <"$TMP/$name.nodes"
    qmp device_del "{\"id\": \"usb-$name\"}" "${commands[@]}"
    rm "$TMP/$name.nodes"
}

# mount_disk NAME [DIRECTORY]: with the kernel's exFAT, at /mnt/NAME.
mount_disk() {
    local point=${2:-/mnt/$1}
    guest "mkdir -p '$point' &&
        mount -t exfat '$(device_of "$1")' '$point'"
}

# make_dirty NAME: as after a pulled plug: VolumeDirty is set.
make_dirty() {
    printf '\x02' | dd of="$TMP/$1.img" bs=1 conv=notrunc status=none \
        seek=$(($(<"$TMP/$1.start") + 106))
}

# is_dirty NAME: VolumeDirty, which fsck.exfat 1.2.0 does not look at.
is_dirty() {
    local flags
    flags=$(od -An -tu1 -N1 -j $(($(<"$TMP/$1.start") + 106)) "$TMP/$1.img")
    [ $((flags & 2)) -ne 0 ]
}

is_clean() {
    ! is_dirty "$1"
}

fsck_disk() {
    fsck.exfat -n "$(disk_partition "$1")"
}

# power_cut: the machine dies where it is. What it had written to its disks is
# on them, flushed or not: QEMU is killed, not the host.
power_cut() {
    machine_kill
    rm -f "$TMP"/*.nodes
}

# disk_cut NAME SEED CUT: /host/cut.img in the guest becomes what disk NAME, with
# log=on and no partitions, may hold when the power goes after so many entries of
# its log; tests/vm/lose says what SEED does.
disk_cut() {
    "$vm_dir/lose" "$TMP/$1.base" "$TMP/$1.log" "$2" "$VM/share/cut.img" "$3" >&2
}

# disk_lose NAME SEED NEW: after power_cut of a disk plugged with log=on: what
# it may hold when it had a cache and only flushes were certain, as disk NEW.
disk_lose() {
    "$vm_dir/lose" "$TMP/$1.base" "$TMP/$1.log" "$2" "$TMP/$3.img" >&2
    cp "$TMP/$1.start" "$TMP/$3.start"
}

# --- what reached the disk --------------------------------------------------

# trace_begin: what scsi_trace starts with.
trace_begin() {
    wc -l <"$VM/trace" >"$TMP/trace.begin"
}

# scsi_trace: see tests/vm/trace.
scsi_trace() {
    "$vm_dir/trace" "$VM" "$(cat "$TMP/trace.begin" 2>/dev/null || echo 0)"
}

# guest_said TEXT…: like guest, but what it writes becomes marks in the trace,
# each at the moment of its write, and is printed afterwards.
guest_said() {
    local before status=0
    before=$(stat -c %s "$VM/marks")
    guest "{ $* ; } >/dev/virtio-ports/marks 2>&1" || status=$?
    tail -c +$((before + 1)) "$VM/marks"
    return "$status"
}

# was_said PATTERN: since trace_begin, as a mark.
was_said() {
    scsi_trace | grep -q "MARK .*$1"
}

# [as=as_me] eject_said CODE WORDS…: berth eject, whose exit code must be CODE;
# its words are in $TMP/words, the trace around it in $TMP/trace.
eject_said() {
    local code=0 expected=$1
    shift
    trace_begin
    guest_said "${as-} berth eject $*" >"$TMP/words" || code=$?
    scsi_trace >"$TMP/trace"
    cat "$TMP/words" >&2
    brief <"$TMP/trace" >&2
    [ "$code" -eq "$expected" ] ||
        fail "exit code $code instead of $expected: berth eject $*"
}

# brief: a trace on stdin, with runs of READs and of WRITEs as one line.
brief() {
    awk '{ $1 = "" } $1 $2 ~ /^(READ|WRITE)/ { $0 = $2 }
        $0 != last && NR > 1 { print (count > 1 ? count " " : "") last; count = 0 }
        { last = $0; count++ }
        END { print (count > 1 ? count " " : "") last }'
}

# flushed_before PATTERN: in the trace on stdin, the disk was told to
# SYNCHRONIZE CACHE after its last WRITE before something matching was said.
flushed_before() {
    awk -v pattern="$1" '
        $2 == "WRITE" { flushed = 0 }
        $2 == "SYNC" { flushed = 1; syncs++ }
        ($2 == "MARK" || $2 == "SCREEN") && $0 ~ pattern {
            said = 1
            exit
        }
        END { exit !(said && flushed && syncs) }'
}

# stopped_before PATTERN: flushed, then START STOP UNIT (stop or eject), then
# nothing written any more, then something matching was said.
stopped_before() {
    awk -v pattern="$1" '
        $2 == "WRITE" { flushed = stopped = 0 }
        $2 == "SYNC" { flushed = 1 }
        $2 == "STOP" || $2 == "EJECT" { stopped = flushed }
        ($2 == "MARK" || $2 == "SCREEN") && $0 ~ pattern {
            said = 1
            exit
        }
        END { exit !(said && stopped) }'
}

# seconds_between PATTERN PATTERN: in the trace on stdin, from the first line
# matching one to the first line after it matching the other.
seconds_between() {
    awk -v from="$1" -v to="$2" '
        begun && $0 ~ to { printf "%.3f\n", $1 - begun; exit }
        !begun && $0 ~ from { begun = $1 }'
}

# --- the screen -------------------------------------------------------------

# [as=as_me] screen_start: berth on a terminal of 24 x 80, in the guest.
screen_start() {
    stat -c %s "$VM/screen" >"$TMP/screen.begin"
    guest "TERM=linux setsid bash --norc -c '. /host/guest/prelude; enter_home; ${as-} berth' \
        </dev/hvc0 >/dev/hvc0 2>screen.err &"
}

# screen_wait SECONDS PATTERN: until it was written since trace_begin.
screen_wait() {
    until_true "$1" screen_has "$2" || {
        picture >&2
        fail "the screen does not say: $2"
    }
}

screen_has() {
    scsi_trace | grep -q "SCREEN .*$1"
}

# picture: what is on the screen now, with the rows as lines.
picture() {
    "$vm_dir/screen" "$VM" "$(cat "$TMP/screen.begin")"
}

# shows SECONDS PATTERN…: until there is a picture with all of them.
shows() {
    local until=$((SECONDS + $1 + 1))
    shift
    until is_shown "$@"; do
        [ $SECONDS -lt $until ] || {
            picture >&2
            fail "the screen does not show: $*"
        }
        sleep 0.3
    done
}

# compared SECONDS PATTERN…: as shows, once the reading is over: `s` asks first
# while it goes on.
compared() {
    shows "$@"
    until_true "$1" eval '! is_shown scanning' || fail "it goes on reading"
    shows "$@"
}

is_shown() {
    local words
    picture >"$TMP/picture"
    for words; do grep -q -- "$words" "$TMP/picture" || return 1; done
}

# press KEYS: returns when the screen changes, or after two seconds.
press() {
    python3 - "$VM" "$1" <<'END'
import os, socket, sys
os.chdir(sys.argv[1])
terminal = socket.socket(socket.AF_UNIX)
terminal.settimeout(2)
terminal.connect("screen.socket")
terminal.sendall(sys.argv[2].encode())
try:
    terminal.recv(1)
except TimeoutError:
    pass
END
}
