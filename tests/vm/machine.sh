# The machine: started, stopped and asked by the runner and by scenarios.
# Everything of it is in the directory $VM:
#
#     share/        the guest's /host: calls/ (commands and their output),
#                   install/ (what is copied over its root), guest/
#     home.img      its internal disk, /home; outlives a power cut
#     trace         every SCSI command and every byte to marks and screen
#     marks screen  what the guest wrote to these two ports, all boots
#     console       the kernel's
# shellcheck shell=bash

: "${VM:?}" "${REPO:?}"
vm_dir=$REPO/tests/vm

qmp() {
    "$vm_dir/qmp" "$VM/qmp" "$@"
}

machine_is_up() {
    [ -s "$VM/pid" ] && kill -0 "$(<"$VM/pid")" 2>/dev/null
}

# Returns when the agent answers. MACHINE_INIT=systemd: with that as its first
# process instead of our own init.
machine_start() {
    local init=''
    [ -z "${MACHINE_INIT-}" ] ||
        init="berth.init=$MACHINE_INIT systemd.unit=multi-user.target systemd.getty_auto=0"
    rm -f "$VM"/agent.in "$VM"/agent.out "$VM"/qmp "$VM"/screen.socket \
        "$VM"/share/calls/ready.status
    mkfifo "$VM/agent.in" "$VM/agent.out"
    : >"$VM/trace"
    : >"$VM/marks"
    : >"$VM/screen"
    [ -e "$VM/home.img" ] || {
        truncate -s 3G "$VM/home.img"
        mkfs.ext4 -q -m 0 -E lazy_itable_init=1,lazy_journal_init=1 \
            "$VM/home.img"
    }
    # One CPU: a second one makes TCG slower. Events are appended to the trace
    # in the order in which QEMU handles them, whichever device they belong to.
    # unsafe: flushes end in QEMU; what the guest wrote survives its death all
    # the same, being in the host's cache (see power_cut for what is lost).
    (cd "$VM" && exec setsid qemu-system-x86_64 -name berth-vm \
        -machine q35 -accel tcg,thread=multi -cpu max -smp 1 -m 1024 \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$VM_SYSTEM/vmlinux" -initrd "$VM_SYSTEM/initrd" \
        -append "console=ttyS0 loglevel=4 panic=-1 usb_storage.delay_use=0 $init" \
        -chardev file,id=console,path=console,append=on -serial chardev:console \
        -drive file="$VM_SYSTEM/system.img",format=raw,if=virtio,snapshot=on \
        -drive file=home.img,format=raw,if=virtio,cache=unsafe,discard=unmap \
        -fsdev local,id=host,path=share,security_model=none \
        -device virtio-9p-pci,fsdev=host,mount_tag=host \
        -device virtio-serial-pci -qmp unix:qmp,server=on,wait=off \
        -chardev pipe,id=agent,path=agent \
        -device virtserialport,chardev=agent,nr=1,name=agent \
        -chardev file,id=marks,path=marks,append=on \
        -device virtserialport,chardev=marks,nr=2,name=marks \
        -chardev socket,id=screen,path=screen.socket,server=on,wait=off,logfile=screen,logappend=on \
        -device virtconsole,chardev=screen,nr=3 \
        -device qemu-xhci,id=usb,p2=15,p3=15 \
        -D trace -msg timestamp=on -trace scsi_disk_new_request \
        -trace virtio_console_flush_buf \
        >>qemu.log 2>&1 </dev/null) &
    echo $! >"$VM/pid"
    disown # or bash tells everybody that it was killed
    machine_answer ready 120 >/dev/null || {
        tail -n 20 "$VM/console" "$VM/qemu.log" "$VM/trace" >&2
        machine_kill
        echo "the machine does not start" >&2
        return 1
    }
}

# As if the plug of the machine itself was pulled.
machine_kill() {
    machine_is_up || return 0
    local pid
    pid=$(<"$VM/pid")
    kill -KILL "$pid" 2>/dev/null || :
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    rm -f "$VM/pid"
}

seconds_since() { # EPOCHREALTIME
    awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'
}

# Waits for the agent's answer to call $1 and prints its status. `read` drops
# what it has when its second is over in the middle of a line, as it happens on
# a loaded machine: hence the file.
machine_answer() { # NUMBER SECONDS
    local number status until=$((SECONDS + $2)) file=$VM/share/calls/$1.status
    while [ $SECONDS -lt $until ] && machine_is_up; do
        while read -r -t 1 number status; do
            [ "$number" != "$1" ] || {
                echo "$status"
                return 0
            }
        done <>"$VM/agent.out"
        if [ -s "$file" ]; then
            cat "$file"
            return 0
        fi
    done
    return 1
}

# guest TEXT…: runs the words, joined by blanks, as a bash script in the guest:
# its output on stdout and stderr, its exit status. 124: it took longer than
# GUEST_TIMEOUT (120 s), or the guest is dead.
guest() {
    local number call seconds=${GUEST_TIMEOUT:-120} status
    number=$(cat "$VM/share/calls/count" 2>/dev/null || echo 0)
    number=$((number + 1))
    echo "$number" >"$VM/share/calls/count"
    call=$VM/share/calls/$number
    printf '%s\n' "$*" >"$call"
    machine_is_up || return 124
    echo "$number" 1<>"$VM/agent.in"
    if ! status=$(machine_answer "$number" "$seconds"); then
        echo "the guest does not answer: $*" >&2
        status=124
    fi
    [ -e "$call.out" ] || return "$status" # it was not even begun
    cat "$call.err" >&2
    cat "$call.out"
    return "$status"
}
