"""The demo's course: start the parts, send the letters, let a fortnight pass, show what came of it."""

from __future__ import annotations

import shutil
import smtplib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from importlib import resources
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from duly.app import App
from duly.demo import show
from duly.demo.clock import MovingClock
from duly.demo.letters import INBOX, LETTERS, LONDON, DemoLetter
from duly.demo.loopback import LoopThread, Sink
from duly.logs import configure
from duly.settings import load

if TYPE_CHECKING:
    from rich.console import Console


#: The demo's fortnight: from the first letter to this morning, over the half term and the night the clocks go back.
ENDS = datetime(2026, 11, 4, 9, 0, tzinfo=LONDON)


@dataclass
class Demo:
    """The running parts, and what was sent in."""

    app: App
    clock: MovingClock
    loop: LoopThread
    sink: Sink
    folder: Path
    sent: dict[str, EmailMessage] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)

    def settle(self) -> None:
        """Let the worker and the post do what is waiting."""
        processor = self.app.processor("demo")
        while processor.work(self.clock()):
            pass
        while self.app.post.deliver(self.clock()).sent:
            pass


def run(console: Console, *, keep: bool, serve: bool) -> int:
    """Show the main job; 0 when every letter that went in is in the journal and nothing differs on rebuild."""
    began = time.monotonic()
    configure("error")
    with house(keep=keep or serve) as demo:
        show.opening(console, demo)
        play(demo)
        well = show.everything(console, demo, time.monotonic() - began)
        if serve:
            _stay(console, demo)
        if keep or serve:
            console.print(f"\nThe folder is kept: [bold]{demo.folder}[/]   (duly cases -c {demo.folder}/duly.toml)")
    return 0 if well else 1


def play(demo: Demo) -> None:
    """Send every letter at its moment, and let the time pass to the end of the fortnight."""
    for letter in LETTERS:
        _until(demo, letter.at)
        _send(demo, letter)
        demo.settle()
    _until(demo, ENDS)


@contextmanager
def house(*, keep: bool, database: str | None = None) -> Iterator[Demo]:
    """The parts of Southlands on free loopback ports, in a folder of their own; stopped and removed at the end.

    `database` is a SQLAlchemy URL; the embedded SQLite file of the folder when left out.
    """
    folder = Path(tempfile.mkdtemp(prefix="duly-demo-"))
    loop, sink = LoopThread(), Sink()
    loop.call(sink.start())
    clock = MovingClock(LETTERS[0].at - timedelta(minutes=30))
    given = {"database": database} if database else {}
    app = App(load(_found(folder, sink.port), **given), clock=clock)
    app.ready_database()
    loop.call(app.door.start())
    try:
        yield Demo(app, clock, loop, sink, folder)
    finally:
        loop.call(app.door.stop(grace=1.0))
        app.journal.close()
        app.post.close()
        loop.call(sink.stop())
        loop.close()
        app.engine.dispose()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _found(folder: Path, relay_port: int) -> Path:
    """Write the settings of the invented Southlands into that folder; the path of its duly.toml."""
    for name, source in (("school.toml", "schools"), ("calendar.toml", "calendars")):
        text = resources.files("procedure").joinpath(f"{source}/southlands.toml").read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    (folder / ".env").write_text(f"DULY_SECRET={token_urlsafe(32)}\n", encoding="utf-8")
    config = folder / "duly.toml"
    config.write_text(f'smtp_port = 0\nrelay_host = "127.0.0.1"\nrelay_port = {relay_port}\n', encoding="utf-8")
    return config


def _send(demo: Demo, letter: DemoLetter) -> None:
    """Hand a letter in over SMTP, as a stranger's mail server would."""
    raw, to = _bytes(demo, letter)
    demo.raw[letter.id] = raw
    with smtplib.SMTP("127.0.0.1", demo.app.door.port, timeout=20) as line:
        line.sendmail(letter.addr, [to], raw)


def _bytes(demo: Demo, letter: DemoLetter) -> tuple[bytes, str]:
    if letter.again is not None:
        return demo.raw[letter.again], INBOX
    mail = letter.message()
    to = INBOX
    if letter.reply_to is not None:
        ours = demo.sink.answer_to(str(demo.sent[letter.reply_to]["Message-ID"]))
        if ours is None:
            raise RuntimeError(f"the demo found no answer to {letter.reply_to}")
        del mail["To"]
        to = str(ours["Reply-To"].addresses[0].addr_spec)
        mail["To"] = to
        mail["In-Reply-To"] = str(ours["Message-ID"])
    demo.sent[letter.id] = mail
    return mail.as_bytes(), to


def _until(demo: Demo, moment: datetime) -> None:
    """Let the time pass: the sweep and the post work each morning and noon on the way."""
    from scheduler.housekeeping import Housekeeping
    from scheduler.sweep import sweep

    house = Housekeeping(demo.app.store)
    now = demo.clock().astimezone(LONDON)
    day = now.date()
    while day <= moment.astimezone(LONDON).date():
        for hour, minute in ((8, 35), (12, 0)):
            stop = datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON)
            if now < stop < moment:
                demo.clock.move_to(stop)
                sweep(demo.app.store, demo.clock())
                house.run(demo.clock())
                demo.settle()
        day += timedelta(days=1)
    demo.clock.move_to(moment)


def _stay(console: Console, demo: Demo) -> None:
    """Serve until Ctrl-C: the clock runs on from the end of the fortnight."""
    demo.clock.run()
    demo.app.clockwork.start()
    console.print(
        f"\n[bold]Serving.[/] Write to [bold]{INBOX}[/] through SMTP at [bold]127.0.0.1:{demo.app.door.port}[/]; "
        f"what Duly answers is shown here. Stop with Ctrl-C."
    )
    processor, shown = demo.app.processor("demo"), len(demo.sink.letters)
    try:
        while True:
            if not processor.work(demo.clock()):
                time.sleep(0.2)
            for letter in demo.sink.letters[shown:]:
                console.print(
                    f"[dim]{demo.clock():%d %b %H:%M}[/] to {letter['To']}: {letter['Subject']}", markup=True
                )
            shown = len(demo.sink.letters)
    except KeyboardInterrupt:
        demo.app.clockwork.stop()
