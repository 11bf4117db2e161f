#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR sink.sh ARG...
#
# Postfix's smtp-sink, from what postfix.sh has unpacked, until it is ended.
NAME=postfix
. "$(dirname "$0")/common.sh"
LD_LIBRARY_PATH=$(echo "$ROOT/usr/lib/postfix" "$ROOT"/usr/lib/*-linux-gnu | tr ' ' :)
export LD_LIBRARY_PATH
exec "$ROOT/usr/sbin/smtp-sink" -u nobody "$@"
