"""Why a run has failed, said beside that it has."""

from bot.domain.failure import Failure
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity


async def explained(forge: Forge, repository: Identity, run: int, reason: str) -> str:
    """The reason with the job that failed first; where that cannot be told, the run is red all the same."""
    try:
        job = await forge.first_failure(repository, run)
    except Failure:
        return reason
    return reason if job is None else f"{reason}; {job}"
