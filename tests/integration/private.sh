#!/usr/bin/env bash
# quick
# On a drive that keeps modes: what berth knows of it everybody may read, with
# whatever umask it was written; a version nobody who could not read the file.
. "$(dirname "$0")/lib.sh"

need_root
need_command setpriv
root=$(make_volume ext4 usb 64M)
chmod 755 "$root" "$TMP" "$TMP/mnt"
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

for mask in 022 077; do
    source=$TMP/source-$mask
    mkdir -m 755 "$source"
    mkdir -m 700 "$source/private"
    echo secret >"$source/private/secret"
    echo open >"$source/open"
    chmod 644 "$source"/open "$source"/private/secret
    rm -rf "$root/.berth" "$TMP/berth.conf"
    umask "$mask"
    berth volume add "$root" --name usb
    berth job add "docs$mask" --source "$source" --target "usb:/docs$mask"
    berth sync
    rm "$source/private/secret"
    berth sync
    umask 022

    version=$(find "$root/.berth/versions" -name secret)
    check "umask $mask: the version is there" grep -qx secret "$version"
    check "umask $mask: and nobody else's to read" \
        expect_exit 1 as_nobody cat "$version"
    for name in volume session .nomedia; do
        check "umask $mask: $name can be read" as_nobody cat "$root/.berth/$name" >/dev/null
    done
    cat "$root"/.berth/commits/* >"$TMP/log"
    check "umask $mask: another user reads the log" \
        cmp "$TMP/log" <(as_nobody sh -c "cat '$root'/.berth/commits/*")
done
chmod 755 "$root/.berth/versions"
echo again >"$source/private/secret"
berth sync
rm "$source/private/secret"
berth sync
check "versions of an older berth are shut, too" \
    test "$(stat -c %a "$root/.berth/versions")" = 700
