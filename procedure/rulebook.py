"""All that decides about a case besides its history: the school, its policy editions, its calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from procedure.policy import Policy
from procedure.school import School
from procedure.school_days import SchoolCalendar


@dataclass(frozen=True)
class Rulebook:
    """What a decision is made by. `secret` signs reply addresses and Message-IDs; it is never printed."""

    school: School
    policies: Mapping[str, Policy]
    calendar: SchoolCalendar
    secret: bytes = field(repr=False)

    def policy(self, policy_id: str) -> Policy:
        """The edition of that name.

        Raises KeyError with a sentence when the school has no such edition.
        """
        try:
            return self.policies[policy_id]
        except KeyError:
            known = ", ".join(sorted(self.policies))
            raise KeyError(f"no policy edition is called {policy_id!r}; this school has {known}") from None

    def current(self, on: date) -> Policy:
        """The edition a case opened that day falls under: the latest that applies from then or before.

        A day before every edition falls under the oldest, since a letter is never refused for its date.
        """
        editions = sorted(self.policies.values(), key=lambda policy: policy.applies_from)
        applying = [policy for policy in editions if policy.applies_from <= on]
        return applying[-1] if applying else editions[0]
