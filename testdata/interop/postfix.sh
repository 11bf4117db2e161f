#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR postfix.sh start|stop
#
# Debian's Postfix on 127.0.0.1: PORT (2601) with STARTTLS, PORT+1 with implicit
# TLS. It takes mail for alice@example.test and bob@example.test, into
# DIR/postfix/mail/alice/new and .../bob/new; anybody else there is unknown, and it
# does not relay.
NAME=postfix
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2601}
OWNER=64201 DROP=64202 KEEPER=64203

configure() {
  local libexec=$ROOT/usr/lib/postfix directory
  cat >"$WORK/etc/main.cf" <<MAIN
compatibility_level = 3.6
queue_directory = $WORK/queue
data_directory = $WORK/data
command_directory = $ROOT/usr/sbin
daemon_directory = $libexec/sbin
shlib_directory = $libexec
meta_directory = $ROOT/etc/postfix
sendmail_path = $ROOT/usr/sbin/sendmail
maillog_file = $WORK/log
maillog_file_prefixes = $WORK
mail_owner = postfix
setgid_group = postdrop
myhostname = $HOST
mydestination =
mynetworks = 192.0.2.0/24
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
default_transport = error:nothing leaves this machine
virtual_mailbox_domains = $DOMAIN
virtual_mailbox_base = $MAIL
virtual_mailbox_maps = texthash:$WORK/etc/mailboxes
virtual_uid_maps = static:$KEEPER
virtual_gid_maps = static:$KEEPER
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = $TLS/key.pem, $TLS/cert.pem
message_size_limit = 20480000
MAIN
  printf '%s@%s %s/\n' alice "$DOMAIN" alice bob "$DOMAIN" bob >"$WORK/etc/mailboxes"
  cat >"$WORK/etc/master.cf" <<MASTER
127.0.0.1:$PORT inet n - n - - smtpd
127.0.0.1:$((PORT + 1)) inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
MASTER
  for directory in active bounce corrupt defer deferred flush hold incoming private saved trace; do
    install -d -o $OWNER -m 700 "$WORK/queue/$directory"
  done
  install -d -o $OWNER -g $DROP -m 730 "$WORK/queue/maildrop"
  install -d -o $OWNER -g $DROP -m 710 "$WORK/queue/public"
  install -d -o $OWNER "$WORK/data"
  install -d -o $KEEPER "$MAIL"
}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1))
  mkdir -p "$WORK/etc" "$WORK/queue/pid"
  unpack postfix
  certificates
  configure
  world postfix:$OWNER postdrop:$DROP keeper:$KEEPER
  # master itself: the command `postfix` would want its files where a package puts them.
  cd "$WORK/queue"
  MAIL_CONFIG=$WORK/etc inside "$ROOT/usr/lib/postfix/sbin/master" -c "$WORK/etc" -w 2>"$WORK/log.start" >/dev/null ||
    cannot "$(cat "$WORK"/log*)"
  wait_for "$PORT"
  wait_for $((PORT + 1))
  ;;
stop)
  stop_pid "$WORK/queue/pid/master.pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR postfix.sh start|stop' >&2
  exit 2
  ;;
esac
