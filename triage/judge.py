"""The seam: a letter in, a Judgement out. Never raises; what it cannot read goes to a person the same day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from procedure.words import Evidence, Judgement, Request, Target, Topic
from triage import passages, ruleset
from triage.findings import About
from triage.record import LetterRecord, RecordError, day, read, written
from triage.text import Clean, clean, unreadable

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

#: Letters judged at a time by `judge_many`.
BATCH = 64


class Judge:
    """Judges letters. The pipeline is loaded at the first letter, or handed in (tests, another model).

    The judged text is subject + blank line + body; the offsets of the evidence refer to it. spaCy's shared
    vocabulary is not made for several threads, so letters are judged one after another.
    """

    def __init__(self, nlp: Language | None = None) -> None:
        self._nlp = nlp
        self._lock = Lock()

    def judge(
        self,
        text: str,
        sent: datetime | date | None,
        *,
        channel: str = "email",
        from_name: str = "",
        from_addr: str = "",
        subject: str = "",
    ) -> Judgement:
        """The judgement of one letter; `sent` may be unknown (then no relative date is worked out).

        Never raises: a crash, or a text nobody here can read, is unsure in every field, with `screen` set.
        """
        try:
            record = LetterRecord(text, subject, day(sent), channel, from_name, from_addr)
            return self._judged([record])[0]
        except Exception as error:  # noqa: BLE001 - a letter that breaks the pipeline is read by a person
            return _for_a_person(f"broken ({type(error).__name__})")

    def judge_many(self, records: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """Records of the contract in, in order; one object out for each. A wrong record answers `{id, error}`."""
        waiting = iter(records)
        while batch := list(islice(waiting, BATCH)):
            yield from self._batch(batch)

    def _batch(self, batch: list[Any]) -> Iterator[dict[str, Any]]:
        letters: list[LetterRecord | str] = []
        for record in batch:
            try:
                letters.append(_already_wrong(record) or read(record))
            except RecordError as error:
                letters.append(str(error))
        judged = iter(self._all([letter for letter in letters if isinstance(letter, LetterRecord)]))
        for record, letter in zip(batch, letters, strict=True):
            ident = record.get("id") if isinstance(record, dict) else None
            yield {"id": ident, "error": letter} if isinstance(letter, str) else written(ident, next(judged))

    def _all(self, letters: list[LetterRecord]) -> list[Judgement]:
        """A batch at once; where one breaks it, each alone, so that the others are judged."""
        try:
            return self._judged(letters)
        except Exception:  # noqa: BLE001 - found again and answered, letter by letter, below
            return [
                self.judge(
                    letter.body,
                    letter.sent,
                    channel=letter.channel,
                    from_name=letter.from_name,
                    from_addr=letter.from_addr,
                    subject=letter.subject,
                )
                for letter in letters
            ]

    def _judged(self, letters: list[LetterRecord]) -> list[Judgement]:
        with self._lock:
            if self._nlp is None:
                from triage.pipeline import load

                self._nlp = load()
            nlp = self._nlp
            # Words of these letters leave spaCy's string store again: a service runs for months.
            with nlp.memory_zone():
                return [_judge_letter(nlp, letter) for letter in letters]


def _judge_letter(nlp: Language, letter: LetterRecord) -> Judgement:
    original = f"{letter.subject}\n\n{letter.body}"
    cleaned = clean(original)
    if unreadable(cleaned):
        return _for_a_person("unreadable")
    spans = list(passages.cut(cleaned.text))
    docs = nlp.pipe(_docs(nlp, letter, cleaned, spans), batch_size=4)
    parts = [_placed(doc._.judgement, start, cleaned, original) for (start, _), doc in zip(spans, docs, strict=True)]
    judgement = passages.together(parts)
    if len(original) > passages.READ:
        return replace(judgement, screen=True, unsure=passages.FIELDS)
    return judgement


def _docs(nlp: Language, letter: LetterRecord, cleaned: Clean, spans: list[tuple[int, int]]) -> Iterator[Doc]:
    for start, end in spans:
        doc = nlp.make_doc(cleaned.text[start:end])
        doc._.about = About(
            letter.sent,
            letter.channel,
            letter.from_name,
            letter.from_addr,
            subject_length=len(letter.subject) if start == 0 else 0,
        )
        yield doc


def _placed(judgement: Judgement, offset: int, cleaned: Clean, original: str) -> Judgement:
    """The same judgement with its evidence at the offsets of the text as written."""
    pieces = []
    for piece in judgement.evidence:
        start, end = cleaned.span(piece.start + offset, piece.end + offset)
        pieces.append(Evidence(piece.label, start, end, original[start:end], piece.source))
    return replace(judgement, evidence=tuple(pieces))


def _for_a_person(why: str) -> Judgement:
    return Judgement(
        topics=(Topic.GENERAL,),
        target=Target.NONE,
        request=Request.NONE,
        screen=True,
        unsure=passages.FIELDS,
        model=f"{ruleset.VERSION}, {why}",
    )


def _already_wrong(record: object) -> str | None:
    """The sentence of whoever read the line, where it was no JSON."""
    if isinstance(record, dict) and isinstance(record.get("error"), str) and "body" not in record:
        return str(record["error"])
    return None
