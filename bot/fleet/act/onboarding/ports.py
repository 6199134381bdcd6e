"""What onboarding needs of the store and of the audit, and what it works on."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.host import Host
from bot.domain.images.seen_config import SeenConfig
from bot.domain.repositories.onboarding import SAFE_CHECKS, Onboarding, Proposal
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.timing.windows import Freeze
from bot.reconcile.work import Queue


@dataclass(frozen=True, slots=True)
class DueOnboarding:
    """A claimed repository: `files` are those that the audit reads, by path, as git names their contents.

    `open_elsewhere` counts the bot's other open pull requests there. `default_branch` is what the forge calls it.
    """

    id: int
    repository: Identity
    files: Mapping[str, str]
    onboarding: Onboarding
    produced: tuple[SeenConfig, ...] = ()
    open_elsewhere: int = 0
    error: str | None = None
    default_branch: str = ""

    def made_from(self, checks: Collection[str]) -> str:
        """Returns a mark that changes with all that a proposal is made from."""
        sources_text = repr((sorted(self.files.items()), sorted(checks), self.produced, self.default_branch))
        return hashlib.sha256(sources_text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ProposalSource:
    """The texts of one repository that a proposal is made from, and the checks that it has declined."""

    name: str
    files: Mapping[str, bytes]
    produced: tuple[SeenConfig, ...] = ()
    declined: tuple[str, ...] = ()
    default_branch: str = ""


class Proposer(Protocol):
    """The audit, as onboarding asks it: pure computation."""

    def actions(self, source: ProposalSource, now: datetime) -> Sequence[ActionTag]:
        """Returns the actions of which a proposal has to know the commits."""
        ...

    def propose(
        self,
        source: ProposalSource,
        commits: Mapping[ActionTag, ActionCommit],
        denied_folders: tuple[str, ...],
        now: datetime,
    ) -> Proposal:
        """The next pull request for these texts, which changes nothing below the `denied_folders` folders."""
        ...


@dataclass(frozen=True, slots=True)
class OnboardingOptions:
    """`repositories` are globs of those that are brought along unasked, `at_once` how many of all at a time.

    `web` is where the forge shows repositories to people.
    """

    repositories: tuple[str, ...] = ()
    at_once: int = 3
    checks: tuple[str, ...] = SAFE_CHECKS
    freezes: tuple[Freeze, ...] = ()
    open_pull_requests: int = 2
    follow_every: timedelta = timedelta(minutes=5)
    label: str = "freshness"
    web: str = "https://github.com"
    host: Host = Host()  # noqa: RUF009 - frozen


class OnboardingStore(Protocol):
    """What onboarding asks of the store; each method is one transaction."""

    async def enlist(self, repositories: Collection[str], checks: Collection[str], at_once: int) -> int:
        """Takes up audited repositories in which one of `checks` fails, until `at_once` are under way; how many.

        `repositories` are globs. Those that wait and match none of them any more are let go.
        """
        ...

    @property
    def onboardings(self) -> Queue[DueOnboarding]:
        """Those that have not come to an end, and those that have declined lately."""
        ...

    async def contents(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        """Returns what discovery has kept of these files."""
        ...

    async def settle_onboarding(
        self, item: DueOnboarding, after: Onboarding, due_at: datetime, *, succeeded: bool = True
    ) -> None: ...
