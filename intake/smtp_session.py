"""One SMTP conversation: aiosmtpd's commands, with our own reading of DATA, our limits and our sentences.

Every refusal is a sentence for the person whose letter comes back. Every fault of ours is 451: "keep it and try
again", never 5xx, which would bounce a complaint for good.
"""

from __future__ import annotations

import asyncio
import collections
import re
from typing import Any, AnyStr, Protocol

import structlog
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from aiosmtpd.smtp import Session as SmtpSession

from intake.smtp_data import Reading

log = structlog.get_logger()

FAULT = "451 4.3.0 The letter could not be kept just now; that is our fault. Please send it again later"
LATER = "451 4.3.1 Too many letters are arriving at once; please send it again in a minute"
NO_ROOM = "452 4.3.1 Too many large letters are arriving at once; please send it again in a few minutes"
KEPT = "250 2.0.0 The letter is kept"
CLOSING = "421 4.3.2 This server is closing for a moment; please send the letter again shortly"

#: An address as nearly every client writes it; the rest goes through aiosmtpd's parser, which costs 0.13 ms each.
PLAIN = re.compile(r"<([A-Za-z0-9._+=-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>(?: (.*))?\Z", re.ASCII)
#: How often one connection may give a command; beyond it 421 and the connection ends.
FLOOD = {"MAIL": 5_000, "RCPT": 20_000, "DATA": 5_000, "RSET": 5_000, "NOOP": 200, "*": 40}
#: Unknown recipients after which a connection is taken for a search of addresses.
MAX_GUESSES = 20
#: A letter is read on while this many octets come within each timeout.
PROGRESS = 64 * 1024
#: Whatever has arrived, up to the buffer's limit.
ALL = 1 << 30


class House(Protocol):
    """What a conversation asks of the door."""

    hostname: str
    max_size: int
    max_recipients: int

    def is_ours(self, address: str) -> bool: ...
    def refusal(self) -> str: ...
    def make_room(self, octets: int) -> bool: ...
    def give_room(self, octets: int) -> None: ...
    async def keep(self, raw: bytes, peer: str, envelope: SmtpEnvelope) -> str: ...
    def left(self, conversation: Conversation) -> None: ...


class Hooks:
    """aiosmtpd's handler: the answers that differ from its own."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: Conversation, session: SmtpSession, _envelope: SmtpEnvelope, name: str, lines: list[str]
    ) -> list[str]:
        session.host_name = name
        kept = [line for line in lines if not line.startswith("250-AUTH")]
        return [kept[0], "250-PIPELINING", *kept[1:]]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: Conversation,
        _session: SmtpSession,
        envelope: SmtpEnvelope,
        address: str,
        options: list[str],
    ) -> str:
        if not self.house.is_ours(address):
            server.guesses += 1
            if server.guesses > MAX_GUESSES:
                server.hang_up_after_answer()
                return "421 4.7.0 Too many unknown recipients; the connection ends here"
            return self.house.refusal()
        if len(envelope.rcpt_tos) >= self.house.max_recipients:
            return "452 4.5.3 Too many recipients; please send the letter to the others separately"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        # The exception may hold text of the letter: neither the sender nor the log may have it.
        log.error("smtp_fault", error=type(error).__name__)
        return FAULT


class Conversation(SMTP):
    """aiosmtpd's protocol with DATA read in chunks (RFC 5321 4.1.1.4) and without version, AUTH or VRFY."""

    line_length_limit = PROGRESS  # of commands only; also how much is read ahead

    def __init__(self, house: House, hooks: Hooks, **options: Any) -> None:
        # aiosmtpd keeps these limits in the class and each EHLO of each client raises them.
        self.command_size_limits = collections.defaultdict(lambda: SMTP.command_size_limit)
        super().__init__(
            hooks,
            data_size_limit=house.max_size,
            enable_SMTPUTF8=True,
            hostname=house.hostname,
            ident="ESMTP",
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=FLOOD,
            **options,
        )
        self.house = house
        self.peer = ""
        self.guesses = 0
        #: Between the end of a letter and its answer, or while it is read.
        self.busy = False
        self.closing = False

    # -- connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) else str(name or "")
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.house.left(self)
        super().connection_lost(error)

    def hang_up_after_answer(self) -> None:
        self.closing = True

    def say_goodbye(self) -> None:
        """Close now, or after the letter in hand has its answer."""
        self.closing = True
        if not self.busy and self.transport is not None and not self.transport.is_closing():
            self._writer.write(CLOSING.encode() + b"\r\n")
            self._writer.close()

    def hang_up(self) -> None:
        """Close at once, whatever is under way; a letter that has no answer yet will be sent again."""
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        elif transport is not None:
            transport.close()

    async def ended(self) -> None:
        """Returns when nothing of the conversation runs any more."""
        if self._handler_coroutine is not None:
            await asyncio.wait([self._handler_coroutine])

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        if self.closing and not self.busy and self.transport is not None:
            self._writer.close()

    # -- commands

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        plain = PLAIN.match(arg)
        if plain is not None:
            return plain[1], plain[2] or ""
        try:
            return super()._getaddr(arg)
        except (IndexError, ValueError):  # "<" makes the standard library's parser stumble
            return None, None

    async def smtp_AUTH(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("502 5.5.1 No password is needed to write to the school")

    async def smtp_VRFY(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("252 2.5.2 Addresses are not verified here; just send the letter")

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        self.busy = True
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            answer = await self._take_letter()
        finally:
            self.busy = False
            self.envelope = self._create_envelope()
        await self.push(answer)

    # -- the letter

    async def _take_letter(self) -> str:
        reading = Reading(self.house.max_size)
        room = 0
        full = False
        try:
            since = 0
            while True:
                # Everything that is there: so what lies behind the end can be put back in its place.
                chunk = await self._reader.read(ALL)
                behind = reading.feed(chunk)
                if behind is not None:
                    break
                if not (full or reading.too_large):
                    full = not self.house.make_room(len(chunk))
                    room += 0 if full else len(chunk)
                if full:
                    reading.forget()
                if reading.hopeless:
                    self.hang_up_after_answer()
                    break
                if reading.received - since >= PROGRESS:
                    since = reading.received
                    self._reset_timeout()
            if behind:
                self._reader.feed_data(behind)
            if full:
                return NO_ROOM
            if reading.too_large:
                return f"552 5.3.4 {self._too_large()}"
            assert self.envelope is not None
            return await self._keep(reading.letter(), self.envelope)
        finally:
            self.house.give_room(room)

    def _too_large(self) -> str:
        megabytes = self.house.max_size / 1_000_000
        return (
            f"The letter is larger than the {megabytes:.3g} MB that are taken here;"
            " please send it again with smaller or fewer attachments"
        )

    async def _keep(self, raw: bytes, envelope: SmtpEnvelope) -> str:
        self._reset_timeout()
        return await self.house.keep(raw, self.peer, envelope)
