"""One tick: once the whole fleet was looked at for the first time, it is told how stale it is, or brought along."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import Match, Policy
from bot.domain.rollouts.rebuild import Action
from bot.fleet.plan.catching_up import CatchUp, CatchUpStore, planned


class FirstRunStore(CatchUpStore, Protocol):
    """What the first run asks of the store besides what catching up does."""

    async def is_first_run_over(self) -> bool: ...

    async def is_fleet_read(self) -> bool:
        """Whether all of the fleet has been looked at, or cannot be."""
        ...

    async def end_first_run(self, plan: CatchUp | None, *, is_told: bool) -> int | None:
        """Ends the first run in one transaction; raises `LeaseLost` where another worker was faster."""
        ...


@dataclass(frozen=True, slots=True)
class FirstRunTally:
    """How many usages were found to be behind, and how many rebuilds were planned."""

    behind: int = 0
    planned: int = 0


async def tick(
    store: FirstRunStore,
    policy: Policy,
    clock: Clock,
    *,
    catches_up: bool,
    at_least: Severity | None = None,
    is_first: bool = True,
) -> FirstRunTally:
    """Does so once in the life of a store; a fleet in which nothing is behind is not told of, nor one that the bot
    has told of before: it `is_first` no more where a lost store was taken up. But of a run that was to come nothing
    outside tells, as a pull request does: where one is lacking then, it is told as on the first day.

    Brought along is what lacks a fix `at_least` so severe, or all of it.
    """
    if await store.is_first_run_over() or not await store.is_fleet_read():
        return FirstRunTally()
    catch_up = await planned(store, policy, clock)
    behind = len(catch_up.behind.usages)
    is_told = behind > 0 and (is_first or any(plan.action is Action.DISPATCH for plan in catch_up.rebuilds))
    if catches_up and at_least is not None:
        catch_up = await planned(store, policy, clock, Match(min_severity=at_least))
    try:
        await store.end_first_run(catch_up if catches_up else None, is_told=is_told)
    except LeaseLost:
        return FirstRunTally()
    return FirstRunTally(behind, len(catch_up.rebuilds) if catches_up else 0)
