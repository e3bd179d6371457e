"""Reports about letters of ours: failed, delayed or delivered (RFC 3464), read (RFC 8098), marked as spam (RFC 5965).

A report is known by its structure; where a server knows no RFC, by a machine's sender together with its usual words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from intake import headers as h
from intake.charsets import decode
from intake.parts import Part
from procedure.words import Address

_DSN = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MDN = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_DAEMON = re.compile(
    r"(?i)^(?:mailer[-_.]?daemon|mail[-_.]?daemon|po+stmaster|mailadmin|mdaemon|mail[-_.]?delivery|mailerdaemon"
    r"|bounces?)(?:[+=.-].*)?$"
)
_DAEMON_NAME = re.compile(
    r"(?i)mail(?:er)?[ -]*(?:delivery|daemon|administrator)|system administrator|postmaster|delivery (?:sub)?system"
)
_FAILED_SUBJECT = re.compile(
    r"(?i)undeliver|non[- ]?deliver|not delivered|returned mail|returned to sender|return(?:ing|ed) (?:message"
    r"|mail|to sender)"
    r"|failure notice|mail (?:system error|failed)|deliver\w* (?:status|notif\w*|fail\w*|problem|report|error"
    r"|has failed|delay\w*)"
    r"|(?:fail\w*|error|problem) (?:to |in |of )?deliver|delayed mail|could not (?:send|be delivered)"
    r"|warning: .{0,40}\bmessage"
    r"|unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|non remis|échec de (?:la )?remise"
    r"|no se pudo entregar|non recapitabil"
    r"|onbestelbaar|niet bezorgd|недостав|не доставлено|доставк|配信|エラーメール|olevererbart|kunne ikke leveres"
)
_FAILED_TEXT = re.compile(
    r"(?i)(?:could|can|was|were|has|have|is|are) ?(?:not|n't)(?: be(?:en)?)? (?:delivered|sent)"
    r"|unable to deliver|permanent (?:fatal )?error"
    r"|delivery (?:has |to .{0,80})?(?:failed|error)|undeliverable|user unknown|unknown user"
    r"|mailbox (?:is )?(?:full|unavailable|not found)"
    r"|recipients? (?:was|were|is|are)? ?rejected|failed permanently|message (?:log|text) follows"
    r"|returned below|\b5\.\d\.\d\b|\b55\d[ -]"
    r"|delivery (?:to .{0,80})?(?:is |has been |was )?delayed|送信できません|не (?:может быть|была|удалось) достав"
)
_DELAY = re.compile(
    r"(?i)\bdelay(?:ed)?\b|still being retried|not (?:yet )?been delivered|will (?:be )?(?:retr|continue"
    r"|keep trying|try again)"
    r"|warning: (?:could|message)|temporar(?:y|ily)|do not need to resend"
)
_FINAL = re.compile(r"(?i)permanent|fail(?:ed|ure)|given up|giving up|undeliver|returned|rejected")
_ORIGINAL = re.compile(
    r"(?im)^[ \t>|*-]*(?:(?:below (?:this line )?is|here is|this is) (?:a copy of )?(?:the|your)"
    r"|(?:the )?(?:header|text|copy|body) of (?:the|your)"
    r"|-+ ?(?:this is a copy|original|returned|unsent|undelivered|the header|message (?:text|header)s?)"
    r"|original message|message text follows)"
    r"|^return-path:|^received:"
)
_ID_LINE = re.compile(r"(?im)^[ \t>]*(?:x-)?(?:original-)?message-id[ \t]*:\s*<([^<>\s]{3,250})>")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ADDRESS = re.compile(r"[\w.+=/!#$%&'*-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SNS = re.compile(r'"(?:notificationType|eventType)"\s*:\s*"(Bounce|Complaint|Delivery|DeliveryDelay)"')


@dataclass(frozen=True, slots=True)
class Report:
    """What a report tells. `kind` is a class of the mail set: bounce, delayed, dsn_success, feedback_report,"
    " mdn.
    """

    kind: str
    failed: tuple[str, ...] = ()
    status: str | None = None
    temporary: bool = False
    reported_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class _Recipients:
    """The per-recipient fields of a delivery report."""

    failed: list[str] = field(default_factory=list)
    delayed: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    actions: set[str] = field(default_factory=set)


def find_report(top: Part, text: str, sender: Address | None) -> Report | None:
    """The report in a letter, or None when a person (or another machine) wrote it."""
    outer = list(top.walk(enclosed=False))
    kinds = {part.type for part in outer}
    asked = top.params.get("report-type", "").lower() if top.type == "multipart/report" else ""
    from_machine = _is_daemon(top, sender)
    if "message/feedback-report" in kinds or asked == "feedback-report" or _hotmail_complaint(top, outer):
        return Report("feedback_report", reported_ids=_ids(top, outer, text))
    if kinds & _MDN or asked == "disposition-notification":
        return Report("mdn", reported_ids=_ids(top, outer, text))
    if kinds & _DSN and (from_machine or asked or top.type in {"multipart/report", *_DSN} or sender is None):
        return _delivery_report(top, outer, text)
    if found := _SNS.search(text):
        return (
            _notified(found.group(1), top, outer, text)
            if "amazonaws.com" in (sender.addr if sender else "")
            else None
        )
    if asked == "delivery-status" or (from_machine and _speaks_of_failure(top, text)):
        return _worded_report(top, outer, text, sender)
    return None


def _is_daemon(top: Part, sender: Address | None) -> bool:
    """A mail server wrote: by its address, its name, or a return path that takes no answer (RFC 5321 section"
    " 4.5.5).
    """
    if sender is not None:
        local = sender.addr.rpartition("@")[0] or sender.addr
        if _DAEMON.match(local) or (
            not sender.addr and (_DAEMON_NAME.search(sender.name) or _DAEMON.match(sender.name))
        ):
            return True
        if _DAEMON_NAME.search(sender.name) and "x-failed-recipients" in top.headers:
            return True
    return top.headers.get("return-path").replace(" ", "") in {"<>", "<MAILER-DAEMON>"}


def _speaks_of_failure(top: Part, text: str) -> bool:
    if "x-failed-recipients" in top.headers:
        return True
    subject = top.headers.get("subject")
    if re.match(r"(?i)\s*(?:re|aw|sv|antw)\s*:", subject):
        return False
    return bool(_FAILED_SUBJECT.search(subject)) or bool(not subject and _FAILED_TEXT.search(text[:4000]))


def _hotmail_complaint(top: Part, outer: list[Part]) -> bool:
    """Microsoft's complaint feedback has no report part, only the letter complained of."""
    return top.headers.get("subject").lower().startswith("complaint about message from ") and any(
        "x-hmxmroriginalrecipient" in child.headers for part in outer for child in part.children
    )


def _delivery_report(top: Part, outer: list[Part], text: str) -> Report:
    told = _Recipients()
    for part in outer:
        if part.type in _DSN:
            for group in h.walk_fields(part.content()):
                _recipient(group, told)
    if "failed" in told.actions:
        kind = "bounce"
    elif "delayed" in told.actions:
        kind = "delayed"
    elif told.actions & {"delivered", "relayed", "expanded"}:
        kind = "dsn_success"
    else:
        kind = "delayed" if told.statuses and all(s.startswith("4") for s in told.statuses) else "bounce"
    status = next((s for s in told.statuses if kind != "bounce" or s[0] != "2"), None) or _status(text)
    temporary = kind == "delayed" or (kind == "bounce" and (status or "").startswith("4"))
    failed = told.failed if kind == "bounce" else told.delayed if kind == "delayed" else []
    if kind == "bounce" and not failed:
        failed = list(_addresses_in(top, text))
    return Report(kind, tuple(dict.fromkeys(failed)), status, temporary, _ids(top, outer, text))


def _recipient(group: h.Headers, told: _Recipients) -> None:
    action = group.get("action").split(" ")[0].strip(";").lower()
    addr = group.get("final-recipient") or group.get("original-recipient")
    found = _ADDRESS.search(addr.partition(";")[2] or addr)
    if action:
        told.actions.add(action)
    if status := _STATUS.search(group.get("status")):
        told.statuses.append(status.group(1))
    if found and action not in {"delivered", "relayed", "expanded"}:
        (told.delayed if action == "delayed" else told.failed).append(found.group())


def _notified(what: str, top: Part, outer: list[Part], text: str) -> Report:
    if what == "Complaint":
        return Report("feedback_report", reported_ids=_ids(top, outer, text))
    if what == "Delivery":
        return Report("dsn_success", reported_ids=_ids(top, outer, text))
    failed = tuple(dict.fromkeys(re.findall(r'"emailAddress"\s*:\s*"([^"]{3,250})"', text)))
    delayed = what == "DeliveryDelay"
    kind = "delayed" if delayed else "bounce"
    return Report(kind, failed, _status(text), delayed or '"Transient"' in text, _ids(top, outer, text))


def _worded_report(top: Part, outer: list[Part], text: str, sender: Address | None) -> Report:
    """A report in words only: what stands before the returned letter is the server's."""
    own = text[: cut.start()] if (cut := _ORIGINAL.search(text)) else text
    said = top.headers.get("subject") + "\n" + own[:8000]
    status = _status(own)
    delayed = bool(_DELAY.search(said)) and not _FINAL.search(said) and not (status or "").startswith("5")
    temporary = delayed or (status or "").startswith("4")
    failed = tuple(one for one in _addresses_in(top, own) if sender is None or one.lower() != sender.addr.lower())
    return Report("delayed" if delayed else "bounce", failed, status, temporary, _ids(top, outer, text))


def _addresses_in(top: Part, own: str) -> tuple[str, ...]:
    """Who was not reached, from X-Failed-Recipients or the first lines that name somebody other than us."""
    named = " ".join(top.headers.all("x-failed-recipients"))
    found = _ADDRESS.findall(named) or _ADDRESS.findall(own[:20_000])
    ours = {one.lower() for one in _ADDRESS.findall(top.headers.get("to"))}
    kept = [one for one in found if one.lower() not in ours and not _DAEMON.match(one.partition("@")[0])]
    return tuple(dict.fromkeys(kept))[:50]


def _status(text: str) -> str | None:
    found = _STATUS.search(text[:20_000])
    return found.group(1) if found else None


def _ids(top: Part, outer: list[Part], text: str) -> tuple[str, ...]:
    """Message-IDs of the letter reported on: from its returned head, the report's fields, or the thread."""
    found: list[str] = []
    for part in outer:
        if part.type.startswith("message/rfc822") and part.children:
            found += h.ids(part.children[0].headers.get("message-id"))
        elif part.type in {"text/rfc822-headers", "message/global-headers"} | _DSN | _MDN | {
            "message/feedback-report"
        }:
            found += _ID_LINE.findall(decode(part.content()))
    found += _ID_LINE.findall(text)
    found += h.ids(top.headers.get("x-original-message-id"))
    found += h.ids(top.headers.get("in-reply-to"))
    found += h.ids(" ".join(top.headers.all("references")))
    own = h.ids(top.headers.get("message-id"))
    return tuple(dict.fromkeys(one for one in found if one not in own))
