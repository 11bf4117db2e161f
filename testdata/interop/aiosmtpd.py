# usage: aiosmtpd.py PORT CERTIFICATE KEY MAIL USER PASSWORD
#
# aiosmtpd at 127.0.0.1: SMTP on PORT, LMTP on PORT+1, SMTP behind a header of the
# PROXY protocol on PORT+2. MAIL is where the Maildirs are.
import asyncio
import os
import ssl
import sys

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult

port, certificate, key, mail, user, password = sys.argv[1:]
mailboxes = ("alice", "bob", "älice")


class Handler:
    taken = 0

    async def handle_PROXY(self, server, session, envelope, proxy):
        server.client = str(proxy.src_addr)  # STARTTLS makes a session anew, which forgets it
        return True

    async def handle_RCPT(self, server, session, envelope, address, options):
        local, _, domain = address.rpartition("@")
        if domain != "example.test" or local not in mailboxes:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        client = getattr(server, "client", session.peer[0])
        trace = f"Received: from {session.host_name} ([{client}]) by mx.example.test\n".encode()
        for address in envelope.rcpt_tos:
            Handler.taken += 1
            name = f"{Handler.taken}.{os.getpid()}"
            box = os.path.join(mail, address.rpartition("@")[0])
            for directory in ("tmp", "new"):
                os.makedirs(os.path.join(box, directory), exist_ok=True)
            with open(os.path.join(box, "tmp", name), "wb") as file:
                file.write(trace + envelope.original_content.replace(b"\r\n", b"\n"))
            os.rename(os.path.join(box, "tmp", name), os.path.join(box, "new", name))
        # LMTP owes a reply for each recipient (RFC 2033 section 4.2), which aiosmtpd leaves to its handler.
        return "\r\n".join(["250 2.0.0 taken"] * (len(envelope.rcpt_tos) if isinstance(server, LMTP) else 1))


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (user.encode(), password.encode()))


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def speaks(protocol, **more):
        return lambda: protocol(
            Handler(), hostname="mx.example.test", tls_context=context, enable_SMTPUTF8=True, authenticator=authenticate, loop=loop, **more
        )

    for number, factory in enumerate((speaks(SMTP), speaks(LMTP), speaks(SMTP, proxy_protocol_timeout=5))):
        await loop.create_server(factory, "127.0.0.1", int(port) + number)
    await asyncio.Event().wait()


asyncio.run(main())
