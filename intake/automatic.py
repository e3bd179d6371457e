"""Who wrote: a person, or a machine; and may a machine of ours answer (RFC 3834, with the habits of real programs).

An answer is withheld on the least sign of a machine. A letter is called automatic only on a sure one: a person taken
for a robot would lose a complaint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from intake import headers as h
from intake.parts import Part
from intake.reports import find_report
from procedure.words import Address

#: Our own letters carry such a field (and Auto-Submitted); when one comes back it is a loop.
OWN_FIELD = "x-duly-"

_ANSWER_FIELDS = (
    "x-autorespond",
    "x-autoresponder",
    "x-autoresponse",
    "x-auto-reply-from",
    "x-vacation",
    "x-mail-autoreply",
)
_ANSWER_FLAGS = ("x-autoreply", "x-auto-reply", "x-fc-machinegenerated")
_VACATION = re.compile(r"(?i)vacation|auto[- ]?(?:respon|repl)|out[- ]of[- ]office")
#: Subjects that programs put on absence notes, in the languages they speak; from the very start of the subject.
_MACHINE_SUBJECT = re.compile(
    r"(?i)^\s*(?:\[?(?:auto(?:matic|mated|matisch\w*)?[ -]?(?:reply|response|antwort|antwoord|svar))\b\]?"
    r"|auto(?:svar|antwort|reply|response|responder)?\s*:|automatische (?:antwort|beantwortung)"
    r"|automatisch antwoord"
    r"|automati(?:skt?|c?ké?) (?:svar|odpověď|odpoveď)|r[ée]ponse automatique|respuesta autom[áa]tica"
    r"|risposta automatica"
    r"|resposta autom[áa]tica|automaattinen vastaus|odpowied[źz] automatyczna|automatyczna odpowied[źz]"
    r"|răspuns automat"
    r"|otomatik yanıt|автоматическ\w+ ответ|автоответ|автоматична відповідь"
    r"|自动答复|自動回覆|自动回复|自動応答|자동 회신"
    r"|ateb awtomatig|αυτόματη απάντηση|out of (?:the )?office(?: auto-?reply| reply| notification"
    r"| message)?\s*(?::|$|\()"
    r"|ooo\s*:|abwesenheits(?:notiz|nachricht|meldung)?\s*:?|fuori (?:sede|ufficio)\s*:|absence du bureau"
    r"|absent du bureau"
    r"|fuera de (?:la )?oficina|afwezig(?:heid)?\s*:|frånvaro\s*:|fraværsmelding|ikke på kontoret|ej på kontoret"
    r"|vacation (?:reply|notice|auto)|away from (?:my )?(?:mail|office|desk)\s*:)"
)
_LOTUS_SUBJECT = re.compile(
    r"(?i)^.{2,60} (?:is|am|will be) (?:currently )?(?:out of (?:the )?office|on (?:annual |maternity "
    r"|sick )?leave|on holiday)\b.{0,40}$"
    r"|^.{2,60} ist (?:au[sß]er haus|nicht im (?:büro|haus))\b.{0,40}$|^.{2,60} est absent\w*.{0,40}$"
)
_AWAY = re.compile(
    r"(?i)\bi(?:'m| am| will be|'ll be) (?:currently |now )?(?:out of (?:the )?office|away|on (?:annual "
    r"|maternity |sick )?leave|on (?:holiday|vacation))"
    r"|\b(?:out of (?:the )?office|away) (?:until|from|starting|between)|this is an automat(?:ic|ed) (?:reply"
    r"|response|message)"
    r"|(?:thank you for|received) your (?:e-?mail|message).{0,200}\b(?:out of (?:the )?office|away|leave|return)"
    r"|ich bin .{0,60}(?:abwesend|nicht (?:im büro|erreichbar|im haus)|im urlaub)"
    r"|je suis (?:actuellement )?(?:absent|en congé)"
    r"|estoy (?:fuera|ausente|de vacaciones)|sono (?:fuori|assente)|ik ben (?:afwezig|niet aanwezig)"
    r"|jag är (?:inte på|frånvarande)",
    re.DOTALL,
)
_ANSWERED = re.compile(r"(?i)^\s*(?:re|aw|sv|vs|antw|odp|rif|ynt|fw|fwd|wg|tr|rv|vl|doorst)\s*(?:\[\d+\])?\s*:")
_FORM_SUBJECT = re.compile(
    r"(?i)\bform\b|\bformular|enquiry|contact us|website (?:message|contact)|webform|submission"
)
_FORM_LINE = re.compile(
    r"(?im)^\s*(?:your |full |first |last )?(?:name|e-?mail(?: address)?|message|comments?|telephone|phone"
    r"|child'?s name|enquiry)\s*:"
)
_NO_ANSWER = re.compile(
    r"(?i)^(?:(?:.*[._+-])?(?:no|do|don'?t|dont|non|ne)[._-]?(?:not[._-]?)?(?:repl(?:y|ies)|respond"
    r"|answer)(?:[._+-].*)?"
    r"|mailer-?daemon|po+stmaster|bounces?(?:[+=._-].*)?|owner-.*|.*-(?:owner|request|bounces?|errors)|listserv"
    r"|majordomo|list-?manager"
    r"|auto(?:responder|mailer|reply|confirm)|nobody|root|cron|daemon|notifications?|unmonitored|devnull)$"
)
_LIST_FIELDS = (
    "list-id",
    "list-post",
    "list-help",
    "list-unsubscribe",
    "list-subscribe",
    "list-archive",
    "mailing-list",
    "x-mailing-list",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What sort of letter this is; the fields mean what they mean in Message."""

    kind: str = "human"
    is_auto_reply: bool = False
    is_bounce: bool = False
    temporary: bool = False
    failed: tuple[str, ...] = ()
    reported_ids: tuple[str, ...] = ()
    status: str | None = None
    may_autorespond: bool = True


def judge(top: Part, text: str, reply: str, sender: Address | None) -> Verdict:
    """The sort of a letter from its head and structure, its words (`reply`: the new ones) only where nothing"
    " else tells.
    """
    head = top.headers
    if report := find_report(top, text, sender):
        return Verdict(
            kind=report.kind,
            is_bounce=report.kind in {"bounce", "delayed"},
            temporary=report.temporary,
            failed=report.failed,
            reported_ids=report.reported_ids,
            status=report.status,
            may_autorespond=False,
        )
    if _own(head, sender):
        return Verdict("loop", is_auto_reply=True, may_autorespond=False)
    if _form(head, reply, sender):
        return Verdict("form", may_autorespond=False)
    if _automatic(head, reply, sender):
        return Verdict("auto_reply", is_auto_reply=True, may_autorespond=False)
    return Verdict(may_autorespond=_may_answer(head, sender))


def submitted(head: h.Headers) -> str:
    """Auto-Submitted (RFC 3834 section 5) without comments and parameters; of several fields one other than"
    " "no" wins.
    """
    values = [re.sub(r"\([^()]*\)", "", one).partition(";")[0].strip().lower() for one in head.all("auto-submitted")]
    return next((one for one in values if one not in {"", "no"}), "no" if values else "")


def _own(head: h.Headers, sender: Address | None) -> bool:
    if any(name.startswith(OWN_FIELD) for name, _ in head.fields):
        return True
    if sender is None or "@" not in sender.addr:
        return False
    own = sender.addr.lower()
    looped = own in " ".join((*head.all("x-loop"), *head.all("x-original-to"))).lower() and "x-loop" in head
    return (looped or submitted(head) not in {"", "no"}) and own in head.get("to").lower()


def _form(head: h.Headers, reply: str, sender: Address | None) -> bool:
    """A website's robot that carries a person's words: it names another address to answer, and answers nothing"
    " itself.
    """
    machine = submitted(head) == "auto-generated" or (sender is not None and _is_no_answer(sender))
    answer_to = head.get("reply-to").lower()
    other = bool(answer_to) and "@" in answer_to and (sender is None or sender.addr.lower() not in answer_to)
    if not machine or not other or "in-reply-to" in head or submitted(head) == "auto-replied":
        return False
    return bool(_FORM_SUBJECT.search(head.get("subject"))) or len(_FORM_LINE.findall(reply[:4000])) >= 2


def _automatic(head: h.Headers, reply: str, sender: Address | None) -> bool:
    if submitted(head) not in {"", "no"} or _answer_fields(head) or _rule_of_sender(head, sender):
        return True
    if head.get("return-path").replace(" ", "") == "<>":
        return True
    subject = head.get("subject")
    if _ANSWERED.match(subject):
        return False
    worded = bool(_MACHINE_SUBJECT.match(subject))
    bulk = head.get("precedence").strip().lower() in {"bulk", "junk"} or "x-auto-response-suppress" in head
    if bulk and (worded or _LOTUS_SUBJECT.match(subject) or (_AWAY.search(reply[:1500]) and "list-id" not in head)):
        return True
    if worded and (_AWAY.search(reply[:3000]) or ":" in subject or "in-reply-to" in head):
        return True
    return bool(_LOTUS_SUBJECT.match(subject) and _AWAY.search(reply[:1500]))


def _answer_fields(head: h.Headers) -> bool:
    if any(name in head for name in _ANSWER_FIELDS):
        return True
    if any(head.get(name).strip().lower() not in {"", "no", "false", "0"} for name in _ANSWER_FLAGS):
        return True
    if head.get("precedence").strip().lower().replace("-", "_") in {"auto_reply", "autoreply"}:
        return True
    if any(
        _VACATION.search(head.get(name)) for name in ("x-apple-action", "x-mailer", "x-msg-type", "x-autogenerated")
    ):
        return True
    return "autoresponder" in " ".join(head.all("delivered-to")).lower() or "x-autogenerated" in head


def _rule_of_sender(head: h.Headers, sender: Address | None) -> bool:
    """Exchange notes whose inbox rule wrote. The sender's own: an automatic answer. Somebody else's: a rule"
    " forwarded a letter.
    """
    looped = head.get("x-ms-exchange-inbox-rules-loop").strip().lower()
    return bool(looped) and sender is not None and looped == sender.addr.lower()


def _is_no_answer(sender: Address) -> bool:
    return bool(_NO_ANSWER.match(sender.addr.rpartition("@")[0]))


def _may_answer(head: h.Headers, sender: Address | None) -> bool:
    """RFC 3834 section 2: no answer to lists, bulk mail, machines, those who ask for none, or nobody."""
    if sender is None or "@" not in sender.addr or _is_no_answer(sender):
        return False
    if any(name in head for name in _LIST_FIELDS) or "x-loop" in head:
        return False
    if head.get("precedence").strip().lower() in {"bulk", "junk", "list"}:
        return False
    suppressed = {one.strip().lower() for one in head.get("x-auto-response-suppress").split(",")} - {"", "none"}
    wide = not suppressed or suppressed <= {"dr", "rn", "nrn", "ndr"}
    return wide and "x-ms-exchange-inbox-rules-loop" not in head
