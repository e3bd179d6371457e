"""A row of the outbox as the mail that goes over the wire: headers, bodies, envelope.

The envelope sender. RFC 3834 3.3 lets an automatic response have the null sender, or an address "specifically
chosen for the purpose" that never answers by itself. We need the reports: a bounced acknowledgement re-opens
the duty to acknowledge (L138). So each letter about a case leaves with the signed reply address of that case
as its envelope sender, and a report that comes back is tied to the case even when it quotes nothing. No loop
can follow from it: what reaches a reply address and is a report or an automatic answer is never answered.

What is deliberately absent: Precedence (RFC 3834 3.1.8, optional and a sign of bulk mail) and every List-
field, since a letter to one person is no list.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from data.outbox import Outgoing
from procedure.reference import reply_address
from procedure.school import School
from procedure.words import Audience
from scheduler.address import Recipient, Unsendable, mailbox, recipient

_MESSAGE_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,900}")  # printable ASCII, no brackets, fits a line
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
#: References grow with every answer; the first and the newest are what threading needs (RFC 5537 3.4.4).
_REFERENCES_MAX = 20
_ID_FIELDS = frozenset({"message-id", "in-reply-to", "references"})


class _LetterPolicy(EmailPolicy):
    """RFC 5322 lines, save that a Message-ID is never split or encoded.

    The library's own folding turns an id longer than a line, as Exchange writes them, into an encoded word,
    and the answer no longer threads under the letter it answers.
    """

    def fold(self, name: str, value: str) -> str:
        if name.lower() in _ID_FIELDS:
            end = str(self.linesep)
            return f"{name}: " + f"{end} ".join(str(value).split()) + end
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _ID_FIELDS:
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _LetterPolicy(linesep=SMTP.linesep, cte_type="7bit")


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
    message = _headers(outgoing, school, to, answers_at, now)
    message.set_content(outgoing.text, cte="quoted-printable")
    message.add_alternative(outgoing.html, subtype="html", cte="quoted-printable")
    # "=_" never occurs in quoted-printable (RFC 2045 6.7). A boundary made from the id keeps the second
    # sending of a letter the same, byte for byte, apart from its Date.
    message.set_boundary("=_" + hashlib.sha256(outgoing.message_id.encode()).hexdigest()[:32])
    policy = _POLICY.clone(utf8=True, cte_type="8bit") if to.needs_utf8 else _POLICY
    return Posting(
        mail_from=answers_at,
        rcpt_to=to.path,
        content=message.as_bytes(policy=policy),
        utf8=to.needs_utf8,
        envelope_id=outgoing.message_id,
    )


def _headers(outgoing: Outgoing, school: School, to: Recipient, answers_at: str, now: datetime) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(one_line(school.name), addr_spec=school.sender)
    message["To"] = Address(username=to.username, domain=to.domain)
    if outgoing.reference is not None:
        message["Reply-To"] = Address("", addr_spec=answers_at)
    message["Subject"] = one_line(outgoing.subject)
    message["Date"] = format_datetime(now.astimezone(ZoneInfo(school.timezone)))
    message["Message-ID"] = f"<{outgoing.message_id}>"
    thread = [*outgoing.references]
    if outgoing.in_reply_to is not None:
        thread = [*(i for i in thread if i != outgoing.in_reply_to), outgoing.in_reply_to]
        _ids(message, "In-Reply-To", [outgoing.in_reply_to])
    _ids(message, "References", thread)
    answer = outgoing.audience is Audience.COMPLAINANT
    message["Auto-Submitted"] = "auto-replied" if answer else "auto-generated"  # RFC 3834 5
    message["X-Auto-Response-Suppress"] = "All"  # what Exchange heeds in place of Auto-Submitted
    return message


def _ids(message: EmailMessage, field: str, ids: Iterable[str]) -> None:
    """Write the ids that are ids; one that a stranger made up of spaces or brackets is left out."""
    kept = [f"<{name}>" for name in ids if _MESSAGE_ID.fullmatch(name)]
    if len(kept) > _REFERENCES_MAX:
        kept = [kept[0], *kept[-(_REFERENCES_MAX - 1) :]]
    if kept:
        message[field] = " ".join(kept)


def one_line(text: str) -> str:
    """The text as a header may hold it: line breaks and control characters become single spaces."""
    return _CONTROL.sub(" ", text).strip()
