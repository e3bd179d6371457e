"""A calendar file says what it means, or is refused with the line and the reason (calendar.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure.calendar_file import load
from procedure.school_days import CalendarError, Span

TERMS = """\
name = "hill"
title = "Hill School"
timezone = "Europe/London"

[[year]]
label = "2026-27"

[[year.term]]
name = "autumn"
start = 2026-09-02
end = 2026-12-18
half_term = { start = 2026-10-26, end = 2026-10-30 }

[[year.term]]
name = "spring"
start = 2027-01-04
end = 2027-03-25
"""


def refusal(text: str) -> str:
    with pytest.raises(CalendarError) as caught:
        load(text, "calendar.toml")
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_calendar_is_read_as_written() -> None:
    calendar = load(TERMS + '[[inset]]\ndate = 2026-11-27\n[[closure]]\ndate = 2027-01-14\nreason = "snow"\n')

    assert (calendar.name, calendar.title, calendar.timezone) == ("hill", "Hill School", "Europe/London")
    assert [term.name for term in calendar.terms] == ["autumn", "spring"]
    assert calendar.terms[0].half_term == Span(date(2026, 10, 26), date(2026, 10, 30))  # Monday to Friday
    assert calendar.why_not(date(2026, 11, 27)) == "INSET day"  # a Friday
    assert calendar.why_not(date(2027, 1, 14)) == "closure: snow"  # a Thursday
    assert (calendar.first_known, calendar.last_known) == (date(2026, 8, 1), date(2027, 3, 25))


def test_a_calendar_that_begins_in_spring_knows_nothing_before() -> None:
    text = TERMS.replace(TERMS[TERMS.index("[[year.term]]") : TERMS.rindex("[[year.term]]")], "")

    assert load(text).first_known == date(2027, 1, 4)  # a Monday


def test_a_school_of_its_own_bank_holidays_has_no_others() -> None:
    calendar = load(TERMS + '[[bank_holiday]]\ndate = 2027-02-08\nname = "Founder\'s Day"\nsubstitute = true\n')

    assert calendar.why_not(date(2027, 2, 8)) == "bank holiday: Founder's Day"  # a Monday
    assert calendar.why_not(date(2026, 12, 28)) == "between terms"  # a Monday, a bank holiday in England


def test_without_bank_holidays_those_of_england_are_used() -> None:
    text = TERMS.replace("2027-03-25", "2027-05-28")

    assert load(text).why_not(date(2027, 3, 26)) == "bank holiday: Good Friday"


def test_terms_may_stand_in_any_order() -> None:
    head, autumn, spring = TERMS.split("[[year.term]]")

    assert load(f"{head}[[year.term]]{spring}\n[[year.term]]{autumn}").terms == load(TERMS).terms


def test_a_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    assert load("\ufeff" + TERMS.replace("\n", "\r\n")).terms == load(TERMS).terms


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("end = 2026-10-30 }", "end = 2026-12-23 }", "line 12: the half term 2026-10-26 to 2026-12-23 lies outside"),
        (
            "{ start = 2026-10-26",
            "{ start = 2026-08-26",
            "line 12: the half term 2026-08-26 to 2026-10-30 lies outside",
        ),
        (
            "{ start = 2026-10-26",
            "{ start = 2026-11-26",
            "line 12: the half term ends on 2026-10-30, before it starts",
        ),
        (
            "start = 2027-01-04",
            "start = 2026-12-18",
            "line 14: the term 'spring' (2026-12-18 to 2027-03-25) overlaps",
        ),
        ("end = 2027-03-25", "end = 2026-12-25", "line 17: the term 'spring' ends on 2026-12-25, before it starts"),
        ("end = 2027-03-25", 'end = "2027-03-25"', "line 17: end must be a date without quotes"),
        ("end = 2027-03-25", "end = 2027-03-25T10:00:00", "line 17: end must be a date without quotes"),
        ("end = 2027-03-25", "end = 20270-03-25", "line 17: this is not TOML"),
        ("end = 2027-03-25", "end = 2727-03-25", "line 17: 2727-03-25 is no day of a school year from 2000 to 2100"),
        ("end = 2027-03-25", "end = 2027-02-30", "line 17: this is not TOML"),
        ("end = 2027-03-25\n", "", "line 14: the year.term table has no end"),
        ('name = "autumn"', "name = 3", "line 9: name must be a text in quotes, not 3"),
        ('name = "autumn"', 'name = " "', "line 9: name must be a text in quotes"),
        ('name = "autumn"', 'nam = "autumn"', "line 9: the year.term table has no key 'nam'"),
        ('label = "2026-27"', "", "line 5: the year table has no label"),
        ("{ start = 2026-10-26, end = 2026-10-30 }", "2026-10-26", "line 12: half_term must be written {"),
        (
            "{ start = 2026-10-26, end",
            "{ begin = 2026-10-26, end",
            "line 12: the year.term.half_term table has no key",
        ),
        (
            'timezone = "Europe/London"',
            'timezone = "Europe/Southlands"',
            "line 3: 'Europe/Southlands' is no time zone",
        ),
        ('timezone = "Europe/London"', 'timezone = "../etc/passwd"', "line 3: '../etc/passwd' is no time zone"),
        ('timezone = "Europe/London"', "", "calendar.toml: the file has no timezone"),
        ('name = "hill"', "", "calendar.toml: the file has no name"),
        ('name = "hill"', 'colour = "red"', "line 1: the file has no key 'colour'"),
        ('name = "hill"', 'name = "hill', "line 1: this is not TOML"),
        ("[[year]]", "[year]", "line 5: year must be written as tables, each under its own [[year]]"),
    ],
)
def test_a_mistake_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    assert old in TERMS

    assert said in refusal(TERMS.replace(old, new, 1))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[[inset]]\ndate = 2026-12-22\n", "line 19: the INSET day 2026-12-22 lies outside every term"),
        (
            "[[inset]]\ndate = 2026-11-27\n[[inset]]\ndate = 2026-11-27\n",
            "line 21: 2026-11-27 is given twice (also in line 19)",
        ),
        (
            '[[inset]]\ndate = 2026-11-27\n[[closure]]\ndate = 2026-11-27\nreason = "snow"\n',
            "line 21: 2026-11-27 is given as a closure and as an INSET day (also in line 19)",
        ),
        (
            '[[bank_holiday]]\ndate = 2026-12-25\nname = "Christmas"\n' * 2,
            "line 22: 2026-12-25 is given twice (also in line 19)",
        ),
        ("[[closure]]\ndate = 2026-11-27\n", "line 18: the closure table has no reason"),
        (
            '[[bank_holiday]]\ndate = 2026-12-25\nname = "x"\nsubstitute = 1\n',
            "line 21: substitute must be true or false",
        ),
        ('[[year]]\nlabel = "2026-27"\n', "line 19: the school year '2026-27' is given twice (also in line 5)"),
        ("[[insert]]\ndate = 2026-11-27\n", "line 18: the file has no key 'insert'"),
    ],
)
def test_a_day_that_contradicts_another_is_refused_with_its_line(more: str, said: str) -> None:
    assert said in refusal(TERMS + more)


def test_terms_of_two_school_years_may_not_overlap_either() -> None:
    more = '[[year]]\nlabel = "2027-28"\n[[year.term]]\nname = "late"\nstart = 2027-03-25\nend = 2027-04-01\n'

    assert "line 20: the term 'late'" in refusal(TERMS + more)


def test_a_file_without_terms_is_refused() -> None:
    assert "it gives no term" in refusal('name = "hill"\ntimezone = "Europe/London"\n')


def test_tables_inside_one_line_are_refused_with_the_line_of_their_key() -> None:
    text = "inset = [{ date = 2026-12-22 }]\n" + TERMS

    assert "line 1: the INSET day 2026-12-22 lies outside every term" in refusal(text)


def test_a_file_nested_without_end_is_refused() -> None:
    assert "cannot be read as TOML" in refusal("x = " + "[" * 100_000)


def test_the_calendar_of_southlands_can_be_loaded_and_covers_five_years() -> None:
    path = Path(__file__).parents[2] / "procedure/calendars/southlands.toml"
    calendar = load(path.read_text(encoding="utf-8"), path.name)

    assert len(calendar.terms) == 15
    assert calendar.last_known.year == 2029


LINES = TERMS.splitlines()


@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_one_sentence(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from(LINES) | st.text(max_size=20))
    said = outcome("\n".join(lines))

    assert said == "read" or said.startswith("calendar.toml")


def outcome(text: str) -> str:
    try:
        load(text)
    except CalendarError as error:
        return str(error)
    return "read"
