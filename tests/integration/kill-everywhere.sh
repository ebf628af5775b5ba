#!/usr/bin/env bash
# timeout 900
# kill -9 at every changing call of a sync in turn (every_call.py says what is
# in that sync), on ext4 and exFAT: no partial file under a final name, and the
# next run repairs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/shim.sh"

for fs in ext4 exfat; do
    attack kill $fs
done
