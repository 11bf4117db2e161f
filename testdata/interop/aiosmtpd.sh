#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR aiosmtpd.sh start|stop
#
# Debian's aiosmtpd, behind aiosmtpd.py, on 127.0.0.1: PORT (2691) speaks SMTP,
# PORT+1 LMTP, both with STARTTLS and, under TLS, AUTH for alice; PORT+2 SMTP behind
# a header of the PROXY protocol. It takes mail for alice, bob and älice
# @example.test, into DIR/aiosmtpd/mail/alice/new and so on; anybody else is unknown.
NAME=aiosmtpd
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2691}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1)) $((PORT + 2))
  mkdir -p "$MAIL"
  unpack python3-aiosmtpd python3
  certificates
  world
  script=$(cd "$(dirname "$0")" && pwd)/aiosmtpd.py
  OVERLAY=$ROOT/usr inside_as "$WORK/pid" /usr/bin/python3 -I "$script" "$PORT" "$TLS/cert.pem" "$TLS/key.pem" "$MAIL" "$USER_NAME" "$PASSWORD" \
    </dev/null >"$WORK/log" 2>&1 &
  wait_for "$PORT" $((PORT + 1)) $((PORT + 2))
  ;;
stop)
  stop_pid "$WORK/pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR aiosmtpd.sh start|stop' >&2
  exit 2
  ;;
esac
