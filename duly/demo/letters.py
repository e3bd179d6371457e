"""The invented letters of the demo: who writes, when, and what the reader should watch for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
INBOX = "complaints@southlands.example"


@dataclass(frozen=True)
class DemoLetter:
    """A letter to send over SMTP at a moment of the demo's clock (Europe/London)."""

    id: str
    at: datetime
    watch: str  # what it shows, a line for the reader
    name: str
    addr: str
    subject: str
    body: str
    html: str | None = None
    attachment: tuple[str, bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Send the very bytes of that letter again.
    again: str | None = None
    #: Answer the acknowledgement of that letter.
    reply_to: str | None = None

    def message(self) -> EmailMessage:
        """The letter as mail."""
        mail = EmailMessage()
        mail["From"] = f"{self.name} <{self.addr}>" if self.name else self.addr
        mail["To"] = INBOX
        mail["Subject"] = self.subject
        mail["Date"] = format_datetime(self.at)
        mail["Message-ID"] = f"<{self.id}.{self.at:%Y%m%d%H%M}@{self.addr.partition('@')[2]}>"
        for key, value in self.headers.items():
            mail[key] = value
        mail.set_content(self.body)
        if self.html is not None:
            mail.add_alternative(self.html, subtype="html")
        if self.attachment is not None:
            name, data = self.attachment
            mail.add_attachment(data, maintype="image", subtype="jpeg", filename=name)
        return mail


def _at(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=LONDON)


def _crossing(id_: str, minute: int, name: str, addr: str, opening: str) -> DemoLetter:
    """One letter of the campaign about the crossing: a template with a line of one's own before it."""
    body = f"""{opening}

I am writing to object in the strongest terms to the decision to withdraw the school crossing patrol
from Mill Lane after the half-term break. Two hundred children cross that road every morning between
half past eight and nine. The patrol has stood there for thirty-one years without one serious accident.
The school was not asked, parents were not asked, and the reason given - a saving of eleven thousand
pounds a year - is less than the school spends on its new signs. Please reinstate the patrol at once and
tell us who took this decision.

Yours faithfully,
{name}
"""
    return DemoLetter(
        id_, _at(21, 18, minute), "one of four on the same template", name, addr, "Mill Lane crossing patrol", body
    )


LETTERS: tuple[DemoLetter, ...] = (
    DemoLetter(
        "teacher",
        _at(20, 8, 52),
        "a grievance about a teacher: an informal concern, stage one",
        "Joanna Marsh",
        "jo.marsh@post.example",
        "Ella's reading",
        """Dear Southlands,

Ella is in 4B. On Thursday Mr Fenwick told her in front of the whole class that she "reads like a Year 1"
and made her stand by the door until break. She now says she feels sick before school. I spoke to him at
the gate on Friday and he walked off while I was still talking.

I would like somebody to talk to Mr Fenwick about this and I would like to know what will be done.

Joanna Marsh
""",
    ),
    DemoLetter(
        "headteacher",
        _at(20, 10, 15),
        "a formal complaint against the headteacher: the headteacher must not see it",
        "Daniel Oyelaran",
        "d.oyelaran@letters.example",
        "Formal complaint about the headteacher",
        """To the clerk to the governors

I wish to make a formal complaint against the headteacher. At the meeting on 12 October 2026 the
headteacher shouted at me, refused to let me finish and told my wife that families like ours "always make
trouble". There were two witnesses. I ask that the governors look into the headteacher's conduct under
the complaints procedure.

Daniel Oyelaran
""",
    ),
    DemoLetter(
        "admissions",
        _at(20, 12, 40),
        "an admissions appeal: out of scope, a redirection is drafted and a person sends it",
        "Priya Raman",
        "priya.raman@mailbox.example",
        "Refused a place in Year 7 - I want to appeal",
        """Hello,

We have been refused a place in Year 7 at Southlands for our son and he is only number nine on the waiting
list. We would like to appeal against this decision. Could you tell me how the admission appeal works and
by when we must send the form?

Priya Raman
""",
    ),
    DemoLetter(
        "disclosure",
        _at(20, 15, 5),
        "a child at risk, in the middle of a letter about uniform: the safeguarding lead is told at once and "
        "nothing goes to the sender",
        "T. Hale",
        "hale.family@shared.example",
        "Blazers and PE kit",
        """Hi, just wanted to say the new blazers are really expensive and the sleeves come apart in the wash, we
have had two already. The PE kit rule about plain white trainers is silly as well.

While I am writing, my daughter's friend Kayleigh in Year 6 was here for tea on Saturday and showed her
the bruises all up her arms. She said her step dad does it when he has been drinking and she is not
allowed to tell. She asked us not to say anything but I have not slept.

Anyway can the school shop take returns?
T
""",
    ),
    DemoLetter(
        "anonymous",
        _at(20, 16, 30),
        "an anonymous note: recorded, not considered, and the writer is asked for a name (L48)",
        "",
        "q7x2@throwaway.example",
        "parking",
        """I am not giving my name because I know what happens to people who complain here. The staff park across
the disabled bays every single morning and nobody does anything about it.

A parent
""",
    ),
    DemoLetter(
        "teacher-again",
        _at(20, 17, 1),
        "the same letter twice, byte for byte: noted, nothing opened",
        "Joanna Marsh",
        "jo.marsh@post.example",
        "",
        "",
        again="teacher",
    ),
    DemoLetter(
        "teacher-reply",
        _at(21, 9, 20),
        "a reply to our acknowledgement: joins its case by the signed address",
        "Joanna Marsh",
        "jo.marsh@post.example",
        "Re: Ella's reading",
        """Thank you. I forgot to say that Ella's grandmother saw it as well, she was helping in the classroom that
morning and would be happy to talk to you.

Joanna
""",
        reply_to="teacher",
    ),
    DemoLetter(
        "out-of-office",
        _at(21, 9, 21),
        "an out-of-office reply to our letter: opens nothing, feeds nothing, is not answered",
        "Priya Raman",
        "priya.raman@mailbox.example",
        "Automatic reply: We have your letter",
        "I am out of the office until 2 November and will read your message when I return.\n",
        headers={"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
    ),
    DemoLetter(
        "photo",
        _at(21, 13, 10),
        "HTML with a photograph: the picture is kept with the letter and never opened",
        "Marek Nowak",
        "marek.nowak@inbox.example",
        "Broken fence behind the science block",
        """The fence behind the science block has been down since the storm two weeks ago. There are nails
sticking out, see the photo. I have reported it to the office twice and was told it is "on the list".
Please get it mended before a child is cut.

Marek Nowak
""",
        html="""<html><body style="font-family:sans-serif"><p>The fence behind the science block has been
<b>down since the storm two weeks ago</b>. There are nails sticking out, see the photo. I have reported it to the
office twice and was told it is &ldquo;on the list&rdquo;. Please get it mended before a child is cut.</p>
<p>Marek Nowak</p></body></html>""",
        attachment=("fence.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40),
    ),
    _crossing("crossing-1", 2, "Helen Drury", "helen.drury@post.example", "Dear governors,"),
    _crossing(
        "crossing-2",
        9,
        "Imran Siddiqui",
        "imran@siddiqui.example",
        "My daughter is in Year 3 and crosses there daily.",
    ),
    _crossing("crossing-3", 17, "P. Lacey", "placey@mailbox.example", "To whom it may concern"),
    _crossing(
        "crossing-4", 44, "Ruth Abara", "ruth.abara@letters.example", "I have lived in Mill Lane for twelve years."
    ),
    DemoLetter(
        "panel",
        _at(22, 11, 25),
        "a request for the appeal panel: acknowledged with the 20 school days of stage four",
        "Stephen Kerr",
        "s.kerr@inbox.example",
        "Request for a complaints appeal panel - stage four",
        """Dear chair of governors,

I have received the outcome of your stage three investigation into my complaint about how the bullying of
my son was handled, and I am not satisfied with it. I therefore ask for my complaint to be heard by the
complaints appeal panel under stage four of the procedure. Please confirm the date of the hearing.

Stephen Kerr
""",
    ),
)
