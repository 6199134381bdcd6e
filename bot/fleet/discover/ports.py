"""What discovery is told, and what it needs of the store."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Protocol

from bot.domain.builder.definitions import definition_of
from bot.domain.host import Host
from bot.domain.images.claims import ImageRules
from bot.domain.repositories.repository import GITHUB, Identity, Reading, Repository, RepositoryId
from bot.domain.rollouts.policy import Policy
from bot.fleet.discover.selection import Selection
from bot.reconcile.work import Queue

UNLISTED_FOR = timedelta(hours=1)
"""So long after its turn nobody has listed a forge that a process has the settings of."""


@dataclass(frozen=True, slots=True)
class DiscoverOptions:
    """Which repositories and bases are looked for, and how often a forge is asked for its repositories."""

    selection: Selection = Selection()  # noqa: RUF009 - frozen
    every: timedelta = timedelta(hours=1)
    host: Host = Host()  # noqa: RUF009 - frozen
    images: ImageRules = ImageRules()  # noqa: RUF009 - frozen
    selections: Mapping[str, Selection] = field(default_factory=dict)
    """Of repositories of forges other than GitHub, by the forge."""
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    """By which rules each is rebuilt."""

    def of(self, forge: str) -> Selection:
        """Which of its repositories are looked for: all of one that the settings do not name."""
        return self.selection if forge == GITHUB else self.selections.get(forge, Selection())

    @property
    def reader(self) -> str:
        """Changes with all that a reading depends on besides the tree: what reads it, the bases to watch, their
        mirrors, and what the operator says of images and pipelines."""
        mirrors = (f"{rule.place} {rule.upstream}" for rule in self.selection.mirrors.rules)
        chosen = (*self.selection.bases, *self.selection.registries, *mirrors)
        text = "\n".join((version("freshness-bot"), *chosen, str(self.images), *_pipelines_named(self.policy)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pipelines_named(policy: Policy) -> Iterator[str]:
    """The rules that name pipelines, each as a text that changes with what it says of whom."""
    for rule in policy.rules:
        parts, steps = (
            (each.workflow for each in rule.workflows or ()),
            (each.workflow for each in rule.steps or ()),
        )
        for workflow in (rule.workflow, *parts, *steps):
            if definition_of(workflow):
                yield f"{rule.match} {workflow}"


@dataclass(frozen=True, slots=True)
class DueListing:
    """The claimed task of listing one forge; `attempts` counts this one too."""

    id: int
    attempts: int = field(compare=False)
    forge: str = GITHUB


@dataclass(frozen=True, slots=True)
class KnownFleet:
    """The repositories of one forge that are listed at present, and since when it has shown suspiciously few of
    them."""

    names: frozenset[str]
    short_since: datetime | None
    keys: Mapping[str, RepositoryId] = field(default_factory=dict)
    """Who each is, of those whose forge has told its id."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one forge lists. `kept_names` are those of repositories that it does not show, but that are not given up
    yet."""

    repositories: tuple[Repository, ...]
    kept_names: frozenset[str] = frozenset()
    trouble: str | None = None
    """Why some are kept, for people; None where all is well."""
    nothing_taken: str | None = None
    """For an operator whose settings select nothing at all."""
    grants: Mapping[str, Mapping[str, str]] | None = None
    """By owner what the bot may do there; None where that cannot be told."""
    left_out: tuple[str, ...] = ()
    """Those that cannot be told apart from another forge's by their names, a line each."""


@dataclass(frozen=True, slots=True)
class DueRepository:
    """A claimed repository: `tree` was read last, by `reader`; `error` is what the last attempt ended with."""

    id: int
    name: str
    default_branch: str
    tree: str | None
    attempts: int
    reader: str | None = None
    error: str | None = None
    node_id: str | None = None
    is_unread: bool = False
    """Whether its own word could not be understood when it was read last."""
    forge: str = GITHUB

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.node_id, self.forge)


class DiscoverStore(Protocol):
    """What discovery asks of the store; each method is one transaction."""

    def listings(self, forges: Collection[str] = (GITHUB,)) -> Queue[DueListing]:
        """The tasks of listing these forges, one for each, so that only one replica does each; and of what no
        process has listed since `UNLISTED_FOR`, whichever forge it is: no settings name it any more."""
        ...

    @property
    def repositories(self) -> Queue[DueRepository]:
        """Listed repositories whose default branch may have moved."""
        ...

    async def expect_listing(self, forges: Collection[str] = (GITHUB,)) -> None:
        """Makes the task of listing each forge, due now, where there is none."""
        ...

    async def postpone_listing(self, task: DueListing, due: datetime, *, trouble: str | None = None) -> None: ...

    async def known_fleet(self, forge: str = GITHUB) -> KnownFleet: ...

    async def record_listing(
        self, task: DueListing, listing: Listing, due: datetime, *, reader: str | None = None
    ) -> None: ...

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]: ...

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None: ...

    async def save_reading(self, repository: DueRepository, reading: Reading, due: datetime) -> None: ...

    async def keep_reading(self, repository: DueRepository, due: datetime) -> None: ...

    async def tell_unread(self, trouble: str | None) -> None:
        """Opens the incident that many repositories' own words cannot be understood any more, with what is to be
        done; None ends it once that holds for few."""
        ...
