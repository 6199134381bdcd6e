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
    owners: Iterable[Owner],
    name_of: Callable[[Owner], str],
    list_owner: Callable[[Owner], Awaitable[list[Repository]]],
) -> tuple[list[Repository], dict[str, Silence]]:
    """The repositories of all owners, and by their names those who could not be listed.

    Raises the `Failure` of the first where nobody could be.
    """
    failures: dict[str, Failure] = {}

    async def tried(owner: Owner) -> list[Repository]:
        try:
            return await list_owner(owner)
        except Failure as failure:
            failures[name_of(owner)] = failure
            return []

    all_owners = list(owners)
    lists = await bounded_gather(_AT_ONCE, all_owners, tried)
    if all_owners and len(failures) == len({name_of(owner) for owner in all_owners}):
        raise failures[name_of(all_owners[0])]
    silent = {
        name: Silence(f"{name} could not be listed: {failure}", is_passing=True)
        for name, failure in failures.items()
    }
    return [repository for repositories in lists for repository in repositories], silent
