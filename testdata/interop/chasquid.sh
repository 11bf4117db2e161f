#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR chasquid.sh start|stop
#
# Debian's chasquid on 127.0.0.1: PORT (2681) with STARTTLS, PORT+1 with implicit
# TLS, where it takes nothing but submissions of who logs in, PORT+2 behind a header
# of the PROXY protocol, of its version 1 alone. It takes mail for alice, bob and
# älice @example.test, into DIR/chasquid/mail/alice/new, .../bob/new and
# .../älice/new; anybody else there is unknown, and it relays for nobody but alice.
NAME=chasquid
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2681}
OWNER=64241

# instance DIRECTORY LINE...: a configuration of its own, with these lines.
instance() {
  local directory=$WORK/$1 name
  shift
  mkdir -p "$directory/certs/$HOST" "$directory/domains/$DOMAIN" "$directory/hooks"
  cp "$TLS/cert.pem" "$directory/certs/$HOST/fullchain.pem"
  cp "$TLS/key.pem" "$directory/certs/$HOST/privkey.pem"
  printf '%s\n' "hostname: \"$HOST\"" "data_dir: \"$directory/data\"" 'mail_log_path: "<stdout>"' \
    "mail_delivery_agent_bin: \"$WORK/deliver\"" 'mail_delivery_agent_args: "%to_user%"' "$@" >"$directory/chasquid.conf"
  for name in alice bob älice; do
    "$ROOT/usr/bin/chasquid-util" --configdir="$directory" user-add "$name@$DOMAIN" --password="$PASSWORD" >/dev/null
  done
  chown -R $OWNER "$directory"
  inside_as "$directory.pid" setpriv --reuid=$OWNER --regid=$OWNER --clear-groups \
    "$ROOT/usr/bin/chasquid" -config_dir "$directory" </dev/null >"$directory/log" 2>&1 &
}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1)) $((PORT + 2))
  mkdir -p "$WORK"
  unpack chasquid
  certificates
  world chasquid:$OWNER
  echo 'nameserver 127.0.26.53' >"$WORK/resolv.conf" # dns.sh, for the senders' SPF records
  install -d -o $OWNER "$MAIL"
  cat >"$WORK/deliver" <<DELIVER
#!/bin/sh
# what chasquid has for a mailbox, into its Maildir
set -e
mkdir -p "$MAIL/\$1/tmp" "$MAIL/\$1/new"
file=\$(mktemp "$MAIL/\$1/tmp/XXXXXXXXXX")
sed 's/\\r\$//' >"\$file"
mv "\$file" "$MAIL/\$1/new"
DELIVER
  chmod 755 "$WORK/deliver"
  instance plain "smtp_address: \"127.0.0.1:$PORT\"" "submission_over_tls_address: \"127.0.0.1:$((PORT + 1))\""
  instance proxied "smtp_address: \"127.0.0.1:$((PORT + 2))\"" 'haproxy_incoming: true'
  wait_for "$PORT" $((PORT + 1)) $((PORT + 2))
  ;;
stop)
  stop_pid "$WORK/plain.pid"
  stop_pid "$WORK/proxied.pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR chasquid.sh start|stop' >&2
  exit 2
  ;;
esac
