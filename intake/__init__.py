"""Letters arriving: the doors, the journal they share, and what becomes of a letter.

For: taking a letter durably before the sender is told so, reading it, placing it, settling it.
May touch: data, triage, procedure; never bot or scheduler. No SQL and no spaCy here: the desk writes, and a
judge is handed in.
"""
