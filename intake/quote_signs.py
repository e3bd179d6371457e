"""The signs by which quotations and signatures are known, in the languages that people's programs write them in."""

from __future__ import annotations

import re

#: Rules that programs put above a copied head, an answer or nothing at all.
DELIMITER = re.compile(r"\s*(?:[-_=+~#*—–ᐧ]\s?){1,80}\s*$|\s*[ᐧ•·]\s*$")

ORIGINAL = re.compile(
    r"(?i)\s*[>*]{0,2}\s*[-_–—]{2,}\s*(?:original[- ](?:message|e-?mail|appointment)|reply message"
    r"|message d['’]origine|message original|"
    r"mensaje original|mensagem original|messaggio originale|ursprüngliche (?:nachricht|e-?mail)"
    r"|original(?:nachricht| ?meddelande)|"
    r"oorspronkelijk bericht|oprindelig (?:meddelelse|besked)|opprinnelig melding|ursprungligt meddelande"
    r"|alkuperäinen viesti|"
    r"wiadomość oryginalna|oryginalna wiadomość|původní zpráva|исходное сообщение|вихідне повідомлення|原始邮件"
    r"|原始郵件|元のメッセージ|"
    r"원본 메시지|özgün ileti|originalmeldung|neges wreiddiol)\s*[-_–—]*\s*[*]?\s*$"
)
FORWARDED = re.compile(
    r"(?i)\s*(?:[-_–—]{2,}\s*(?:forwarded message|message transféré|weitergeleitete nachricht|mensaje reenviado"
    r"|messaggio inoltrato|"
    r"mensagem encaminhada|doorgestuurd bericht|videresendt (?:meddelelse|melding)|vidarebefordrat (?:mail"
    r"|meddelande)|"
    r"przekazana wiadomość|пересылаемое сообщение|переслане повідомлення"
    r"|转发的邮件|轉寄郵件|転送メッセージ)\s*[-_–—]*"
    r"|(?:begin forwarded message|début du message (?:réexpédié|transféré)"
    r"|anfang der weitergeleiteten (?:nachricht|e-?mail)|"
    r"inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht|vidarebefordrat mejl"
    r"|start på videresendt besked)\s*:)\s*$"
)

_FIELDS = (
    "from|sent|to|cc|bcc|date|subject|reply-?to|importance|attachments?|sent by|"
    "de|envoyé|à|objet|date d'envoi|enviado(?: el)?|para|asunto|fecha|assunto|data|enviada em|da|inviato|a|oggetto|"
    "von|gesendet|an|betreff|datum|kopie|van|verzonden|aan|onderwerp|fra|sendt|til|emne|dato|från|skickat|till|ämne|"
    "od|do|wysłano|wysłane|temat|data|odesláno|komu|předmět|lähettäjä|lähetetty|vastaanottaja|aihe|päivämäärä|"
    "от|отправлено|кому|тема|дата|від|надіслано|копия|发件人|发送时间|收件人|主题|抄送|寄件者|傳送時間|收件者|主旨|"
    "差出人|送信者|送信日時|宛先|件名|日時|"
    "보낸 사람|보낸 날짜|받는 사람|제목|gönderen|kime|konu|tarih|oddi wrth|anfonwyd|at|pwnc"
)
HEADER_LINE = re.compile(rf"(?i)\s{{0,4}}>?\s?\*?({_FIELDS})\s?\*?\s?[:：]\*?(?:\s|$|[^\s/])")

#: What an attribution ends with.
WROTE = re.compile(
    r"(?i)(?:\bwrote|\bwrites|\bsaid|\bschrieb(?:en)?\b.{0,120}|\ba écrit|\ba envoyé|\bescribi[óo]|\bha scritto"
    r"|\bescreveu|\bschreef\b.{0,120}|\bgeschreven"
    r"|\bnapisał(?:a|\(a\))?|\bskrev\b.{0,120}|\bkirjoitti|\bnapsala?(?:\(a\))?|\bnapísala?|\bírta|\ba scris"
    r"|\bпишет|\bнаписала?(?:\(а\))?|\bписала?"
    r"|\bпише|\bнаписа[вла]+"
    r"|写道|寫道|のメール|書きました|작성|님이 작성.{0,5}|\byazdı|\bέγραψε|\bysgrifennodd\b.{0,80}|\bpíše"
    r"|\bнапиша)"
    r"\s*(?:[,;]?\s*[:：]\s*\*?|-{2,6})$|<\s?[^<>\s]+@[^<>\s]+\s?>\s*[:：]\s*$"
)
STARTS_ATTRIBUTION = re.compile(
    r"(?i)\s*[*_-]{0,6}\s*(?:(?:on|at|in|am|vom|le|el|il|em|op|den|på|dnia|w dniu|pe|ti|ma|ke|to|la|su|dne|ar"
    r"|în data|on behalf of"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}|пн|вт|ср|чт|пт|сб|вс|нд|понедельник|вторник|среда|четверг"
    r"|пятница|суббота"
    r"|воскресенье|в|у)\b|[在於于]|\d{1,4}[-./年 ]\s?\w)"
)
#: A date with its year or time, or an address: enough to believe an attribution without ">" after it.
STRONG = re.compile(
    r"<[^<>]*@[^<>]*>|\b[\w.+-]+@[\w-]+\.[\w.-]+|\b(?:19|20)\d\d\b.*\d{1,2}[:.]\d\d|\d{1,2}[:.]\d\d.*\b(?:19"
    r"|20)\d\d\b|\d{4}年"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.? [^\W\d_]{3,12}\.?,? (?:de )?(?:19|20)\d\d"
    r"|[^\W\d_]{3,12} \d{1,2},? (?:19|20)\d\d"
)

#: A mail program's own line names a device or a program; "Sent from my desk, ..." does not.
_DEVICE = (
    r"(?:i ?(?:phone|pad|pod|os)|android|samsung|galaxy|htc|nokia|huawei|pixel|oneplus|xiaomi|sony|lg|motorola"
    r"|alcatel|black ?berry"
    r"|(?:mobile|cell|smart|tele)? ?phone|cell|mobile|handset|tablet|device|kindle|windows|outlook|gmail"
    r"|airmail|mailbox|thunderbird|spark"
    r"|\[?mail\]? ?(?:\(|for )|(?:yahoo|proton|aol|k-9|bt|sky|virgin|icloud|fast|zoho) ?!? ?mail"
    r"|[A-Z]{2,4}-\d{2,4})"
)
SENT_FROM = re.compile(
    rf"(?i)\s*[<(*_]{{0,2}}\s*(?:sent (?:from|via|with|using|by) (?:[^,.\s]+ ){{0,4}}{_DEVICE}\b.{{0,80}}"
    r"|from my (?:i(?:phone|pad)|mobile|android)\b.{0,20}|(?:[\w-]+ )?from mobile|get \[?outlook for (?:ios"
    r"|android).{0,80}"
    r"|envoyé (?:depuis|de|à partir de) (?:mon|ma|l).{0,60}|enviado desde (?:mi|el|o) .{0,60}"
    r"|enviado do meu .{0,60}|inviato (?:da|dal) .{0,60}"
    r"|von (?:meinem|unterwegs|mein) .{0,40}gesendet.{0,20}|gesendet (?:von|mit) .{0,60}"
    r"|diese nachricht wurde von .{0,60} gesendet.{0,5}"
    r"|verzonden (?:met|vanaf|via|vanuit) .{0,60}|verstuurd vanaf .{0,60}|sendt fra (?:min|mit) .{0,60}"
    r"|skickat från (?:min|mitt) .{0,60}"
    r"|wysłan[eoya]+ z .{0,60}|lähetetty .{0,60}stä|отправлено (?:с|из) .{0,60}|надіслано з .{0,60}"
    r"|從我的 .{0,30} 傳送|从我的 .{0,30}发送"
    r"|.{0,30}から送信|anfonwyd o.{0,10} .{0,40})\s*[>)*_]{0,2}\.?\s*$"
)
LIST_FOOTER = re.compile(
    r"(?i)mailing list|unsubscribe|listinfo|lists?\.|view it on|reply to this email directly|you received this"
    r"|this e-?mail"
)
#: Gmail's older line in other languages has no verb: "2016-03-03 17:21 GMT+01:00 Jane <jane@...>:".
DATED = re.compile(
    r"\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:,? \d{1,2}:\d\d)?(?: (?:GMT|UTC)[+-]\d\d:?\d\d [^\n]{2,}"
    r"|[^\n]{2,60} <[^<>\s]+@[^<>\s]+>\s*$)"
)
