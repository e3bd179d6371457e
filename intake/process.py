"""One journal entry at a time: read, judge, place, decide, keep. Several share one transaction.

Reading and judging need no database and happen before the transaction opens. A letter that cannot be settled is
rolled back to its savepoint, kept in quarantine with an alert, and never stops the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from data import outbox
from data.letters import Claimed, claim, release
from data.store import UNAVAILABLE, AlreadyHere, Desk, Store
from intake.mime import read
from intake.threads import Place, PlaceKind, place
from procedure import letters_staff, opening
from procedure.drafting import Arrival, Campaign, Traffic
from procedure.routing import addressees
from procedure.words import Decision, Judgement, Message, Role

log = structlog.get_logger()

#: A letter is read again once; when its reading ends the process a second time it is quarantined.
MAX_ATTEMPTS = 2
BATCH = 16
LEASE = timedelta(seconds=60)

Judge = Callable[[Message, datetime], Judgement]
Join = Callable[[Desk, int, Message, Judgement, datetime], Campaign | None]


def quiet(_point: str) -> None:
    """No probe: nothing happens at the named points."""


def no_campaign(_desk: Desk, _id: int, _message: Message, _judgement: Judgement, _now: datetime) -> None:
    """Nobody looks for campaigns."""


class Processor:
    """Turns journal entries into cases. `judge` and `join` come from the triage room by the app's hand."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        *,
        worker: str,
        vault: Path | None = None,
        join: Join = no_campaign,
        probe: Callable[[str], None] = quiet,
    ) -> None:
        self.store = store
        self.judge = judge
        self.join = join
        self.worker = worker
        self.vault = vault
        self.probe = probe
        self._automatic_before: int | None = None

    def reclaim(self) -> int:
        """Take back what this worker held when it died, so that its letters need not wait for their lease."""
        return release(self.store.engine, self.store.school_id, self.worker, died=True)

    def give_back(self) -> int:
        """Give back what this worker holds, the try not counted: the database was away, the letters are well."""
        return release(self.store.engine, self.store.school_id, self.worker)

    def tick(self, now: datetime) -> int:
        """As `work`; a database that is away is waited for, and no letter is the worse for it."""
        try:
            return self.work(now)
        except UNAVAILABLE as error:
            log.warning("database unavailable", error=type(error).__name__)
        with suppress(*UNAVAILABLE):
            self.give_back()
        return 0

    def work(self, now: datetime) -> int:
        """Claim and settle what is waiting, at most a batch; the number of letters settled."""
        claimed = claim(self.store.engine, self.store.school_id, self.worker, now, LEASE, BATCH, vault=self.vault)
        doomed = [one for one in claimed if one.attempts > MAX_ATTEMPTS]
        for one in doomed:
            self._quarantine(one, "reading it ended the process twice", now)
        ready = [(one, *self._look(one)) for one in claimed if one not in doomed]
        self.probe("process.claimed")
        if ready:
            self._settle_all(ready, now)
        return len(claimed)

    def _look(self, one: Claimed) -> tuple[Message, Judgement]:
        message = read(one.raw)
        return message, self.judge(message, one.envelope.received_at)

    def _settle_all(self, ready: Sequence[tuple[Claimed, Message, Judgement]], now: datetime) -> None:
        failed: list[tuple[Claimed, str]] = []
        with self.store.begin() as desk:
            self._automatic_before = None
            for one, message, judgement in ready:
                arrival = Arrival(one.id, one.envelope, message, judgement)
                try:
                    with desk.savepoint():
                        self._settle(desk, arrival, now)
                except UNAVAILABLE:
                    raise  # no fault of this letter: it stays claimed and is tried again
                except AlreadyHere as other:
                    self._again(desk, arrival, other, now)
                except Exception as error:  # one bad letter must not stop the others, nor be lost
                    log.exception("letter not settled", letter=one.id)
                    failed.append((one, f"it could not be settled ({type(error).__name__})"))
            self.probe("process.before_commit")
        for one, reason in failed:
            self._quarantine(one, reason, now)

    def _settle(self, desk: Desk, arrival: Arrival, now: datetime) -> None:
        book = self.store.rulebook
        where = place(arrival.message, arrival.envelope, arrival.judgement, desk, book.school, book.secret)
        self._apply(desk, arrival, where, now)

    def _again(self, desk: Desk, arrival: Arrival, other: AlreadyHere, now: datetime) -> None:
        """Another worker settled the same letter a moment ago."""
        reason = f"the same letter as number {other.letter_id}"
        self._apply(desk, arrival, Place(PlaceKind.DUPLICATE, reason, other.reference, other.letter_id), now)

    def _apply(self, desk: Desk, arrival: Arrival, where: Place, now: datetime) -> None:
        reference = where.reference
        match where.kind:
            case PlaceKind.NEW:
                reference = self._open(desk, arrival, now)
                state = "done"
            case PlaceKind.REPLY:
                self._join_case(desk, arrival, where, now)
                state = "done"
            case PlaceKind.DUPLICATE:
                if reference is not None:
                    assert where.duplicate_of is not None
                    desk.keep(
                        opening.duplicate(reference, arrival.letter_id, arrival.envelope, where.duplicate_of, now),
                        now,
                    )
                state = "duplicate"
            case PlaceKind.BOUNCE:
                self._bounced(desk, where, now)
                state = "bounce"
            case PlaceKind.AUTOMATIC:
                state = "automatic"
            case PlaceKind.UNPLACED:
                desk.keep(opening.unplaced(arrival, where.reason, self.store.rulebook, now), now)
                state = "unplaced"
        desk.remember(
            arrival.letter_id,
            arrival.message,
            arrival.judgement,
            state=state,
            reference=reference,
            reason=where.reason,
            duplicate_of=where.duplicate_of,
            now=now,
        )

    def _open(self, desk: Desk, arrival: Arrival, now: datetime) -> str:
        book = self.store.rulebook
        year = arrival.envelope.received_at.year
        reference = opening.new_reference(book.school, year, desk.next_serial(year))
        campaign = self.join(desk, arrival.letter_id, arrival.message, arrival.judgement, now)
        decision = opening.open_case(reference, arrival, book, self._traffic(desk, arrival, now), now, campaign)
        desk.keep(decision, now)
        self._party(desk, reference, arrival)
        for earlier in desk.cases_of(campaign.members) if campaign else ():
            case = desk.matter(earlier)
            joined = opening.joined_campaign(case, campaign, now) if case and campaign else None
            if joined is not None:
                desk.keep(joined, now)
        return reference

    def _join_case(self, desk: Desk, arrival: Arrival, where: Place, now: datetime) -> None:
        assert where.reference is not None
        past = desk.history(where.reference)
        traffic = self._traffic(desk, arrival, now)
        decision = opening.join_case(where.reference, arrival, past, self.store.rulebook, traffic, now)
        desk.keep(decision, now)

    def _party(self, desk: Desk, reference: str, arrival: Arrival) -> None:
        """Whoever wrote is a party, so that the next letter from there finds the case."""
        for address in dict.fromkeys(a for a in (arrival.message.sender, *arrival.message.reply_to) if a):
            desk.add_party(reference, Role.COMPLAINANT.value, address.name, address.addr)

    def _traffic(self, desk: Desk, arrival: Arrival, now: datetime) -> Traffic:
        since = now - timedelta(hours=24)
        to = arrival.message.answer_to
        each = desk.automatic_letters_to(to.addr, since) if to else 0
        if self._automatic_before is None:  # asked once a transaction; a batch is small beside the cap
            self._automatic_before = desk.automatic_letters_total(since)
        return Traffic(each, self._automatic_before)

    def _bounced(self, desk: Desk, where: Place, now: datetime) -> None:
        """A letter of ours came back: the duty it met is open again and the clerk is told (demand 70)."""
        school = self.store.rulebook.school
        for message_id in where.failed_ids:
            reference = outbox.bounced(desk, message_id, where.reason, now)
            if reference is None:
                continue
            matter = desk.matter(reference)
            withheld = matter.withheld if matter else frozenset()
            notices = tuple(
                letters_staff.bounce_notice(school, reference, person, message_id=message_id)
                for person in addressees(school, Role.CLERK, withheld)
            )
            desk.keep(Decision(None, (), notices), now)
            return

    def _quarantine(self, one: Claimed, reason: str, now: datetime) -> None:
        """Keep the letter as it came, mark it for a person, and alert."""
        with self.store.begin() as desk:
            desk.quarantine(one.id, reason, now)
            desk.keep(opening.quarantined(one.id, self.store.rulebook, now), now)
