"""The SMTP door: letters for the school's own addresses, 250 only once they are durably in the journal.

Runs in the loop of whoever starts it and does nothing but the protocol: reading and judging are for another process.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import structlog
from aiosmtpd.smtp import Envelope as SmtpEnvelope

from data.types import clean
from intake.journal import Journal, JournalClosed, JournalFull
from intake.smtp_session import CLOSING, FAULT, KEPT, LATER, Conversation, Hooks
from procedure.words import Envelope

log = structlog.get_logger()

CROWDED = "421 4.3.2 Too many connections at the moment; please try again in a few minutes"
CROWDED_PEER = "421 4.7.0 Too many connections from your address; please use fewer at a time"
#: Letters of the largest size that may be arriving at once, all connections together.
LARGE_AT_ONCE = 4
#: Seconds that a letter waits for the journal before the sender is asked to come again.
PATIENCE = 60.0


@dataclass(frozen=True)
class DoorSettings:
    """How the door is set up. `addresses` are those for which letters are taken, each also as `local+anything@`."""

    host: str
    port: int  # 0: one that is free
    addresses: tuple[str, ...]
    hostname: str = "localhost"
    max_size: int = 25 * 1024 * 1024  # octets
    max_connections: int = 200
    max_per_peer: int = 40
    timeout: float = 300.0  # seconds of silence (RFC 5321 4.5.3.2.7)
    tls_context: ssl.SSLContext | None = None
    max_recipients: int = 100
    require_starttls: bool = False


class Door:
    """Listens, counts, and hands whole letters to the journal. `clock` tells the time of receipt (UTC)."""

    def __init__(self, settings: DoorSettings, journal: Journal, *, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.journal = journal
        self.clock = clock
        self.hostname = settings.hostname
        self.max_size = settings.max_size
        self.max_recipients = settings.max_recipients
        self._hooks = Hooks(self)
        self._ours = frozenset(address.lower() for address in settings.addresses)
        self._peers: dict[Conversation, str] = {}
        self._per_peer: Counter[str] = Counter()
        self._room = max(LARGE_AT_ONCE * settings.max_size, 64 * 1024 * 1024)
        self._server: asyncio.Server | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    # -- opening and closing

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        # aiosmtpd logs senders and recipients at INFO; names do not belong in logs.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Porter(self), self.settings.host, self.settings.port, backlog=256
        )

    @property
    def port(self) -> int:
        """The port it listens on. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the door is not open")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self, grace: float = 5.0) -> None:
        """Take no new connections, let the letters in hand be answered within `grace` seconds, then hang up."""
        if self._server is None:
            return
        self._server.close()
        conversations = list(self._peers)
        for conversation in conversations:
            conversation.say_goodbye()
        try:
            await asyncio.wait_for(self._empty.wait(), grace)
        except TimeoutError:
            log.warning("smtp_hung_up", connections=len(self._peers))
            for conversation in list(self._peers):
                conversation.hang_up()
            await self._empty.wait()
        await asyncio.gather(*(one.ended() for one in conversations), return_exceptions=True)
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    # -- who may come in

    def admit(self, peer: str) -> str | None:
        """None, or why a connection from that address is refused now."""
        if len(self._peers) >= self.settings.max_connections:
            return CROWDED
        if self._per_peer[peer] >= self.settings.max_per_peer:
            return CROWDED_PEER
        return None

    def enter(self, peer: str) -> Conversation:
        conversation = Conversation(
            self,
            self._hooks,
            timeout=self.settings.timeout,
            tls_context=self.settings.tls_context,
            require_starttls=self.settings.require_starttls,
            loop=asyncio.get_running_loop(),
        )
        self._peers[conversation] = peer
        self._per_peer[peer] += 1
        self._empty.clear()
        return conversation

    def left(self, conversation: Conversation) -> None:
        """A connection ended; may be told twice."""
        peer = self._peers.pop(conversation, None)
        if peer is None:
            return
        self._per_peer[peer] -= 1
        if not self._per_peer[peer]:
            del self._per_peer[peer]
        if not self._peers:
            self._empty.set()

    # -- what is taken

    def is_ours(self, address: str) -> bool:
        """True for a configured address, also with `+anything` behind its local part, in any case."""
        local, _, domain = address.lower().rpartition("@")
        return f"{local}@{domain}" in self._ours or f"{local.partition('+')[0]}@{domain}" in self._ours

    def refusal(self) -> str:
        """What a sender reads whose letter is not for us (RFC 3463: 5.1.1)."""
        first = self.settings.addresses[0] if self.settings.addresses else "nobody"
        return f"550 5.1.1 That address does not take letters here; a complaint to the school goes to {first}"

    def make_room(self, octets: int) -> bool:
        """Memory for a letter under way; False when too much is arriving at once."""
        if self._room < octets:
            return False
        self._room -= octets
        return True

    def give_room(self, octets: int) -> None:
        self._room += octets

    async def keep(self, raw: bytes, peer: str, envelope: SmtpEnvelope) -> str:
        """Into the journal; the answer for the sender. Never raises for a fault of ours."""
        sender = envelope.mail_from or ""
        received = Envelope(
            door="smtp",
            received_at=self.clock(),
            mail_from="" if sender == "<>" else _readable(sender),
            rcpt_to=tuple(_readable(one) for one in envelope.rcpt_tos),
            peer=peer,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await self.journal.aaccept(raw, received)
        except JournalFull:
            return LATER
        except JournalClosed:
            return CLOSING
        except Exception as error:  # noqa: BLE001 - any fault of ours is one answer: keep it, come again
            # No traceback: the database's message may quote the letter.
            log.error("smtp_letter_not_kept", error=type(error).__name__)  # noqa: TRY400
            return FAULT
        return KEPT


def _readable(address: str) -> str:
    """An address that any database can hold: raw 8-bit octets and NULs become U+FFFD."""
    return clean(address.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


class _Porter(asyncio.Protocol):
    """Meets a connection before it costs anything: lets it in, or says why not and hangs up."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        name = transport.get_extra_info("peername")
        peer = str(name[0]) if isinstance(name, tuple) else ""
        refusal = self.door.admit(peer)
        if refusal is not None:
            transport.write(refusal.encode() + b"\r\n")
            transport.close()
            return
        conversation = self.door.enter(peer)
        transport.set_protocol(conversation)
        conversation.connection_made(transport)
