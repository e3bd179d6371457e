from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procedure import wording
from procedure.words import Audience, Stage
from tests.procedure.letters import CLERK, COMPLAINANT, EVERY, REF, SCHOOL, acknowledge, every_letter


def lines_of(page: str) -> list[str]:
    """The lines that a reader of the HTML sees, written as the plain text writes them."""
    body = page[page.index("<main>") : page.index("</main>")]
    body = re.sub(r"\s*\n\s*", "\n", body).replace("<li>", "- ")
    return [line.strip() for line in html.unescape(re.sub(r"<[^>]+>", "", body)).splitlines() if line.strip()]


@pytest.mark.parametrize("name", sorted(EVERY))
def test_text_and_html_say_the_same_words_in_the_same_order(name: str) -> None:
    letter = EVERY[name]
    text = [line.strip() for line in letter.text.splitlines() if line.strip()]

    assert lines_of(letter.html) == text
    assert letter.html.count("<p>") == len(re.split(r"\n\n+", letter.text.strip()))


@pytest.mark.parametrize("name", sorted(EVERY))
def test_no_letter_is_sent_with_a_hole_in_it(name: str) -> None:
    letter = EVERY[name]

    for part in (letter.subject, letter.text, letter.html):
        assert not re.search(r"\{[{%#]|[%#}]\}|\bNone\b|Undefined", part)
        assert part.strip()
    assert "  " not in letter.subject
    assert "\n\n\n" not in letter.text


@pytest.mark.parametrize("name", sorted(EVERY))
def test_html_is_accessible_and_fetches_nothing(name: str) -> None:
    page = EVERY[name].html

    assert page.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
    assert '<meta charset="utf-8">' in page
    assert re.search(r"<title>[^<]+</title>", page)
    assert page.count("<main>") == 1
    assert not re.search(
        r"<(img|script|link|style|iframe|form|video|object)|\ssrc=|url\(|@import", page, re.IGNORECASE
    )
    assert set(re.findall(r'href="([^"]*)"', page)) <= {SCHOOL.website}


@pytest.mark.parametrize("name", sorted(EVERY))
def test_markup_in_names_is_escaped_and_line_ends_never_reach_the_subject(name: str) -> None:
    evil = 'A&B <script>alert("x")</script>\r\nBcc: everybody@evil.example\u2028X: y\x85Z: 1\x00'
    person = replace(CLERK, name=evil)
    people = tuple(replace(one, name=evil) for one in SCHOOL.people)
    bodies = tuple(replace(body, name=evil, contact=evil) for body in SCHOOL.bodies)
    school = replace(SCHOOL, name=evil, website="javascript:alert(1)", people=people, bodies=bodies)
    letter = every_letter(school, person)[name]

    assert "<script" not in letter.html
    assert "href" not in letter.html
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", letter.subject)
    assert "\r" not in letter.text
    assert "\nBcc:" not in letter.text
    if "A&B" in letter.text:
        assert "A&amp;B" in letter.html


@pytest.mark.parametrize("name", sorted(EVERY))
def test_each_letter_has_its_key_its_audience_and_one_line_of_subject(name: str) -> None:
    letter = EVERY[name]

    assert letter.key
    assert len(letter.subject) < 110
    assert letter.subject.splitlines() == [letter.subject]
    assert (letter.audience is Audience.COMPLAINANT) == (name in COMPLAINANT)


def test_every_template_belongs_to_a_letter_of_three_parts() -> None:
    files = {path.name for path in Path(wording.FOLDER).iterdir()}
    own = {name for name in files if not name.startswith("_")}
    stems = {name.split(".")[0] for name in own}

    assert own == {f"{stem}.{kind}.j2" for stem in stems for kind in ("subject", "text", "html")}
    rendered = {letter.name for letter in EVERY.values()} - {"acknowledgement"}
    assert stems - rendered == {
        f"acknowledgement_{v}" for v in ("received", "stage1", "stage2", "head", "clerk", "stage3", "stage4")
    }


def test_a_missing_fact_is_an_error_that_names_letter_and_fact() -> None:
    with pytest.raises(wording.MissingFact, match=r"'acknowledgement_stage2'.*'school'"):
        wording.render("acknowledgement_stage2", {"reference": REF})


def test_an_unknown_fact_is_never_written_down_as_none() -> None:
    facts = {"reference": REF, "school": "S", "website": "w", "handler": None, "received": None}

    with pytest.raises(wording.MissingFact, match="'acknowledgement_received'"):
        wording.render("acknowledgement_received", facts)


def test_a_school_without_a_website_sends_no_letter_that_should_name_it() -> None:
    with pytest.raises(wording.MissingFact, match=r"'website' is empty"):
        acknowledge(Stage.TWO, school=replace(SCHOOL, website=""))


def test_days_are_written_with_their_weekday() -> None:
    assert wording.day_in_words(date(2026, 11, 30)) == "Monday 30 November 2026"


@given(st.dates())
def test_days_in_words_are_those_of_the_calendar(day: date) -> None:
    weekday, number, month, year = wording.day_in_words(day).split()

    assert datetime.strptime(f"{number} {month} {int(year):04d}", "%d %B %Y").replace(tzinfo=UTC).date() == day
    assert day.strftime("%A") == weekday


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_one_line_is_one_line(text: str) -> None:
    assert len(wording.one_line(text).splitlines()) <= 1
