"""What is not shown any more: gone, or out of sight."""

from bot.domain.failure import Failure, Gone, Trouble
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity

GONE_AFTER = 12
"""Looks in a row that found nothing."""


async def judged(failure: Failure, looks: int, repository: Identity, forge: Forge) -> Failure:
    """The failure, as `Gone` where it has been so for `looks` in a row and the grant sees the owner's others.

    The forge answers the same for what was deleted and for what the credentials may not see any more.
    """
    if failure.trouble is not Trouble.MISSING or looks < GONE_AFTER:
        return failure
    try:
        return Gone(failure) if await forge.sees_others(repository) else failure
    except Failure:
        return failure
