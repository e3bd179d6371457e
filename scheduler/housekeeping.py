"""What nobody asked about: letters that wait for a person, held letters, a calendar that comes to its end.

Once a school day, in the school's hours, each person who may see them gets one letter that counts them; the
key of the letter names the day, so a restart or a second scheduler says nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from data import reads
from data.store import Store
from procedure.routing import addressees
from procedure.school import Person
from procedure.school_days import BeyondCalendar
from procedure.words import Audience, Decision, Letter, Role
from scheduler import reminders
from scheduler.nudging import in_hours

#: The clerk hears so long before the calendar's end that its limits cannot be counted any more.
WARN = timedelta(days=60)
WAITING_STATES = ("unplaced", "quarantined")


@dataclass
class Housekeeping:
    """Keeps one school's house; one thread at a time."""

    store: Store
    _done: date | None = None

    def run(self, now: datetime) -> int:
        """Write today's reminders, if it is time and they are not written; how many letters were asked for."""
        today = now.astimezone(ZoneInfo(self.store.rulebook.school.timezone)).date()
        if self._done == today or not in_hours(self.store.rulebook, now):
            return 0
        letters = tuple(self._reminders(today))
        if letters:
            with self.store.begin() as desk:
                desk.keep(Decision(None, letters=letters), now)
        self._done = today
        return len(letters)

    def _reminders(self, today: date) -> Iterator[Letter]:
        school, calendar = self.store.rulebook.school, self.store.rulebook.calendar
        clerks = addressees(school, Role.CLERK, frozenset())
        for person in clerks:
            if calendar.last_known - today <= WARN:
                yield reminders.calendar_ends(school, person, calendar.last_known, today)
        for person in dict.fromkeys((*clerks, *addressees(school, Role.DSL, frozenset()))):
            yield from self._lying_about(person, today)

    def _lying_about(self, person: Person, today: date) -> Iterator[Letter]:
        school = self.store.rulebook.school
        letters = reads.journal(self.store, person, WAITING_STATES)
        if ids := [letter.id for letter in letters if self._old(letter.received_at, today)]:
            yield reminders.waiting(school, person, ids, today)
        held = reads.outbox_of(self.store, person, ("held",))
        old = [
            letter.reference
            for letter in held
            if letter.audience == Audience.COMPLAINANT and letter.reference and self._old(letter.created_at, today)
        ]
        if old:
            yield reminders.held(school, person, list(dict.fromkeys(old)), today)

    def _old(self, since: datetime, today: date) -> bool:
        """Whether more than one school day has begun since: what came on Friday is old on Tuesday."""
        day = since.astimezone(ZoneInfo(self.store.rulebook.school.timezone)).date()
        try:
            return self.store.rulebook.calendar.count(day, today) > 1
        except BeyondCalendar:
            return today - day > timedelta(days=1)
