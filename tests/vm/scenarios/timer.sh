#!/usr/bin/env bash
# A lingering user's nights, with Debian's package installed by dpkg, systemd as
# the machine's first process, and nobody logged in: at 02:00 the timer of
# `berth schedule install` mounts the drive through UDisks2 and syncs; on the
# next night the package's own berth.timer, told to, ejects it, too.
# timeout 900
# shellcheck disable=SC2016 # commands in quotes are the guest's shell's
. "$(dirname "$0")/../lib.sh"

for command in dpkg-buildpackage dh; do
    command -v $command >/dev/null || skip "needs $command"
done

# The one of `make deb`, if it is of these sources; else made in a copy, since
# somebody else may be using build/deb.
build_package() {
    local built=("$REPO"/build/deb/berth_*.deb)
    if [ -e "${built[0]}" ] && [ -z "$(find "$REPO/Makefile" "$REPO/src" \
        "$REPO/packaging" -newer "${built[0]}" -print -quit)" ]; then
        cp "${built[0]}" "$VM/share/berth.deb"
        return
    fi
    mkdir "$TMP/tree"
    (cd "$REPO" && cp -R Makefile LICENSE README.md CHANGELOG.md src packaging "$TMP/tree")
    make -C "$TMP/tree" --no-print-directory deb >"$TMP/deb.log" 2>&1 || {
        cat "$TMP/deb.log" >&2
        return 1
    }
    cp "$TMP"/tree/build/deb/berth_*.deb "$VM/share/berth.deb"
}

# at TIME: of the day after the guest's; its timers are told by the kernel.
at() {
    guest "date -s '$1 tomorrow' >/dev/null"
}

as_user='as_me env XDG_RUNTIME_DIR=/run/user/1000'
unmount_usb() {
    guest 'until_true 20 as_me udisksctl unmount -b "$(node_of usb)"'
}

build_package &
building=$!
machine_kill
MACHINE_INIT=systemd machine_start
check "systemd is the first process" test "$(guest 'cat /proc/1/comm')" = systemd
wait "$building" || fail "no package"
check "dpkg installs the package with all that it depends on" \
    guest 'dpkg -i /host/berth.deb >dpkg.log 2>&1 || { cat dpkg.log; false; }
        dpkg --verify berth'
guest 'cp /usr/share/doc/berth/examples/berth-polkit.rules \
        /etc/polkit-1/rules.d/50-berth.rules
    loginctl enable-linger me'
check "the user's systemd runs, and nobody is logged in" guest \
    'until_true 60 systemctl --quiet is-active user@1000.service &&
        test -z "$(loginctl --no-legend list-sessions)"'

disk_new usb 128M label=HDD_HOME
plug usb
guest 'as_me berth mount HDD_HOME
    make_files source 20 20000
    as_me berth volume add /media/me/HDD_HOME --name usb
    as_me berth job add docs --source "$PWD/source" --target usb:/docs --schedule 02:00
    sed -i "s/name = \"usb\";/& mount = true;/" berth.conf'
expect_exit 0 guest "$as_user berth schedule install" >"$TMP/words"
cat "$TMP/words" >&2
check "a systemd user timer" grep -q '02:00 .*docs .*systemd user timer' "$TMP/words"
check "the doctor knows that it lingers" expect_exit 1 \
    guest "$as_user berth doctor | grep enable-linger"
unmount_usb
check "nothing is mounted" guest '! grep /media/me /proc/mounts'

at 01:59:57
check "at 02:00 the timer starts the run, which ends well" \
    until_true 120 guest 'grep -q "^ended [1-9]" state/schedule/0200 &&
        grep -q "^exit 0" state/schedule/0200'
check "the drive was mounted through UDisks2" guest 'mountpoint -q /media/me/HDD_HOME'
check "and is equal to the source" guest 'are_equal source /media/me/HDD_HOME/docs'
check "its words are in the journal" guest \
    'journalctl _UID=1000 --output=cat | grep "docs -> usb: 20 new"'

# The package's own units, as `systemctl --user edit berth.service` leaves them.
guest "$as_user berth schedule remove"
unmount_usb
guest 'echo late >source/late; chmod 666 /dev/virtio-ports/marks
    mkdir -p /home/me/.config/systemd/user/berth.service.d
    printf "%s\n" "[Service]" "ExecStart=" \
        "ExecStart=/usr/bin/berth --config $PWD/berth.conf --state-dir $PWD/state sync --eject" \
        StandardOutput=file:/dev/virtio-ports/marks \
        >/home/me/.config/systemd/user/berth.service.d/override.conf
    chown -R me:me /home/me'
guest "$as_user systemctl --user daemon-reload
    $as_user systemctl --user --now enable berth.timer"
trace_begin
at 01:59:57
check "the packaged timer syncs and ejects" until_true 120 was_said SAFE
scsi_trace >"$TMP/trace"
brief <"$TMP/trace" >&2
check "flushed, then stopped, then said" stopped_before 'SAFE TO UNPLUG' <"$TMP/trace"
check "it ends well" guest "until_true 20 eval '! $as_user systemctl --user --quiet is-active berth.service' &&
    test \"\$($as_user systemctl --user show -P Result berth.service)\" = success"
check "the disk is gone" guest '! compgen -G "/dev/sd*"'
yank usb
check "clean" is_clean usb
check "fsck finds nothing" fsck_disk usb
plug usb
guest 'as_me berth mount usb'
check "what was late is on it" guest 'are_equal source /media/me/HDD_HOME/docs'
yank usb
# Others have our own init, and a home without this.
machine_kill
rm -f "$VM/home.img"
