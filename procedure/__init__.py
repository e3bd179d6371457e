"""The policy as code: frozen dataclasses in, frozen dataclasses out.

For: every stage, limit, route, letter and refusal of a school's complaints policy.
May touch: nothing but its own files (policy TOML, wording templates). No clock, no network, no database:
time, history, calendar and policy are arguments.
"""
