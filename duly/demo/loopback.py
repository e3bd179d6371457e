"""What the demo puts on loopback ports: an event loop in a thread, and a sink that stands for the world's mail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session

T = TypeVar("T")


class LoopThread:
    """An event loop of its own, for doors that speak while the demo works."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="demo-loop", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run that on the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class Sink:
    """Takes every letter on a free loopback port and keeps it: the outside world, as far as Duly can tell."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="sink.example", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        self.letters.append(message_from_bytes(raw, policy=policy.default))
        return "250 taken"

    def answer_to(self, message_id: str) -> EmailMessage | None:
        """The first letter that answers the one of that Message-ID."""
        return next((m for m in self.letters if message_id in str(m.get("In-Reply-To", ""))), None)
