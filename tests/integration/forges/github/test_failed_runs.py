"""Why a run has failed, as GitHub's jobs and annotations tell it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.builder.runs import FailedJob
from bot.domain.clock import SystemClock
from bot.domain.forge.refusals import Denial
from bot.domain.repositories.repository import Identity
from sandbox.world import World
from tests.integration.forges.conftest import FINE_GRAINED

GO = "on: workflow_dispatch\njobs: {}\n"
_NUMBERS = count(1)


@pytest.fixture
async def github(shared_world: World) -> AsyncIterator[GitHub]:
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    made = GitHub(access, SystemClock())
    yield made
    await made.close()
    shared_world.github.restrict_token()
    shared_world.github.actions.disallowed.clear()


async def started(world: World, github: GitHub) -> tuple[Identity, int]:
    name = await world.github.create_repository(f"red-{next(_NUMBERS)}", {".github/workflows/go.yml": GO})
    home = Identity(name)
    await github.dispatch(home, "go.yml", ref="main", inputs={})
    since = datetime.now(UTC) - timedelta(minutes=1)
    (run,) = await github.started_runs(home, "go.yml", branch=None, since=since)
    return home, run.id


async def test_the_job_and_step_that_failed_first_are_told_with_what_they_said(
    shared_world: World, github: GitHub
) -> None:
    home, run = await started(shared_world, github)
    shared_world.github.fail_run(run, "image", "Build", "exit code 1\nsee above", "second")
    assert await github.first_failure(home, run) == FailedJob("image", "Build", "exit code 1 see above")


async def test_without_the_right_to_checks_what_they_said_is_left_out(shared_world: World, github: GitHub) -> None:
    home, run = await started(shared_world, github)
    shared_world.github.fail_run(run, "image", "Build", "exit code 1")
    shared_world.github.restrict_token(**FINE_GRAINED)
    assert await github.first_failure(home, run) == FailedJob("image", "Build")


async def test_an_event_that_may_start_nothing_is_told_as_such(shared_world: World, github: GitHub) -> None:
    shared_world.github.actions.disallowed.add("workflow_dispatch")
    home, run = await started(shared_world, github)
    assert (await github.run(home, run)).conclusion == "failure"
    said = "Event 'workflow_dispatch' is not allowed to trigger Actions workflows"
    assert await github.first_failure(home, run) == FailedJob("build", "Set up job", said, Denial.EVENT.advice)


async def test_a_green_run_has_no_failed_job(shared_world: World, github: GitHub) -> None:
    home, run = await started(shared_world, github)
    shared_world.github.finish_run(run)
    assert await github.first_failure(home, run) is None
