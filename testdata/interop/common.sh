# What the servers' scripts share. Source it with NAME set; it sets:
#
#   WORK   this server's own directory: nothing outside it is written
#   ROOT   where its packages are unpacked
#   TLS    what certificates.sh makes: ca.pem, cert.pem and key.pem of all servers, and more
#   MAIL   its mailboxes: a Maildir for alice and one for bob
#   USER_NAME, PASSWORD   who may log in, at every server
#   TOKEN_KEY   what signs a token for Dovecot
#   DNS_DOMAINS   the mail domains of dns.sh
#
# A server runs in a mount namespace of its own in which its files, its users and
# its libraries stand where it was compiled to look for them. The machine keeps
# its own files, and no package is installed.
set -euo pipefail

BASE=${EHLO_INTEROP_DIR:?the directory to work in}
WORK=$BASE/$NAME
ROOT=$WORK/root
TLS=$BASE/tls
MAIL=$WORK/mail
DOMAIN=example.test
HOST=mx.$DOMAIN
USER_NAME=alice
PASSWORD='correct horse'
TOKEN_KEY='a key that only the tests and Dovecot have'
DNS_DOMAINS='pass.dane.test hashless.dane.test next.dane.test anchored.dane.test alias.dane.test moved.dane.test wrong.dane.test strange.dane.test none.dane.test forged.dane.test unsigned.test bogus.test'

# cannot WHY: ends with the reason why nothing can be tested here.
cannot() {
  echo "interop: $NAME cannot run: $*" >&2
  exit 1
}

# need_tools: ends unless this is root on a Debian or a descendant of it.
need_tools() {
  [ "$(uname -s)" = Linux ] || cannot "it needs Linux, this is $(uname -s)"
  [ "$(id -u)" = 0 ] || cannot "it needs root, for a mount namespace and for users of its own"
  PATH=$PATH:/usr/sbin:/sbin
  local tool
  for tool in apt-get dpkg unshare flock ldconfig openssl; do
    command -v "$tool" >/dev/null || cannot "$tool is not installed"
  done
  unshare --mount true 2>/dev/null || cannot 'the kernel gives no mount namespace'
}

# alone COMMAND...: runs a command while no other server's script runs one so.
alone() {
  mkdir -p "$BASE"
  (flock 9 && "$@" 9>&-) 9>"$BASE/lock"
}

# lists PACKAGE: asks for the lists of packages unless they are there.
lists() { apt-cache show "$1" >/dev/null 2>&1 || apt-get update -qq; }

# unpack PACKAGE...: puts packages, with whatever they need that is not installed, into ROOT.
unpack() {
  local debs=$WORK/debs package wanted
  mkdir -p "$debs" "$ROOT"
  alone lists "$1" || cannot 'apt-get update failed'
  wanted=$(apt-get install --simulate --no-install-recommends "$@" | awk '$1 == "Inst" {print $2}') ||
    cannot "apt-get does not know $*"
  wanted=$(printf '%s\n' "$@" $wanted | sort -u)
  (cd "$debs" && apt-get download -qq $wanted 2>"$WORK/download.log") ||
    cannot "a package could not be downloaded: $(tail -n 1 "$WORK/download.log")"
  for package in "$debs"/*.deb; do
    dpkg -x "$package" "$ROOT"
  done
  : >"$WORK/versions"
  versions "$@"
}

# versions PACKAGE...: notes in the file of that name what was unpacked, for run.sh.
versions() {
  local package
  for package; do
    dpkg-deb --show --showformat '${Package} ${Version}\n' "$WORK/debs/${package}"_*.deb >>"$WORK/versions"
  done
}

# accounts FILE NAME:ID...: FILE with these accounts in the place of any of the same name.
accounts() {
  local file=$1 account
  shift
  cp "$file" "$WORK/${file##*/}"
  for account; do
    sed -i "/^${account%%:*}:/d" "$WORK/${file##*/}"
    case $file in
      */passwd) echo "${account%%:*}:x:${account##*:}:${account##*:}::/nonexistent:/bin/false" ;;
      */group) echo "${account%%:*}:x:${account##*:}:" ;;
    esac >>"$WORK/${file##*/}"
  done
}

# certificates: those of certificates.sh, made once for all servers.
certificates() { alone "$(dirname "${BASH_SOURCE[0]}")/certificates.sh"; }

# world NAME:ID...: prepares what `inside` shows the server, with these users.
world() {
  accounts /etc/passwd "$@"
  accounts /etc/group "$@"
  echo "127.0.0.1 localhost $HOST" >"$WORK/hosts"
  echo 'nameserver 127.0.0.1' >"$WORK/resolv.conf" # where nothing answers: no name leaves this machine
  # A set-user-ID program ignores LD_LIBRARY_PATH, so the cache names the libraries.
  ldconfig -X -C "$WORK/ld.so.cache" "$ROOT"/usr/lib "$ROOT"/usr/lib/*-linux-gnu "$ROOT"/usr/lib/postfix "$ROOT"/usr/lib/dovecot 2>/dev/null || true
}

# sasldb DIRECTORY OWNER MECHANISM...: makes Cyrus SASL's smtpd.conf and alice's password there, and
# says where Cyrus finds its mechanisms.
sasldb() {
  local directory=$1 owner=$2
  shift 2
  mkdir -p "$directory/secret"
  printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' "sasldb_path: $directory/secret/db" \
    "mech_list: $*" >"$directory/smtpd.conf"
  export SASL_PATH
  SASL_PATH=$(echo "$ROOT"/usr/lib/*-linux-gnu/sasl2)
  printf %s "$PASSWORD" |
    inside "$ROOT/usr/sbin/saslpasswd2" -p -c -f "$directory/secret/db" -u "$DOMAIN" "$USER_NAME"
  chown -R "$owner" "$directory/secret"
  chmod 700 "$directory/secret"
}

# inside PROGRAM ARG...: runs a program in the server's world. BINDS="SOURCE:TARGET ..." are shown to it, too,
# and the directory OVERLAY as if it were part of /usr.
inside() {
  local file binds=${BINDS:-}
  for file in passwd group hosts resolv.conf ld.so.cache; do
    binds+=" $WORK/$file:/etc/$file"
  done
  unshare --mount --propagation private bash -c '
    set -e
    for bind in $1; do mount --bind "${bind%%:*}" "${bind##*:}"; done
    [ -z "$2" ] || mount -t overlay overlay -o lowerdir="$2:/usr" /usr
    shift 2
    exec "$@"' inside "$binds" "${OVERLAY:-}" "$@"
}

# inside_as FILE PROGRAM ARG...: inside, with its process's number in FILE.
inside_as() { inside bash -c 'echo $$ >"$0" && exec "$@"' "$@"; }

# listens [ADDRESS:]PORT: whether somebody does there; the address is 127.0.0.1 if none is named.
listens() {
  local address=127.0.0.1
  [ "${1%:*}" = "$1" ] || address=${1%:*}
  (exec 3<>"/dev/tcp/$address/${1##*:}") 2>/dev/null
}

# wait_for [ADDRESS:]PORT...: until something listens at each, for up to 15 s.
wait_for() {
  local port _
  for port; do
    for _ in $(seq 150); do
      listens "$port" && continue 2
      sleep 0.1
    done
    tail -n 20 "$WORK"/log* >&2 || true
    cannot "nothing listens on port $port"
  done
}

# free [ADDRESS:]PORT...: ends if somebody else listens at one already.
free() {
  local port
  for port; do
    ! listens "$port" || cannot "port $port is in use"
  done
}

# stop_pid FILE: ends the process that FILE names if it is one of ours, and waits until it is gone.
stop_pid() {
  local pid _
  pid=$(tr -dc 0-9 2>/dev/null <"$1") || return 0
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -F "$WORK" >/dev/null || return 0
  kill "$pid"
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid"
}
