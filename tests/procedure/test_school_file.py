"""The invented Southlands, and school files that are refused."""

from __future__ import annotations

import re
from datetime import date, time
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure import school_file
from procedure.school_file import SchoolError
from procedure.words import Role
from tests.support import matters

TEXT = resources.files("procedure").joinpath("schools", "southlands.toml").read_text("utf-8")


def test_southlands_has_a_holder_for_every_role_of_the_school() -> None:
    roles = set(Role) - {Role.COMPLAINANT}

    assert {role for role in roles if not matters.school().holders(role)} == set()


def test_southlands_reads_as_it_is_written() -> None:
    school = matters.school()

    assert (school.id, school.prefix, school.policy) == ("southlands", "SL", "southlands-2023")
    assert school.hours == (time(8, 30), time(16, 30))
    assert school.addresses == ("complaints@southlands.example",)
    assert {person.email.rpartition("@")[2] for person in school.people} == {"southlands.example"}


def test_every_outside_body_says_when_it_was_last_checked() -> None:
    checked = {body.id: body.checked_on for body in matters.school().bodies}

    assert set(checked) == {"la", "admissions", "lado", "mash", "dfe", "send_tribunal", "ico"}
    assert set(checked.values()) == {date(2026, 9, 7)}  # a Monday


@pytest.mark.requirement(89)
def test_the_address_of_the_secretary_of_state_is_the_one_the_policy_prints() -> None:
    body = matters.school().body("dfe")

    assert body is not None
    assert body.contact.startswith("Ministerial and Public Communications Division")
    assert body.contact.endswith("Manchester, M1 2WD")


def test_hours_and_timezone_have_a_default() -> None:
    text = re.sub(r"(?m)^(hours|timezone) = .*\n", "", TEXT)

    school = school_file.load(text, "school.toml")

    assert (school.hours, school.timezone) == ((time(8, 30), time(16, 30)), "Europe/London")


#: What a person might write wrongly: the text before, the text after, what the refusal must say.
WRONG = {
    "unknown key": ('prefix = "SL"', 'prefix = "SL"\nprefx = "SL"', "unknown key prefx"),
    "missing key": ('prefix = "SL"', "", "prefix is missing"),
    "prefix of no form": ('prefix = "SL"', 'prefix = "sl1"', "prefix must be two to six capital letters"),
    "unknown role": ('roles = ["headteacher"]', 'roles = ["head"]', "person head: roles does not know 'head'"),
    "no role": ('roles = ["headteacher"]', "roles = []", "roles must name at least one"),
    "complainant": ('roles = ["office"]', 'roles = ["complainant"]', "a complainant is party to a case"),
    "no headteacher": ('roles = ["headteacher"]', 'roles = ["staff"]', "nobody holds the role headteacher"),
    "no dsl": ('roles = ["dsl"]', 'roles = ["staff"]', "nobody holds the role dsl"),
    "no clerk": ('roles = ["clerk"]', 'roles = ["staff"]', "nobody holds the role clerk"),
    "person twice": ('id = "chair"', 'id = "clerk"', "the person clerk stands twice"),
    "body twice": ('id = "ico"', 'id = "dfe"', "the body dfe stands twice"),
    "no address": ('"m.castell@southlands.example"', '"m.castell"', "email must be a mail address, not 'm.castell'"),
    "inbox as a person": (
        '"o.trask@southlands.example"',
        '"Complaints@southlands.example"',
        "dsl has the address of the inbox",
    ),
    "no inbox": (
        'addresses = ["complaints@southlands.example"]',
        "addresses = []",
        "addresses must name at least one",
    ),
    "hours backwards": ('["08:30", "16:30"]', '["16:30", "08:30"]', "hours must begin before they end"),
    "hours of no form": ('["08:30", "16:30"]', '["half past eight", "4"]', "hours must be two times of day"),
    "unknown timezone": ('"Europe/London"', '"Europe/Southlands"', "timezone must be a name such as"),
    "body unchecked": ("checked_on = 2026-09-07\n", "", "checked_on is missing"),
    "reserved id": ('id = "office"', 'id = "duly"', '"duly" signs what the service does by itself'),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_school_is_refused_with_place_and_reason(wrong: tuple[str, str, str]) -> None:
    before, after, reason = wrong
    assert before in TEXT

    with pytest.raises(SchoolError, match=re.escape(reason)) as refused:
        school_file.load(TEXT.replace(before, after, 1), "school.toml")

    assert str(refused.value).startswith("school.toml")
    assert "\n" not in str(refused.value)


def test_a_school_that_does_not_come_with_duly_is_refused() -> None:
    with pytest.raises(SchoolError, match=r"no school called '\.\./policies/southlands-2023'"):
        school_file.load_named("../policies/southlands-2023")


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(SchoolError, match=r"school\.toml"):
        school_file.load(text, "school.toml")
