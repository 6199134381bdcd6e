"""What a forge does not show: gone, or out of the sight of the grant that it is asked with."""

from bot.domain.failure import Failure, Gone, Trouble
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity


async def told_gone(failure: Failure, repository: Identity, forge: Forge) -> Failure:
    """The failure, as `Gone` where it is that nothing is shown and the grant sees the owner's others.

    The forge answers the same for what was deleted and for what the credentials may not see any more; where it does
    not answer this, nobody can tell.
    """
    if failure.trouble is not Trouble.MISSING:
        return failure
    try:
        return Gone(failure) if await forge.sees_others(repository) else failure
    except Failure:
        return failure
