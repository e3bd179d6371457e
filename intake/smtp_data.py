"""Reading a letter off the wire: where it ends, what the dots mean, how large it may be.

Works on whole buffers, not line by line: a letter of 5 MB is a few searches instead of 70,000 awaits.
"""

from __future__ import annotations

#: The only end there is (RFC 5321 4.1.1.4). A bare LF or CR beside the dot ends nothing (2.3.8): what one server
#: takes for an end and another for text lets a stranger smuggle a second letter (CVE-2023-51764, CVE-2024-27305).
END = b"\r\n.\r\n"
LINE = b"\r\n"
STUFFED = b"\r\n."
#: A refused letter is read to its end, so that the session can go on; but not for ever.
PATIENCE = 4


class Reading:
    """One letter arriving after DATA: feed chunks until one of them holds the end.

    `limit` is the largest letter in octets, dots unstuffed. No more than that, its stuffed dots and one chunk
    is held in memory; of a letter that grows larger nothing is kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.too_large = False
        self._forgotten = False
        self.received = 0  # octets on the wire
        # The CRLF that ended the DATA command also begins the first line: a lone dot right after it is an end.
        self._raw = bytearray(LINE)
        self._searched = 0

    def feed(self, chunk: bytes) -> bytes | None:
        """None while the letter goes on; at its end, what came behind it (the next commands)."""
        raw = self._raw
        raw += chunk
        self.received += len(chunk)
        end = raw.find(END, self._searched)
        if end < 0:
            self._mind_size(under_way=2)  # ".\r" may be the beginning of the end
            self._searched = max(0, len(raw) - len(END) + 1)
            return None
        behind = bytes(memoryview(raw)[end + len(END) :])
        self.received -= len(behind)
        del raw[end + len(LINE) :]
        self._mind_size()
        return behind

    def _mind_size(self, under_way: int = 0) -> None:
        raw = self._raw
        size = len(raw) - len(LINE) - under_way
        if size > self.limit and size - raw.count(STUFFED) > self.limit:
            self.too_large = True
        if self.too_large or self._forgotten:
            del raw[: -len(END) + 1]

    def forget(self) -> None:
        """Keep nothing of the letter, only watch for its end."""
        self._forgotten = True

    @property
    def hopeless(self) -> bool:
        """Not kept, and still coming: time to hang up."""
        return (self.too_large or self._forgotten) and self.received > PATIENCE * self.limit

    def letter(self) -> bytes:
        """The letter once its end was seen, dots unstuffed (RFC 5321 4.5.2); may be empty."""
        raw = self._raw
        if STUFFED in raw:
            raw = raw.replace(STUFFED, LINE)
        return bytes(memoryview(raw)[len(LINE) :])
