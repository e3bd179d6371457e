"""The SMTP door over real sockets: what it takes, what it refuses and in which words."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from data.letters import add_many, counts
from intake.journal import Journal
from intake.smtp import Door
from procedure.words import Envelope
from tests.support.smtp import LETTER, NOON, SETTINGS, House, Shelf, line_to, opened, with_smtplib

# -- taking


async def test_a_letter_is_kept_as_it_came_with_its_envelope() -> None:
    async with opened() as house:
        await with_smtplib(
            house, lambda c: c.sendmail("parent@home.example", ["complaints@southlands.example"], LETTER)
        )
        assert [one.raw for one in house.shelf.kept] == [LETTER]
        assert house.envelopes == [
            Envelope("smtp", NOON, "parent@home.example", ("complaints@southlands.example",), "127.0.0.1")
        ]


@pytest.mark.parametrize(
    "address",
    [
        "COMPLAINTS@Southlands.Example",
        "complaints+sl-2026-0042-7.k3j9x2m4p6qa@southlands.example",
        "Office+anything+more@southlands.example",
    ],
)
async def test_the_schools_addresses_are_taken_in_any_case_and_with_anything_behind_a_plus(address: str) -> None:
    async with opened() as house:
        await with_smtplib(house, lambda c: c.sendmail("parent@home.example", [address], LETTER))
        assert house.envelopes[0].rcpt_to == (address,)


@pytest.mark.parametrize(
    "address",
    [
        "head@southlands.example",
        "complaints@elsewhere.example",
        "complaints%elsewhere.example@southlands.example",
        "complaints",
        "complaints@southlands.example@elsewhere.example",
        "+x@southlands.example",
        '"complaints@southlands.example"@elsewhere.example',
    ],
)
async def test_nothing_is_relayed_and_the_refusal_says_where_complaints_go(address: str) -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        await line.say(b"MAIL FROM:<parent@home.example>\r\n")
        answer = await line.say(b"RCPT TO:<" + address.encode() + b">\r\n")
        assert answer[:3] in {"550", "553"}
        if answer.startswith("550"):
            assert answer.endswith("a complaint to the school goes to complaints@southlands.example")
            assert answer.startswith("550 5.1.1 ")
        assert (await line.say(b"DATA\r\n")).startswith("503")


async def test_a_letter_for_us_and_for_strangers_is_kept_for_us() -> None:
    async with opened() as house:
        to = ["stranger@elsewhere.example", "complaints@southlands.example"]
        refused = await with_smtplib(house, lambda c: c.sendmail("parent@home.example", to, LETTER))
        assert list(refused) == ["stranger@elsewhere.example"]
        assert house.envelopes[0].rcpt_to == ("complaints@southlands.example",)


async def test_a_bounce_has_an_empty_sender() -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        assert (await line.send(LETTER, sender=b"")).startswith("250")
        assert house.envelopes[0].mail_from == ""


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"\r\n", id="an empty line"),
        pytest.param(b"no header, no From\r\n", id="no From"),
        pytest.param(b"Subject: nul\r\n\r\n\x00\x00 \xff\xfe\x80\r\n", id="NUL and 8-bit octets"),
        pytest.param(b"Subject: long\r\n\r\n" + b"x" * 1_000_000 + b"\r\n", id="a line of a million octets"),
        pytest.param(b"Subject: bare\n\nold\rmachines\n\r\n", id="bare LF and CR"),
    ],
)
async def test_whatever_a_letter_holds_it_is_kept_octet_for_octet(raw: bytes) -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        assert await line.send(raw) == "250 2.0.0 The letter is kept"
        assert [one.raw for one in house.shelf.kept] == [raw]


async def test_eight_bit_octets_in_an_address_are_marked_and_a_utf8_address_is_kept() -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        assert (await line.send(LETTER, sender="zoë@home.example".encode())).startswith("250")
        assert (await line.send(LETTER, sender=b"zo\xeb@home.example")).startswith("250")
        assert [one.mail_from for one in house.envelopes] == ["zoë@home.example", "zo\ufffd@home.example"]


@pytest.mark.parametrize(
    "junk", [b"\xff\xfe\r\n", b"MAIL FROM:<\r\n", b"VRFY \xff\r\n", b"RCPT TO:\x00\r\n", b"\r\n"]
)
async def test_junk_is_answered_and_the_next_letter_is_taken(junk: bytes) -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        assert (await line.say(junk))[:1] in set("25")
        assert (await line.send(LETTER)).startswith("250")


async def test_what_is_advertised_is_true_and_shows_no_software() -> None:
    async with opened(hostname="mx.southlands.example") as house, line_to(house) as line:
        assert await line.hear() == "220 mx.southlands.example ESMTP"
        answer = await line.say(b"EHLO home.example\r\n")
        words = {one[4:] for one in answer.split("\n")[1:]}
        assert words == {"PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "HELP"}
        assert "aiosmtpd" not in answer + await line.say(b"HELP\r\n")
        assert (await line.say(b"AUTH PLAIN AGEAYg==\r\n")).startswith("502")


async def test_pipelined_letters_are_answered_in_order() -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        envelope = b"MAIL FROM:<a@home.example>\r\nRCPT TO:<complaints@southlands.example>\r\nDATA\r\n"
        line.writer.write(envelope)
        assert [(await line.hear())[:3] for _ in range(3)] == ["250", "250", "354"]
        line.writer.write(b"one\r\n.\r\n" + envelope)
        assert [(await line.hear())[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        line.writer.write(b"two\r\n.\r\nQUIT\r\n")
        assert [(await line.hear())[:3] for _ in range(3)] == ["250", "221", ""]
        assert [one.raw for one in house.shelf.kept] == [b"one\r\n", b"two\r\n"]


async def test_fifty_letters_at_once_share_fewer_commits_than_there_are_letters(engine: Engine) -> None:
    journal = Journal(lambda batch: add_many(engine, "southlands", batch, None))
    async with asyncio.timeout(30), Door(replace(SETTINGS, max_per_peer=60), journal, clock=lambda: NOON) as door:
        house = House(door, Shelf())

        async def one(number: int) -> str:
            async with line_to(house) as line:
                await line.greet()
                return await line.send(b"letter %d\r\n" % number)

        answers = await asyncio.gather(*(one(number) for number in range(50)))
    await asyncio.to_thread(journal.close)
    assert set(answers) == {"250 2.0.0 The letter is kept"}
    assert counts(engine, "southlands") == {"new": 50}
    assert journal.commits < 50


# -- limits


async def test_a_letter_said_to_be_too_large_is_refused_before_it_is_sent() -> None:
    async with opened(max_size=70_000) as house, line_to(house) as line:
        assert "SIZE 70000" in await line.greet()
        assert (await line.say(b"MAIL FROM:<a@home.example> SIZE=70001\r\n")).startswith("552")
        assert (await line.say(b"MAIL FROM:<a@home.example> SIZE=70000\r\n")).startswith("250")


async def test_a_letter_that_turns_out_too_large_is_refused_and_the_session_goes_on() -> None:
    async with opened(max_size=70_000) as house, line_to(house) as line:
        await line.greet()
        answer = await line.send(b"x" * 69_999 + b"\r\n")
        assert answer.startswith("552 5.3.4 The letter is larger than the 0.07 MB that are taken here; please send")
        assert (await line.send(b".." + b"x" * 69_997 + b"\r\n")).startswith("250")  # a stuffed dot does not count
        assert [len(one.raw) for one in house.shelf.kept] == [70_000]


async def test_a_letter_without_end_is_hung_up_on() -> None:
    async with opened(max_size=70_000) as house, line_to(house) as line:
        await line.greet()
        await line.begin()
        line.writer.write(b"x" * 400_000)
        assert (await line.hear()).startswith("552 5.3.4")
        assert await line.hear() == ""


async def test_large_letters_arriving_at_once_are_held_to_the_memory_there_is() -> None:
    async with opened(max_size=70_000) as house, line_to(house) as line:
        house.door.make_room(house.door._room)
        await line.greet()
        await line.begin()
        line.writer.write(b"x" * 60_000)
        await asyncio.sleep(0.05)
        assert (await line.say(b"\r\n.\r\n")).startswith("452 4.3.1")
        house.door.give_room(64 * 1024 * 1024)
        assert (await line.send(LETTER)).startswith("250")
        assert house.door._room == 64 * 1024 * 1024


async def test_more_connections_than_allowed_are_asked_to_come_later() -> None:
    async with opened(max_connections=1) as house:
        async with line_to(house) as first, line_to(house) as second:
            await first.greet()
            assert (await second.hear()).startswith("421 4.3.2 Too many connections at the moment")
            assert await second.hear() == ""
            await first.say(b"QUIT\r\n")
            await first.hear()
        async with line_to(house) as third:
            assert (await third.hear()).startswith("220")


async def test_more_connections_of_one_peer_than_allowed_are_asked_to_use_fewer() -> None:
    async with opened(max_per_peer=1) as house, line_to(house) as first, line_to(house) as second:
        await first.greet()
        assert (await second.hear()).startswith("421 4.7.0 Too many connections from your address")


async def test_a_silent_client_is_hung_up_on() -> None:
    async with opened(timeout=0.2) as house, line_to(house) as line:
        await line.greet()
        assert await line.hear() == ""


async def test_a_letter_that_only_trickles_is_hung_up_on() -> None:
    async with opened(timeout=0.3) as house, line_to(house) as line:
        await line.greet()
        await line.begin()
        with suppress(ConnectionError):
            for _ in range(200):
                line.writer.write(b"x")
                await asyncio.sleep(0.05)
                if line.reader.at_eof():
                    break
            else:
                pytest.fail("ten seconds of trickling were borne")
        assert house.shelf.kept == []


async def test_a_large_letter_may_take_longer_than_the_timeout_while_it_gets_on() -> None:
    async with opened(timeout=0.3) as house, line_to(house) as line:
        await line.greet()
        await line.begin()
        for _ in range(12):
            line.writer.write(b"x" * 70_000)
            await asyncio.sleep(0.05)
        assert (await line.say(b"\r\n.\r\n")).startswith("250")


async def test_a_flood_of_commands_ends_the_connection() -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        answers = [await line.say(b"HELP\r\n") for _ in range(41)]
        assert answers[-1].startswith("421")
        assert await line.hear() == ""


async def test_a_search_for_addresses_ends_the_connection() -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        await line.say(b"MAIL FROM:<a@home.example>\r\n")
        answers = [await line.say(b"RCPT TO:<guess%d@southlands.example>\r\n" % n) for n in range(21)]
        assert {one[:3] for one in answers[:20]} == {"550"}
        assert answers[20].startswith("421 4.7.0 Too many unknown recipients")
        assert await line.hear() == ""


async def test_more_recipients_than_allowed_are_asked_to_be_sent_separately() -> None:
    async with opened(max_recipients=2) as house, line_to(house) as line:
        await line.greet()
        await line.say(b"MAIL FROM:<a@home.example>\r\n")
        answers = [await line.say(b"RCPT TO:<complaints+%d@southlands.example>\r\n" % n) for n in range(3)]
        assert [one[:3] for one in answers] == ["250", "250", "452"]
