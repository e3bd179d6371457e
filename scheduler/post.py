"""The post: every letter of the outbox that is due is handed to the relay, at least once, urgent ones first.

Claim, send, mark. A crash after the claim leaves the letter to whoever asks when the lease has ended; a crash
after the relay took it sends it a second time under the same Message-ID, at most one letter a crash.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from data import outbox
from data.outbox import Outgoing
from data.store import Store
from procedure import letters_staff
from procedure.routing import addressees
from procedure.school import Person
from procedure.wording import MissingFact
from procedure.words import Audience, Decision, Role
from scheduler.address import Unsendable
from scheduler.mail import Carrier, Delayed, Refused, Unreachable
from scheduler.posting import Posting, posting
from scheduler.trouble import report

log = structlog.get_logger()

#: How long a letter waits after its first, second, ... try that the relay put off; then always the last.
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
)
#: After so many tries, about a day after the first, a person is told: early enough to write or to telephone
#: within the three school days of an acknowledgement (L138), where RFC 5321 4.5.4.1 would go on for days.
TRIES = 10
#: How long the relay itself is left alone after it could not be used; no letter is blamed for it.
RESTS = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
#: Letters claimed at once. Long enough a lease for one slow letter; the rest is given back before it ends.
BATCH = 20
LEASE = timedelta(minutes=2)
#: A last brake, twice what the opening of cases allows itself: automatic letters a day to one address, to all.
BRAKE_EACH, BRAKE_ALL = 8, 1000
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def quiet(_point: str) -> None:
    """No probe."""


@dataclass(frozen=True)
class Delivered:
    """What became of the letters of one delivery."""

    sent: int = 0
    delayed: int = 0
    given_up: int = 0
    postponed: int = 0  # held back by the brake
    returned: int = 0  # claimed and given back untried

    def __bool__(self) -> bool:
        return any((self.sent, self.delayed, self.given_up, self.postponed, self.returned))

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(
            self.sent + other.sent,
            self.delayed + other.delayed,
            self.given_up + other.given_up,
            self.postponed + other.postponed,
            self.returned + other.returned,
        )


class Post:
    """Empties the outbox of one school through one mailer. One thread at a time; several posts work side by side.

    `probe` is called with "post.claimed" between claim and send, and "post.sent" between send and mark.
    """

    def __init__(
        self,
        store: Store,
        mailer: Carrier,
        *,
        worker: str = "post",
        probe: Callable[[str], None] = quiet,
        lease: timedelta = LEASE,
        brake_each: int = BRAKE_EACH,
        brake_all: int = BRAKE_ALL,
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._worker = worker
        self._probe = probe
        self._lease = lease
        self._brake = brake_each, brake_all
        self._stopping = threading.Event()
        self._faults = 0
        self._rest_until: datetime | None = None

    def reclaim(self, now: datetime) -> int:
        """Take back what this post held when it died; called once, before the first delivery."""
        return outbox.reclaim(self._store.engine, self._store.school_id, self._worker, now)

    def deliver(self, now: datetime) -> Delivered:
        """Send everything that is due at `now` (UTC) and say what became of it.

        Returns early when told to `stop` or when the relay cannot be used. Raises only what the database raises.
        """
        began = time.monotonic()
        try:
            return self._empty(lambda: now + timedelta(seconds=time.monotonic() - began))
        finally:
            self._mailer.close()

    def _empty(self, moment: Callable[[], datetime]) -> Delivered:
        total = Delivered()
        while not self._stopping.is_set() and not self._resting(moment()):
            claimed_at = moment()
            # While the relay is in doubt one letter asks it; the tries of the others are not used up.
            limit = 1 if self._faults else BATCH
            school = self._store.school_id
            batch = outbox.claim(self._store.engine, school, self._worker, claimed_at, self._lease, limit)
            if not batch:
                break
            self._probe("post.claimed")
            total += self._send_all(batch, claimed_at + self._lease / 2, moment)
        return total

    def stop(self) -> None:
        """Finish the letter in hand, give the others back, and deliver no more."""
        self._stopping.set()

    def close(self) -> None:
        """Give the connection to the relay back; the next delivery opens it again."""
        self._mailer.close()

    def _send_all(self, batch: Sequence[Outgoing], until: datetime, moment: Callable[[], datetime]) -> Delivered:
        """Send the batch, and give back what the relay, the lease or a stop leaves no room for."""
        total = Delivered()
        braked = self._braked(batch, moment())
        for number, letter in enumerate(batch):
            if self._stopping.is_set() or self._resting(moment()) or moment() > until:
                for left in batch[number:]:
                    outbox.failed(self._store, left, "given back before it was tried", moment(), moment())
                return total + Delivered(returned=len(batch) - number)
            total += self._postpone(letter, moment()) if letter.id in braked else self._send(letter, moment)
        return total

    def _send(self, letter: Outgoing, moment: Callable[[], datetime]) -> Delivered:
        try:
            self._mailer.send(self._posting(letter, moment()))
        except (Refused, Unsendable) as refused:
            return self._give_up(letter, str(refused), moment())
        except Delayed as delayed:
            if letter.attempts >= TRIES:
                return self._give_up(letter, str(delayed), moment())
            return self._again(letter, str(delayed), wait(letter), moment())
        except Unreachable as fault:
            rest = self._rest(moment())
            log.warning("mail relay cannot be used", error=str(fault), again_in=rest.total_seconds())
            return self._again(letter, str(fault), rest, moment())
        self._probe("post.sent")
        self._faults = 0
        outbox.sent(self._store, letter, moment())
        log.info("letter sent", key=letter.key, attempts=letter.attempts)
        return Delivered(sent=1)

    def _posting(self, letter: Outgoing, now: datetime) -> Posting:
        """The letter as mail; one that trips our own code is delayed like any other, and the next one goes."""
        book = self._store.rulebook
        try:
            return posting(letter, book.school, book.secret, now)
        except Unsendable:
            raise
        except Exception as error:
            report("letter cannot be made into mail", error, key=letter.key)
            raise Delayed(f"this letter could not be made into mail: {type(error).__name__}") from error

    def _again(self, letter: Outgoing, error: str, after: timedelta, now: datetime) -> Delivered:
        log.warning("letter delayed", key=letter.key, attempts=letter.attempts, again_in=after.total_seconds())
        outbox.failed(self._store, letter, error, now + after, now)
        return Delivered(delayed=1)

    def _give_up(self, letter: Outgoing, error: str, now: datetime) -> Delivered:
        """The alert stands in the outbox before the letter is marked: a crash in between repeats, never loses."""
        log.error("letter given up", key=letter.key, attempts=letter.attempts, letter=letter.name)
        if letter.name != "gave_up":  # who cannot be reached is not told by letter that nobody was reached
            try:
                self._alert(letter, now)
            except MissingFact as missing:
                report("nobody told of a letter given up", missing, key=letter.key)
        outbox.give_up(self._store, letter, error, now)
        return Delivered(given_up=1)

    def _alert(self, letter: Outgoing, now: datetime) -> None:
        with self._store.begin() as desk:
            case = desk.matter(letter.reference) if letter.reference else None
            people = self._told(letter, case.withheld if case else frozenset(), case.recused if case else frozenset())
            school = self._store.rulebook.school
            alerts = tuple(
                letters_staff.gave_up(school, letter.reference, person, letter=letter.name, key=letter.key)
                for person in people
            )
            desk.keep(Decision(letter.reference, letters=alerts), now)

    def _told(self, letter: Outgoing, withheld: frozenset[Role], recused: frozenset[str]) -> tuple[Person, ...]:
        """The clerk, or who stands in: never the person whom the letter did not reach."""
        school = self._store.rulebook.school
        lost = letter.to_addr.lower()
        people = tuple(p for p in school.people if p.email.lower() != lost and p.id not in recused)
        return addressees(replace(school, people=people), Role.CLERK, withheld)

    def _braked(self, batch: Sequence[Outgoing], now: datetime) -> set[int]:
        """Ids of the letters that must wait, since too many went to their address, or to everybody, of late."""
        outward = [letter for letter in batch if letter.audience is Audience.COMPLAINANT]
        if not outward:
            return set()
        each, everybody = self._brake
        with self._store.begin() as desk:
            if desk.automatic_letters_total(now - DAY) > everybody:
                return {letter.id for letter in outward}
            return {one.id for one in outward if desk.automatic_letters_to(one.to_addr, now - DAY) > each}

    def _postpone(self, letter: Outgoing, now: datetime) -> Delivered:
        log.warning("letter postponed by the brake", key=letter.key)
        outbox.failed(self._store, letter, "too many automatic letters today", now + HOUR, now)
        return Delivered(postponed=1)

    def _resting(self, now: datetime) -> bool:
        return self._rest_until is not None and now < self._rest_until

    def _rest(self, now: datetime) -> timedelta:
        rest = RESTS[min(self._faults, len(RESTS) - 1)]
        self._faults += 1
        self._rest_until = now + rest
        return rest


def wait(letter: Outgoing) -> timedelta:
    """How long the letter waits after this try.

    Up to a quarter longer, by its key, so that letters which were delayed together do not come back together.
    """
    after = WAITS[min(letter.attempts, len(WAITS)) - 1]
    part = hashlib.sha256(f"{letter.key}:{letter.attempts}".encode()).digest()[0] / 255
    return after * (1 + part / 4)
