#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR cyrus.sh start|stop
#
# Cyrus SASL with channel bindings on 127.0.0.1, behind cyrus.py: PORT (2631) with
# tls-exporter, PORT+1 with tls-server-end-point, PORT+2 with tls-unique. It takes
# alice's password, and no mail. Its Python is python.sh's, too.
NAME=cyrus
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2631}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1)) $((PORT + 2))
  mkdir -p "$WORK"
  unpack python3-openssl python3 python3-dkim python3-dnspython python3-nacl sasl2-bin libsasl2-2 libsasl2-modules libsasl2-modules-db
  certificates
  world
  sasldb "$WORK" root SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512-PLUS SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512
  script=$(cd "$(dirname "$0")" && pwd)/cyrus.py
  OVERLAY=$ROOT/usr SASL_CONF_PATH=$WORK inside \
    /usr/bin/python3 -I "$script" "$PORT" "$TLS/cert.pem" "$TLS/key.pem" "$WORK/pid" </dev/null >"$WORK/log" 2>&1 &
  wait_for "$PORT" $((PORT + 1)) $((PORT + 2))
  ;;
stop)
  stop_pid "$WORK/pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR cyrus.sh start|stop' >&2
  exit 2
  ;;
esac
