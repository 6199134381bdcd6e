"""How old the fleet's builds are, as every surface shows it."""

from dataclasses import asdict
from typing import Any

from bot.domain.rollouts.timing.age import BOUNDS, Ages
from bot.domain.wording.words import counted

_BEYOND = f"older than {BOUNDS[-1]} days"


def label(bound: int | None) -> str:
    """Names an age group by its bound in days: `up to 7 days`, `older than 90 days`."""
    return _BEYOND if bound is None else f"up to {bound} days"


def rows(ages: Ages) -> list[tuple[str, int]]:
    """Lists the age groups that have anything in them, the youngest first."""
    groups = [(label(bound), ages.by_days.get(bound, 0)) for bound in (*BOUNDS, None)]
    groups += [("no success known", ages.never), ("not looked at yet", ages.unread)]
    return [row for row in groups if row[1]]


def guarantee(ages: Ages) -> str:
    """Says for how many an age is guaranteed, and how many are past it."""
    if not ages.guaranteed:
        return "No max_age is set, so ages are only counted."
    past = "none is older" if not ages.overdue else f"{ages.overdue:,} older"
    return f"{counted(ages.guaranteed, 'workflow has', 'workflows have')} a max_age, {past}."


def as_json(ages: Ages) -> dict[str, Any]:
    """Gives the ages as plain JSON values."""
    return {
        "up_to_days": {str(bound): ages.by_days.get(bound, 0) for bound in BOUNDS},
        "older": ages.by_days.get(None, 0),
        "never": ages.never,
        "unread": ages.unread,
        "guaranteed": ages.guaranteed,
        "overdue": ages.overdue,
        "troubles": [asdict(trouble) for trouble in ages.troubles],
    }
