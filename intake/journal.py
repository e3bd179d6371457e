"""Durable before the door answers: one writer thread, and whatever is waiting shares one commit.

No wait is added: with one letter at hand it is committed alone; the letters that arrive meanwhile are the next batch.
A slow disk makes the batches larger, not the doors slower.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

import structlog

from data.letters import LARGE, Received
from procedure.words import Envelope

log = structlog.get_logger()

#: Letters and octets that may wait for the writer; beyond them a door says "try again".
MAX_LETTERS = 2_000
MAX_OCTETS = 128 * 1024 * 1024
#: One transaction holds no more than this; a commit of hundreds of megabytes would keep every other letter waiting.
BATCH_LETTERS = 256
BATCH_OCTETS = 16 * 1024 * 1024
#: Seconds for which the letters of a failed batch are tried one by one.
RETRY_FOR = 10.0

Answer = Callable[[int | None, BaseException | None], None]


class JournalFull(Exception):  # noqa: N818 - an answer, not a mistake
    """More letters are waiting than the journal takes at once; the sender should try again."""


class JournalClosed(Exception):  # noqa: N818 - an answer, not a mistake
    """The journal takes no more letters: the house is closing."""


def quiet(_point: str) -> None:
    """No probe: nothing happens at the named points."""


def as_it_is(received: Received) -> Received:
    """No shelf: large letters are put away by `add_many`."""
    return received


@dataclass(slots=True)
class _Waiting:
    received: Received
    answer: Answer
    loop: asyncio.AbstractEventLoop | None
    letter_id: int | None = None
    error: BaseException | None = None

    @property
    def in_row(self) -> int:
        """Octets that its row will hold."""
        return 0 if self.received.raw_file else len(self.received.raw)

    def give_answer(self) -> None:
        self.answer(self.letter_id, self.error)


class Journal:
    """The one way in: every door hands its letters here and answers the sender only afterwards.

    `add_many` writes a batch in one transaction and returns the ids in order. `shelve`, when given, puts a large
    letter into its file beforehand, in another thread, so that the writer does not hold up the small ones; it must
    be safe to call twice. `probe` is told "journal.before_commit" and "journal.after_commit" around each batch.
    """

    def __init__(
        self,
        add_many: Callable[[Sequence[Received]], list[int]],
        probe: Callable[[str], None] = quiet,
        *,
        shelve: Callable[[Received], Received] = as_it_is,
        max_letters: int = MAX_LETTERS,
        max_octets: int = MAX_OCTETS,
        batch_letters: int = BATCH_LETTERS,
    ) -> None:
        self._add_many = add_many
        self._probe = probe
        self._shelve = shelve
        self._max_letters = max_letters
        self._max_octets = max_octets
        self._batch_letters = batch_letters
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._letters = self._octets = 0  # accepted and not yet answered
        self._closed = False
        #: Transactions committed, and letters in them.
        self.commits = self.kept = 0
        self._shelves = ThreadPoolExecutor(2, thread_name_prefix="journal-shelf")
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def accept(self, raw: bytes, envelope: Envelope) -> Future[int]:
        """The letter's id, once it is durably kept; from any thread.

        Raises JournalFull or JournalClosed at once; the future carries whatever kept the batch from being written.
        """
        future: Future[int] = Future()
        future.set_running_or_notify_cancel()  # what was handed in is kept, whoever still waits for it

        def answer(letter_id: int | None, error: BaseException | None) -> None:
            if error is None and letter_id is not None:
                future.set_result(letter_id)
            else:
                future.set_exception(error or RuntimeError("no id"))

        self._enter(_Waiting(Received(raw, envelope), answer, None))
        return future

    async def aaccept(self, raw: bytes, envelope: Envelope) -> int:
        """The same for a coroutine. Cancelling it stops the waiting, not the keeping."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()

        def answer(letter_id: int | None, error: BaseException | None) -> None:
            if future.done():
                return  # the sender hung up; the letter is kept all the same
            if error is None and letter_id is not None:
                future.set_result(letter_id)
            else:
                future.set_exception(error or RuntimeError("no id"))

        self._enter(_Waiting(Received(raw, envelope), answer, loop))
        return await future

    def close(self, timeout: float | None = None) -> None:
        """Take no more, write what is waiting, end the writer; wait for that up to `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._shelves.shutdown(wait=timeout is None)
        self._writer.join(timeout)

    def _enter(self, waiting: _Waiting) -> None:
        size = len(waiting.received.raw)
        with self._changed:
            if self._closed:
                raise JournalClosed("the journal is closed")
            if self._letters and (self._letters >= self._max_letters or self._octets + size > self._max_octets):
                raise JournalFull(f"{self._letters} letters are waiting to be kept")
            self._letters += 1
            self._octets += size
            if size <= LARGE or self._shelve is as_it_is:
                self._queue.append(waiting)
                self._changed.notify()
                return
            self._shelves.submit(self._put_away, waiting)

    def _put_away(self, waiting: _Waiting) -> None:
        try:
            waiting.received = self._shelve(waiting.received)
        except Exception as error:  # noqa: BLE001 - a full disk is answered, as a failed commit is
            waiting.error = error
            self._finish([waiting])
            return
        with self._changed:
            self._queue.append(waiting)
            self._changed.notify()

    def _write(self) -> None:
        while batch := self._next_batch():
            self._keep(batch)
            self._finish(batch)

    def _next_batch(self) -> list[_Waiting]:
        """What is waiting, at least one; nothing when the journal is closed and empty."""
        with self._changed:
            while not self._queue:
                if self._closed and not self._letters:
                    return []
                self._changed.wait()
            batch = [self._queue.popleft()]
            octets = batch[0].in_row
            while self._queue and len(batch) < self._batch_letters:
                octets += self._queue[0].in_row
                if octets > BATCH_OCTETS:
                    break
                batch.append(self._queue.popleft())
            return batch

    def _keep(self, batch: list[_Waiting]) -> None:
        try:
            self._commit(batch)
        except Exception as error:  # noqa: BLE001 - whatever it was, the writer lives and the doors answer 451
            # No traceback: the database's message may quote the letter.
            log.error("journal_commit_failed", letters=len(batch), error=type(error).__name__)  # noqa: TRY400
            for waiting in batch:
                waiting.error = error
            if len(batch) > 1:
                self._keep_singly(batch)

    def _keep_singly(self, batch: list[_Waiting]) -> None:
        """One letter that cannot be written must not refuse the others; a broken disk must not take for ever."""
        until = monotonic() + RETRY_FOR
        for waiting in batch:
            if monotonic() > until:
                return
            try:
                self._commit([waiting])
            except Exception as error:  # noqa: BLE001 - as above
                waiting.error = error

    def _commit(self, batch: list[_Waiting]) -> None:
        self._probe("journal.before_commit")
        ids = self._add_many([waiting.received for waiting in batch])
        self.commits += 1
        self.kept += len(batch)
        for waiting, letter_id in zip(batch, ids, strict=True):
            waiting.letter_id, waiting.error = letter_id, None
        self._probe("journal.after_commit")

    def _finish(self, batch: list[_Waiting]) -> None:
        with self._changed:
            self._letters -= len(batch)
            self._octets -= sum(len(waiting.received.raw) for waiting in batch)
            self._changed.notify_all()
        by_loop: dict[asyncio.AbstractEventLoop | None, list[_Waiting]] = {}
        for waiting in batch:
            by_loop.setdefault(waiting.loop, []).append(waiting)
        for loop, group in by_loop.items():
            if loop is None:
                _answer(group)
            else:
                _answer_in(loop, group)


def _answer(group: list[_Waiting]) -> None:
    for waiting in group:
        waiting.give_answer()


def _answer_in(loop: asyncio.AbstractEventLoop, group: list[_Waiting]) -> None:
    """One wake-up of the loop for the whole batch."""
    try:
        loop.call_soon_threadsafe(_answer, group)
    except RuntimeError:  # the loop has closed: nobody waits, and the letters are kept
        log.warning("journal_nobody_waits", letters=len(group))
