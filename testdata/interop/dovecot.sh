#!/usr/bin/env bash
# usage: EHLO_INTEROP_DIR=DIR dovecot.sh start|stop
#
# Debian's Dovecot as a submission server on 127.0.0.1: PORT (2621) with STARTTLS,
# PORT+1 with implicit TLS. Every mechanism that it has takes alice's password;
# XOAUTH2 and OAUTHBEARER take a JWT that TOKEN_KEY has signed (HS256) for her. What
# she submits goes to postfix.sh's server, which must be running then.
#
# Over LMTP, on PORT+2 and the UNIX socket DIR/dovecot/run/lmtp, it takes mail for
# alice and bob @example.test, into DIR/dovecot/mail/alice/new and .../bob/new; the
# mailbox of full@example.test is full; anybody else is unknown.
#
# On PORT+3 and PORT+4 the two stand behind a header of the PROXY protocol.
NAME=dovecot
. "$(dirname "$0")/common.sh"
PORT=${PORT:-2621} RELAY=${RELAY:-2601}
OWNER=64221 LOGIN=64222 KEEPER=64223

configure() {
  mkdir -p "$WORK/run" "$WORK/state" "$WORK/jwk/default/HS256"
  install -d -o $KEEPER "$WORK/home" "$MAIL"
  cat >"$WORK/users" <<USERS
$USER_NAME:{PLAIN}$PASSWORD:$KEEPER:$KEEPER::$WORK/home::
bob::$KEEPER:$KEEPER::$WORK/home::
full::$KEEPER:$KEEPER::$WORK/home::userdb_quota_rule=*:bytes=1
USERS
  printf %s "$TOKEN_KEY" | base64 -w 0 >"$WORK/jwk/default/HS256/default"
  chmod -R a+rX "$WORK/jwk"
  cat >"$WORK/oauth2.conf" <<OAUTH
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$WORK/jwk/
username_attribute = sub
openid_configuration_url = https://login.$DOMAIN/.well-known/openid-configuration
scope = mail
OAUTH
  cat >"$WORK/dovecot.conf" <<CONFIG
protocols = submission lmtp
listen = 127.0.0.1
base_dir = $WORK/run
state_dir = $WORK/state
log_path = $WORK/log
hostname = $HOST
ssl = yes
ssl_cert = <$TLS/cert.pem
ssl_key = <$TLS/key.pem
ssl_client_ca_file = $TLS/ca.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
auth_username_format = %Ln
auth_failure_delay = 0
mail_location = maildir:$MAIL/%n
mail_uid = $KEEPER
mail_gid = $KEEPER
first_valid_uid = $KEEPER
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
haproxy_trusted_networks = 127.0.0.0/8
submission_relay_host = localhost
submission_relay_port = $RELAY
submission_relay_ssl = starttls
submission_relay_trusted = no
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $WORK/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
  args = username_format=%n $WORK/users
}
userdb {
  driver = passwd-file
  args = username_format=%n $WORK/users
}
service submission-login {
  chroot =
  inet_listener submission {
    port = $PORT
  }
  inet_listener submissions {
    port = $((PORT + 1))
    ssl = yes
  }
  inet_listener proxied {
    port = $((PORT + 3))
    haproxy = yes
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    port = $((PORT + 2))
  }
  inet_listener proxied {
    port = $((PORT + 4))
    haproxy = yes
  }
}
protocol lmtp {
  mail_plugins = quota
}
plugin {
  quota = count:all
  quota_vsizes = yes
}
service anvil {
  chroot =
  # a wrong password slows nobody down
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
CONFIG
}

case ${1:-} in
start)
  need_tools
  free "$PORT" $((PORT + 1)) $((PORT + 2)) $((PORT + 3)) $((PORT + 4))
  mkdir -p "$WORK"
  unpack dovecot-core dovecot-submissiond dovecot-lmtpd
  certificates
  world dovecot:$OWNER dovenull:$LOGIN keeper:$KEEPER
  configure
  # Dovecot loads its modules from where it was compiled to look: /usr/lib/dovecot.
  OVERLAY=$ROOT/usr inside /usr/sbin/dovecot -c "$WORK/dovecot.conf" 2>"$WORK/log.start" ||
    cannot "$(cat "$WORK"/log*)"
  wait_for "$PORT" $((PORT + 1)) $((PORT + 2))
  ;;
stop)
  stop_pid "$WORK/run/master.pid"
  ;;
*)
  echo 'usage: EHLO_INTEROP_DIR=DIR dovecot.sh start|stop' >&2
  exit 2
  ;;
esac
