"""The receivers that are compared, each a process of its own: `python -m bench.smtp_receiver KIND FOLDER`.

drop: aiosmtpd as it is, with a handler that throws the letter away. single: our door, one commit a letter.
duly: our door, its journal, SQLite. Prints its port, then its counts for each line it reads, until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from data.engine import connect, migrate
from data.letters import add_many, counts, put_away
from duly.app import utc_now
from intake.journal import BATCH_LETTERS, Journal
from intake.smtp import Door, DoorSettings

ADDRESSES = ("complaints@southlands.example",)
MAX_SIZE = 32 * 1024 * 1024


class Drop:
    """A handler that does nothing, as every comparison of receivers has one."""

    async def handle_DATA(self, _server: SMTP, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return "250 OK"


async def until_told(count: Callable[[], dict[str, int]]) -> None:
    """Answer each line of standard input with the counts, until it ends."""
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(count()), flush=True)


async def drop() -> None:
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Drop(), data_size_limit=MAX_SIZE, enable_SMTPUTF8=True, hostname="bench", loop=loop),
        "127.0.0.1",
        0,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await until_told(dict)
    server.close()


async def duly(folder: Path, batch_letters: int) -> None:
    engine = connect(f"sqlite:///{folder}/journal.sqlite")
    migrate(engine)
    vault = folder / "vault"
    journal = Journal(
        lambda letters: add_many(engine, "bench", letters, vault),
        shelve=lambda one: put_away(one, vault),
        batch_letters=batch_letters,
    )
    settings = DoorSettings("127.0.0.1", 0, ADDRESSES, hostname="bench", max_size=MAX_SIZE)
    door = Door(settings, journal, clock=utc_now)
    await door.start()
    print(door.port, flush=True)
    await until_told(lambda: {"commits": journal.commits, "kept": counts(engine, "bench").get("new", 0)})
    await door.stop(2.0)
    journal.close()


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    match kind:
        case "drop":
            asyncio.run(drop())
        case "single":
            asyncio.run(duly(folder, 1))
        case _:
            asyncio.run(duly(folder, BATCH_LETTERS))


if __name__ == "__main__":
    main()
