from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure.reference import read_reply_address
from procedure.words import Audience
from scheduler.address import Unsendable, recipient
from scheduler.posting import posting
from tests.scheduler.letters import NOON, REFERENCE, SCHOOL, SECRET, outgoing

LONG_ID = "A" * 60 + "." + "b" * 60 + "@mail.elsewhere.example"


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def sent(**changed: object) -> EmailMessage:
    return read(posting(outgoing(**changed), SCHOOL, SECRET, NOON).content)


@pytest.mark.requirement(69)
def test_an_acknowledgement_says_that_a_machine_answers_and_whom_it_answers() -> None:
    letter = outgoing(references=("root@family.example",))
    message = read(posting(letter, SCHOOL, SECRET, NOON).content)

    assert message["From"] == "Southlands School <complaints@southlands.example>"
    assert message["To"] == "parent@family.example"
    assert message["Subject"] == f"Your complaint {REFERENCE}"
    assert message["Message-ID"] == f"<{letter.message_id}>"
    assert message["In-Reply-To"] == "<first@family.example>"
    assert message["References"].split() == ["<root@family.example>", "<first@family.example>"]
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Precedence"] is None
    assert not [name for name in message if name.lower().startswith("list-")]


def test_a_letter_to_staff_answers_nobody_and_says_so() -> None:
    message = sent(audience=Audience.STAFF, in_reply_to=None, to_addr="j.farrow@southlands.example")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["In-Reply-To"] is None
    assert message["References"] is None


def test_answers_and_reports_come_back_to_the_signed_address_of_the_case() -> None:
    out = posting(outgoing(), SCHOOL, SECRET, NOON)
    assert read_reply_address(out.mail_from, "SL", SECRET) == REFERENCE
    assert read(out.content)["Reply-To"] == out.mail_from


def test_a_letter_about_no_case_comes_back_to_the_school() -> None:
    out = posting(outgoing(reference=None), SCHOOL, SECRET, NOON)
    assert out.mail_from == "complaints@southlands.example"
    assert read(out.content)["Reply-To"] is None


def test_the_date_is_the_moment_of_sending_in_the_schools_zone() -> None:
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)  # a Wednesday
    message = read(posting(outgoing(), SCHOOL, SECRET, summer).content)
    assert message["Date"] == "Wed, 01 Jul 2026 13:00:00 +0100"
    assert parsedate_to_datetime(message["Date"]) == summer


def test_text_comes_first_and_html_last_and_both_are_seven_bit_on_the_wire() -> None:
    out = posting(outgoing(), SCHOOL, SECRET, NOON)
    parts = list(read(out.content).iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert parts[0].get_content().splitlines() == outgoing().text.splitlines()
    assert out.content.isascii()
    assert not [line for line in out.content.split(b"\r\n") if len(line) > 998 or b"\n" in line]


def test_a_second_sending_is_the_same_letter_but_for_its_date() -> None:
    later = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday
    first, second = (posting(outgoing(), SCHOOL, SECRET, now) for now in (NOON, later))
    differing = [
        (a, b) for a, b in zip(first.content.split(b"\r\n"), second.content.split(b"\r\n"), strict=True) if a != b
    ]
    assert [a.split(b":")[0] for a, _ in differing] == [b"Date"]


def test_a_message_id_longer_than_a_line_is_neither_split_nor_encoded() -> None:
    out = posting(outgoing(in_reply_to=LONG_ID, references=(LONG_ID + "x", LONG_ID)), SCHOOL, SECRET, NOON)
    assert f"In-Reply-To: <{LONG_ID}>\r\n".encode() in out.content
    assert f"References: <{LONG_ID}x>\r\n <{LONG_ID}>\r\n".encode() in out.content


def test_a_long_thread_keeps_its_beginning_and_its_newest_letters() -> None:
    ids = tuple(f"{number}@family.example" for number in range(100))
    kept = sent(references=ids, in_reply_to=ids[-1])["References"].split()
    assert len(kept) == 20
    assert (kept[0], kept[-1]) == ("<0@family.example>", "<99@family.example>")


def test_an_id_that_is_none_is_left_out() -> None:
    message = sent(in_reply_to="not an id\r\nBcc: all@board.example", references=("<nested>", "good@family.example"))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None
    assert message["References"] == "<good@family.example>"


@given(subject=st.text(max_size=200), name=st.text(max_size=80), reply=st.text(max_size=80))
def test_nothing_written_in_a_header_becomes_another_header(subject: str, name: str, reply: str) -> None:
    letter = outgoing(subject=subject, in_reply_to=reply, references=(reply, subject))
    message = read(posting(letter, replace(SCHOOL, name=name), SECRET, NOON).content)
    allowed = (
        "from to reply-to subject date message-id in-reply-to references auto-submitted x-auto-response-suppress"
    )
    allowed += " mime-version content-type"
    assert {field.lower() for field in message.keys()} <= set(allowed.split())  # noqa: SIM118 - not a dict
    assert message["From"].addresses[0].addr_spec == SCHOOL.sender
    assert len(message["To"].addresses) == 1


@given(address=st.text(max_size=60) | st.from_regex(r"[\w.\"<>,;:\s+-]{1,20}@[\w.<>\s-]{1,20}"))
def test_an_address_is_one_mailbox_or_refused(address: str) -> None:
    try:
        found = recipient(address)
    except Unsendable:
        return
    outside = found.path[found.path.rindex('"') :] if found.path.startswith('"') else found.path
    assert not set(outside) & set(" \r\n\t<>,;()")
    assert found.domain.isascii()
    message = read(posting(outgoing(to_addr=address), SCHOOL, SECRET, NOON).content)
    assert len(message["To"].addresses) == 1


@pytest.mark.parametrize(
    ("written", "carried"),
    [
        ("Parent@Family.Example", "Parent@family.example"),
        ("o'neil@family.example", "o'neil@family.example"),
        ("eltern@schön.example", "eltern@xn--schn-7qa.example"),
        ("eltern@straße.example", "eltern@xn--strae-oqa.example"),  # IDNA 2003 would write to strasse.example
        ("jürgen@schön.example", "jürgen@xn--schn-7qa.example"),
        ('"two words"@family.example', '"two words"@family.example'),
    ],
)
def test_an_address_is_carried_as_written_and_its_domain_in_ascii(written: str, carried: str) -> None:
    assert recipient(written).path == carried
    assert recipient(written).needs_utf8 is (not carried.isascii())


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "nobody",
        "@family.example",
        "parent@",
        "parent@family.example,other@family.example",
        "parent@family.example\r\nRCPT TO:<board@school.example>",
        "two words@family.example",
        "<parent@family.example>",
        "parent@family..example",
        "parent@-family.example",
        "parent@ｆamily.example",  # a full-width letter: looks like another domain
        "p" * 65 + "@family.example",
        "parent@" + ".".join(["family"] * 40),
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(wrong: str) -> None:
    with pytest.raises(Unsendable, match=r"address|after the @"):
        recipient(wrong)


@pytest.mark.parametrize(
    "own",
    [
        "complaints@southlands.example",
        "Office@Southlands.Example",
        "complaints+sl-2026-0042-7.abc@southlands.example",
    ],
)
def test_nothing_is_sent_to_an_address_that_letters_come_in_at(own: str) -> None:
    with pytest.raises(Unsendable, match="come in at"):
        posting(outgoing(to_addr=own), SCHOOL, SECRET, NOON)
