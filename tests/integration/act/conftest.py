"""The bot's acting, asked of GitHub as the sandbox plays it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import ManualClock
from sandbox.world import World as Sandbox
from tests.fakes.repository import FakeRepository
from tests.fakes.stores.rebuilds import FakeRebuildStore
from tests.unit.fleet.act.world import Registry, World


@pytest.fixture
async def world(shared_world: Sandbox) -> AsyncIterator[World]:
    shared_world.faults.clear()
    shared_world.traffic.violations.clear()
    clock = ManualClock(datetime.now(UTC))
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    github = GitHub(access, clock)
    yield World(clock, FakeRebuildStore(clock), github, FakeRepository("0", ""), Registry())  # type: ignore[arg-type]
    await github.close()
    assert shared_world.traffic.violations == []
