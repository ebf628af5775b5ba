#!/usr/bin/env bash
# timeout 1500
# EIO, ENOSPC, ENODEV, EROFS, EDQUOT, EINTR and short writes at changing calls
# of a sync in turn: no crash, no hang, nothing lost, and the next run is whole
# again. Each call with FULL=1; else the rarer ones at some of them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/shim.sh"

every() { # STEP: 1 with FULL=1
    [ "${FULL-}" ] && echo 1 || echo "$1"
}

for fs in ext4 exfat; do
    attack fail $fs EIO "$(every 9)"
    attack fail $fs ENOSPC "$(every 17)"
    for errno in ENODEV EROFS EDQUOT EINTR; do
        attack fail $fs $errno "$(every 37)"
    done
    attack short $fs - "$(every 37)"
done
