"""Asking for what can only be asked for alone, one thing after the other: each fails alone."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from bot.clients.forges.github.bulk import STRIKES
from bot.domain.failure import Failure, Trouble

Thing = TypeVar("Thing")
Shown = TypeVar("Shown")


async def one_by_one(
    things: Mapping[str, Thing], ask: Callable[[Thing], Awaitable[Shown]]
) -> dict[str, Shown | Failure]:
    """What is shown of each thing, by its node id, or why it is not shown.

    Once GitHub asks for a pause, or gives no answer again and again, it is asked no further: that is then why the
    rest is not shown.
    """
    results: dict[str, Shown | Failure] = {}
    stopped: Failure | None = None
    strikes = 0
    for node_id, thing in things.items():
        if stopped is not None:
            results[node_id] = stopped
            continue
        try:
            results[node_id] = await ask(thing)
            strikes = 0
        except Failure as failure:
            results[node_id] = failure
            strikes = strikes + 1 if failure.trouble is Trouble.UNREACHABLE else 0
            if failure.pauses_host or strikes >= STRIKES:
                stopped = failure
    return results
