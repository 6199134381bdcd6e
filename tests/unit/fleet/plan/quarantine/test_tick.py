"""What follows from builds that fail on a new digest."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.reference import Base
from bot.domain.rollouts.quarantine import BuildEnd, Suspect
from bot.fleet.plan.quarantine.tick import KnownEnd, QuarantineTally, tick

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")


class Store:
    """Three repositories that were fine have failed, and again where that is said; what they were to bring
    `is_severe` or not."""

    def __init__(self, *, failed_again: bool | None = None, is_severe: bool = False) -> None:
        self.failed_again = failed_again
        self.is_severe = is_severe
        self.tried_again: list[int] = []

    async def lift_published(self) -> int:
        return 0

    async def ends(self) -> Sequence[KnownEnd]:
        green = NOON - timedelta(days=1)
        return [
            KnownEnd(
                number,
                BuildEnd(f"contoso/shop-{number}", ASPNET, "sha256:new", False, NOON, green, self.failed_again),
                self.is_severe,
            )
            for number in range(3)
        ]

    async def run_again(self, rebuilds: Sequence[int]) -> int:
        self.tried_again += rebuilds
        return len(rebuilds)

    async def quarantine(self, suspect: Suspect) -> bool:
        return True

    async def ask(self, suspect: Suspect) -> int:
        return 1


@pytest.mark.parametrize(("is_frozen", "tried_again"), [(False, [0, 1, 2]), (True, [])], ids=["free", "frozen"])
async def test_failed_builds_are_tried_once_more_but_in_a_freeze(is_frozen: bool, tried_again: list[int]) -> None:
    store = Store()
    await tick(store, is_frozen=is_frozen)
    assert store.tried_again == tried_again


@pytest.mark.parametrize(
    ("is_severe", "tally"),
    [(True, QuarantineTally(asked=1)), (False, QuarantineTally(quarantined=1))],
    ids=["severe", "mild"],
)
async def test_a_digest_that_breaks_builds_is_held_back_or_asked_about_where_it_fixes_something_severe(
    is_severe: bool, tally: QuarantineTally
) -> None:
    assert await tick(Store(failed_again=True, is_severe=is_severe)) == tally


async def test_what_has_ended_and_is_tried_again_is_counted() -> None:
    class Lifting(Store):
        async def lift_published(self) -> int:
            return 2

    assert await tick(Lifting()) == QuarantineTally(run_again=3, lifted=2)
