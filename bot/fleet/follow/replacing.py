"""A run that was cancelled for a newer one is followed to that."""

from datetime import datetime

from bot.domain.forge.port import Forge
from bot.domain.forge.runs import CLOCKS_DIFFER_BY, Run, run_in_place_of
from bot.domain.repositories.repository import Identity


async def newer_run(forge: Forge, home: Identity, workflow: str, cancelled: int, began_at: datetime) -> Run | None:
    """The run that took the place of a cancelled one of the same workflow, None where there is none.

    `began_at` is when the cancelled one may have begun, where the forge does not tell. Raises `Failure`.
    """
    own = await forge.run(home, cancelled)
    since = (own.created_at or began_at) - CLOCKS_DIFFER_BY
    return run_in_place_of(own, await forge.started_runs(home, workflow, branch=None, since=since))
