"""What time does: letters leave the outbox, deadlines nudge, forgotten things are brought up again.

For: a few recurring ticks (`clock`), each of which asks the store what is due and does it once. No job per
deadline and no job store: a restart catches up by asking the same question again.
May touch: the mail relay (`mail`), the store (`data`), the policy (`procedure`). It reads no clock of its own:
the time is an argument, or comes from the clock it was given. It writes no SQL and judges no text.
"""
