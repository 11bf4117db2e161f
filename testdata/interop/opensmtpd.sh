#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR opensmtpd.sh start|stop
#
# Debian's OpenSMTPD on 127.0.0.1: PORT (2671) with STARTTLS, PORT+1 with implicit
# TLS, both with AUTH for alice under TLS; PORT+2 behind a header of the PROXY
# protocol, of its version 2 alone. Debian 12 has a version that cannot sign a
# handshake with OpenSSL 3: all of its TLS ends with an alert. It takes mail for alice and bob @example.test,
# into DIR/opensmtpd/mail/alice/new and .../bob/new; anybody else there is unknown,
# and it relays for nobody.
NAME=opensmtpd
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2671}
OWNER=64231 QUEUE=64232 KEEPER=64233

configure() {
  local name directory
  printf '%s:%s\n' "$USER_NAME" "$(printf %s "$PASSWORD" | openssl passwd -6 -stdin)" | tr : ' ' >"$WORK/passwords"
  for name in alice bob; do
    install -d -o $KEEPER "$MAIL/$name"
    echo "$name $KEEPER:$KEEPER:$MAIL/$name"
  done >"$WORK/users"
  chmod 644 "$WORK/users" "$WORK/passwords"
  # It takes no key that others may read.
  install -m 600 "$TLS/key.pem" "$WORK/key.pem"
  cat >"$WORK/smtpd.conf" <<CONFIG
pki own cert "$TLS/cert.pem"
pki own key "$WORK/key.pem"
table passwords file:$WORK/passwords
table users file:$WORK/users
smtp max-message-size "20M"
listen on 127.0.0.1 port $PORT hostname $HOST tls pki own auth-optional <passwords>
listen on 127.0.0.1 port $((PORT + 1)) hostname $HOST smtps pki own auth-optional <passwords>
listen on 127.0.0.1 port $((PORT + 2)) hostname $HOST tls pki own proxy-v2
action deliver maildir "$MAIL/%{user.username}" userbase <users>
match from any for domain "$DOMAIN" action deliver
CONFIG
  mkdir -p "$WORK/spool/smtpd" "$WORK/lib/opensmtpd/empty" "$WORK/run"
  chmod 711 "$WORK/spool/smtpd"
  install -d -o $QUEUE -m 700 "$WORK/spool/smtpd/purge"
}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1)) $((PORT + 2))
  mkdir -p "$WORK"
  unpack opensmtpd
  certificates
  configure
  world opensmtpd:$OWNER opensmtpq:$QUEUE keeper:$KEEPER
  # Its parts and its control socket stand where it was compiled to look for them.
  BINDS="$WORK/spool:/var/spool $WORK/lib:/var/lib $WORK/run:/run" OVERLAY=$ROOT/usr \
    inside_as "$WORK/pid" /usr/sbin/smtpd -d -f "$WORK/smtpd.conf" </dev/null >"$WORK/log" 2>&1 &
  wait_for "$PORT" $((PORT + 1)) $((PORT + 2))
  ;;
stop)
  stop_pid "$WORK/pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR opensmtpd.sh start|stop' >&2
  exit 2
  ;;
esac
