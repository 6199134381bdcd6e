"""Asking for a run at most twice, and finding it again after any crash: for dispatched rebuilds and for steps."""

import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.act.own_word import WordHeld
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import Forge
from bot.domain.forge.runs import CLOCKS_DIFFER_BY, Run, dispatched_run
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.steps import StepRun

Requested = TypeVar("Requested", Rebuild, StepRun)

_NOTHING_STARTED = frozenset({Trouble.DENIED, Trouble.MISSING, Trouble.CONFLICT, Trouble.THROTTLED})
"""The forge has refused the request, so no run can come of it; after any other failure one may."""
_MOST_REQUESTS = 2
"""Without a clear answer: each may have started a run that has not shown up yet."""
_FIRST_REST = timedelta(seconds=20)


def times_asked(wanted: Rebuild | StepRun) -> int:
    """How often a run may have been asked for."""
    return 0 if wanted.attempted_at is None else max(wanted.dispatches, 1)


def next_look(wanted: Rebuild | StepRun, now: datetime, visible_after: timedelta) -> datetime | None:
    """Says when the run of an earlier request is looked for again; None once none can show up any more.

    Looks come at growing rests: as long after the last as that was after the request. `attempted_at` stays that of
    the first request, whose run may show up later than that of the second.
    """
    if wanted.attempted_at is None:
        return None
    sent = wanted.attempted_at + (times_asked(wanted) - 1) * visible_after
    if now >= sent + visible_after:
        return None
    return min(now + max(now - sent, _FIRST_REST), sent + visible_after)


def given_up(wanted: Rebuild | StepRun) -> str | None:
    """Why no run is asked for once more, where it was often enough."""
    asked = times_asked(wanted)
    if asked < _MOST_REQUESTS:
        return None
    return f"{wanted.workflow} was dispatched {asked} times without an answer, and no run appeared"


async def dispatch_once(
    wanted: Requested,
    send: Callable[[Requested], Awaitable[int | None]],
    save: Callable[[Requested], Awaitable[None]],
    held: WordHeld,
    now: datetime,
) -> tuple[Requested, int | None]:
    """Sends the request: what it was sent for, and the run's id where that was told.

    Its intent is stored once nothing but the request itself is left to do: what a wait for its turn has kept from
    being sent was never asked for. Raises `Failure`; where nothing can have started, the intent is taken back
    first.
    """
    intended = replace(
        wanted,
        attempted_at=wanted.attempted_at or now,
        correlation=wanted.correlation or f"freshness-{secrets.token_hex(8)}",
        dispatches=times_asked(wanted) + 1,
    )
    is_stored = False

    async def store() -> None:
        nonlocal is_stored
        await save(intended)
        is_stored = True

    held.intent = store
    try:
        return intended, await send(intended)
    except Failure as failure:
        if is_stored and failure.trouble in _NOTHING_STARTED:
            await save(wanted)
        raise
    finally:
        held.intent = None


async def find(
    forge: Forge, home: Identity, wanted: Rebuild | StepRun, branch: str, taken: Collection[int]
) -> Run | None:
    """The run that an earlier request started; `taken` belong to others."""
    assert wanted.attempted_at is not None
    since = wanted.attempted_at - CLOCKS_DIFFER_BY
    runs = await forge.dispatched_runs(home, wanted.workflow or "", branch=branch, since=since)
    return dispatched_run(runs, taken, wanted.correlation)
