"""Case references, signed reply addresses and Message-IDs: the three marks by which a letter finds its case.

A reference is read aloud, copied from paper and typed on telephones, so it carries a check digit (ISO 7064
MOD 11,10: any single wrong digit is caught) and is found in free text whatever the dashes. A reference can
be guessed; a reply address cannot, because it is signed.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Iterator

from stdnum.iso7064 import mod_11_10

#: Characters of the signature in a reply address: 80 bits.
TOKEN_LENGTH = 16
_LOCAL_PART_LIMIT = 64  # RFC 5321, 4.5.3.1.1
_CANONICAL = re.compile(r"([A-Z]{2,4})-([0-9]{4})-([0-9]{4,9})-([0-9])")
_REPLY = re.compile(r"[^@]*\+(?P<reference>[^@+.]+)\.(?P<token>[a-z2-7]+)@[^@]+")
# What people and programs put between the parts: spaces, line folds, any sort of dash, dots, slashes.
_GAP = r"[\s\u00a0\-\u2010-\u2015\u2212_./]{0,3}"
_DIGIT = "[0-9O]"


def make(prefix: str, year: int, serial: int) -> str:
    """The reference of the case `serial` of `year`, such as "SL-2026-0042-7".

    Raises ValueError when the prefix is not two to four letters, or year or serial are out of range.
    """
    letters = _prefix(prefix)
    if not 1000 <= year <= 9999:
        raise ValueError(f"year {year} of a reference needs four digits")
    if not 1 <= serial <= 999_999_999:
        raise ValueError(f"serial {serial} of a reference must lie between 1 and 999999999")
    number = f"{serial:04d}"
    return f"{letters}-{year}-{number}-{mod_11_10.calc_check_digit(f'{year}{number}')}"


def is_valid(reference: str, prefix: str) -> bool:
    """Whether this is a reference in its exact written form, of this school, with a right check digit."""
    match = _CANONICAL.fullmatch(reference)
    if match is None or match[1] != _prefix(prefix):
        return False
    return _parts_hold(match[2], match[3], match[4])


def find(text: str, prefix: str) -> list[str]:
    """Valid references of this school in free text, in order, each once, in their exact written form.

    Case, spaces, dashes and the letter O for a nought do not matter; the prefix must stand there, so that
    telephone numbers and dates are never taken for one.
    """
    pattern = _loose(_prefix(prefix))
    found = (ref for match in pattern.finditer(text) for ref in _readings(match, _prefix(prefix)))
    return list(dict.fromkeys(found))


def reply_address(base: str, reference: str, secret: bytes) -> str:
    """The address at which answers about this case arrive: signed, so that it cannot be made up.

    "complaints@southlands.example" gives "complaints+sl-2026-0042-7.k3j9x2m4p6qab2cd@southlands.example".
    Raises ValueError when `base` is no address, the secret is empty, or the result is too long for mail.
    """
    local, at, domain = base.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"{base!r} is not a mail address; set the school's sender to one")
    signed = f"{local}+{reference.lower()}.{_reply_token(reference, secret)}"
    if len(signed) > _LOCAL_PART_LIMIT:
        raise ValueError(f"{base!r} is too long to carry a signed reference; use a shorter name before the @")
    return f"{signed}@{domain}"


def read_reply_address(addr: str, prefix: str, secret: bytes) -> str | None:
    """The reference that a signed reply address carries, or None when it carries none that we signed.

    Case does not matter (some mail systems change it). The signature is compared in constant time.
    """
    match = _REPLY.fullmatch(addr.strip().lower())
    if match is None:
        return None
    reference = match["reference"].upper()
    if not is_valid(reference, prefix):
        return None
    signed = hmac.compare_digest(match["token"], _reply_token(reference, secret))
    return reference if signed else None


def message_id(key: str, domain: str, secret: bytes) -> str:
    """The Message-ID of the letter with this key, without angle brackets: the same on every try, unguessable.

    Raises ValueError when `domain` holds anything but letters, digits, dots and dashes.
    """
    if not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        raise ValueError(f"{domain!r} is not a mail domain; set the school's sender to name@domain")
    return f"duly.{_sign('message id', key, secret, 32)}@{domain}"


def _prefix(prefix: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,4}", prefix):
        raise ValueError(f"{prefix!r} cannot begin a reference; a prefix is two to four letters")
    return prefix.upper()


def _loose(prefix: str) -> re.Pattern[str]:
    letters = "".join("[O0]" if letter == "O" else letter for letter in prefix)
    year, end = f"({_DIGIT}{{4}})", "(?![A-Z0-9])"
    serial, check = f"({_DIGIT}{{4,10}}){end}", f"(?:({_GAP})({_DIGIT}){end})?"
    return re.compile(f"(?<![A-Z0-9]){letters}{_GAP}{year}({_GAP}){serial}{check}", re.IGNORECASE | re.ASCII)


def _readings(match: re.Match[str], prefix: str) -> Iterator[str]:
    """The one reading of a match that holds: the check digit stands apart, or is the last of the run.

    A digit set off as the other parts are is the check digit, so that a wrong one cannot be passed over;
    after "SL-2026-00423 7 pages" the 7 is set off otherwise and belongs to the sentence.
    """
    year, gap, run, last_gap, apart = (part or "" for part in match.groups())
    year, run, apart = (digits.upper().replace("O", "0") for digits in (year, run, apart))
    readings = [(run, apart)] if apart else []
    if not apart or last_gap.strip() != gap.strip():
        readings.append((run[:-1], run[-1]))
    for serial, check in readings:
        if _parts_hold(year, serial, check):
            yield f"{prefix}-{year}-{serial}-{check}"
            return


def _parts_hold(year: str, serial: str, check: str) -> bool:
    if year.startswith("0") or len(serial) > 9:
        return False
    number = int(serial)
    written_out = f"{number:04d}" == serial
    return number > 0 and written_out and mod_11_10.is_valid(f"{year}{serial}{check}")


def _reply_token(reference: str, secret: bytes) -> str:
    return _sign("reply address", reference.upper(), secret, TOKEN_LENGTH)


def _sign(purpose: str, what: str, secret: bytes, length: int) -> str:
    """A keyed digest in lower-case base32; the purpose keeps one use from standing in for another."""
    if not secret:
        raise ValueError("the secret that signs reply addresses is empty; `duly init` makes one")
    digest = hmac.digest(secret, f"duly {purpose}\0{what}".encode(), "sha256")
    return b32encode(digest).decode("ascii").lower()[:length]
