"""An attempt at a pull request: what is to be done, how the repository stands, what must change in its files."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.domain.forge.branches import FileChange, Tip
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.forge.refusals import FilesDenied
from bot.domain.reference import Base, Reference
from bot.domain.rollouts.pinning import WantedDigests, wanted_digests_of
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.ports import Job, Refresher


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


@dataclass(frozen=True, slots=True)
class Edits:
    """`refused` are sentences with their place, `left_out` those about files that the credentials may not change;
    `unmet` are the targets that no file names, or that no file stands on even after the edits; `new_tags` take the
    place of other tags.
    """

    files: tuple[FileChange, ...] = ()
    refused: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unmet: frozenset[Base] = frozenset()
    new_tags: tuple[Reference, ...] = ()

    def without(self, refusal: FilesDenied | None) -> "Edits":
        """Returns the edits without the files that the credentials may not change, which are told instead."""
        if refusal is None:
            return self
        reason = f"is left out, since the bot lacks the right {refusal.right}"
        out = [file.path for file in self.files if file.path.startswith(refusal.folder)]
        files = tuple(file for file in self.files if file.path not in out)
        return replace(self, files=files, left_out=tuple(f"{path} {reason}" for path in out))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reviewer must look at, a sentence each."""
        return (*self.left_out, *self.refused)


async def refreshed_files(job: Job, tip: Tip, refresh: Refresher, today: date) -> Edits:
    """The files of `tip` that must change, with their new content; what is read with them stays."""
    orders = wanted_digests_of(job.rebuild, job.changes, job.pins, job.followed_back)
    before = {path: file.content for path, file in sorted(tip.files.items()) if file.content is not None}
    orders_by_path = {path: _heed_ignores(orders, path, job, today) for path in job.paths if path in before}
    results = await asyncio.to_thread(refresh, before, orders_by_path)
    return Edits(
        tuple(
            FileChange(path, results[path].data, tip.files[path].mode)
            for path in before
            if results[path].data != before[path]
        ),
        tuple(
            f"{problem.path}:{problem.line}: {problem.message}"
            for path in before
            for problem in results[path].refused
        ),
        unmet=frozenset(target.base for target in job.rebuild.targets)
        - {base for result in results.values() for base in result.met},
        new_tags=tuple(dict.fromkeys(each for path in before for each in results[path].new_tags)),
    )


def _heed_ignores(orders: WantedDigests, path: str, job: Job, today: date) -> WantedDigests:
    """Leaves out what the repository asks to leave alone; it may have said so since the plan was made."""
    config = job.member.config
    return replace(
        orders,
        of_bases=tuple(
            order for order in orders.of_bases if config.ignored_by(path, str(order.base), today) is None
        ),
    )
