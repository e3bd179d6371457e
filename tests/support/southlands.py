"""The rulebook of the invented Southlands, as the package ships it."""

from __future__ import annotations

from functools import cache
from importlib import resources

from procedure import calendar_file, policy_file, school_file
from procedure.rulebook import Rulebook

SECRET = b"a secret of the tests that is long enough"


@cache
def rulebook() -> Rulebook:
    """School, policy and calendar of Southlands, with the tests' secret."""
    policy = policy_file.load_named("southlands-2023")
    text = resources.files("procedure").joinpath("calendars/southlands.toml").read_text(encoding="utf-8")
    return Rulebook(school_file.load_named("southlands"), {policy.id: policy}, calendar_file.load(text), SECRET)
