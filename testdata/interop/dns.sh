#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR dns.sh start|stop
#
# BIND with signed zones on 127.0.0.1: PORT (2640), and before it Unbound, which
# validates, on PORT+1 and over TLS, as mx.example.test, on PORT+2. Unbound is on
# port 53 of 127.0.26.53 too, for programs that read resolv.conf. Its trust anchor
# is the key of test.; nothing else is known. The mail domains, whose MX is mx. of
# itself at 127.0.26.1 unless it says otherwise:
#
#   pass.dane.test       TLSA 3 1 1 of the certificate that is served
#   hashless.dane.test   the same in full: 3 1 0
#   next.dane.test       two of 3 1 1, the second one right: a key about to change
#   anchored.dane.test   2 0 1 of the CA, at 127.0.26.2, where the CA is in the chain
#   alias.dane.test      the MX host is a CNAME of mx.pass.dane.test, which has the TLSA record
#   moved.dane.test      the TLSA record is a CNAME of that of mx.pass.dane.test
#   wrong.dane.test      3 1 1 of another key
#   strange.dane.test    1 1 1, which RFC 7672 section 3.1.3 calls unusable
#   none.dane.test       no TLSA record, and the proof of it
#   forged.dane.test     the TLSA record is not what was signed, all else is
#   unsigned.test        a right TLSA record in a zone without DNSSEC
#   bogus.test           nothing in the zone is what was signed
#
# and at signed.test DKIM keys: rsa and ed25519 of certificates.sh, and revoked.
NAME=dns
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2640}
SYSTEM=127.0.26.53
MX=127.0.26.1

# digest CERTIFICATE: the SHA-256 of its key, as TLSA x 1 1 has it.
digest() { openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }

# top ZONE: how each zone begins.
top() {
  printf '$ORIGIN %s.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n' "$1"
}

# mail DOMAIN [ADDRESS]: a mail domain within the zone; @ is the zone itself.
mail() { printf '%s MX 10 mx.%s\nmx.%s A %s\n' "$1" "$1" "$1" "${2:-$MX}" | sed 's/mx\.@/mx/g'; }

# dkim_key SELECTOR TYPE KEY: a key of signed.test, in strings that fit a TXT record.
dkim_key() { printf '%s._domainkey.signed TXT (%s )\n' "$1" "$(printf 'v=DKIM1; k=%s; p=%s' "$2" "$3" | sed 's/.\{1,200\}/ "&"/g')"; }

zones() {
  local right wrong=0000000000000000000000000000000000000000000000000000000000000000 key
  right=$(digest "$TLS/cert.pem")
  key=$(openssl x509 -in "$TLS/cert.pem" -pubkey -noout | openssl pkey -pubin -outform DER | od -An -v -tx1 | tr -d ' \n')
  {
    top test
    for zone in dane unsigned bogus; do
      echo "$zone NS ns.$zone"
      echo "ns.$zone A 127.0.0.1"
    done
    dkim_key rsa rsa "$(openssl pkey -in "$TLS/dkim-rsa.key" -pubout -outform DER | base64 -w 0)"
    # RFC 8463 section 4.2: the 32 bytes of the key alone
    dkim_key ed25519 ed25519 "$(openssl pkey -in "$TLS/dkim-ed25519.key" -pubout -outform DER | tail -c 32 | base64 -w 0)"
    dkim_key revoked rsa ''
  } >test
  {
    top dane.test
    for domain in pass hashless next moved wrong strange none forged; do mail $domain; done
    mail anchored 127.0.26.2
    echo "alias MX 10 mx.alias"
    echo "mx.alias CNAME mx.pass"
    echo "_25._tcp.mx.pass TLSA 3 1 1 $right"
    echo "_25._tcp.mx.hashless TLSA 3 1 0 $key"
    echo "_25._tcp.mx.next TLSA 3 1 1 $wrong"
    echo "_25._tcp.mx.next TLSA 3 1 1 $right"
    echo "_25._tcp.mx.anchored TLSA 2 0 1 $(openssl x509 -in "$TLS/ca.pem" -outform DER | sha256sum | cut -d' ' -f1)"
    echo "_25._tcp.mx.moved CNAME _25._tcp.mx.pass"
    echo "_25._tcp.mx.wrong TLSA 3 1 1 $wrong"
    echo "_25._tcp.mx.strange TLSA 1 1 1 $right"
    echo "_25._tcp.mx.forged TLSA 3 1 1 $(printf %s "$wrong" | tr 0 7)"
  } >dane.test
  for zone in unsigned bogus; do
    {
      top $zone.test
      mail @
      echo "_25._tcp.mx TLSA 3 1 1 $right"
    } >$zone.test
  done
}

# sign ZONE: ZONE.signed, and its DS for the zone above.
sign() {
  inside "$ROOT/usr/bin/dnssec-keygen" -q -K "$WORK" -a ECDSAP256SHA256 -f KSK "$1" >/dev/null
  inside "$ROOT/usr/bin/dnssec-keygen" -q -K "$WORK" -a ECDSAP256SHA256 "$1" >/dev/null
  # one record a line, so that a forger can find his
  inside "$ROOT/usr/bin/dnssec-signzone" -S -g -O full -K "$WORK" -d "$WORK" -e +20d -o "$1" -f "$1.signed" "$1" >log.sign 2>&1 ||
    cannot "$1 could not be signed: $(tail -n 1 log.sign)"
}

configure() {
  cd "$WORK"
  rm -f K* dsset-*
  zones
  sign bogus.test
  sign dane.test
  sign test
  # the forger's work: the signatures stay, and what they sign is something else
  sed -i '/ IN A\t/s/127\.0\.26\.1$/127.0.26.3/; / IN MX\t/s/\t10 /\t20 /' bogus.test.signed
  sed -i '/^_25\._tcp\.mx\.forged\..* IN TLSA\t/s/7777/7770/' dane.test.signed
  cat dsset-test. >anchor
  cat >named.conf <<CONFIG
options {
  directory "$WORK";
  pid-file "$WORK/named.pid";
  session-keyfile "$WORK/session.key";
  managed-keys-directory "$WORK";
  lock-file none;
  listen-on port $PORT { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  notify no;
};
controls { };
zone "test" { type primary; file "test.signed"; };
zone "dane.test" { type primary; file "dane.test.signed"; };
zone "bogus.test" { type primary; file "bogus.test.signed"; };
zone "unsigned.test" { type primary; file "unsigned.test"; };
CONFIG
  cat >unbound.conf <<CONFIG
server:
  interface: 127.0.0.1@$((PORT + 1))
  interface: 127.0.0.1@$((PORT + 2))
  interface: $SYSTEM@53
  tls-port: $((PORT + 2))
  tls-service-key: "$TLS/key.pem"
  tls-service-pem: "$TLS/cert.pem"
  username: ""
  chroot: ""
  directory: "$WORK"
  pidfile: "$WORK/unbound.pid"
  use-syslog: no
  logfile: "$WORK/log.unbound"
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "$WORK/anchor"
  local-zone: "test." nodefault
  val-log-level: 2
  ede: yes
stub-zone:
  name: test
  stub-addr: 127.0.0.1@$PORT
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@9
remote-control:
  control-enable: no
CONFIG
}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1)) $((PORT + 2)) "$SYSTEM:53"
  mkdir -p "$WORK"
  unpack bind9 bind9-utils unbound
  certificates
  world
  configure
  inside "$ROOT/usr/sbin/named" -c "$WORK/named.conf" -L "$WORK/log.named"
  inside "$ROOT/usr/sbin/unbound" -c "$WORK/unbound.conf"
  wait_for "$PORT" $((PORT + 1)) "$SYSTEM:53"
  ;;
stop)
  stop_pid "$WORK/unbound.pid"
  stop_pid "$WORK/named.pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR dns.sh start|stop' >&2
  exit 2
  ;;
esac
