"""What is no longer shown, told from what is no longer seen."""

from typing import Protocol

from bot.domain.failure import Failure, Gone, Trouble
from bot.domain.repositories.repository import Identity


class KnowsItsSight(Protocol):
    """Tells whether it still sees what is beside a repository."""

    async def sees_others(self, repository: Identity) -> bool:
        """Whether the grant that this repository is asked with still sees its owner's repositories.

        Only then is gone what it does not show. Never of a token, which does not tell what was taken from it.
        """
        ...


async def told_gone(failure: Failure, repository: Identity, asked: KnowsItsSight) -> Failure:
    """The failure, as `Gone` where it is that nothing is shown and the grant sees the owner's others.

    Whoever was `asked` answers the same for what was deleted and for what the credentials may not see any more;
    where it does not answer this, nobody can tell.
    """
    if failure.trouble is not Trouble.MISSING:
        return failure
    try:
        return Gone(failure) if await asked.sees_others(repository) else failure
    except Failure:
        return failure
