"""One attempt at a pull request: what is to be done, and how the repository stands at that moment."""

from dataclasses import dataclass
from datetime import datetime

from bot.act.ports import Job
from bot.domain.forge.looks import BranchLook
from bot.domain.rollouts.rebuild import Rebuild


@dataclass(frozen=True, slots=True)
class ProposalAttempt:
    """A job as the repository stands now. `told` is what the reason of an open pull request says besides."""

    job: Job
    look: BranchLook
    looked_at: datetime
    told: tuple[str, ...] = ()

    @property
    def rebuild(self) -> Rebuild:
        return self.job.rebuild
