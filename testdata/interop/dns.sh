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
# The MX of example.test is mx.example.test, at 127.0.26.1, with no TLSA record.
# At signed.test there are DKIM keys: rsa and ed25519 of certificates.sh, and revoked.
# At spf.test and dmarc.test there are records good and bad, each at a name that says
# what is in it: see `spf` and `dmarc`.
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

# spf NAME RECORD...: records at NAME.spf.test.
spf() {
  local name=$1 record
  shift
  for record; do
    echo "$name.spf TXT \"$record\""
  done
}

# dmarc NAME RECORD: a record for NAME.dmarc.test.
dmarc() { echo "_dmarc.$1.dmarc TXT \"$2\""; }

# sending: what is published about senders, of whom 192.0.2.10 and 2001:db8::10 are good.
sending() {
  spf pass 'v=spf1 ip4:192.0.2.10 -all'
  spf ip6 'v=spf1 ip6:2001:db8::/32 -all'
  spf fail 'v=spf1 -all'
  spf softfail 'v=spf1 ~all'
  spf neutral 'v=spf1 ?all'
  spf open 'v=spf1 ip4:192.0.2.99'
  spf none 'some other text'
  spf two 'v=spf1 -all' 'v=spf1 +all'
  spf version 'v=spf10 -all'
  spf case 'V=SPF1 IP4:192.0.2.10 -ALL'
  spf typo 'v=spf1 ip:192.0.2.10 -all'
  spf address 'v=spf1 ip4:192.0.2.300 -all'
  spf late 'v=spf1 ip4:192.0.2.10 -all nonsense:x'
  spf modifier 'v=spf1 future=thing ip4:192.0.2.10 -all'
  spf a 'v=spf1 a:host.spf.test -all'
  spf cidr 'v=spf1 a:near.spf.test/28 -all'
  spf mx 'v=spf1 mx -all'
  spf exists 'v=spf1 exists:%{ir}.%{v}.list.spf.test -all'
  spf local 'v=spf1 exists:%{l}.who.spf.test -all'
  spf include 'v=spf1 include:pass.spf.test -all'
  spf include-fail 'v=spf1 include:fail.spf.test ~all'
  spf include-none 'v=spf1 include:none.spf.test -all'
  spf redirect 'v=spf1 redirect=pass.spf.test'
  spf redirect-none 'v=spf1 redirect=none.spf.test'
  spf redirect-all 'v=spf1 redirect=pass.spf.test -all'
  spf loop 'v=spf1 include:loop.spf.test -all'
  spf ten "v=spf1$(printf ' a:a%s.spf.test' 1 2 3 4 5 6 7 8 9) a:host.spf.test -all"
  spf eleven "v=spf1$(printf ' a:a%s.spf.test' 1 2 3 4 5 6 7 8 9 10) a:host.spf.test -all"
  spf void-two 'v=spf1 a:void1.spf.test a:void2.spf.test ip4:192.0.2.10 -all'
  spf void-three 'v=spf1 a:void1.spf.test a:void2.spf.test a:void3.spf.test ip4:192.0.2.10 -all'
  spf broken 'v=spf1 a:mx.bogus.test -all'
  echo 'split.spf TXT "v=spf1 ip4:192.0" ".2.10 -all"'
  echo 'mx.spf MX 10 host.spf'
  echo 'host.spf A 192.0.2.10'
  echo 'near.spf A 192.0.2.1'
  echo '10.2.0.192.in-addr.list.spf A 127.0.0.2'
  echo 'alice.who.spf A 127.0.0.2'
  printf 'a%s.spf A 192.0.2.200\n' 1 2 3 4 5 6 7 8 9 10
  dmarc none 'v=DMARC1; p=none'
  dmarc quarantine 'v=DMARC1; p=quarantine; sp=none; adkim=s; aspf=s; rua=mailto:reports@dmarc.test'
  dmarc reject 'v=DMARC1;p=reject;'
  dmarc spaces 'v=DMARC1 ; p = reject ; sp = quarantine'
  dmarc unknown 'v=DMARC1; p=reject; future=thing'
  dmarc order 'p=reject; v=DMARC1'
  dmarc version 'v=DMARC2; p=reject'
  dmarc policy 'v=DMARC1; p=refuse'
  dmarc lower 'v=dmarc1; p=reject'
  dmarc rua-only 'v=DMARC1; rua=mailto:reports@dmarc.test'
  dmarc two 'v=DMARC1; p=reject'
  dmarc two 'v=DMARC1; p=none'
}

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
    mail example
    sending
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
