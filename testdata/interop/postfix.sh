#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR postfix.sh start|stop
#
# Debian's Postfix on 127.0.0.1: PORT (2601) with STARTTLS, PORT+1 with implicit
# TLS, both with every mechanism of Cyrus SASL under TLS alone; PORT+2 with AUTH
# in the clear too, in the old form with = as well; PORT+3 with XCLIENT, XFORWARD
# and XVERP; PORT+4 behind a header of the PROXY protocol. It takes mail for alice,
# bob and älice @example.test, into DIR/postfix/mail/alice/new, .../bob/new and
# .../aelice/new, and for alice at the domains of dns.sh; fails@example.test is
# taken and then cannot be delivered; anybody else there is unknown, and it relays
# for nobody but alice.
#
# It also serves each certificate of certificates.sh: the cases at CASES (2650) and
# the ports behind it, as DIR/tls/ports lists them, and port 25 of 127.0.26.1 and
# 127.0.26.2, the MX hosts of dns.sh.
NAME=postfix
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2601} CASES=${CASES:-2650}
OWNER=64201 DROP=64202 KEEPER=64203

configure() {
  local libexec=$ROOT/usr/lib/postfix directory name port=$CASES
  cat >"$WORK/etc/main.cf" <<MAIN
compatibility_level = 3.6
queue_directory = $WORK/queue
data_directory = $WORK/data
import_environment = MAIL_CONFIG SASL_PATH
dnssec_probe =
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
default_transport = discard:nothing leaves this machine
virtual_mailbox_domains = $DOMAIN $DNS_DOMAINS
virtual_mailbox_base = $MAIL
virtual_mailbox_maps = texthash:$WORK/etc/mailboxes
transport_maps = texthash:$WORK/etc/transport
virtual_uid_maps = static:$KEEPER
virtual_gid_maps = static:$KEEPER
smtpd_relay_restrictions = permit_sasl_authenticated reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_security_options =
smtpd_sasl_local_domain = $DOMAIN
smtpd_tls_auth_only = yes
smtpd_tls_security_level = may
smtpd_tls_chain_files = $TLS/key.pem, $TLS/cert.pem
message_size_limit = 20480000
MAIN
  printf "%s@$DOMAIN %s/\n" alice alice bob bob älice aelice fails fails >"$WORK/etc/mailboxes"
  echo "fails@$DOMAIN failing:" >"$WORK/etc/transport" # by "error:" RCPT would be refused already
  for name in $DNS_DOMAINS; do
    echo "alice@$name alice/"
  done >>"$WORK/etc/mailboxes"
  cat >"$WORK/etc/master.cf" <<MASTER
127.0.0.1:$PORT inet n - n - - smtpd
127.0.0.1:$((PORT + 1)) inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:$((PORT + 2)) inet n - n - - smtpd -o smtpd_tls_auth_only=no -o broken_sasl_auth_clients=yes
127.0.0.1:$((PORT + 3)) inet n - n - - smtpd -o smtpd_authorized_xclient_hosts=127.0.0.1
  -o smtpd_authorized_xforward_hosts=127.0.0.1 -o smtpd_authorized_verp_clients=127.0.0.1 -o inet_protocols=all
127.0.0.1:$((PORT + 4)) inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o inet_protocols=all
127.0.26.1:25 inet n - n - - smtpd
127.0.26.2:25 inet n - n - - smtpd -o smtpd_tls_chain_files=$TLS/anchored.pem
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
failing unix - n n - - pipe user=keeper argv=/bin/false
discard unix - - n - - discard
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
MASTER
  : >"$TLS/ports"
  for name in "$TLS"/cases/*.pem; do
    echo "127.0.0.1:$port inet n - n - - smtpd -o smtpd_tls_chain_files=$name" >>"$WORK/etc/master.cf"
    name=${name##*/}
    echo "${name%.pem} 127.0.0.1:$port" >>"$TLS/ports"
    port=$((port + 1))
  done
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
  free "$PORT" $((PORT + 1)) $((PORT + 2)) $((PORT + 3)) $((PORT + 4)) "$CASES" 127.0.26.1:25 127.0.26.2:25
  mkdir -p "$WORK/etc" "$WORK/queue/pid"
  unpack postfix sasl2-bin libsasl2-modules libsasl2-modules-db
  certificates
  configure
  world postfix:$OWNER postdrop:$DROP keeper:$KEEPER
  # All that Cyrus has is in the list, but it offers what it can: Postfix hands it
  # nothing to bind a -PLUS to, and no name from a certificate for EXTERNAL.
  sasldb "$WORK/etc/sasl" $OWNER PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM ANONYMOUS EXTERNAL SCRAM-SHA-1 SCRAM-SHA-256 \
    SCRAM-SHA-512 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512-PLUS XOAUTH2 OAUTHBEARER
  # master itself: the command `postfix` would want its files where a package puts them.
  cd "$WORK/queue"
  MAIL_CONFIG=$WORK/etc inside "$ROOT/usr/lib/postfix/sbin/master" -c "$WORK/etc" -w 2>"$WORK/log.start" >/dev/null ||
    cannot "$(cat "$WORK"/log*)"
  wait_for "$PORT" $((PORT + 1)) 127.0.26.1:25
  ;;
stop)
  stop_pid "$WORK/queue/pid/master.pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR postfix.sh start|stop' >&2
  exit 2
  ;;
esac
