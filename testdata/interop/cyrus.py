"""usage: cyrus.py PORT CERTIFICATE KEY PIDFILE

An SMTP server that can only log in, for the -PLUS mechanisms of Cyrus SASL, to
which no mail server of Debian's gives what they bind to. The conversation and the
TLS are this program's; the mechanisms, and what they say of a client, are Cyrus's.

    PORT    STARTTLS by TLS 1.3, tls-exporter
    PORT+1  likewise, tls-server-end-point
    PORT+2  STARTTLS by TLS 1.2, tls-unique
"""

import base64
import ctypes
import hashlib
import os
import socket
import sys
import threading

from OpenSSL import SSL, crypto

SASL_OK, SASL_CONTINUE, SASL_CHANNEL_BINDING = 0, 1, 21
cyrus = ctypes.CDLL("libsasl2.so.2")


class ChannelBinding(ctypes.Structure):  # sasl_channel_binding_t
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("critical", ctypes.c_int),
        ("len", ctypes.c_ulong),
        ("data", ctypes.c_char_p),
    ]


def must(result):
    if result != SASL_OK:
        raise RuntimeError("Cyrus SASL: error %d" % result)


class Session:
    """One connection, of which TLS is bound by one type of channel binding."""

    def __init__(self, conn, context, binding, certificate):
        self.conn, self.context, self.binding, self.certificate = conn, context, binding, certificate
        self.sasl, self.bound, self.rest = ctypes.c_void_p(), None, b""

    def say(self, text):
        self.conn.sendall(text.encode() + b"\r\n")

    def line(self):
        while b"\n" not in self.rest:
            more = self.conn.recv(4096)
            if not more:
                raise EOFError
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode().rstrip("\r")

    def starttls(self):
        self.say("220 go ahead")
        self.conn = SSL.Connection(self.context, self.conn)
        self.conn.set_accept_state()
        self.conn.do_handshake()
        data = {
            "tls-exporter": lambda: self.conn.export_keying_material(b"EXPORTER-Channel-Binding", 32, b""),
            "tls-unique": self.conn.get_peer_finished,
            "tls-server-end-point": lambda: hashlib.sha256(self.certificate).digest(),
        }[self.binding]()
        self.bound = ChannelBinding(self.binding.encode(), 0, len(data), data)
        must(cyrus.sasl_server_new(b"smtp", b"mx.example.test", b"example.test", None, None, None, 0, ctypes.byref(self.sasl)))
        must(cyrus.sasl_setprop(self.sasl, SASL_CHANNEL_BINDING, ctypes.byref(self.bound)))

    def ehlo(self):
        self.say("250-mx.example.test")
        if self.bound is None:
            self.say("250 STARTTLS")
            return
        names = ctypes.c_char_p()
        must(cyrus.sasl_listmech(self.sasl, None, b"AUTH ", b" ", b"", ctypes.byref(names), None, None))
        self.say("250 " + names.value.decode())

    def auth(self, mechanism, initial=None):
        out, length = ctypes.c_void_p(), ctypes.c_uint()
        data = None
        if initial is not None:  # RFC 4954 section 4: "=" is an empty one
            data = b"" if initial == "=" else base64.b64decode(initial)
        result = cyrus.sasl_server_start(
            self.sasl, mechanism.encode(), data, len(data or b""), ctypes.byref(out), ctypes.byref(length))
        while result == SASL_CONTINUE:
            self.say("334 " + base64.b64encode(ctypes.string_at(out, length.value)).decode())
            data = base64.b64decode(self.line())
            result = cyrus.sasl_server_step(self.sasl, data, len(data), ctypes.byref(out), ctypes.byref(length))
        if result == SASL_OK:
            self.say("235 2.7.0 Authentication successful")
        else:
            self.say("535 5.7.8 " + cyrus.sasl_errdetail(self.sasl).decode())

    def run(self):
        self.say("220 mx.example.test ESMTP")
        while True:
            verb, *words = self.line().split(" ")
            if verb == "EHLO":
                self.ehlo()
            elif verb == "STARTTLS":
                self.starttls()
            elif verb == "AUTH" and self.bound is not None:
                self.auth(*words)
            elif verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("502 5.5.1 not here")


def serve(port, version, binding, certificate, key):
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    context.use_certificate_chain_file(certificate)
    context.use_privatekey_file(key)
    with open(certificate, "rb") as file:
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, crypto.load_certificate(crypto.FILETYPE_PEM, file.read()))
    listener = socket.create_server(("127.0.0.1", port))

    def one(conn):
        with conn:
            try:
                Session(conn, context, binding, der).run()
            except (EOFError, OSError, SSL.Error):
                pass  # it is gone

    while True:
        conn, _ = listener.accept()
        threading.Thread(target=one, args=(conn,), daemon=True).start()


def main():
    port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    with open(sys.argv[4], "w") as file:
        file.write("%d\n" % os.getpid())
    cyrus.sasl_errdetail.restype = ctypes.c_char_p
    must(cyrus.sasl_server_init(None, b"smtpd"))
    kinds = [
        (SSL.TLS1_3_VERSION, "tls-exporter"),
        (SSL.TLS1_3_VERSION, "tls-server-end-point"),
        (SSL.TLS1_2_VERSION, "tls-unique"),
    ]
    threads = [threading.Thread(target=serve, args=(port + i, *kind, certificate, key)) for i, kind in enumerate(kinds)]
    for thread in threads:
        thread.start()


main()
