"""The way out: one kept connection to the school's mail relay, and three answers instead of forty.

A relay that takes the letter returns; everything else is one of `Refused` (this letter, for good), `Delayed`
(this letter, for now) or `Unreachable` (the relay itself; no letter is to blame).
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

import aiosmtplib

from scheduler.posting import Posting

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class RelaySettings:
    """How to reach the relay. With "starttls" or "tls" a letter never leaves in the clear."""

    host: str
    port: int = 587
    security: Security = "starttls"
    #: Empty: the relay asks for no name.
    user: str = ""
    password: str = field(default="", repr=False)
    #: The name we give in EHLO; None: the machine's own.
    helo: str | None = None
    #: Certificates to trust beside the system's (PEM file), for a relay with a certificate of its own.
    ca_file: str | None = None
    #: Seconds that one command may take, and one letter altogether. RFC 5321 4.5.3.2 asks for minutes, so
    #: that a slow relay is not sent a letter twice; a Message-ID that stays the same makes a shorter wait safe.
    command_timeout: float = 30.0
    letter_timeout: float = 60.0


class Fault(Exception):  # noqa: N818 - the relay's answers have names of their own
    """A letter that did not go; `detail` is what the relay said, in one line."""

    def __init__(self, detail: str, code: int | None = None) -> None:
        self.code = code
        self.detail = " ".join(detail.split())[:500]
        super().__init__(f"{code} {self.detail}" if code else self.detail)


class Refused(Fault):
    """5yz to this letter (RFC 5321 4.2.1): sending it again will not help."""


class Delayed(Fault):
    """4yz to this letter, or a connection that broke while it was being handed over: try again later."""


class Unreachable(Fault):
    """The relay does not answer, does not let us in, or refuses our own address."""


class Carrier(Protocol):
    """What the post needs of a mailer."""

    def send(self, posting: Posting) -> None:
        """Return when the relay has taken the letter; raise a Fault when it has not."""

    def close(self) -> None:
        """Give the connection back; the next letter opens one again."""


class Mailer:
    """A `Carrier` over aiosmtplib, for one thread at a time (two mailers send at the same time)."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._runner: asyncio.Runner | None = None
        self._smtp: aiosmtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, posting: Posting) -> None:
        """Hand one letter over, on the kept connection where it still stands.

        Raises Refused, Delayed or Unreachable; the connection is dropped after each of them.
        """
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            self._runner.run(self._send(posting))
        except BaseException:
            self._drop()
            raise

    def close(self) -> None:
        """Say goodbye to the relay; harmless when no connection stands."""
        if self._runner is None:
            return
        if self._smtp is not None:
            self._runner.run(self._quit(self._smtp))
            self._smtp = None
        self._runner.close()
        self._runner = None

    async def _send(self, posting: Posting) -> None:
        try:
            async with asyncio.timeout(self._settings.letter_timeout):
                if not await self._on_kept_connection(posting):
                    smtp = await self._connect()
                    await self._hand_over(smtp, posting)
        except TimeoutError as late:
            raise Delayed(f"the relay took longer than {self._settings.letter_timeout:g} s") from late

    async def _on_kept_connection(self, posting: Posting) -> bool:
        """Whether the letter went over the connection kept from before.

        A relay may have hung up since (RFC 5321 4.5.3.2.7); it says so at MAIL, before it has a letter, so
        beginning again on a new connection cannot make two of it.
        """
        if self._smtp is None or not self._smtp.is_connected:
            return False
        try:
            await self._hand_over(self._smtp, posting)
        except _HungUp:
            self._drop()
            return False
        return True

    async def _connect(self) -> aiosmtplib.SMTP:
        wish = self._settings
        try:
            context = None if wish.security == "none" else ssl.create_default_context()
            if context is not None and wish.ca_file is not None:
                context.load_verify_locations(wish.ca_file)
            smtp = aiosmtplib.SMTP(
                hostname=wish.host,
                port=wish.port,
                username=wish.user or None,
                password=wish.password or None,
                local_hostname=wish.helo,
                timeout=wish.command_timeout,
                use_tls=wish.security == "tls",
                start_tls=wish.security == "starttls",
                tls_context=context,
            )
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            raise Unreachable(f"the relay {wish.host}:{wish.port} cannot be used: {_said(fault)}") from fault
        self._smtp = smtp
        return smtp

    async def _hand_over(self, smtp: aiosmtplib.SMTP, posting: Posting) -> None:
        if posting.utf8 and not smtp.supports_extension("smtputf8"):
            raise Refused("the relay cannot carry an address with letters beyond ASCII (RFC 6531)")
        mail_options, rcpt_options = _options(smtp, posting)
        encoding = "utf-8" if posting.utf8 else "ascii"
        try:
            await smtp.mail(posting.mail_from, options=mail_options, encoding=encoding)
        except (aiosmtplib.SMTPServerDisconnected, ConnectionError) as gone:
            raise _HungUp(_said(gone)) from gone
        except aiosmtplib.SMTPSenderRefused as refused:
            if refused.code == 421:
                raise _HungUp(refused.message, refused.code) from refused
            # Our own address: as wrong for the next letter as for this one.
            raise Unreachable(f"the relay refuses the sender: {refused.message}", refused.code) from refused
        except aiosmtplib.SMTPException as fault:
            raise Delayed(_said(fault)) from fault
        try:
            await smtp.rcpt(posting.rcpt_to, options=rcpt_options, encoding=encoding)
            await smtp.data(posting.content)
        except aiosmtplib.SMTPResponseException as answer:
            kind = Refused if 500 <= answer.code < 600 else Delayed
            raise kind(answer.message, answer.code) from answer
        except (aiosmtplib.SMTPException, OSError) as broken:
            raise Delayed(f"the connection broke: {_said(broken)}") from broken

    async def _quit(self, smtp: aiosmtplib.SMTP) -> None:
        try:
            await smtp.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError):
            smtp.close()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


class _HungUp(Delayed):
    """The relay closed the connection before it was given this letter."""


def _options(smtp: aiosmtplib.SMTP, posting: Posting) -> tuple[list[str], list[str]]:
    """Options of MAIL and RCPT that this relay understands.

    Where it can (RFC 3461), it is asked to report failures only, and with the headers only: a letter about
    a complaint need not travel a second time.
    """
    mail, rcpt = [], []
    if smtp.supports_extension("size"):
        mail.append(f"SIZE={len(posting.content)}")
    if posting.utf8:
        mail += ["SMTPUTF8", "BODY=8BITMIME"]
    if smtp.supports_extension("dsn"):
        mail += ["RET=HDRS", f"ENVID={_xtext(posting.envelope_id)}"]
        rcpt.append("NOTIFY=FAILURE")
    return mail, rcpt


def _xtext(text: str) -> str:
    """RFC 3461 section 4: printable ASCII, with "+" and "=" in hexadecimal."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)


def _said(fault: BaseException) -> str:
    return str(fault) or type(fault).__name__
