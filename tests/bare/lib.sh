# Minimal systems in a directory. Sourced by tests/bare/run, tests/package/run.
# shellcheck shell=bash

# The address from which this machine's apt gets suite $1, else any of Debian.
mirror_of() {
    # shellcheck disable=SC2016 # apt's own fields
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
        'Created-By: Packages' | awk -v suite="$1" -v any="$2" '
            $1 == suite { print $2; found = 1; exit }
            $1 == any && !other { other = $2 }
            END { if (!found && other) print other }'
}

# make_root DIRECTORY SUITE COMPONENTS MIRROR [debootstrap's options…]: kept
# where it is, and not made again.
make_root() {
    local root=$1 log=$1.log
    [ ! -e "$root/.complete" ] || return 0
    mkdir -p "$root"
    debootstrap --variant=minbase --components="$3" "${@:5}" "$2" "$root" "$4" \
        >"$log" 2>&1 || {
        tail -n 30 "$log"
        return 1
    }
    touch "$root/.complete"
}

# use_network_of_host ROOT: names, and the proxy that apt goes through.
use_network_of_host() {
    cp /etc/resolv.conf "$1/etc/resolv.conf"
    apt-config dump | grep -i '^Acquire::.*proxy' \
        >"$1/etc/apt/apt.conf.d/99machine" || :
}
