"""The line from journal to outbox, on SQLite and PostgreSQL; the judge is a hand-written one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from data import letters, reads
from data.engine import writing
from data.letters import Received
from data.rebuild import rebuild
from data.store import Store
from data.tables import letter, outbox
from intake.process import MAX_ATTEMPTS, Processor
from procedure import reference as references
from procedure.words import EntryKind, Envelope, Judgement, Request, Role, Target, Topic
from tests.support.southlands import rulebook

BOOK = rulebook()
NOW = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)  # Tuesday
INBOX = "complaints@southlands.example"
CLERK = BOOK.school.holders(Role.CLERK)[0]


def judge(message, _received):
    """Calls a letter a safeguarding matter when it says "bruise"; raises when it says "poison"."""
    if "poison" in message.text:
        raise RuntimeError("the judge fell over")
    sign = "bruise" in message.text
    topics = (Topic.SAFEGUARDING,) if sign else (Topic.GENERAL,)
    return Judgement(topics, Target.STAFF, Request.INFORMAL, screen=sign, model="hand")


def mail(number: int = 1, text: str = "Mr Fenwick was unkind.", sender: str = "jo@post.example", **headers) -> bytes:
    message = EmailMessage()
    message["From"] = f"Jo Marsh <{sender}>"
    message["To"] = headers.pop("to", INBOX)
    message["Subject"] = headers.pop("subject", "Reading")
    message["Message-ID"] = f"<{number}@post.example>"
    message["Date"] = "Tue, 20 Oct 2026 09:00:00 +0100"
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


class House:
    """A school's line, fed with raw letters."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.store = Store(engine, BOOK)
        self.now = NOW
        self.processor = Processor(self.store, judge, worker="w1")

    def take(self, *raw: bytes, to: str = INBOX) -> list[int]:
        batch = [Received(one, Envelope("smtp", self.now, "jo@post.example", (to,), "192.0.2.1")) for one in raw]
        return letters.add_many(self.engine, BOOK.school.id, batch, None)

    def settle(self) -> None:
        while self.processor.work(self.now):
            pass

    def states(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(letter.c.state).order_by(letter.c.id)).scalars())

    def cases(self):
        return {c.reference for person in BOOK.school.people for c in reads.cases(self.store, person)}

    def outgoing(self, name: str) -> list:
        with self.engine.connect() as connection:
            return list(connection.execute(select(outbox).where(outbox.c.name == name)).mappings())


@pytest.fixture
def house(engine) -> House:
    return House(engine)


def test_a_letter_becomes_a_case_with_an_acknowledgement_in_the_outbox(house):
    house.take(mail())
    house.settle()

    assert house.states() == ["done"]
    assert len(house.cases()) == 1
    (ack,) = house.outgoing("acknowledgement")
    assert (ack["to_addr"], ack["state"]) == ("jo@post.example", "queued")


def test_the_same_bytes_three_times_are_one_case(house):
    house.take(mail(), mail())
    house.settle()
    house.take(mail())
    house.settle()

    assert house.states() == ["done", "duplicate", "duplicate"]
    (reference,) = house.cases()
    file = reads.case(house.store, CLERK, reference)
    assert sum(entry.kind is EntryKind.DUPLICATE_RECEIVED for entry in file.entries) == 2


def test_the_same_letter_by_another_road_is_one_case(house):
    house.take(mail(), b"Received: from elsewhere by here; Tue, 20 Oct 2026 09:01:00 +0100\r\n" + mail())
    house.settle()

    assert house.states() == ["done", "duplicate"]


def test_one_message_id_with_another_content_is_another_letter(house):
    house.take(mail(1), mail(1, text="Something quite different happened on the stairs."))
    house.settle()

    assert house.states() == ["done", "done"]
    assert len(house.cases()) == 2


def test_a_reply_to_the_signed_address_joins_its_case_whoever_writes(house):
    house.take(mail(1))
    house.settle()
    (reference,) = house.cases()
    signed = references.reply_address(INBOX, reference, BOOK.secret)
    house.take(mail(2, text="I forgot to say.", sender="gran@elsewhere.example"), to=signed)
    house.settle()

    assert house.cases() == {reference}
    assert len(house.outgoing("acknowledgement")) == 1


def test_a_reference_in_the_subject_joins_only_for_a_sender_known_in_the_case(house):
    house.take(mail(1))
    house.settle()
    (reference,) = house.cases()
    house.take(mail(2, subject=f"Re: [{reference}]", text="More."))
    house.take(mail(3, subject=f"Re: [{reference}]", text="Let me see.", sender="stranger@elsewhere.example"))
    house.settle()

    assert house.states() == ["done", "done", "unplaced"]
    assert house.cases() == {reference}
    assert house.outgoing("unplaced_alert")


def test_a_forged_signed_address_joins_nothing(house):
    house.take(mail(1))
    house.settle()
    (reference,) = house.cases()
    forged = references.reply_address(INBOX, reference, b"another secret altogether, long enough")
    house.take(mail(2, text="Open it.", sender="stranger@elsewhere.example"), to=forged)
    house.settle()

    assert len(house.cases()) == 2


def test_a_bounce_reopens_the_duty_of_the_letter_that_failed_and_opens_nothing(house):
    house.take(mail(1))
    house.settle()
    (ack,) = house.outgoing("acknowledgement")
    with writing(house.engine) as connection:
        connection.execute(update(outbox).where(outbox.c.id == ack["id"]).values(state="sent", sent_at=NOW))
    report = f"""From: MAILER-DAEMON@post.example
To: {INBOX}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; post.example

Final-Recipient: rfc822; jo@post.example
Action: failed
Status: 5.1.1

--b
Content-Type: message/rfc822

Message-ID: <{ack["message_id"]}>
Subject: ours

--b--
""".replace("\n", "\r\n").encode()
    house.take(report)
    house.settle()

    assert house.states() == ["done", "bounce"]
    (reference,) = house.cases()
    file = reads.case(house.store, CLERK, reference)
    assert EntryKind.LETTER_BOUNCED in [entry.kind for entry in file.entries]
    assert house.outgoing("bounce_notice")


def test_an_out_of_office_reply_opens_and_feeds_nothing(house):
    house.take(mail(1, Auto_Submitted="auto-replied", text="I am away."))
    house.settle()

    assert house.states() == ["automatic"]
    assert not house.cases()
    assert not house.outgoing("acknowledgement")


def test_an_automatic_letter_that_speaks_of_a_child_at_risk_is_put_before_a_person(house):
    house.take(mail(1, Auto_Submitted="auto-replied", text="There is a bruise on her arm."))
    house.settle()

    assert house.states() == ["unplaced"]
    assert house.outgoing("safeguarding_alert")


def test_a_poison_letter_is_quarantined_with_an_alert_and_the_next_is_settled(house):
    class Careful(Processor):
        """A processor whose settling fails for one letter, as a fault of ours would."""

        def _settle(self, desk, arrival, now):
            if arrival.letter_id == poisoned:
                raise RuntimeError("a fault of ours")
            super()._settle(desk, arrival, now)

    house.processor = Careful(house.store, judge, worker="w1")
    poisoned, _ = house.take(mail(1, text="one"), mail(2, text="two"))
    house.settle()

    assert house.states() == ["quarantined", "done"]
    assert house.outgoing("unplaced_alert")
    assert house.outgoing("safeguarding_alert")


def test_a_letter_that_ends_its_worker_twice_is_quarantined_and_takes_no_other_with_it(house):
    house.take(mail(1, text="one"), mail(2, text="two"))
    for _ in range(MAX_ATTEMPTS):
        letters.claim(house.engine, BOOK.school.id, "w1", house.now, timedelta(seconds=60), 16)
        house.processor.reclaim()  # what a restarted worker does first
    house.settle()

    assert house.states() == ["quarantined", "done"]


def test_two_workers_that_hold_the_same_letter_open_one_case(house):
    first, second = house.take(mail(1), mail(1))
    other = Processor(house.store, judge, worker="w2")
    one = letters.claim(house.engine, BOOK.school.id, "w1", house.now, timedelta(seconds=60), 1)
    two = letters.claim(house.engine, BOOK.school.id, "w2", house.now, timedelta(seconds=60), 1)
    house.processor._settle_all([(one[0], *house.processor._look(one[0]))], house.now)
    other._settle_all([(two[0], *other._look(two[0]))], house.now)

    assert [one[0].id, two[0].id] == [first, second]
    assert sorted(house.states()) == ["done", "duplicate"]


def test_a_duel_with_another_robot_that_hides_its_headers_ends_within_the_cap(house):
    for number in range(1, 15):
        house.take(mail(number, text=f"Thank you for your letter number {number}, we will be in touch."))
        house.settle()

    assert 0 < len(house.outgoing("acknowledgement")) <= 4


def test_a_sign_holds_the_acknowledgement_and_alerts_lead_and_deputy(house):
    house.take(mail(1, text="There is a bruise on her arm."))
    house.settle()

    assert [row["state"] for row in house.outgoing("acknowledgement")] == ["held"]
    leads = {*BOOK.school.holders(Role.DSL), *BOOK.school.holders(Role.DEPUTY_DSL)}
    assert {row["to_addr"] for row in house.outgoing("safeguarding_alert")} == {one.email for one in leads}


@given(order=st.permutations(range(6)), twice=st.sets(st.integers(0, 5)))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_delivery_with_any_letter_doubled_opens_the_same_number_of_cases(sqlite_house, order, twice):
    house = sqlite_house()
    six = [mail(number, text=f"Matter {number}: the gate.", sender=f"p{number}@post.example") for number in range(6)]
    for number in order:
        house.take(six[number], *([six[number]] if number in twice else []))
        house.settle()

    assert len(house.cases()) == 6
    assert house.states().count("duplicate") == len(twice)
    assert rebuild(house.store, check=True) == []


@pytest.fixture
def sqlite_house(tmp_path, sqlite_template):
    from data.engine import connect

    made = []

    def make() -> House:
        file = tmp_path / f"{len(made)}.sqlite"
        file.write_bytes(sqlite_template)
        made.append(connect(f"sqlite:///{file}"))
        return House(made[-1])

    yield make
    for engine in made:
        engine.dispose()
