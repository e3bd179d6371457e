"""Where the parts meet: each part of one school's service is built here, when asked for, and nowhere else.

Everything a part needs is an argument, so that tests and the demo build the same parts with another clock,
another relay, or a probe at a named point.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from duly.settings import Settings, SettingsError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from data.store import Store
    from intake.journal import Journal
    from intake.process import Processor
    from intake.smtp import Door
    from procedure.policy import Policy
    from procedure.rulebook import Rulebook
    from procedure.words import Judgement, Message
    from scheduler.clock import Clockwork
    from scheduler.post import Post

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock, the only place that reads it for the service."""
    return datetime.now(UTC)


def quiet(_point: str) -> None:
    """No probe."""


def here(part: str) -> str:
    """A name for that part that no other machine's part has: leases are held under it."""
    return f"{socket.gethostname()}:{part}"


class App:
    """The parts of one school's service.

    Raises SettingsError when a file that the settings name is missing or contradicts itself.
    """

    def __init__(self, settings: Settings, *, clock: Clock = utc_now, probe: Callable[[str], None] = quiet) -> None:
        self.settings = settings
        self.clock = clock
        self.probe = probe

    @cached_property
    def rulebook(self) -> Rulebook:
        from procedure import calendar_file, school_days, school_file
        from procedure.rulebook import Rulebook

        settings = self.settings
        secret = settings.secret.get_secret_value()
        if not secret:
            raise SettingsError("DULY_SECRET is not set; duly init writes one into .env")
        try:
            school = school_file.load(self._text(settings.school, "school"), settings.school.name)
            calendar = calendar_file.load(self._text(settings.calendar, "calendar"), settings.calendar.name)
        except (school_file.SchoolError, school_days.CalendarError) as error:
            raise SettingsError(str(error)) from None
        policies = {policy.id: policy for policy in map(self.policy, settings.policies)}
        return Rulebook(school, policies, calendar, secret.encode())

    def policy(self, name: str) -> Policy:
        """The policy edition of that name, or of that TOML file."""
        from procedure import policy_file

        try:
            if name.endswith(".toml"):
                return policy_file.load(self._text(Path(name), "policies"), name)
            return policy_file.load_named(name)
        except policy_file.PolicyError as error:
            raise SettingsError(str(error)) from None

    def _text(self, file: Path, key: str) -> str:
        path = self.settings.path(file)
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SettingsError(f"{key} = {str(file)!r}: there is no file {path}; make one with: duly init") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{key} = {str(file)!r}: {path} is not UTF-8 text") from None

    @cached_property
    def engine(self) -> Engine:
        from data.engine import connect

        return connect(self.settings.database_url)

    @cached_property
    def store(self) -> Store:
        from data.store import Store

        return Store(self.engine, self.rulebook)

    @property
    def vault(self) -> Path:
        return self.settings.path(self.settings.vault)

    @cached_property
    def journal(self) -> Journal:
        from data.letters import Received, add_many, put_away
        from intake.journal import Journal

        school, vault, engine = self.rulebook.school.id, self.vault, self.engine

        def keep(batch: Sequence[Received]) -> list[int]:
            return add_many(engine, school, batch, vault)

        return Journal(keep, probe=self.probe, shelve=partial(put_away, vault=vault))

    @cached_property
    def door(self) -> Door:
        from intake.smtp import Door, DoorSettings

        settings = self.settings
        options = DoorSettings(
            host=settings.smtp_host,
            port=settings.smtp_port,
            addresses=self.rulebook.school.addresses,
            hostname=settings.smtp_hostname,
            max_size=settings.smtp_max_size,
            max_connections=settings.smtp_max_connections,
            max_per_peer=settings.smtp_max_per_peer,
            tls_context=self._tls(),
        )
        return Door(options, self.journal, clock=self.clock)

    def _tls(self) -> ssl.SSLContext | None:
        settings = self.settings
        if settings.smtp_certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        key = settings.path(settings.smtp_key) if settings.smtp_key else None
        try:
            context.load_cert_chain(settings.path(settings.smtp_certificate), key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"smtp_certificate = {str(settings.smtp_certificate)!r}: {error}") from None
        return context

    @cached_property
    def judge(self) -> Callable[[Message, datetime], Judgement]:
        """Judge a letter as read; spaCy is loaded here, so only the process that judges carries it."""
        from triage.judge import Judge

        judge = Judge()

        def judged(message: Message, received: datetime) -> Judgement:
            sender = message.sender
            return judge.judge(
                message.reply_text or message.text,
                message.date or received,
                from_name=sender.name if sender else "",
                from_addr=sender.addr if sender else "",
                subject=message.subject,
            )

        return judged

    def processor(self, worker: str = "worker-1") -> Processor:
        from duly.campaigns import join
        from intake.process import Processor

        return Processor(self.store, self.judge, worker=here(worker), vault=self.vault, join=join, probe=self.probe)

    @cached_property
    def post(self) -> Post:
        from scheduler.mail import Mailer, RelaySettings
        from scheduler.post import Post

        settings = self.settings
        relay = RelaySettings(
            host=settings.relay_host,
            port=settings.relay_port,
            security=settings.relay_security,
            user=settings.relay_user,
            password=settings.relay_password.get_secret_value(),
        )
        return Post(self.store, Mailer(relay), worker=here("post"), probe=self.probe)

    @cached_property
    def clockwork(self) -> Clockwork:
        from data.leader import Leader
        from scheduler.clock import Clockwork

        leader = Leader(self.engine, self.rulebook.school.id)
        return Clockwork(self.store, self.post, self.clock, leader)

    def ready_database(self) -> None:
        """Make an empty database ready; refuse an old one.

        Raises SettingsError when the tables are of an older edition of Duly.
        """
        from data.engine import head_is_current, is_empty, migrate

        if is_empty(self.engine):
            migrate(self.engine)
        elif not head_is_current(self.engine):
            raise SettingsError("the database is of an older edition of Duly; bring it up to date with: duly migrate")
