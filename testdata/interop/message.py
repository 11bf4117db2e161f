# usage: message.py FILE...
#
# What Python reads in each message, a line of JSON each:
#
#   subject, from, to, note   the fields as they are meant: decoded, unfolded
#   parts   each leaf in order: type, name, disposition, cid, its content's sha256, of text with LF line ends,
#           and within, the leaves of a message
#   dkim    whether each DKIM-Signature verifies, by dkimpy
#   errors  what the parser finds wrong
import email
import email.header
import email.policy
import email.utils
import hashlib
import json
import sys


def leaves(part):
    # a message within is a leaf: what it holds is its own
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        for within in part.iter_parts():
            yield from leaves(within)
    else:
        yield part


def content(part):
    if part.get_content_maintype() == "message":
        return part.get_content().as_bytes(policy=email.policy.SMTP.clone(refold_source="none"))
    if part.get_content_maintype() == "text" and not part.is_attachment():
        return part.get_content().replace("\r\n", "\n").encode()
    return part.get_payload(decode=True)


def told(part):
    found = {
        "type": part.get_content_type(),
        "name": part.get_filename() or "",
        "disposition": part.get_content_disposition() or "",
        "cid": str(part["content-id"] or "").strip("<>"),
        "sha256": hashlib.sha256(content(part)).hexdigest(),
    }
    if found["type"] == "message/rfc822":
        found["within"] = [told(within) for within in leaves(part.get_content())]
    return found


def read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    found = {name: str(message[name] or "") for name in ("subject", "x-note")}
    # Its newer parser puts a space between the encoded words of a display name; RFC 2047 section 6.2 has none there.
    fields = email.message_from_bytes(raw, policy=email.policy.compat32)
    for name in ("from", "to"):
        addresses = email.utils.getaddresses(fields.get_all(name))
        found[name] = [[str(email.header.make_header(email.header.decode_header(n))), a] for n, a in addresses]
    found["parts"] = [told(part) for part in leaves(message)]
    found["errors"] = [str(defect) for part in message.walk() for defect in part.defects]
    found["dkim"] = [verified(raw, i) for i in range(len(message.get_all("dkim-signature", [])))]
    return found


def verified(raw, i):
    import dkim

    return dkim.DKIM(raw).verify(idx=i)


for name in sys.argv[1:]:
    with open(name, "rb") as file:
        print(json.dumps(read(file.read())))
