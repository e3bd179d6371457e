"""A door on a free port with a hand-written shelf behind it, and a client that says exactly what it is told to."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from data.letters import Received
from intake.journal import Journal
from intake.smtp import Door, DoorSettings
from procedure.words import Envelope

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
SETTINGS = DoorSettings("127.0.0.1", 0, ("complaints@southlands.example", "office@southlands.example"))
LETTER = b"From: parent@home.example\r\nSubject: the coach\r\n\r\nThe coach left without my child.\r\n"


class Shelf:
    """A journal's other end that keeps letters in a list, or fails as it is told to."""

    def __init__(self) -> None:
        self.kept: list[Received] = []
        self.error: Exception | None = None

    def add_many(self, batch: Sequence[Received]) -> list[int]:
        if self.error is not None:
            raise self.error
        self.kept += batch
        return [len(self.kept)] * len(batch)


@dataclass
class House:
    door: Door
    shelf: Shelf

    @property
    def envelopes(self) -> list[Envelope]:
        return [one.envelope for one in self.shelf.kept]


@asynccontextmanager
async def opened(shelf: Shelf | None = None, **changes: Any) -> AsyncIterator[House]:
    shelf = shelf or Shelf()
    journal = Journal(shelf.add_many)
    async with asyncio.timeout(20), Door(replace(SETTINGS, **changes), journal, clock=lambda: NOON) as door:
        yield House(door, shelf)
    await asyncio.to_thread(journal.close)


class Line:
    """A client that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hear(self) -> str:
        """One answer, its continuation lines included; empty when the server hung up."""
        lines: list[str] = []
        while line := (await self.reader.readline()).decode():
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def say(self, octets: bytes) -> str:
        self.writer.write(octets)
        return await self.hear()

    async def greet(self) -> str:
        await self.hear()
        return await self.say(b"EHLO home.example\r\n")

    async def begin(self, sender: bytes = b"parent@home.example") -> str:
        assert (await self.say(b"MAIL FROM:<" + sender + b">\r\n")).startswith("250")
        assert (await self.say(b"RCPT TO:<complaints@southlands.example>\r\n")).startswith("250")
        return await self.say(b"DATA\r\n")

    async def send(self, raw: bytes, sender: bytes = b"parent@home.example") -> str:
        assert (await self.begin(sender)).startswith("354")
        return await self.say(raw + b".\r\n")


@asynccontextmanager
async def line_to(house: House) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.door.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def with_smtplib(house: House, act: Callable[[smtplib.SMTP], Any]) -> Any:
    def talk() -> Any:
        with smtplib.SMTP("127.0.0.1", house.door.port, timeout=10) as client:
            return act(client)

    return asyncio.to_thread(talk)
