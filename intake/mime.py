"""read(raw) -> Message: what a letter is, says and brings. Never raises: an unreadable letter is still a letter."""

from __future__ import annotations

import hashlib
import re

from intake import automatic, quoted
from intake import headers as h
from intake.addresses import addresses
from intake.bodies import Bodies, read_bodies
from intake.charsets import decode
from intake.parts import Part, read_parts
from procedure.words import Address, Message

_HEAD_END = re.compile(rb"\r?\n\r?\n|\r\r")


def read(raw: bytes) -> Message:
    """The letter in `raw` (RFC 5322, line ends of any kind). Always returns; what stays unread is a defect."""
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return _read(raw, digest)
    except Exception as error:  # noqa: BLE001 - promise 2: nothing that came in is lost, whatever a sender put in it
        return _unread(raw, digest, error)


def _read(raw: bytes, digest: str) -> Message:
    lines = raw if b"\n" in raw or b"\r" not in raw else raw.replace(b"\r", b"\n")  # an old Mac's letter
    top = read_parts(lines)
    bodies = read_bodies(top)
    head = top.headers
    reply, rest = quoted.split(bodies.text)
    sender = next(iter(_field(head, "from")), None) or next(iter(_field(head, "sender")), None)
    verdict = automatic.judge(top, bodies.text, reply, sender)
    return Message(
        digest=digest,
        content_digest=_content_digest(head, h.split(lines)[1]),
        subject=head.get("subject"),
        sender=sender,
        to=_field(head, "to"),
        cc=_field(head, "cc"),
        reply_to=_field(head, "reply-to"),
        date=h.when(head.get("date")),
        message_id=next(iter(h.ids(head.get("message-id"))), None),
        in_reply_to=h.ids(head.get("in-reply-to")),
        references=h.ids(head.get("references")),
        text=bodies.text,
        reply_text=reply,
        quoted=rest,
        attachments=tuple(bodies.attachments),
        is_auto_reply=verdict.is_auto_reply,
        is_bounce=verdict.is_bounce,
        bounce_temporary=verdict.temporary,
        kind=verdict.kind,
        failed=verdict.failed,
        reported_ids=verdict.reported_ids,
        status=verdict.status,
        may_autorespond=verdict.may_autorespond,
        defects=_defects(top, bodies),
    )


def _field(head: h.Headers, name: str) -> tuple[Address, ...]:
    """The addresses of a field; To and Cc keep only what can be written to."""
    found = (one for key, raw in head.fields if key == name for one in addresses(h.plain(raw)))
    return tuple(one for one in found if one.addr or name == "from")


def _defects(top: Part, bodies: Bodies) -> tuple[str, ...]:
    told = [defect for part in top.walk() for defect in part.headers.defects]
    if not top.headers.fields:
        told.insert(0, "The letter has no head.")
    date = top.headers.get("date")
    if date and h.when(date) is None:
        told.append("The date could not be read.")
    if "\ufffd" in bodies.text:
        told.append("Some characters of the text could not be read.")
    return tuple(dict.fromkeys(told))


def _content_digest(head: h.Headers, body: bytes) -> str:
    """The same letter by another road: trace fields, line ends and blank lines at the end do not count."""
    told = hashlib.sha256()
    for name in ("message-id", "from", "subject", "date"):
        told.update(b"%s:%s\n" % (name.encode(), b" ".join((head.raw(name) or b"").split())))
    told.update(b"\n" + body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b" \t\n"))
    return told.hexdigest()


def _unread(raw: bytes, digest: str, error: Exception) -> Message:
    """What is left when reading failed: the text as it stands, for a person to look at, and no automatic answer."""
    match = _HEAD_END.search(raw)
    text = decode(raw[match.end() if match else 0 :][:1_000_000])
    return Message(
        digest=digest,
        content_digest=digest,
        text=text,
        reply_text=text,
        may_autorespond=False,
        defects=(f"The letter could not be read in parts ({type(error).__name__}); its text is shown as it came.",),
    )
