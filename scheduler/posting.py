"""A row of the outbox as the mail that goes over the wire: headers, bodies, envelope.

The envelope sender. RFC 3834 3.3 lets an automatic response have the null sender, or an address kept for the
purpose that never answers by itself. We need the reports: a bounced acknowledgement re-opens
the duty to acknowledge (L138). So each letter about a case leaves with the signed reply address of that case
as its envelope sender, and a report that comes back is tied to the case even when it quotes nothing. No loop
can follow from it: what reaches a reply address and is a report or an automatic answer is never answered.

What is deliberately absent: Precedence (RFC 3834 3.1.8, optional and a sign of bulk mail) and every List-
field, since a letter to one person is no list.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from data.outbox import Outgoing
from procedure.reference import reply_address
from procedure.school import School
from procedure.words import Audience
from scheduler.address import Recipient, Unsendable, mailbox, recipient

_MESSAGE_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,900}")  # printable ASCII, no brackets, fits a line
_VALUE = re.compile(r"[\x20-\x7e]+")
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
#: References grow with every answer; the first and the newest are what threading needs (RFC 5537 3.4.4).
_REFERENCES_MAX = 20
#: Words of people are encoded by the library (RFC 2047); everything else is ASCII of our own making.
_PLAIN = SMTP.clone(cte_type="7bit")
_PART = b'--%b\r\nContent-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b\r\n'


@dataclass(frozen=True)
class Posting:
    """A letter ready to be handed to a relay: envelope and bytes (CRLF line ends)."""

    mail_from: str
    rcpt_to: str
    content: bytes
    utf8: bool  # the relay must speak SMTPUTF8
    envelope_id: str  # returned in a report (RFC 3461 4.4)


def posting(outgoing: Outgoing, school: School, secret: bytes, now: datetime) -> Posting:
    """The letter as it goes out at `now` (UTC; its Date is the school's local time).

    Raises Unsendable when the address is none, or one of the school's own intake addresses: a letter to
    ourselves would come in as a complaint.
    """
    to = recipient(outgoing.to_addr)
    own = {mailbox(address) for address in (*school.addresses, school.sender)}
    if mailbox(to.path) in own:
        raise Unsendable(f"{to.path} is an address that letters come in at; nothing of ours is sent to it")
    answers_at = school.sender
    if outgoing.reference is not None:
        answers_at = reply_address(school.sender, outgoing.reference, secret)
    head = b"".join(_head(outgoing, school, to, answers_at, now))
    return Posting(
        mail_from=answers_at,
        rcpt_to=to.path,
        content=head + _body(outgoing),
        utf8=to.needs_utf8,
        envelope_id=outgoing.message_id,
    )


def _head(outgoing: Outgoing, school: School, to: Recipient, answers_at: str, now: datetime) -> Iterator[bytes]:
    """The fields of the header, each with its line end.

    Written out here and not by the library's message, which takes 5 ms a letter and splits or encodes a
    Message-ID that is longer than a line, as Exchange writes them: the answer would no longer thread.
    """
    yield _field_of_words("From", str(Address(one_line(school.name), addr_spec=school.sender)), utf8=False)
    yield f"To: {to.path}\r\n".encode()
    if outgoing.reference is not None:
        yield _field("Reply-To", answers_at)
    yield _field_of_words("Subject", one_line(outgoing.subject), utf8=to.needs_utf8)
    yield _field("Date", format_datetime(now.astimezone(ZoneInfo(school.timezone))))
    yield _field("Message-ID", f"<{outgoing.message_id}>")
    thread = [*outgoing.references]
    if outgoing.in_reply_to is not None:
        thread = [*(i for i in thread if i != outgoing.in_reply_to), outgoing.in_reply_to]
        yield _ids("In-Reply-To", [outgoing.in_reply_to])
    yield _ids("References", thread)
    answer = outgoing.audience is Audience.COMPLAINANT
    yield _field("Auto-Submitted", "auto-replied" if answer else "auto-generated")  # RFC 3834 5
    yield _field("X-Auto-Response-Suppress", "All")  # what Exchange heeds in place of Auto-Submitted
    yield _field("MIME-Version", "1.0")
    yield _field("Content-Type", f'multipart/alternative; boundary="{_boundary(outgoing)}"')


def _body(outgoing: Outgoing) -> bytes:
    boundary = _boundary(outgoing).encode()
    parts = ((b"plain", outgoing.text), (b"html", outgoing.html))
    written = (_PART % (boundary, kind, _quoted_printable(said)) for kind, said in parts)
    return b"\r\n" + b"".join(written) + b"--" + boundary + b"--\r\n"


def _boundary(outgoing: Outgoing) -> str:
    """A line that no part holds, since "=_" never occurs in quoted-printable (RFC 2045 6.7).

    A boundary made from the id keeps the second sending of a letter the same, byte for byte, but for its Date.
    """
    return "=_" + hashlib.sha256(outgoing.message_id.encode()).hexdigest()[:32]


def _quoted_printable(said: str) -> bytes:
    lines = "\n".join(said.splitlines()) + "\n"
    return b2a_qp(lines.encode("utf-8", "replace"), istext=True).replace(b"\n", b"\r\n")


def _field(name: str, value: str) -> bytes:
    """A field of ASCII that is ours; whatever else slips in is an error before it is a header."""
    if not _VALUE.fullmatch(value):
        raise ValueError(f"the field {name} would hold a line break or a control character")
    return f"{name}: {value}\r\n".encode("ascii")


@lru_cache(maxsize=64)
def _field_of_words(name: str, value: str, *, utf8: bool) -> bytes:
    policy = SMTPUTF8 if utf8 else _PLAIN
    return policy.fold_binary(*policy.header_store_parse(name, value))


def _ids(field: str, ids: Iterable[str]) -> bytes:
    """The ids that are ids, a line each; one that a stranger made up of spaces or brackets is left out."""
    kept = [f"<{name}>" for name in ids if _MESSAGE_ID.fullmatch(name)]
    if len(kept) > _REFERENCES_MAX:
        kept = [kept[0], *kept[-(_REFERENCES_MAX - 1) :]]
    return (f"{field}: " + "\r\n ".join(kept) + "\r\n").encode("ascii") if kept else b""


def one_line(text: str) -> str:
    """The text as a header may hold it: line breaks and control characters become single spaces."""
    return _CONTROL.sub(" ", text).strip()
