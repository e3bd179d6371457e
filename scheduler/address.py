"""Addresses of outgoing letters: checked, and with international domains in the form that relays know."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: A local part as RFC 5321 4.1.2 and RFC 6531 3.3 let it stand without quotes, or within them.
_PLAIN = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\],;:\\\"@]+")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"')
_ESCAPED = re.compile(r"\\(.)")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
#: RFC 5321 4.5.3.1: the longest local part, the longest path less its brackets.
_LOCAL_MAX, _PATH_MAX = 64, 254


class Unsendable(ValueError):  # noqa: N818 - what the letter is
    """A letter that no relay can be asked to carry; the sentence says why. A person must find another way."""


@dataclass(frozen=True)
class Recipient:
    local: str  # as written, quotes included
    domain: str  # lower case, ASCII

    @property
    def path(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def username(self) -> str:
        """The local part without the quotes it may stand in."""
        return _ESCAPED.sub(r"\1", self.local[1:-1]) if self.local.startswith('"') else self.local

    @property
    def needs_utf8(self) -> bool:
        """Whether the relay must speak SMTPUTF8 (RFC 6531) to carry this address."""
        return not self.local.isascii()


def recipient(address: str) -> Recipient:
    """The address in the form an envelope may carry.

    Raises Unsendable for anything that is not exactly one mailbox, so that nothing smuggled into an address
    reaches a header or an SMTP command.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or not (_PLAIN.fullmatch(local) or _QUOTED.fullmatch(local)):
        raise Unsendable(f"{address!r} is not a mail address; correct it in the case or write by post")
    ascii_domain = _ascii(domain)
    labels = ascii_domain.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise Unsendable(f"the part of {address!r} after the @ is not a domain; correct it in the case")
    if len(local.encode()) > _LOCAL_MAX or len(local.encode()) + 1 + len(ascii_domain) > _PATH_MAX:
        raise Unsendable(f"the address {address[:40]!r}... is longer than mail allows (RFC 5321, 4.5.3.1)")
    return Recipient(local, ascii_domain)


def mailbox(address: str) -> str:
    """The mailbox behind an address, for comparing: lower case, without a "+tag"."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local.partition('+')[0]}@{_ascii(domain)}".lower()


def _ascii(domain: str) -> str:
    """The domain with its international labels as A-labels (RFC 5891).

    The codec "idna" of Python follows the older rules, which turn "straße" into "strasse": a letter to
    another domain, whose owner would read it. So labels are encoded as they are, and a spelling that only
    looks like another one is left alone and refused by the check of the caller.
    """
    domain = unicodedata.normalize("NFC", domain.lower()).removesuffix(".")
    return ".".join(_a_label(label) for label in domain.split("."))


def _a_label(label: str) -> str:
    if label.isascii() or unicodedata.normalize("NFKC", label) != label:
        return label
    if not all(unicodedata.category(char)[0] in "LMN" or char == "-" for char in label):
        return label
    return "xn--" + label.encode("punycode").decode("ascii")
