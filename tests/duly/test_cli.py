"""The command line on a real folder: what it shows, what it refuses in one sentence, whom it keeps out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from data.letters import Received, add_many
from duly.app import App
from duly.cli import app as cli
from duly.console import Refusal
from duly.settings import load
from procedure.words import Envelope
from tests.support.southlands_folder import found

NOW = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)  # Tuesday
LETTERS = {
    "teacher": ("Reading", "Mr Fenwick shouted at Ella in front of her class. I would like to complain about him."),
    "head": (
        "Formal complaint",
        "I wish to make a formal complaint against the headteacher, who shouted at my wife.",
    ),
    "child": (
        "Blazers",
        "My daughter's friend has bruises all up her arms and says her step dad does it. Dear too are blazers.",
    ),
    "place": ("Year 7", "We were refused a place in Year 7 and want to appeal. How does the admission appeal work?"),
}


def mail(name: str, subject: str, text: str) -> bytes:
    message = EmailMessage()
    message["From"] = f"Jo Marsh <{name}@post.example>"
    message["To"] = "complaints@southlands.example"
    message["Subject"] = subject
    message["Message-ID"] = f"<{name}@post.example>"
    message["Date"] = "Tue, 20 Oct 2026 09:00:00 +0100"
    message.set_content(text)
    return message.as_bytes()


class Desk:
    """The command line of a folder with four settled letters."""

    def __init__(self, config: Path) -> None:
        self.config = config
        app = App(load(config), clock=lambda: NOW)
        app.ready_database()
        batch = [
            Received(
                mail(name, *words), Envelope("smtp", NOW, f"{name}@post.example", ("complaints@southlands.example",))
            )
            for name, words in LETTERS.items()
        ]
        add_many(app.engine, "southlands", batch, None)
        while app.processor().work(NOW):
            pass
        app.engine.dispose()
        self.refs = {
            name: next(
                line["reference"]
                for line in self.json("journal", "--all", "--as", who)
                if line["subject"] == words[0]
            )
            for (name, words), who in zip(LETTERS.items(), ("clerk", "clerk", "dsl", "clerk"), strict=True)
        }

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [arguments[0], *arguments[1:], "-c", str(self.config)])

    def json(self, *arguments: str):
        ran = self.run(*arguments, "--json")
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    def refused(self, *arguments: str) -> str:
        ran = self.run(*arguments)
        assert isinstance(ran.exception, Refusal), (ran.output, ran.exception)
        assert "\n" not in str(ran.exception)
        return str(ran.exception)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(found(tmp_path_factory.mktemp("southlands"), relay_port=9))


@pytest.fixture
def own_desk(tmp_path: Path) -> Desk:
    return Desk(found(tmp_path, relay_port=9))


def test_the_clerk_sees_the_register_without_names(desk):
    shown = desk.run("cases").stdout

    assert "Marsh" not in shown
    assert {case["reference"] for case in desk.json("cases")} >= {desk.refs["teacher"], desk.refs["head"]}


@pytest.mark.requirement(21)
@pytest.mark.parametrize("command", ["cases", "due", "outbox", "journal"])
def test_no_list_shows_the_headteacher_a_complaint_against_the_headteacher(desk, command):
    more = ("--all",) if command in {"cases", "journal"} else ()
    listed = json.dumps(desk.json(command, *more, "--as", "head"))

    assert desk.refs["head"] not in listed


@pytest.mark.requirement(21)
@pytest.mark.parametrize("command", [("case",), ("step",), ("release", "--show")])
def test_the_headteacher_is_refused_the_case_with_the_line(desk, command):
    said = desk.refused(command[0], desk.refs["head"], *command[1:], "--as", "head")

    assert "L70" in said or "L104" in said
    assert "Marsh" not in said


@pytest.mark.requirement(21)
def test_the_headteacher_may_neither_step_nor_note_in_it(desk):
    for command in (
        ("step", desk.refs["head"], "withdraw"),
        ("note", desk.refs["head"], "x"),
        ("ack", desk.refs["head"]),
    ):
        assert "withheld" in desk.refused(*command, "--as", "head")


def test_a_case_shows_history_dates_with_their_counting_and_who_may_see_it(desk):
    shown = desk.run("case", desk.refs["teacher"]).stdout
    file = desk.json("case", desk.refs["teacher"])

    assert "May see it" in shown
    assert "day 1 is" in " ".join(shown.split())
    assert {one["name"] for one in file["deadlines"]} >= {"ack_3", "informal_15"}
    assert "clerk" in file["may_see"]


def test_a_reference_with_a_wrong_digit_is_refused_before_anything_is_looked_up(desk):
    wrong = desk.refs["teacher"][:-1] + str((int(desk.refs["teacher"][-1]) + 1) % 10)

    assert "no reference of this school" in desk.refused("case", wrong)


def test_a_person_nobody_knows_is_refused_with_those_there_are(desk):
    assert "clerk" in desk.refused("cases", "--as", "nobody")


def test_steps_are_listed_with_what_is_refused_and_why(desk):
    listed = {one["step"]: one for one in desk.json("step", desk.refs["teacher"])}

    assert listed["withdraw"]["allowed"]
    assert not listed["hold-hearing"]["allowed"]
    assert listed["hold-hearing"]["why_not"]
    assert listed["hold-hearing"]["clause"].startswith("L")


def test_a_step_that_the_policy_does_not_allow_is_refused_with_its_line(desk):
    assert "(L" in desk.refused("step", desk.refs["teacher"], "hold-hearing")


def test_a_fact_of_the_wrong_form_is_one_sentence(desk):
    assert "name=value" in desk.refused("step", desk.refs["teacher"], "withdraw", "-f", "nonsense")
    assert "no step is called" in desk.refused("step", desk.refs["teacher"], "dance")


@pytest.mark.requirement(111)
def test_only_the_safeguarding_lead_lets_go_what_a_sign_holds(own_desk):
    reference = own_desk.refs["child"]
    own_desk.refused("release", reference, "--as", "head")
    ran = own_desk.run("release", reference, "--as", "dsl")

    assert ran.exit_code == 0, ran.output
    states = {
        one["name"]: one["state"] for one in own_desk.json("outbox", "--as", "dsl") if one["reference"] == reference
    }
    assert states["acknowledgement"] == "queued"


def test_a_drafted_redirection_goes_out_when_a_person_releases_it(own_desk):
    reference = own_desk.refs["place"]
    assert "admission" in own_desk.run("release", reference, "--show").stdout.lower()
    assert own_desk.run("release", reference).exit_code == 0
    assert "waits for a release" in own_desk.refused("release", reference)


def test_a_recorded_acknowledgement_and_a_note_stand_in_the_history(own_desk):
    reference = own_desk.refs["teacher"]
    assert own_desk.run("ack", reference, "--how", "letter").exit_code == 0
    assert own_desk.run("note", reference, "rang, no answer").exit_code == 0
    kinds = [entry["kind"] for entry in own_desk.json("case", reference)["entries"]]

    assert kinds[-2:] == ["acknowledged", "noted"]


@pytest.mark.requirement(50)
def test_a_note_on_a_formal_complaint_against_the_headteacher_is_refused_and_the_place_of_the_paper_taken(own_desk):
    reference = own_desk.refs["head"]

    assert "L110" in own_desk.refused("note", reference, "She was cross.")
    assert own_desk.run("note", reference, "--paper", "file 7, clerk's safe").exit_code == 0


def test_rebuild_finds_no_difference_and_tells_one_that_was_planted(own_desk):
    from sqlalchemy import text

    from data.engine import connect, writing

    assert own_desk.run("rebuild", "--check").exit_code == 0
    engine = connect(f"sqlite:///{own_desk.config.parent / 'duly.sqlite'}")
    with writing(engine) as connection:
        connection.execute(text("update matter set stage = 'stage4'"))
    engine.dispose()
    ran = own_desk.run("rebuild", "--check")
    assert ran.exit_code == 1
    assert own_desk.refs["teacher"] in ran.stdout
    own_desk.run("rebuild")
    assert own_desk.run("rebuild", "--check").exit_code == 0


def test_an_mbox_is_taken_once_however_often_it_is_imported(own_desk, tmp_path):
    box = tmp_path / "old.mbox"
    lines = b"".join(
        b"From x@post.example Tue Oct 20 09:00:00 2026\n" + mail(f"old{n}", f"Old {n}", f"Matter {n}.") + b"\n"
        for n in range(3)
    )
    box.write_bytes(lines)
    before = len(own_desk.json("cases", "--all"))
    assert "3 letters taken, 3 settled" in own_desk.run("import-mbox", str(box)).stdout
    assert "3 letters taken, 3 settled" in own_desk.run("import-mbox", str(box)).stdout

    assert len(own_desk.json("cases", "--all")) == before + 3
    assert "there is no file" in own_desk.refused("import-mbox", str(tmp_path / "none"))


def test_a_letter_that_is_settled_is_not_processed_again(desk):
    assert "settled already" in desk.refused("replay", "1")
    assert "no letter 999" in desk.refused("replay", "999")
