"""One tick: an empty store asks the fleet's issue whether the bot was here before, and is paused where it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.forge.port import KeepsIssues
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.witness import Said, read_witness, why_paused
from bot.fleet.report.fleet_issue.body import MARK

UNKNOWN = (
    "this store is new, and the fleet's issue, which tells whether people had stopped something, is not read yet"
)


class WitnessStore(Protocol):
    """What is asked of the store; each method is one transaction."""

    async def is_asked(self) -> bool:
        """Whether the issue was asked, or the store is no new one."""
        ...

    async def pause(self, reason: str) -> None:
        """Pauses the bot as a whole, unless it is."""
        ...

    async def end(self, reason: str | None, said: Sequence[Said]) -> None:
        """Keeps that the issue was asked. The pause until then ends; where there is a reason, another holds from
        then on, and puts back what was `said` once a person ends it."""
        ...


@dataclass(frozen=True, slots=True)
class WitnessTally:
    """Why the bot is paused since this tick, None where it is not; and what hindered that."""

    paused: str | None = None
    problems: tuple[str, ...] = ()


async def tick(store: WitnessStore, forge: KeepsIssues, repository: str, label: str) -> WitnessTally:
    """Does so once in the life of a store. As long as the issue cannot be read, nothing begins."""
    if await store.is_asked():
        return WitnessTally()
    try:
        issue = await forge.find_issue(Identity(repository), label, MARK)
    except Failure as failure:
        await store.pause(UNKNOWN)
        return WitnessTally(problems=(f"the fleet issue in {repository}: {failure}",))
    witness = None if issue is None else read_witness(issue.body)
    reason = None if witness is None else why_paused(witness)
    await store.end(reason, witness.to_put_back if witness is not None else ())
    return WitnessTally(reason)
