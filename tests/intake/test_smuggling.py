"""Only CRLF.CRLF ends a letter: the published vectors over real sockets, and any octets in any chunks."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.letters import Received
from intake.journal import Journal
from intake.smtp import Door, DoorSettings
from intake.smtp_data import Reading

VECTORS = Path(__file__).parents[2] / "../shared/mail/malformed/smtp-smuggling-vectors.json"


def vectors() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param(None, id="absent")]
    return [pytest.param(one, id=one["name"]) for one in json.loads(VECTORS.read_text("utf-8"))["vectors"]]


class Shelf:
    """A journal's other end that keeps letters in a list."""

    def __init__(self) -> None:
        self.kept: list[Received] = []

    def add_many(self, batch: Any) -> list[int]:
        self.kept += batch
        return [len(self.kept)] * len(batch)


async def deliver(data: bytes, chunk: int) -> tuple[list[bytes], bytes]:
    """Send `data` after 354, QUIT behind it; what was kept, and everything the server said."""
    shelf = Shelf()
    journal = Journal(shelf.add_many)
    settings = DoorSettings("127.0.0.1", 0, ("complaints@school.example",))
    async with asyncio.timeout(10), Door(settings, journal, clock=lambda: datetime(2026, 11, 23, tzinfo=UTC)) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<complaints@school.example>\r\nDATA\r\n")
        said = await reader.readuntil(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        for at in range(0, len(data), chunk):
            writer.write(data[at : at + chunk])
            await asyncio.sleep(0)
        writer.write(b"QUIT\r\n")
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
    await asyncio.to_thread(journal.close)
    return [one.raw for one in shelf.kept], said


@pytest.mark.parametrize("chunk", [1_000_000, 7], ids=["at once", "in small pieces"])
@pytest.mark.parametrize("vector", vectors())
async def test_no_vector_smuggles_a_second_letter(vector: Any, chunk: int) -> None:
    if vector is None:
        missing = "the shared smuggling vectors are not beside this checkout"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    data = vector["data"].encode("latin-1")
    kept, said = await deliver(data, chunk)
    if vector["end_inside_first"]:
        first, second = data.split(b"\r\n.\r\n")[:2]
        assert kept == [first + b"\r\n", second.partition(b"DATA\r\n")[2] + b"\r\n"]
    else:
        unstuffed = data.removesuffix(b".\r\n").replace(b"\r\n.", b"\r\n")
        assert kept == [unstuffed]
        assert said.count(b"\r\n") == 2  # one answer to the letter, one to QUIT: no command was carried out inside
    if vector["name"] == "control-dot-stuffed":
        assert b"\r\n.\r\nstill first\r\n" in kept[0]


def by_lines(wire: bytes) -> tuple[bytes, bytes] | None:
    """RFC 5321 4.5.2 word by word: the letter and what is behind it, or None when it has no end."""
    letter = b""
    while b"\r\n" in wire:
        line, _, wire = wire.partition(b"\r\n")
        if line == b".":
            return letter, wire
        letter += line.removeprefix(b".") + b"\r\n"
    return None


WIRE = st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"..", b"\r\n.\r\n", b"\r\n.", b"x", b"\x00"])).map(
    b"".join
)


@given(WIRE, st.lists(st.integers(1, 6)), st.booleans())
def test_whole_chunks_are_read_as_lines_would_be(wire: bytes, cuts: list[int], ended: bool) -> None:
    wire += b"\r\n.\r\n" if ended else b""
    reading = Reading(limit=10_000)
    at = 0
    behind = None
    for cut in [*cuts, len(wire) + 1]:
        behind = reading.feed(wire[at : at + cut])
        at += cut
        if behind is not None:
            break
    expected = by_lines(wire)
    if expected is None:
        assert behind is None
    else:
        assert behind is not None
        assert (reading.letter(), behind + wire[at:]) == expected


@given(WIRE, st.integers(0, 12), st.lists(st.integers(1, 6)))
def test_a_letter_is_too_large_exactly_when_its_unstuffed_octets_are_more_than_the_limit(
    wire: bytes, limit: int, cuts: list[int]
) -> None:
    wire += b"\r\n.\r\n"
    expected = by_lines(wire)
    assert expected is not None
    reading = Reading(limit)
    at = 0
    for cut in [*cuts, len(wire) + 1]:
        if reading.feed(wire[at : at + cut]) is not None:
            break
        at += cut
    assert reading.too_large == (len(expected[0]) > limit)


def test_a_letter_that_is_too_large_is_not_held_in_memory() -> None:
    reading = Reading(limit=1_000)
    for _ in range(1_000):
        assert reading.feed(b"x" * 1_000) is None
        assert len(reading._raw) <= 2_010
    assert reading.hopeless
    assert reading.feed(b"\r\n.\r\nQUIT\r\n") == b"QUIT\r\n"
