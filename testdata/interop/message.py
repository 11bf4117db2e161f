# usage: message.py FILE...
#
# What Python reads in each message, a line of JSON each:
#
#   subject, from, to, note   the fields as they are meant: decoded, unfolded
#   parts   each leaf in order: type, name, disposition, cid, and its content's sha256, text with LF line ends
#   dkim    whether each DKIM-Signature verifies, by dkimpy
#   errors  what the parser finds wrong
import email
import email.policy
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


def read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    found = {name: str(message[name] or "") for name in ("subject", "x-note")}
    for name in ("from", "to"):
        found[name] = [[a.display_name, a.addr_spec] for a in message[name].addresses]
    found["parts"] = [
        {
            "type": part.get_content_type(),
            "name": part.get_filename() or "",
            "disposition": part.get_content_disposition() or "",
            "cid": str(part["content-id"] or "").strip("<>"),
            "sha256": hashlib.sha256(content(part)).hexdigest(),
        }
        for part in leaves(message)
    ]
    found["errors"] = [str(defect) for part in message.walk() for defect in part.defects]
    found["dkim"] = [verified(raw, i) for i in range(len(message.get_all("dkim-signature", [])))]
    return found


def verified(raw, i):
    import dkim

    return dkim.DKIM(raw).verify(idx=i)


for name in sys.argv[1:]:
    with open(name, "rb") as file:
        print(json.dumps(read(file.read())))
