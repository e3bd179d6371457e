"""A story for each letter of the demo, from socket to mailbox. The demo is played once, on real sockets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from data import reads
from data.rebuild import rebuild
from duly.demo.letters import LETTERS
from duly.demo.run import Demo, house, play
from procedure.words import DeadlineState, EntryKind, Flag, Role, Stage, Target, Topic
from tests.support.emptied import emptied


class Played:
    """What came of the demo's letters, by the letter's id."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.store = demo.app.store
        self.school = demo.app.rulebook.school
        lines = {one.id: one for person in self.school.people for one in reads.journal(self.store, person)}
        self.lines = dict(zip((letter.id for letter in LETTERS), (lines[key] for key in sorted(lines)), strict=True))

    def file(self, letter: str):
        reference = self.lines[letter].reference
        for person in self.school.people:
            if reference in {case.reference for case in reads.cases(self.store, person)}:
                return reads.case(self.store, person, reference)
        raise LookupError(letter)

    def mailbox(self, addr: str) -> list:
        """What arrived at an address of the outside world."""
        return [mail for mail in self.demo.sink.letters if addr in str(mail["To"])]

    def role(self, role: Role) -> list:
        return [mail for person in self.school.holders(role) for mail in self.mailbox(person.email)]

    def deadline(self, letter: str, name: str):
        return next(one for one in self.file(letter).deadlines if one.name == name)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def played(request: pytest.FixtureRequest) -> Iterator[Played]:
    database = emptied(request.getfixturevalue("postgres_url")) if request.param == "postgres" else None
    with house(keep=False, database=database) as demo:
        play(demo)
        yield Played(demo)


def said(mail) -> str:
    return "".join(part.get_content() for part in mail.walk() if part.get_content_maintype() == "text")


def test_every_letter_that_went_in_is_in_the_journal_and_derived_equals_kept(played):
    assert len(played.lines) == len(LETTERS)
    assert rebuild(played.store, check=True) == []


@pytest.mark.requirement(36)
def test_the_grievance_about_a_teacher_is_an_informal_concern_with_fifteen_school_days(played):
    file = played.file("teacher")
    limit = played.deadline("teacher", "informal_15")

    assert (file.case.stage, file.case.target) == (Stage.ONE, Target.STAFF)
    # Tuesday 20 October: day 1 is Wednesday 21; half term 26-30 October; day 15 is Tuesday 17 November.
    assert limit.due == date(2026, 11, 17)
    assert {skip.why for skip in limit.skipped if date(2026, 10, 26) <= skip.day <= date(2026, 10, 30)} == {
        "half term (autumn)"
    }
    assert len(played.mailbox("jo.marsh@post.example")) == 1


@pytest.mark.requirement(69)
def test_the_acknowledgement_meets_its_limit_and_can_be_answered(played):
    (mail,) = played.mailbox("jo.marsh@post.example")
    limit = played.deadline("teacher", "ack_3")

    assert limit.state is DeadlineState.MET
    assert limit.due == date(2026, 10, 23)  # Friday
    assert mail["In-Reply-To"] == str(played.demo.sent["teacher"]["Message-ID"])
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "complaints+sl-2026" in str(mail["Reply-To"]).lower()
    assert played.lines["teacher"].reference in str(mail["Subject"])


@pytest.mark.requirement(21)
def test_the_complaint_against_the_headteacher_never_reaches_the_headteacher(played):
    reference = played.lines["headteacher"].reference
    file = played.file("headteacher")

    assert file.case.target is Target.HEADTEACHER
    assert Role.HEADTEACHER in file.case.withheld
    assert not [mail for mail in played.role(Role.HEADTEACHER) if reference in said(mail) + str(mail["Subject"])]
    (head,) = played.school.holders(Role.HEADTEACHER)
    assert reference not in {case.reference for case in reads.cases(played.store, head)}
    assert [mail for mail in played.role(Role.CLERK) if reference in str(mail["Subject"])]


@pytest.mark.requirement(46)
def test_the_clerk_is_reminded_of_the_meeting_about_the_headteacher_complaint(played):
    reference = played.lines["headteacher"].reference
    reminders = [mail for mail in played.role(Role.CLERK) if "head_meeting_15" in str(mail["Subject"])]

    assert all(reference in str(mail["Subject"]) for mail in reminders)
    assert [str(mail["Subject"]) for mail in reminders][-1].endswith("due today")  # Wednesday 4 November


@pytest.mark.requirement(110)
def test_the_admissions_appeal_is_acknowledged_and_its_redirection_waits_for_a_person(played):
    file = played.file("admissions")
    drafts = [letter for letter in file.letters_out if letter.name == "redirection"]

    assert Topic.ADMISSIONS in file.case.topics
    assert file.case.stage is Stage.NONE
    assert [draft.state for draft in drafts] == ["held"]
    assert len(played.mailbox("priya.raman@mailbox.example")) == 1


@pytest.mark.requirement(111)
def test_the_disclosure_reaches_lead_and_deputy_and_nothing_reaches_the_sender(played):
    file = played.file("disclosure")
    alerts = [letter for letter in file.letters_out if letter.name == "safeguarding_alert"]

    assert file.case.safeguarding
    assert {letter.to_role for letter in alerts} == {"dsl", "deputy_dsl"}
    assert all(letter.state == "sent" for letter in alerts)
    assert played.mailbox("hale.family@shared.example") == []
    alert = next(mail for mail in played.role(Role.DSL) if "URGENT" in str(mail["Subject"]))
    for word in ("Kayleigh", "Hale", "bruise", "hale.family", "Blazers"):
        assert word not in said(alert) + str(alert["Subject"])


@pytest.mark.requirement(5)
def test_the_anonymous_note_is_recorded_not_considered_and_asked_for_a_name(played):
    file = played.file("anonymous")
    (mail,) = played.mailbox("q7x2@throwaway.example")

    assert Flag.ANONYMOUS in file.case.flags
    assert file.deadlines == ()
    assert "name" in said(mail)


def test_the_same_letter_twice_is_noted_and_opens_nothing(played):
    again = played.lines["teacher-again"]

    assert (again.state, again.reference) == ("duplicate", played.lines["teacher"].reference)
    kinds = [entry.kind for entry in played.file("teacher").entries]
    assert kinds.count(EntryKind.DUPLICATE_RECEIVED) == 1


def test_the_reply_to_the_acknowledgement_joins_its_case(played):
    assert played.lines["teacher-reply"].reference == played.lines["teacher"].reference
    assert EntryKind.LETTER_RECEIVED in [entry.kind for entry in played.file("teacher").entries]


def test_the_out_of_office_reply_opens_nothing_and_is_not_answered(played):
    line = played.lines["out-of-office"]

    assert line.state == "automatic"
    assert line.reference is None
    assert len(played.mailbox("priya.raman@mailbox.example")) == 1


def test_the_photograph_is_kept_with_its_letter(played):
    (letter,) = played.file("photo").letters_in

    assert [(part["name"], part["type"]) for part in letter.attachments] == [("fence.jpg", "image/jpeg")]
    assert "nails" in (letter.text or "")


@pytest.mark.requirement(62)
@pytest.mark.requirement(71)
def test_the_request_for_the_panel_runs_its_twenty_school_days_over_the_half_term(played):
    limit = played.deadline("panel", "cap_hearing_20")
    (mail,) = played.mailbox("s.kerr@inbox.example")

    # Thursday 22 October: day 1 is Friday 23; half term 26-30 October; day 20 is Thursday 26 November.
    assert limit.due == date(2026, 11, 26)
    assert "Thursday 26 November 2026" in said(mail)


@pytest.mark.requirement(125)
def test_four_letters_on_one_template_are_suggested_as_a_campaign_and_each_keeps_its_own_case(played):
    files = [played.file(f"crossing-{number}") for number in range(1, 5)]

    assert len({file.case.campaign for file in files}) == 1
    assert files[0].case.campaign is not None
    assert len({file.case.reference for file in files}) == 4
    assert all(file.letters_out for file in files)
    alerts = [mail for mail in played.role(Role.CLERK) if "campaign" in str(mail["Subject"]).lower()]
    assert len(alerts) == 1


def test_no_reminder_goes_out_at_a_weekend_or_in_the_half_term(played):
    clerk = played.school.holders(Role.CLERK)[0]
    reminders = [
        one for one in reads.outbox_of(played.store, clerk) if one.name in {"nudge", "missed", "letters_held"}
    ]

    assert reminders
    for one in reminders:
        assert one.sent_at is not None
        assert played.demo.app.rulebook.calendar.is_school_day(one.sent_at.date())


def test_duly_demo_ends_by_itself_and_tells_what_it_did(tmp_path: Path):
    ran = subprocess.run(
        [sys.executable, "-c", "from duly.cli import main; main()", "demo"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "150", "TMPDIR": str(tmp_path)},
    )

    assert ran.returncode == 0, ran.stderr
    assert f"{len(LETTERS)} letters went in over SMTP, {len(LETTERS)} are in the journal" in ran.stdout
    assert list(tmp_path.iterdir()) == []
