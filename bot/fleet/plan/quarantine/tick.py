"""One tick: a new base on which repositories fail that were fine is built upon by nobody, until the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.rollouts.quarantine import BuildEnd, Suspect, needed_reruns, suspects


@dataclass(frozen=True, slots=True)
class KnownEnd:
    """How a build ended, which rebuild that was, and whether it was to bring a severe fix."""

    rebuild: int
    end: BuildEnd
    is_severe: bool = False


class QuarantineStore(Protocol):
    """What quarantines ask of the store; each method is one transaction."""

    async def lift_published(self) -> int:
        """Ends the quarantines of digests that their base shows no more, and holds again those to which a base came
        back; how many have ended."""
        ...

    async def ends(self) -> Sequence[KnownEnd]:
        """The builds on the digests that bases show now and on which some failed; none where too few did."""
        ...

    async def run_again(self, rebuilds: Sequence[int]) -> int:
        """Has each rebuild tried once more, unless it was already, and returns how many."""
        ...

    async def quarantine(self, suspect: Suspect) -> bool:
        """Quarantines the digest, and tells whether that is new."""
        ...

    async def ask(self, suspect: Suspect) -> int:
        """Pauses the open rollouts that bring this digest, and returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class QuarantineTally:
    """How many digests were quarantined, asked about or let go, and how many rebuilds are tried again."""

    quarantined: int = 0
    asked: int = 0
    run_again: int = 0
    lifted: int = 0


async def tick(store: QuarantineStore, *, is_frozen: bool = False) -> QuarantineTally:
    """Quarantines the digests on which rebuilds fail; the tally counts what was done.

    One that fixes something severe is not held back: its rollout is paused, and a person asked. In a freeze nothing
    is run once more.
    """
    lifted = await store.lift_published()
    known_ends = await store.ends()
    ends = [item.end for item in known_ends]
    severe = {(item.end.base, item.end.digest) for item in known_ends if item.is_severe}
    ends_to_repeat = set() if is_frozen else set(needed_reruns(ends))
    run_again = await store.run_again(sorted(item.rebuild for item in known_ends if item.end in ends_to_repeat))
    quarantined = questions = 0
    for suspect in suspects(ends):
        if (suspect.base, suspect.digest) in severe:
            questions += await store.ask(suspect)
        else:
            quarantined += await store.quarantine(suspect)
    return QuarantineTally(quarantined, questions, run_again, lifted)
