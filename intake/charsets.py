"""Bytes to text, whatever the sender called the alphabet. Never raises; never a lone surrogate or NUL."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_ALIASES = {
    "ansi_x3.110-1983": "cp1252",
    "cp-850": "cp850",
    "default": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "latin1": "cp1252",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac-roman",
    "x-sjis": "cp932",
    "x-windows-949": "cp949",
}
#: Alphabets whose bytes look like ASCII but mean something else.
_NOT_ASCII_BASED = re.compile(
    r"iso2022|iso-2022|hz|utf[-_]?7|utf[-_]?16|utf[-_]?32|cp037|cp500|cp1026|cp1140|cp424|cp273|cp875"
)
#: Python codecs that are no alphabet (and some that can be made to run for minutes).
_NO_ALPHABET = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
#: Names under which UTF-8 is often hidden.
_WESTERN = frozenset({"", "ascii", "us-ascii", "cp1252", "utf-8", "iso8859-1", "iso8859-15"})
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


@lru_cache(maxsize=256)
def _codec(name: str) -> str:
    """The Python codec for a charset label; "" when nobody knows it."""
    label = name.strip().strip("\"'").lower()
    label = _ALIASES.get(label, label)
    try:
        found = codecs.lookup(label)
        b"".decode(label)  # refuses the codecs that are not of text (zlib, hex, rot13)
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if found.name in _NO_ALPHABET else _ALIASES.get(found.name, found.name)


def clean(text: str) -> str:
    """The text without NUL, other controls (tab, line ends and form feed stay) and lone surrogates."""
    if text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def decode(raw: bytes, charset: str = "") -> str:
    """The text of `raw`. A label that is unknown or plainly wrong is replaced by a guess; the rest becomes U+FFFD."""
    codec = _codec(charset) if charset else ""
    if raw.isascii() and not (codec and _NOT_ASCII_BASED.match(codec)):
        return clean(raw.decode("ascii"))
    if codec in _WESTERN:
        try:
            return clean(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return clean(_broken(raw, codec))
    try:
        return clean(raw.decode(codec))
    except UnicodeError:
        pass
    try:
        return clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(raw.decode(codec, "replace"))


def _broken(raw: bytes, codec: str) -> str:
    """Western text that is not valid UTF-8: a slightly damaged UTF-8, or the old single-byte alphabet."""
    if codec == "iso8859-15":
        return raw.decode(codec, "replace")
    text = raw.decode("utf-8", "replace")
    good = sum(1 for c in text if c > "\x7f" and c != "\ufffd")
    if codec in {"utf-8", ""}:
        return text if good > text.count("\ufffd") else raw.decode("cp1252", "replace")
    return raw.decode("cp1252", "replace")
