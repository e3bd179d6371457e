"""What intake and triage need of each other about campaigns, carried across: sketches from and to the desk."""

from __future__ import annotations

from datetime import datetime

from data.store import Desk, SeenSketch
from procedure.drafting import Campaign
from procedure.words import Judgement, Message, Topic
from triage import campaigns

#: Letters of one campaign that the index holds: enough to know another by, and a flood costs no more than these.
REPRESENTATIVES = 32


def join(desk: Desk, letter_id: int, message: Message, judgement: Judgement, now: datetime) -> Campaign | None:
    """Keep the letter's sketch, and say which campaign it seems to belong to, if any."""
    if set(judgement.topics) == {Topic.NOT_COMPLAINT} or message.sender is None:
        return None
    own = campaigns.sketch(message.reply_text or message.text)
    if not own.signature:
        return None
    sender = message.sender.addr.lower()
    alike = desk.sketches_like(own.bands, now - campaigns.WITHIN)
    found = campaigns.join(own, now, sender, [_seen(one) for one in alike])
    campaign = found.campaign if found else None
    known = found is not None and len(found.members) >= REPRESENTATIVES
    desk.add_sketch(letter_id, sender, now, own.as_json(), campaign=campaign, bands=() if known else own.bands)
    if found is None:
        return None
    newly = tuple(one.letter_id for one in found.members if one.campaign is None)
    if newly:
        desk.name_campaign(newly, found.campaign)
    return Campaign(found.campaign, len(found.members) + 1, newly)


def _seen(one: SeenSketch) -> campaigns.Seen:
    sketch = campaigns.Sketch.from_json(one.sketch)
    return campaigns.Seen(one.letter_id, one.reference, one.sender, one.sent_at, sketch, one.campaign)
