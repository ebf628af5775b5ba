#!/usr/bin/env bash
# timeout 1500
# kill -9 at every changing call of a sync in turn (every_call.py says what is
# in that sync), on ext4 and exFAT: no partial file under a final name, and the
# next run repairs. With batches of three files as well, at some of the calls
# (all with FULL=1): a step's other half is in another batch then.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/shim.sh"

for fs in ext4 exfat; do
    attack kill $fs
    with_small_batches attack kill $fs - "${FULL:-7}"
done
