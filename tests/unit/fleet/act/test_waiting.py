"""Rebuilds that cannot go on at present: when they are tried again, and when they are given up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.failure import Failure, Gone, Trouble
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.fleet.act.ports import ActOptions, Job
from bot.fleet.act.waiting import away, is_final_after, left_alone, not_of_the_fleet, paused
from tests.unit.fleet.act.world import NOON, World, member, rebuild

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
OPTIONS = ActOptions()


def job_of(item: Rebuild) -> Job:
    return Job(item, member(), "main", (), ())


OPEN = rebuild(state=RebuildState.OPEN, pull_request=1, facts_version=3)


@pytest.mark.parametrize(
    ("failure", "attempts", "is_final"),
    [
        (Failure(Trouble.CONFLICT, "no"), 2, False),
        (Failure(Trouble.CONFLICT, "no"), 3, True),
        (Failure(Trouble.DENIED, "no"), 3, False),
        (Failure(Trouble.DENIED, "no"), 54, False),
        (Failure(Trouble.DENIED, "no"), 55, True),
        (Failure(Trouble.UNREACHABLE, "no"), 1_000, False),
        (Failure(Trouble.MALFORMED, "no"), 1_000, False),
        (Failure(Trouble.MISSING, "no"), 1_000, False),
        (Gone(Failure(Trouble.MISSING, "no")), 1, True),
    ],
)
def test_work_is_given_up_where_it_is_gone_or_stays_refused_and_for_a_right_after_two_days(
    failure: Failure, attempts: int, is_final: bool
) -> None:
    assert is_final_after(attempts, failure) is is_final


def test_what_waits_says_why_and_what_is_open_stays_open() -> None:
    waiting = paused(rebuild(), "frozen", HOUR, NOON)
    assert (waiting.state, waiting.reason, waiting.due_at) == (RebuildState.WAITING, "frozen", NOON + HOUR)
    assert paused(OPEN, "frozen", HOUR, NOON) == replace(OPEN, due_at=NOON + HOUR)


@pytest.mark.parametrize(("age", "rest"), [(MINUTE, 5 * MINUTE), (2 * HOUR, 10 * MINUTE), (9 * DAY, HOUR)])
def test_an_open_one_that_stays_as_it_is_is_looked_at_the_less_often_the_older_it_is(
    age: timedelta, rest: timedelta
) -> None:
    after = left_alone(replace(OPEN, attempted_at=NOON - age), OPTIONS, NOON)
    assert (after.text_version, after.due_at) == (3, NOON + rest)


@pytest.mark.parametrize(("age", "state"), [(7 * DAY, RebuildState.WAITING), (7.01 * DAY, RebuildState.SKIPPED)])
async def test_a_repository_may_come_back_for_a_week_and_is_read_if_it_does_later(
    world: World, age: timedelta, state: RebuildState
) -> None:
    job = job_of(rebuild(planned_at=NOON - age))
    after = await away(job, "it is away", "it is gone", world.store, OPTIONS, NOON)
    assert after.state is state
    assert world.store.to_read_once_listed == (set() if state is RebuildState.WAITING else {job.member.id})
    assert after.reason == ("it is away" if state is RebuildState.WAITING else "it is gone")
    assert after.ended_at == (None if state is RebuildState.WAITING else NOON)


async def test_an_open_one_of_a_repository_that_is_away_is_followed_however_long(world: World) -> None:
    old = replace(OPEN, planned_at=NOON - 30 * DAY)
    after = await away(job_of(old), "it is away", "it is gone", world.store, OPTIONS, NOON)
    assert after == left_alone(old, OPTIONS, NOON)


async def test_a_repository_that_is_not_of_the_fleet_is_told_as_that(world: World) -> None:
    waiting = await not_of_the_fleet(job_of(rebuild()), world.store, OPTIONS, NOON)
    assert waiting.reason == "the repository is not in the fleet at present: archived, excluded or not shown to us"
    ended = await not_of_the_fleet(job_of(rebuild(planned_at=NOON - 8 * DAY)), world.store, OPTIONS, NOON)
    assert ended.reason == "the repository is not in the fleet any more: archived, excluded or removed"
