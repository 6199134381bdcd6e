"""Listing owner by owner: one that cannot be listed keeps no other from that."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from bot.domain.bounded_gather import bounded_gather
from bot.domain.failure import Failure
from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import Repository

Owner = TypeVar("Owner")
_AT_ONCE = 4


async def listed_each(
    owners: Iterable[Owner], called: Callable[[Owner], str], listed: Callable[[Owner], Awaitable[list[Repository]]]
) -> tuple[list[Repository], dict[str, Silence]]:
    """The repositories of all owners, and by their names those who could not be listed.

    Raises the `Failure` of the first where nobody could be.
    """
    failures: dict[str, Failure] = {}

    async def tried(owner: Owner) -> list[Repository]:
        try:
            return await listed(owner)
        except Failure as failure:
            failures[called(owner)] = failure
            return []

    asked = list(owners)
    found = await bounded_gather(_AT_ONCE, asked, tried)
    if asked and len(failures) == len({called(owner) for owner in asked}):
        raise failures[called(asked[0])]
    silent = {
        name: Silence(f"{name} could not be listed: {failure}", is_passing=True)
        for name, failure in failures.items()
    }
    return [repository for some in found for repository in some], silent
