"""One attempt at a pull request: what is to be done, and how the repository stands at that moment."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.ports import Job


@dataclass(frozen=True, slots=True)
class ProposalAttempt:
    """A job as the repository stands now. `remarks` is what the reason of an open pull request says besides."""

    job: Job
    look: BranchLook
    looked_at: datetime
    remarks: tuple[str, ...] = ()

    @property
    def rebuild(self) -> Rebuild:
        return self.job.rebuild

    @property
    def theirs(self) -> PullRequest | None:
        """The open pull request of somebody else, where none of the bot's own is open."""
        number = self.rebuild.pull_request
        return None if self.look.open_own(number) is not None else self.look.open_of_others(number)

    @property
    def open_request(self) -> PullRequest | None:
        """The bot's own before those that people have opened from its branch."""
        return self.look.open_own(self.rebuild.pull_request) or self.theirs
