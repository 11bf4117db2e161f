#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR certificates.sh
#
# Makes, with openssl, in DIR/tls, unless they are there:
#
#   ca.pem              the CA that the tests trust
#   cert.pem, key.pem   the servers', for mx.example.test, localhost and 127.0.0.1
#   client.pem, client.key.pem     alice's, to log in with
#   stranger.pem, stranger.key.pem   a client's that another CA has signed
#   stranger-ca.pem     that CA, which vouches for nobody else here
#   anchored.pem        key, certificate for mx.anchored.dane.test and the CA's own: for a TLSA record 2 1 1
#   cases/NAME.pem      a key and its chain, good or bad in one way: see `cases` below
#   dkim-rsa.key, dkim-ed25519.key   keys to sign messages with: dns.sh publishes their other halves
set -euo pipefail
TLS=${EHLO_INTEROP_DIR:?the directory to work in}/tls
HOST=mx.example.test
SERVER='extendedKeyUsage=serverAuth'
CA='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign'

[ ! -e "$TLS/made" ] || exit 0
mkdir -p "$TLS/cases" "$TLS/made.d"
cd "$TLS/made.d"

# key NAME [BITS]: a P-256 key, or an RSA key of so many bits.
key() {
  local how='-algorithm EC -pkeyopt ec_paramgen_curve:P-256'
  [ $# = 1 ] || how="-algorithm RSA -pkeyopt rsa_keygen_bits:$2"
  [ -s "$1.key" ] || openssl genpkey $how -out "$1.key"
}

# certify NAME SUBJECT EXTENSIONS OPTION...: NAME.pem, for 30 days or as the options of `openssl ca` say.
certify() {
  local name=$1 subject=$2
  printf '%s\n' '[ca]' default_ca=it '[it]' database=index new_certs_dir=. rand_serial=yes unique_subject=no \
    default_md=sha256 default_days=30 x509_extensions=extensions policy=any \
    '[any]' commonName=optional '[extensions]' "$3" >config
  shift 3
  : >index
  key "$name"
  openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
  openssl ca -batch -notext -config config -in "$name.csr" -out "$name.pem" "$@"
}

# ca NAME SUBJECT: a CA of its own, older and longer lived than all that it signs.
ca() {
  key "$1"
  certify "$1" "/CN=$2" "$CA" -selfsign -keyfile "$1.key" -startdate 20150101000000Z -enddate 20550101000000Z
}

# issue NAME ISSUER SUBJECT EXTENSIONS [OPTION...]: NAME.pem, by ISSUER.
issue() {
  local name=$1 issuer=$2
  shift 2
  certify "$name" "$@" -cert "$issuer.pem" -keyfile "$issuer.key"
}

# serve NAME [CERTIFICATE...]: NAME's key and certificate, and more of its chain, as one file.
serve() {
  local out=$TLS/cases/$1.pem
  cat "$1.key" "$1.pem" >"$out"
  shift
  for more; do cat "$more.pem" >>"$out"; done
}

san() { printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n%s\nsubjectAltName=%s\n' "$SERVER" "$1"; }

servers() {
  ca ca 'ehlo interop CA'
  ca unknown 'a CA that nobody knows'
  issue cert ca "/CN=$HOST" "$(san "DNS:$HOST,DNS:localhost,IP:127.0.0.1")"
  issue anchored ca /CN=anchored "$(san DNS:mx.anchored.dane.test)"
  issue client ca /CN=alice 'extendedKeyUsage=clientAuth'
  issue stranger unknown /CN=alice 'extendedKeyUsage=clientAuth'
  cp ca.pem cert.pem client.pem stranger.pem ..
  cp cert.key ../key.pem
  cp client.key ../client.key.pem
  cp stranger.key ../stranger.key.pem
  cp unknown.pem ../stranger-ca.pem
  cat anchored.key anchored.pem ca.pem >../anchored.pem
}

# cases: each served as mx.example.test, to somebody who trusts ca.pem alone.
cases() {
  local name="DNS:$HOST"
  issue good ca "/CN=$HOST" "$(san "$name")"
  issue wildcard ca /CN=wildcard "$(san 'DNS:*.example.test')"
  issue expired ca "/CN=$HOST" "$(san "$name")" -startdate 20200101000000Z -enddate 20200201000000Z
  issue not-yet-valid ca "/CN=$HOST" "$(san "$name")" -startdate 20450101000000Z -enddate 20450201000000Z
  issue unknown-ca unknown "/CN=$HOST" "$(san "$name")"
  issue wrong-name ca /CN=mx.example.test.evil.test "$(san DNS:mx.elsewhere.test)"
  issue cn-only ca "/CN=$HOST" "$SERVER"
  issue client-only ca "/CN=$HOST" "$(SERVER=extendedKeyUsage=clientAuth san "$name")"
  issue by-leaf good "/CN=$HOST" "$(san "$name")"
  issue between ca '/CN=ehlo interop intermediate' "$CA"
  issue intermediate between "/CN=$HOST" "$(san "$name")"
  issue no-intermediate between "/CN=$HOST" "$(san "$name")"
  issue sha1 ca "/CN=$HOST" "$(san "$name")" -md sha1
  key weak-key 1024
  issue weak-key ca "/CN=$HOST" "$(san "$name")"
  key self-signed
  openssl req -new -x509 -key self-signed.key -subj "/CN=$HOST" -days 30 -addext "subjectAltName=$name" -out self-signed.pem
  local case
  for case in good wildcard expired not-yet-valid unknown-ca wrong-name cn-only client-only no-intermediate sha1 weak-key self-signed; do
    serve "$case"
  done
  serve by-leaf good
  serve intermediate between
}

dkim() {
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ../dkim-rsa.key
  openssl genpkey -algorithm ED25519 -out ../dkim-ed25519.key
}

{ servers && cases && dkim; } 2>log || { tail -n 5 log >&2; exit 1; }
chmod -R a+rX .. # each server reads them as a user of its own
chmod 644 ../*key.pem ../anchored.pem ../cases/*
chmod 600 ../dkim-*.key
touch ../made
