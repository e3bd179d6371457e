"""A real SMTP server on loopback that stands for the school's relay, in good health and in bad."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Taken:
    """A letter as the relay took it."""

    mail_from: str
    rcpt_to: str
    content: bytes
    mail_options: list[str]
    rcpt_options: list[str]

    @property
    def message(self) -> EmailMessage:
        read = message_from_bytes(self.content, policy=default)
        assert isinstance(read, EmailMessage)
        return read


@dataclass
class Sink:
    """Takes letters; `answers` says what it does instead, letter by letter ("" takes the letter).

    An answer is a reply line ("451 later"), "drop" (the connection breaks before the answer to DATA),
    "after" (it takes the letter, and the connection breaks before the answer) or "slow" (no answer in time).
    """

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    sessions: int = 0
    rcpt_answers: list[str] = field(default_factory=list)
    mail_answers: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    servers: list[_Server] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None
    dsn: bool = False

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return ["250-DSN" if self.dsn and line == "250-8BITMIME" else line for line in responses]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: _Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail_answers and (answer := self.mail_answers.pop(0)):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend([*options, *server.asked])
        return "250 fine"

    async def handle_RCPT(  # noqa: N802
        self, server: _Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_answers and (answer := self.rcpt_answers.pop(0)):
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend([*options, *server.asked])
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else ""
        if answer in {"", "after"}:
            content = envelope.content
            assert isinstance(content, bytes)
            assert envelope.mail_from is not None
            letter = Taken(
                envelope.mail_from, envelope.rcpt_tos[0], content, envelope.mail_options, envelope.rcpt_options
            )
            self.taken.append(letter)
        if answer in {"drop", "after"}:
            assert server.transport is not None
            server.transport.abort()
        elif answer == "slow":
            await asyncio.sleep(2)
        return answer if answer[:1].isdigit() else "250 taken"

    def hang_up(self) -> None:
        """Close every connection that stands, as a relay does with one that is idle for long."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(lambda: [s.transport.close() for s in self.servers if s.transport])


class _Server(SMTP):
    """aiosmtpd's server, which also lets options of delivery reports (RFC 3461) pass."""

    sink: Sink
    asked: list[str]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.sink.sessions += 1
        self.sink.servers.append(self)

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        found = super()._getparams(params)
        self.asked = []
        for name in ("RET", "ENVID", "NOTIFY") if found and self.sink.dsn else ():
            if name in found:
                self.asked.append(f"{name}:{found.pop(name)}")
        return found


@contextmanager
def sink(*, utf8: bool = True, dsn: bool = False, tls: object = None, **options: object) -> Iterator[Sink]:
    """A sink on a free port of loopback, in a thread of its own; gone afterwards."""
    relay = Sink(dsn=dsn)
    loop = asyncio.new_event_loop()
    relay.loop = loop

    def make() -> SMTP:
        server = _Server(relay, enable_SMTPUTF8=utf8, loop=loop, hostname="sink", tls_context=tls, **options)
        server.sink = relay
        return server

    listening = loop.run_until_complete(loop.create_server(make, "127.0.0.1", 0))
    relay.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening, relay), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _end(listening: asyncio.Server, relay: Sink) -> None:
    listening.close()
    for server in relay.servers:
        if server.transport is not None:
            server.transport.abort()
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
