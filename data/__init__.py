"""Memory: what the house remembers, and the only place where SQL stands.

For: the journal of letters, the histories of cases, the rows derived from them, the outbox.
May touch: the database and the vault folder; uses `procedure`, nothing else. Every table carries school_id,
every reader of cases asks `procedure.access` before it answers, every writer is handed the time.
"""
