"""Values of the domain for tests, each with what a test does not care about filled in."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from bot.domain.bases.change import Cause, Change
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.fleet.report.messages.rollout import MOST_NAMED, SHOWN_FIRST, RolloutNews

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")


def change(base: Base = ASPNET, cause: Cause = Cause.DOTNET_SECURITY, **values: Any) -> Change:
    known: dict[str, Any] = {"from_version": "10.0.4", "to_version": "10.0.5", "detail": ".NET 10.0.4 → 10.0.5"}
    return Change(base, NOON, "sha256:a", "sha256:b", cause, cause, **(known | values))


def rebuild(repository: str = "contoso/shop", state: RebuildState = RebuildState.OPEN, **values: Any) -> Rebuild:
    known: dict[str, Any] = {
        "id": 1,
        "rollout": 3,
        "action": Action.PULL_REQUEST,
        "reason": "moved",
        "targets": (),
        "replacements": (),
        "wave": "rest",
        "due_at": NOON,
        "planned_at": NOON,
        "pull_request": 12,
        "url": "https://host/contoso/shop/pull/12",
    }
    return Rebuild(repository=repository, state=state, **(known | values))


def rollout(
    *rebuilds: Rebuild, changes: tuple[Change, ...] | None = None, ended: datetime | None = None
) -> RolloutNews:
    """Counted as the store counts them, from rebuilds in full."""
    current = [each for each in rebuilds or (rebuild(),) if each.state is not RebuildState.SUPERSEDED]
    told = [each for each in current if each.action is Action.NOTIFY and each.state is not RebuildState.SKIPPED]
    order = {state: place for place, state in enumerate(SHOWN_FIRST)}
    return RolloutNews(
        3,
        NOON,
        changes or (change(),),
        len({each.repository for each in current}),
        len({target.base for each in current for target in each.targets}),
        Counter(each.state for each in current if each not in told),
        tuple(sorted(current, key=lambda each: order.get(each.state, len(order)))[:MOST_NAMED]),
        len(told),
        ended,
    )
