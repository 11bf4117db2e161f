#!/usr/bin/env bash
# usage: run.sh [COMMAND...]
#
# Starts real servers on loopback, runs COMMAND (the interop tests) and stops them
# whatever happens. It needs root on a Debian or a descendant of it, and fetches
# the servers with apt-get; see common.sh. EHLO_INTEROP_DIR, if set, is where to
# work and is kept; else a temporary directory is made and removed.
#
# COMMAND finds in its environment, of each server at 127.0.0.1:
#
#   EHLO_INTEROP_POSTFIX        :2601, with STARTTLS; AUTH by Cyrus SASL, under TLS alone
#   EHLO_INTEROP_POSTFIX_TLS    :2602, with implicit TLS
#   EHLO_INTEROP_POSTFIX_CLEAR  :2603, with AUTH in the clear too, also in its old form
#   EHLO_INTEROP_POSTFIX_X      :2604, with XCLIENT, XFORWARD and XVERP
#   EHLO_INTEROP_POSTFIX_PROXY  :2605, behind a header of the PROXY protocol
#   EHLO_INTEROP_POSTFIX_MAIL   a directory with a Maildir for each of alice and bob
#   EHLO_INTEROP_POSTFIX_LOG    its log
#   EHLO_INTEROP_EXIM, EHLO_INTEROP_EXIM_TLS, EHLO_INTEROP_EXIM_PROXY, EHLO_INTEROP_EXIM_MAIL
#                               likewise, :2611, :2612 and :2613; AUTH PLAIN, and EXTERNAL by client certificate
#   EHLO_INTEROP_DOVECOT, EHLO_INTEROP_DOVECOT_TLS
#                               a submission server, :2621 and :2622, that relays through the Postfix
#   EHLO_INTEROP_LMTP, EHLO_INTEROP_LMTP_SOCKET, EHLO_INTEROP_LMTP_MAIL
#                               the Dovecot's LMTP, :2623 and a UNIX socket
#   EHLO_INTEROP_DOVECOT_PROXY, EHLO_INTEROP_LMTP_PROXY, EHLO_INTEROP_DOVECOT_LOG
#                               both behind a header of the PROXY protocol, :2624 and :2625; the log
#   EHLO_INTEROP_OPENSMTPD, EHLO_INTEROP_OPENSMTPD_TLS, EHLO_INTEROP_OPENSMTPD_PROXY, EHLO_INTEROP_OPENSMTPD_MAIL
#                               likewise, :2671, :2672 and, with version 2 of that header alone, :2673
#   EHLO_INTEROP_CHASQUID, EHLO_INTEROP_CHASQUID_TLS, EHLO_INTEROP_CHASQUID_PROXY, EHLO_INTEROP_CHASQUID_MAIL
#                               likewise, :2681, :2682, for submission alone, and, with version 1, :2683
#   EHLO_INTEROP_AIOSMTPD, EHLO_INTEROP_AIOSMTPD_LMTP, EHLO_INTEROP_AIOSMTPD_PROXY, EHLO_INTEROP_AIOSMTPD_MAIL
#                               aiosmtpd, :2691, its LMTP, :2692, and :2693
#   EHLO_INTEROP_CYRUS          :2631, Cyrus SASL with channel bindings: tls-exporter
#   EHLO_INTEROP_CYRUS_END, EHLO_INTEROP_CYRUS_UNIQUE
#                               likewise, :2632 with tls-server-end-point, :2633 with tls-unique
#   EHLO_INTEROP_DNS, EHLO_INTEROP_DNS_TLS
#                               a validating Unbound before a BIND with signed zones, :2641 and, over TLS, :2642
#
# and besides:
#
#   EHLO_INTEROP_USER, EHLO_INTEROP_PASSWORD   who may log in everywhere
#   EHLO_INTEROP_TOKEN_KEY      what signs a token for the Dovecot (HS256)
#   EHLO_INTEROP_CERTIFICATES   the directory that certificates.sh has filled: ca.pem, client.pem, ...; its
#                               file `ports` says where the Postfix serves each good or bad one (:2650 on)
#   EHLO_INTEROP_CA             its ca.pem, which vouches for all, as mx.example.test, localhost and 127.0.0.1
#   EHLO_INTEROP_FINGER         a command: posttls-finger, where it can see the Unbound
#   EHLO_INTEROP_SINK           a command: Postfix's smtp-sink
#   EHLO_INTEROP_JUDGE          a command: a program that judges SPF or DMARC, where it can see the Unbound; see judges.sh
#   EHLO_INTEROP_VERSIONS       a file: each package that was unpacked, and its version
#   EHLO_INTEROP_PYTHON         a command: Python with dkimpy, where it can see the Unbound
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

made=
if [ -z "${EHLO_INTEROP_DIR:-}" ]; then
  made=$(mktemp -d "${TMPDIR:-/tmp}/ehlo-interop.XXXXXX")
  EHLO_INTEROP_DIR=$made
fi
mkdir -p "$EHLO_INTEROP_DIR"
EHLO_INTEROP_DIR=$(cd "$EHLO_INTEROP_DIR" && pwd)
chmod 755 "$EHLO_INTEROP_DIR" # the servers' own users pass through it
export EHLO_INTEROP_DIR

servers='postfix exim dovecot opensmtpd chasquid aiosmtpd cyrus dns judges'
stop() {
  wait || true # for what is about to start
  for server in $servers; do
    "$here/$server.sh" stop &
  done
  wait || true
  [ -z "$made" ] || rm -rf "$made"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

unset PORT # each has a default of its own
starting=()
for server in $servers; do
  "$here/$server.sh" start &
  starting+=($!)
done
for pid in "${starting[@]}"; do
  wait "$pid"
done

NAME=run
. "$here/common.sh"
export EHLO_INTEROP_POSTFIX=127.0.0.1:2601
export EHLO_INTEROP_POSTFIX_TLS=127.0.0.1:2602
export EHLO_INTEROP_POSTFIX_CLEAR=127.0.0.1:2603
export EHLO_INTEROP_POSTFIX_X=127.0.0.1:2604
export EHLO_INTEROP_POSTFIX_PROXY=127.0.0.1:2605
export EHLO_INTEROP_POSTFIX_MAIL=$EHLO_INTEROP_DIR/postfix/mail
export EHLO_INTEROP_POSTFIX_LOG=$EHLO_INTEROP_DIR/postfix/log
export EHLO_INTEROP_EXIM=127.0.0.1:2611
export EHLO_INTEROP_EXIM_TLS=127.0.0.1:2612
export EHLO_INTEROP_EXIM_PROXY=127.0.0.1:2613
export EHLO_INTEROP_EXIM_MAIL=$EHLO_INTEROP_DIR/exim/mail
export EHLO_INTEROP_DOVECOT=127.0.0.1:2621
export EHLO_INTEROP_DOVECOT_TLS=127.0.0.1:2622
export EHLO_INTEROP_DOVECOT_PROXY=127.0.0.1:2624
export EHLO_INTEROP_DOVECOT_LOG=$EHLO_INTEROP_DIR/dovecot/log
export EHLO_INTEROP_LMTP_PROXY=127.0.0.1:2625
export EHLO_INTEROP_LMTP=127.0.0.1:2623
export EHLO_INTEROP_LMTP_SOCKET=$EHLO_INTEROP_DIR/dovecot/run/lmtp
export EHLO_INTEROP_LMTP_MAIL=$EHLO_INTEROP_DIR/dovecot/mail
export EHLO_INTEROP_OPENSMTPD=127.0.0.1:2671
export EHLO_INTEROP_OPENSMTPD_TLS=127.0.0.1:2672
export EHLO_INTEROP_OPENSMTPD_PROXY=127.0.0.1:2673
export EHLO_INTEROP_OPENSMTPD_MAIL=$EHLO_INTEROP_DIR/opensmtpd/mail
export EHLO_INTEROP_CHASQUID=127.0.0.1:2681
export EHLO_INTEROP_CHASQUID_TLS=127.0.0.1:2682
export EHLO_INTEROP_CHASQUID_PROXY=127.0.0.1:2683
export EHLO_INTEROP_CHASQUID_MAIL=$EHLO_INTEROP_DIR/chasquid/mail
export EHLO_INTEROP_AIOSMTPD=127.0.0.1:2691
export EHLO_INTEROP_AIOSMTPD_LMTP=127.0.0.1:2692
export EHLO_INTEROP_AIOSMTPD_PROXY=127.0.0.1:2693
export EHLO_INTEROP_AIOSMTPD_MAIL=$EHLO_INTEROP_DIR/aiosmtpd/mail
export EHLO_INTEROP_CYRUS=127.0.0.1:2631
export EHLO_INTEROP_CYRUS_END=127.0.0.1:2632
export EHLO_INTEROP_CYRUS_UNIQUE=127.0.0.1:2633
export EHLO_INTEROP_DNS=127.0.0.1:2641
export EHLO_INTEROP_DNS_TLS=127.0.0.1:2642
export EHLO_INTEROP_USER=$USER_NAME
export EHLO_INTEROP_PASSWORD=$PASSWORD
export EHLO_INTEROP_TOKEN_KEY=$TOKEN_KEY
export EHLO_INTEROP_CERTIFICATES=$TLS
export EHLO_INTEROP_CA=$TLS/ca.pem
export EHLO_INTEROP_FINGER=$here/finger.sh
export EHLO_INTEROP_PYTHON=$here/python.sh
export EHLO_INTEROP_SINK=$here/sink.sh
export EHLO_INTEROP_JUDGE=$here/judges.sh
export EHLO_INTEROP_VERSIONS=$EHLO_INTEROP_DIR/versions
cat "$EHLO_INTEROP_DIR"/*/versions | sort -u >"$EHLO_INTEROP_VERSIONS"

cd "$here/../.."
if [ $# -eq 0 ]; then
  set -- go test -count=1 -run Interop ./cmd
fi
"$@"
