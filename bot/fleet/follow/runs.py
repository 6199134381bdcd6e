"""Runs that are not shown any more, that gave way to a newer one, or that failed: for rebuilds and for steps."""

from datetime import datetime, timedelta

from bot.domain.builder.port import Builder
from bot.domain.builder.runs import CLOCKS_DIFFER_BY, Run, run_in_place_of
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.domain.sight import KnowsItsSight, told_gone

GONE_AFTER = 12
"""Looks in a row that found nothing."""
_LOST_AFTER = timedelta(days=1)
"""A run that the forge has taken on and does not show for so long did not start: its own trouble lasts hours."""


def has_not_started(first_asked_at: datetime, requests: int, now: datetime) -> bool:
    """Whether no run can show up any more. Requests come a day apart at most, so the last of them was a day ago."""
    return now - first_asked_at > _LOST_AFTER * max(requests, 1)


def looks_in_vain(before: int, failure: Failure) -> int:
    """How many in a row have found nothing, with this one, where `before` did; one that failed in another way tells
    nothing, and they count anew."""
    return before + 1 if failure.trouble is Trouble.MISSING else 0


async def judged(failure: Failure, looks: int, repository: Identity, asked: KnowsItsSight) -> Failure:
    """The failure, as `Gone` where so many `looks` in a row found nothing and the grant sees the owner's others."""
    return failure if looks < GONE_AFTER else await told_gone(failure, repository, asked)


async def explained(builder: Builder, repository: Identity, run: int, reason: str) -> str:
    """The reason with the job that failed first; where that cannot be told, the run is red all the same."""
    try:
        job = await builder.first_failure(repository, run)
    except Failure:
        return reason
    return reason if job is None else f"{reason}; {job}"


async def newer_run(
    builder: Builder, home: Identity, workflow: str, cancelled: int, began_at: datetime
) -> Run | None:
    """The run that took the place of a cancelled one of the same workflow, None where there is none.

    `began_at` is when the cancelled one may have begun, where the forge does not tell. Raises `Failure`.
    """
    cancelled_run = await builder.run(home, cancelled)
    since = (cancelled_run.created_at or began_at) - CLOCKS_DIFFER_BY
    return run_in_place_of(cancelled_run, await builder.started_runs(home, workflow, branch=None, since=since))
