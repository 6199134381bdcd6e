"""Asking for a run until one shows, and finding it again after any crash: for dispatched rebuilds and for steps."""

import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.builder.port import Builder
from bot.domain.builder.runs import Run, dispatched_run, sought_since
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.steps import StepRun
from bot.fleet.act.own_word import WordHeld

Requested = TypeVar("Requested", Rebuild, StepRun)

_NOTHING_STARTED = frozenset({Trouble.DENIED, Trouble.MISSING, Trouble.CONFLICT, Trouble.THROTTLED})
"""The forge has refused the request, so no run can come of it; after any other failure one may."""
_NOT_READY = 503
"""A status that refuses too: whoever answers so has not begun (RFC 9110, 15.6.4)."""
_SELDOM = timedelta(days=1)
"""Between further requests, once two brought no clear answer: each may have started a run that shows up late."""
_FIRST_REST = timedelta(seconds=20)


def times_asked(item: Rebuild | StepRun) -> int:
    """Counts the requests for a run that may have reached the forge."""
    return 0 if item.attempted_at is None else max(item.dispatches, 1)


def next_look(item: Rebuild | StepRun, now: datetime, visible_after: timedelta) -> datetime | None:
    """Says when the run of an earlier request is looked for again; None once it is asked for anew.

    Looks come at growing rests: as long after the last as that was after the request. `attempted_at` stays that of
    the first request, whose run may show up later than that of the second.
    """
    if item.attempted_at is None:
        return None
    times = times_asked(item)
    sent = item.attempted_at + (visible_after + (times - 2) * _SELDOM if times > 1 else timedelta())
    anew = sent + (visible_after if times == 1 else max(_SELDOM, visible_after))
    return None if now >= anew else min(now + max(now - sent, _FIRST_REST), anew)


def waiting_words(item: Rebuild | StepRun) -> str:
    """What is told while the run of an earlier request may still show up."""
    times = times_asked(item)
    if times == 1:
        return "an earlier dispatch may still appear"
    return (
        f"{item.workflow} was dispatched {times} times without an answer, and no run appeared; "
        "it is looked for, and asked for again once a day"
    )


async def dispatch_once(
    item: Requested,
    send: Callable[[Requested], Awaitable[int | None]],
    save: Callable[[Requested], Awaitable[None]],
    word_held: WordHeld,
    now: datetime,
) -> tuple[Requested, int | None]:
    """Sends the request: what it was sent for, and the run's id where that was told.

    Its intent is stored once nothing but the request itself is left to do: what a wait for its turn has kept from
    being sent was never asked for. Raises `Failure`; where nothing can have started, the intent is taken back
    first.
    """
    intended = replace(
        item,
        attempted_at=item.attempted_at or now,
        correlation=item.correlation or f"freshness-{secrets.token_hex(8)}",
        dispatches=times_asked(item) + 1,
    )
    is_stored = False

    async def store() -> None:
        nonlocal is_stored
        await save(intended)
        is_stored = True

    word_held.intent = store
    try:
        return intended, await send(intended)
    except Failure as failure:
        has_begun_nothing = failure.trouble in _NOTHING_STARTED or failure.status == _NOT_READY
        if is_stored and has_begun_nothing:
            await save(item)
        raise
    finally:
        word_held.intent = None


async def find(
    builder: Builder, home: Identity, item: Rebuild | StepRun, branch: str, taken_runs: Collection[int]
) -> Run | None:
    """The run that an earlier request started; `taken_runs` belong to others."""
    assert item.attempted_at is not None
    asked_at = item.attempted_at
    runs = await builder.dispatched_runs(home, item.workflow or "", branch=branch, since=sought_since(asked_at))
    return dispatched_run(runs, taken_runs, item.correlation, asked_at)
