"""Which repositories the weekly rebuild guarantees, and when each has its turn."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.bases.change import Cause
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.policy import Policy

WEEK = timedelta(days=7)
WEEKLY_OVER = timedelta(hours=6)
_HOUR_OF_WEEKLY = 2


def guaranteed_ages(affected: Mapping[Base, Sequence[Affected]], policy: Policy) -> dict[str, timedelta]:
    """The repositories that have a workflow to start, and how old each may become by its strictest rule."""
    can_start = {item.member.name: item.member for items in affected.values() for item in items}
    ages: dict[str, timedelta] = {}
    for base, items in affected.items():
        for item in items:
            terms = policy.terms(item.member.name, base, Cause.LAYERS_ONLY, None)
            if terms.max_age is not None and can_start[item.member.name].workflow(terms.workflow) is not None:
                ages[item.member.name] = min(terms.max_age, ages.get(item.member.name, terms.max_age))
    return ages


def next_week(at: datetime) -> datetime:
    """The next Monday at two in the morning, UTC."""
    day = at.replace(hour=_HOUR_OF_WEEKLY, minute=0, second=0, microsecond=0)
    day += timedelta(days=-day.weekday() % 7)
    return day if day > at else day + WEEK


def spread(repository: str) -> timedelta:
    """Where in the hours of the weekly rebuilds a repository has its turn, always the same."""
    number = int.from_bytes(hashlib.sha256(repository.encode()).digest()[:4], "big")
    return WEEKLY_OVER * (number / 2**32)
