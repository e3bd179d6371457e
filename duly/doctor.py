"""`duly doctor`: what is well, what is not, and what to do about it. Reads and tries; changes nothing."""

from __future__ import annotations

import shutil
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from duly.app import App, utc_now
from duly.settings import SECRETS, Settings, SettingsError, load

if TYPE_CHECKING:
    from rich.console import Console

State = Literal["well", "warning", "fault"]
#: Warn when the calendar ends this soon, and when a body's address was last checked this long ago.
CALENDAR_WARNING = timedelta(days=60)
CHECKED_WARNING = timedelta(days=365)
DISK_FAULT, DISK_WARNING = 200 * 2**20, 2 * 2**30  # octets free


@dataclass(frozen=True)
class Finding:
    """One thing examined: how it is, what was seen, what to do."""

    part: str
    state: State
    seen: str
    do: str = ""


def examine(config: Path | None) -> list[Finding]:
    """Every check in order; a check that cannot run says so and the others go on."""
    try:
        settings = load(config)
    except SettingsError as error:
        return [Finding("configuration", "fault", str(error), "correct the setting and run duly doctor again")]
    app = App(settings)
    findings = [Finding("configuration", "well", f"read from {settings.folder}")]
    checks = (_secret, _school, _calendar, _policy, _database, _relay, _certificate, _model, _disk, _clock)
    for check in checks:
        try:
            findings.extend(check(app))
        except SettingsError as error:
            findings.append(Finding(check.__name__.strip("_"), "fault", str(error), "correct it and run again"))
    return findings


def _secret(app: App) -> list[Finding]:
    if app.settings.secret.get_secret_value():
        return [Finding("secret", "well", "set; reply addresses can be signed")]
    return [Finding("secret", "fault", "DULY_SECRET is not set", "run duly init, which writes one into .env")]


def _school(app: App) -> list[Finding]:
    from procedure.words import Role

    school = app.rulebook.school
    needed = (Role.CLERK, Role.HEADTEACHER, Role.DSL, Role.CHAIR, Role.OFFICE)
    out = [
        Finding(
            "school", "fault", f"nobody holds the role {role.value}", f"give it to a person in {app.settings.school}"
        )
        for role in needed
        if not school.holders(role)
    ]
    today = app.clock().date()
    out += [
        Finding(
            "school",
            "warning",
            f"the contact of {body.name} was last checked on {body.checked_on}",
            "check it and set checked_on anew",
        )
        for body in school.bodies
        if today - body.checked_on > CHECKED_WARNING
    ]
    if school.person(app.settings.person) is None:
        out.append(
            Finding(
                "school",
                "fault",
                f"person = {app.settings.person!r} is nobody of school.toml",
                "set person to an id of school.toml",
            )
        )
    return out or [Finding("school", "well", f"{school.name}: every role needed has a person")]


def _calendar(app: App) -> list[Finding]:
    last, today = app.rulebook.calendar.last_known, app.clock().date()
    add = f"add the coming terms to {app.settings.calendar}"
    if last < today:
        return [Finding("calendar", "fault", f"it ended on {last}; no limit can be counted", add)]
    if last - today < CALENDAR_WARNING:
        return [Finding("calendar", "warning", f"it ends on {last}, in {(last - today).days} days", add)]
    return [Finding("calendar", "well", f"knows school days up to {last}")]


def _policy(app: App) -> list[Finding]:
    names = ", ".join(app.rulebook.policies)
    return [Finding("policy", "well", f"{names}; in force today: {app.rulebook.current(app.clock().date()).id}")]


def _database(app: App) -> list[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from data.engine import head_is_current, is_empty
    from data.health import counts

    do = "start the database server, or correct the setting database"
    try:
        if is_empty(app.engine):
            return [Finding("database", "warning", "empty", "duly serve or duly migrate makes the tables")]
        if not head_is_current(app.engine):
            return [Finding("database", "fault", "its tables are of an older edition", "run duly migrate")]
        seen = counts(app.engine, app.rulebook.school.id)
    except SQLAlchemyError as error:
        return [Finding("database", "fault", f"does not answer: {str(error).splitlines()[0]}", do)]
    out = [Finding("database", "well", f"{sum(seen.letters.values())} letters, {seen.matters} cases")]
    waiting = seen.letters.get("quarantined", 0) + seen.letters.get("unplaced", 0)
    if waiting:
        out.append(
            Finding("journal", "warning", f"{waiting} letters wait for a person", "see them with duly journal")
        )
    if seen.oldest_new is not None and app.clock() - seen.oldest_new > timedelta(minutes=5):
        out.append(
            Finding(
                "worker",
                "fault",
                f"a letter waits unread since {seen.oldest_new:%d %b %H:%M} UTC",
                "is duly serve running? its worker reads letters",
            )
        )
    if seen.outbox.get("failed"):
        out.append(Finding("outbox", "warning", f"{seen.outbox['failed']} letters were given up", "duly outbox"))
    return out


def _relay(app: App) -> list[Finding]:
    settings = app.settings
    where = f"{settings.relay_host}:{settings.relay_port}"
    try:
        with socket.create_connection((settings.relay_host, settings.relay_port), timeout=5) as line:
            greeting = line.recv(512).decode("ascii", "replace").strip()
    except OSError as error:
        return [
            Finding(
                "relay",
                "fault",
                f"{where} does not answer: {error}",
                "correct relay_host and relay_port, or start the mail server; letters wait in the outbox",
            )
        ]
    if settings.relay_security != "tls" and not greeting.startswith("220"):
        return [Finding("relay", "fault", f"{where} greets with {greeting[:60]!r}", "is it a mail server?")]
    out = [Finding("relay", "well", f"{where} answers")]
    local = settings.relay_host in {"127.0.0.1", "localhost", "::1"}
    if settings.relay_security == "none" and not local:
        out.append(
            Finding(
                "relay", "warning", "letters go to it without encryption", "set relay_security to starttls or tls"
            )
        )
    return out


def _certificate(app: App) -> list[Finding]:
    if app.settings.smtp_certificate is None:
        return [
            Finding(
                "certificate",
                "warning",
                "the SMTP door offers no STARTTLS",
                "set smtp_certificate and smtp_key unless only this machine delivers to it",
            )
        ]
    _ = app.door
    return [Finding("certificate", "well", "STARTTLS is offered")]


def _model(app: App) -> list[Finding]:
    began = time.perf_counter()
    from triage.judge import Judge

    verdict = Judge().judge("My child was hurt by a member of staff yesterday.", app.clock())
    took = time.perf_counter() - began
    if not verdict.safeguarding:
        return [Finding("model", "fault", f"{verdict.model} misses a plain disclosure", "install Duly anew")]
    return [Finding("model", "well", f"{verdict.model}, loaded and judged in {took:.1f} s")]


def _disk(app: App) -> list[Finding]:
    free = shutil.disk_usage(app.settings.folder).free
    seen = f"{free / 2**30:.1f} GiB free in {app.settings.folder}"
    if free < DISK_FAULT:
        return [
            Finding("disk", "fault", seen, "make room: without it letters are answered 451 and wait at the sender")
        ]
    return [
        Finding(
            "disk",
            "warning" if free < DISK_WARNING else "well",
            seen,
            "make room soon" if free < DISK_WARNING else "",
        )
    ]


def _clock(app: App) -> list[Finding]:
    now = utc_now()
    newest = _newest_file(app)
    if newest is not None and newest - now > timedelta(minutes=2):
        return [
            Finding(
                "clock",
                "fault",
                f"it says {now:%Y-%m-%d %H:%M} UTC, yet a file here is of {newest:%Y-%m-%d}",
                "set the machine's clock; every limit is counted by it",
            )
        ]
    if now.year < 2026:
        return [Finding("clock", "fault", f"it says {now:%Y-%m-%d}", "set the machine's clock (use NTP)")]
    return [Finding("clock", "well", f"{now:%Y-%m-%d %H:%M} UTC")]


def _newest_file(app: App) -> datetime | None:
    times = [file.stat().st_mtime for file in app.settings.folder.glob("duly.sqlite*")]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def show(console: Console, findings: list[Finding]) -> None:
    """The findings as a table: what is well in a line, what is not with what to do."""
    from rich.markup import escape
    from rich.table import Table

    marks = {"well": "[green]well[/]", "warning": "[yellow]look[/]", "fault": "[red]fault[/]"}
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        seen = escape(finding.seen) + (f"\n[bold]→ {escape(finding.do)}[/]" if finding.do else "")
        table.add_row(marks[finding.state], finding.part, seen)
    console.print(table)


def list_settings(console: Console) -> None:
    """Every setting: key, its default, what it means."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("setting", "default", "meaning", box=None)
    for name, field in Settings.model_fields.items():
        default = "(secret: environment or .env only)" if name in SECRETS else str(field.default)
        table.add_row(name, escape(default), field.description or "")
    console.print(table)
