from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procedure import reference

SECRET = b"a secret of this invented school"
BASE = "complaints@southlands.example"

years = st.integers(2000, 2099)
serials = st.integers(1, 999_999_999)
references = st.builds(lambda year, serial: reference.make("SL", year, serial), years, serials)


def test_a_reference_reads_prefix_year_serial_and_check_digit() -> None:
    made = reference.make("SL", 2026, 42)

    assert re.fullmatch(r"SL-2026-0042-\d", made)
    assert made == "SL-2026-0042-3"


def test_a_serial_wider_than_four_digits_is_written_out() -> None:
    made = reference.make("sl", 2026, 123456)

    assert made.startswith("SL-2026-123456-")
    assert reference.is_valid(made, "SL")


@given(references)
def test_what_is_made_is_valid_and_found_again(made: str) -> None:
    assert reference.is_valid(made, "SL")
    assert reference.find(f"Re: [{made}] my complaint", "SL") == [made]


@given(references, st.data())
def test_any_single_wrong_digit_is_refused(made: str, data: st.DataObject) -> None:
    places = [i for i, char in enumerate(made) if char.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != made[place]]))
    wrong = made[:place] + digit + made[place + 1 :]

    assert not reference.is_valid(wrong, "SL")
    assert reference.find(wrong, "SL") == []


@given(references, st.sampled_from(["-", " ", "", "\u2013", " - ", "\u00a0", ".", "/", "\n"]), st.booleans())
def test_spaces_dashes_case_and_o_for_nought_do_not_matter(made: str, gap: str, letter_o: bool) -> None:
    written = made.replace("-", gap).lower()
    if letter_o:
        written = written.replace("0", "O")

    assert reference.find(f"about {written}, please", "SL") == [made]


@pytest.mark.parametrize(
    "text",
    [
        "Re: [SL-2026-0042-3] my complaint",
        "sl 2026 0042 3",
        "SL20260042-3",
        "SL-2026-00423.",
        "ref SL\u20112026\u20110042\u20113!",
        "SL-2O26-OO42-3",
        "<complaints+sl-2026-0042-3.k3j9x2m4p6qa@southlands.example>",
        "SL 2026 0042 3 30 November 2026",
        "SL-2026-00423 7 pages attached",
    ],
)
def test_a_reference_is_found_as_people_write_it(text: str) -> None:
    assert reference.find(text, "SL") == ["SL-2026-0042-3"]


@pytest.mark.parametrize(
    "text",
    [
        "ring me on 020 2026 0042 3",
        "0042 3202 6004",
        "on 2026-09-07 and 07/09/2026 3",
        "SL 2026-09-07",
        "SL on 2026 0042 3",
        "girlsl-2026-0042-3",
        "SL-2026-0042-3rd",
        "SL-2026-0042-34",
        "SL-2026-00042-3",
        "SL-2026-0000-5",
        "AB-2026-0042-3",
        "",
    ],
)
def test_telephone_numbers_dates_and_look_alikes_are_no_reference(text: str) -> None:
    assert reference.find(text, "SL") == []


@given(st.text(alphabet="0123456789 -/.+()\n", max_size=60))
def test_digits_without_the_prefix_are_never_a_reference(text: str) -> None:
    assert reference.find(text, "SL") == []


def test_each_reference_is_named_once_in_the_order_of_the_text() -> None:
    one, two = reference.make("SL", 2026, 1), reference.make("SL", 2026, 2)

    assert reference.find(f"{two} {one} {two.lower()}", "SL") == [two, one]


def test_a_prefix_with_an_o_is_found_when_typed_with_a_nought() -> None:
    made = reference.make("OAK", 2026, 7)

    assert reference.find(made.replace("O", "0"), "OAK") == [made]


@pytest.mark.parametrize("prefix", ["S", "SOUTH", "S1", "", "ÄB", "S "])
def test_a_prefix_is_two_to_four_letters(prefix: str) -> None:
    with pytest.raises(ValueError, match="two to four letters"):
        reference.make(prefix, 2026, 1)


@pytest.mark.parametrize(("year", "serial"), [(26, 1), (2026, 0), (2026, -1), (2026, 1_000_000_000)])
def test_years_and_serials_out_of_range_are_refused(year: int, serial: int) -> None:
    with pytest.raises(ValueError, match="reference"):
        reference.make("SL", year, serial)


@pytest.mark.parametrize("text", ["sl-2026-0042-3", "SL-2026-0042-3 ", "SL 2026 0042 3", "SL-2026-0042", "٣"])
def test_only_the_exact_written_form_is_valid(text: str) -> None:
    assert not reference.is_valid(text, "SL")


@given(references)
def test_a_signed_reply_address_gives_its_reference_back(made: str) -> None:
    address = reference.reply_address(BASE, made, SECRET)
    local = address.split("@", maxsplit=1)[0]

    assert reference.read_reply_address(address, "SL", SECRET) == made
    assert reference.read_reply_address(address.upper(), "SL", SECRET) == made
    assert len(local) <= 64
    assert address.startswith(f"complaints+{made.lower()}.")


@given(references, st.data())
def test_a_tampered_token_is_refused(made: str, data: st.DataObject) -> None:
    head, _, domain = reference.reply_address(BASE, made, SECRET).rpartition("@")
    body, _, token = head.rpartition(".")
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from([c for c in "abcdefghijklmnopqrstuvwxyz234567" if c != token[place]]))
    forged = f"{body}.{token[:place]}{letter}{token[place + 1 :]}@{domain}"

    assert reference.read_reply_address(forged, "SL", SECRET) is None


def test_a_token_of_one_case_does_not_open_another() -> None:
    mine, other = reference.make("SL", 2026, 1), reference.make("SL", 2026, 2)
    forged = reference.reply_address(BASE, mine, SECRET).replace(mine.lower(), other.lower())

    assert reference.read_reply_address(forged, "SL", SECRET) is None


def test_a_shortened_token_is_refused() -> None:
    address = reference.reply_address(BASE, "SL-2026-0042-3", SECRET)

    assert reference.read_reply_address(address.replace("@", "", 1)[:-1] + "@x", "SL", SECRET) is None
    assert reference.read_reply_address(re.sub(r".@", "@", address), "SL", SECRET) is None


def test_another_secret_is_refused() -> None:
    address = reference.reply_address(BASE, "SL-2026-0042-3", SECRET)

    assert reference.read_reply_address(address, "SL", b"another secret") is None


def test_another_schools_prefix_is_refused() -> None:
    address = reference.reply_address(BASE, "SL-2026-0042-3", SECRET)

    assert reference.read_reply_address(address, "AB", SECRET) is None


@given(st.text(max_size=80))
@example("complaints+sl-2026-0042-3.@southlands.example")
@example("complaints+sl-2026-0042-3@southlands.example")
@example("complaints+sl-2026-0042-3.ſſſſſſſſſſſſſſſſ@southlands.example")
def test_whatever_an_address_says_reading_it_never_fails(text: str) -> None:
    assert reference.read_reply_address(text, "SL", SECRET) is None


def test_a_base_that_is_no_address_or_too_long_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        reference.reply_address("complaints", "SL-2026-0042-3", SECRET)
    with pytest.raises(ValueError, match="shorter name"):
        reference.reply_address("c" * 40 + "@southlands.example", "SL-2026-0042-3", SECRET)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="secret"):
        reference.reply_address(BASE, "SL-2026-0042-3", b"")


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=50)
def test_a_message_id_is_stable_and_differs_with_the_key(one: str, two: str) -> None:
    first = reference.message_id(one, "southlands.example", SECRET)

    assert first == reference.message_id(one, "southlands.example", SECRET)
    assert re.fullmatch(r"duly\.[a-z2-7]{32}@southlands\.example", first)
    assert (first == reference.message_id(two, "southlands.example", SECRET)) == (one == two)


def test_a_message_id_cannot_be_told_without_the_secret() -> None:
    mine = reference.message_id("ack:SL-2026-0042-3:stage2", "southlands.example", SECRET)

    assert mine != reference.message_id("ack:SL-2026-0042-3:stage2", "southlands.example", b"guess")
    assert "2026" not in mine


@pytest.mark.parametrize("domain", ["", "a b", "x\r\nBcc: y", "<x>"])
def test_a_message_id_holds_no_header_of_somebody_else(domain: str) -> None:
    with pytest.raises(ValueError, match="mail domain"):
        reference.message_id("key", domain, SECRET)
