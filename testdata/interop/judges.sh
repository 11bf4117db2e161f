#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR judges.sh start|stop
#        EHLO_INTEROP_DIR=DIR judges.sh ask PROGRAM ARG...
#
# Others who judge SPF and DMARC: pyspf, libspf2, Mail::SPF (Perl) and OpenDMARC's
# record parser. None is a server: `start` unpacks them, `ask` runs one where it
# asks the resolver of dns.sh.
NAME=judges
. "$(dirname "$0")/common.sh"

case ${1:-} in
start)
  need_tools
  mkdir -p "$WORK"
  unpack python3-spf python3 python3-dnspython spfquery spf-tools-perl libopendmarc2 libbsd0
  # alone: the rest of the package wants a database server's tools
  (cd "$WORK/debs" && apt-get download -qq opendmarc 2>"$WORK/download.log") || cannot "$(tail -n 1 "$WORK/download.log")"
  dpkg -x "$WORK"/debs/opendmarc_*.deb "$ROOT"
  versions opendmarc
  world
  echo 'nameserver 127.0.26.53' >"$WORK/resolv.conf" # dns.sh
  ;;
stop) ;;
ask)
  shift
  PATH=$PATH:/usr/sbin:/sbin
  OVERLAY=$ROOT/usr inside "$@"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR judges.sh start|stop, or ask PROGRAM ARG...' >&2
  exit 2
  ;;
esac
