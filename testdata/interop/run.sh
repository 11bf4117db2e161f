#!/usr/bin/env bash
# usage: run.sh [COMMAND...]
#
# Starts a Postfix and an Exim on loopback, runs COMMAND (the interop tests) and
# stops them whatever happens. It needs root on a Debian or a descendant of it, and
# fetches the servers with apt-get; see common.sh. EHLO_INTEROP_DIR, if set, is
# where to work and is kept; else a temporary directory is made and removed.
#
# COMMAND finds in its environment:
#
#   EHLO_INTEROP_POSTFIX       127.0.0.1:2601, with STARTTLS
#   EHLO_INTEROP_POSTFIX_TLS   127.0.0.1:2602, with implicit TLS
#   EHLO_INTEROP_POSTFIX_MAIL  a directory with a Maildir for each of alice and bob
#   EHLO_INTEROP_EXIM, EHLO_INTEROP_EXIM_TLS, EHLO_INTEROP_EXIM_MAIL   likewise, 2611 and 2612
#   EHLO_INTEROP_CA            the CA that vouches for both, as mx.example.test, localhost and 127.0.0.1
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

stop() {
  PORT=2601 "$here/postfix.sh" stop || true
  PORT=2611 "$here/exim.sh" stop || true
  [ -z "$made" ] || rm -rf "$made"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

PORT=2601 "$here/postfix.sh" start
PORT=2611 "$here/exim.sh" start

export EHLO_INTEROP_POSTFIX=127.0.0.1:2601
export EHLO_INTEROP_POSTFIX_TLS=127.0.0.1:2602
export EHLO_INTEROP_POSTFIX_MAIL=$EHLO_INTEROP_DIR/postfix/mail
export EHLO_INTEROP_EXIM=127.0.0.1:2611
export EHLO_INTEROP_EXIM_TLS=127.0.0.1:2612
export EHLO_INTEROP_EXIM_MAIL=$EHLO_INTEROP_DIR/exim/mail
export EHLO_INTEROP_CA=$EHLO_INTEROP_DIR/tls/ca.pem

cd "$here/../.."
if [ $# -eq 0 ]; then
  set -- go test -count=1 -run Interop ./cmd
fi
"$@"
