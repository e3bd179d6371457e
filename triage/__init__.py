"""Triage: text in, `procedure.words.Judgement` out. spaCy lives in this room and nowhere else.

`judge.Judge` is the seam the rest of the house uses; `pipeline.load` is the spaCy `Language` behind it; the rules
are TOML files in `rules/`; `campaigns` recognises letters written from one template. The room may import
`procedure`. It reads no clock, no network and no database, and writes no text of a letter anywhere.

A judgement is advice plus routing, never a refusal: doubt goes to a person as `unsure`, and any sign that a child
may be at risk sets `screen`, which no other label can take away. Importing this package loads nothing heavy.
"""
