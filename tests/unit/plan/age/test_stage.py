"""The age of many workflows is judged in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.reference import Base
from bot.domain.repositories.builds import BranchBuilds
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rollout import Revisions
from bot.domain.rollouts.timing.guarantee import guarantees
from bot.domain.rollouts.timing.weekly import Weekly
from bot.plan.age import stage
from bot.plan.age.ports import AgePlan, FollowedUsage, KnownBuilds
from bot.plan.age.stage import tick

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SHOP = FleetRepository(7, "contoso/shop", (), RepositoryConfig(), node_id="R_7")


class Judged:
    """A store in which some workflows await their judgement once."""

    def __init__(self, *waiting: KnownBuilds) -> None:
        self.waiting = waiting
        self.plans: list[AgePlan] = []

    async def revisions(self) -> Revisions:
        return Revisions(1, 1)

    async def unjudged(self) -> Sequence[KnownBuilds]:
        return () if self.plans else self.waiting

    async def standings_of(self, repositories: Sequence[int]) -> Mapping[int, Sequence[FollowedUsage]]:
        return {}

    async def save_ages(self, plan: AgePlan) -> None:
        self.plans.append(plan)


async def test_what_is_promised_to_a_repository_is_found_once_for_all_of_its_workflows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A monorepo has hundreds of workflows and places: once for each would be their product."""
    asked: list[str] = []

    def counted(repository: str, *rest: Any) -> Any:
        asked.append(repository)
        return guarantees(repository, *rest)

    monkeypatch.setattr(stage, "guarantees", counted)
    places = tuple((ASPNET, f"part-{number}/Dockerfile") for number in range(40))
    builds = KnownBuilds(1, SHOP, "weekly.yml", True, BranchBuilds(), places, NOON)
    other = replace(SHOP, id=8, name="contoso/cart")
    some = [replace(builds, id=number, workflow=f"part-{number}.yml") for number in range(1, 40)]
    store = Judged(*some, replace(builds, id=99, member=other))
    tally = await tick(store, Policy(), Weekly(), ManualClock(NOON))
    assert tally.judged == 40
    assert sorted(asked) == ["contoso/cart", "contoso/shop"]
