#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR finger.sh ARG...
#
# Postfix's own TLS client, posttls-finger, where postfix.sh is running: it asks the
# resolver of dns.sh and finds what it needs where it was compiled to look.
NAME=postfix
. "$(dirname "$0")/common.sh"
PATH=$PATH:/usr/sbin:/sbin
printf 'nameserver 127.0.26.53\noptions trust-ad\n' >"$WORK/resolv.conf"
MAIL_CONFIG=$WORK/etc inside "$ROOT/usr/sbin/posttls-finger" "$@"
