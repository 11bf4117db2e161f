#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR python.sh ARG...
#
# Python with dkimpy, from what cyrus.sh has unpacked: it asks the resolver of dns.sh.
NAME=cyrus
. "$(dirname "$0")/common.sh"
PATH=$PATH:/usr/sbin:/sbin
echo 'nameserver 127.0.26.53' >"$WORK/resolv.conf"
OVERLAY=$ROOT/usr inside /usr/bin/python3 -I "$@"
