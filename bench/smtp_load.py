"""The load: a process of its own that sends letters over plain sockets and prints what it saw, as one line of JSON.

`python -m bench.smtp_load PORT CLIENTS LETTERS OCTETS` (LETTERS 0: say "sending", go on until standard input ends).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from statistics import median, quantiles

ENVELOPE = (
    b"MAIL FROM:<parent@home.example>\r\n",
    b"RCPT TO:<complaints@southlands.example>\r\n",
    b"DATA\r\n",
)
EXPECTED = (b"250", b"250", b"354", b"250")


def letter(octets: int, number: int) -> bytes:
    """A letter of about that size, each one different, dots stuffed, with its end."""
    head = f"From: parent@home.example\r\nMessage-ID: <{number}.{time.time_ns()}@home.example>\r\n".encode()
    line = b"The coach left without my child and nobody has rung me since.\r\n"
    return head + b"Subject: the coach\r\n\r\n" + line * max(1, (octets - len(head)) // len(line)) + b".\r\n"


class Client(asyncio.Protocol):
    """Sends letters one after another on one connection, waiting for each answer as an ordinary client does."""

    def __init__(self, take: list[bytes], endless: bool) -> None:
        self.take = take
        self.endless = endless
        self.step = -2  # greeting, EHLO, then the four of a letter
        self.begun = 0.0
        self.latencies: list[float] = []
        self.wrong: list[bytes] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._half = b""
        self._sent = 0
        self._letter = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._half = (self._half + data).split(b"\r\n")
        for line in lines:
            if line[3:4] != b"-":
                self._answered(line)

    def _answered(self, line: bytes) -> None:
        if self.step == -2:
            self.step = -1
            self.transport.write(b"EHLO home.example\r\n")
            return
        if self.step >= 0 and not line.startswith(EXPECTED[self.step]):
            self.wrong.append(line)
            self.step = 3
        if self.step == 3:
            if self.endless and not self.latencies:
                print("sending", flush=True)
            self.latencies.append(time.perf_counter() - self.begun)
        self.step = (self.step + 1) % 4
        if self.step == 0:
            if not self.take:
                self.transport.write(b"QUIT\r\n")
                self.transport.close()
                return
            self._letter = self.take[-1] if self.endless else self.take.pop()
            self.begun = time.perf_counter()
        if self.step < 3:
            self.transport.write(ENVELOPE[self.step])
        else:
            self._sent += 1
            # No two the same: a file of the vault is written once for equal letters.
            self.transport.write(b"X-Number: %d\r\n" % self._sent)
            self.transport.write(self._letter)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, clients: int, letters: int, octets: int) -> dict[str, float]:
    endless = letters == 0
    take = [letter(octets, number) for number in range(letters or 1)]
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    pairs = [await loop.create_connection(lambda: Client(take, endless), "127.0.0.1", port) for _ in range(clients)]
    if endless:
        await asyncio.to_thread(sys.stdin.readline)
        for transport, _ in pairs:
            transport.abort()
    await asyncio.gather(*(client.done for _, client in pairs))
    seconds = time.perf_counter() - begun
    latencies = sorted(one * 1000 for _, client in pairs for one in client.latencies)
    wrong = [line for _, client in pairs for line in client.wrong]
    if wrong:
        sys.exit(f"refused {len(wrong)} times, first: {wrong[0]!r}")
    cuts = quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return {
        "letters": len(latencies),
        "seconds": seconds,
        "rate": len(latencies) / seconds,
        "p50": median(latencies) if latencies else 0.0,
        "p99": cuts[98],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(*map(int, sys.argv[1:5])))))
