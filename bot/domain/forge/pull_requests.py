"""Pull requests: the bot's own with what each can do without, and those of others, some of which bring the same
images.

Renovate names an image with its registry, `Update mcr.microsoft.com/dotnet/aspnet Docker digest to 1a2b3c4` from
`renovate/mcr.microsoft.com-dotnet-aspnet-10.0`; Dependabot without, `Bump dotnet/aspnet from 10.0.0 to 10.0.1` from
`dependabot/docker/src/dotnet/aspnet-10.0.1`. Of a group neither names any, so that only its text would tell.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.reference import Base
from bot.domain.repositories.repository import AZURE_DEVOPS
from bot.domain.rollouts.terms import MergeMethod

MOST_BODY = 65_000
"""Bytes of a whole body. GitHub refuses one of over 65,536; whether it counts characters or bytes is told both
ways."""
_MOST_BODIES: Mapping[str, int] = {AZURE_DEVOPS: 3_900}
"""Azure Repos take 4,000 units of UTF-16, of which no text has more than bytes."""


def most_body(forge: str) -> int:
    """So many bytes of a pull request's body a forge takes surely."""
    return _MOST_BODIES.get(forge, MOST_BODY)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`branch` is the head branch without its owner; `head` the commit that it points to.

    `node_id` is by what it can be asked for together with others, `merge_node` the same for its merge commit.
    `is_conflicted` is False until the forge has found out.
    """

    number: int
    url: str
    branch: str
    head: str
    title: str
    body: str
    is_open: bool
    is_merged: bool
    merge_commit: str | None = None
    labels: tuple[str, ...] = ()
    is_conflicted: bool = False
    node_id: str | None = None
    assignees: tuple[str, ...] = ()
    is_draft: bool = False
    merge_node: str | None = None
    merged_at: datetime | None = None
    is_to_merge: bool = False
    """It merges by itself once nothing stands in the way, or is in a merge queue."""
    is_to_merge_by_us: bool = False
    """The same, and the bot has asked for it."""
    is_queued: bool = False
    """It is in a merge queue: nobody can change its branch until it has left."""
    base: str | None = None
    """The branch that it goes to, None where that was not asked for."""
    is_own: bool = True
    """The bot has opened it; from the bot's branch anybody may."""
    marker: str = ""
    """What the bot has marked it with beside its body, where the body says nothing of that."""

    def elsewhere(self, onto: str | None) -> str | None:
        """Why it does not bring what the bot wants to `onto` any more: people have pointed it at another branch."""
        return _elsewhere(self, onto)


@dataclass(frozen=True, slots=True)
class PullRequestState:
    """How far a pull request has come, as a look at many at once tells it."""

    number: int
    url: str
    is_open: bool
    is_merged: bool
    is_conflicted: bool = False
    merge_commit: str | None = None
    merge_node: str | None = None
    merged_at: datetime | None = None
    labels: tuple[str, ...] = ()
    is_ready: bool = False
    """Nothing that the forge requires stands in the way of a merge."""
    is_to_merge: bool = False
    is_archived: bool = False
    """Its repository is: nobody can merge or close it."""
    base: str | None = None
    onto: str | None = None
    """The default branch of its repository at this moment; both None where that was not asked for."""

    @property
    def elsewhere(self) -> str | None:
        """Why it does not bring what the bot wants: it goes, or went, to another branch than the default one."""
        return _elsewhere(self, self.onto)


def _elsewhere(request: PullRequest | PullRequestState, onto: str | None) -> str | None:
    if request.base is None or onto is None or request.base == onto:
        return None
    if request.is_merged:
        fault = f"pull request #{request.number} was merged into {request.base} and not into {onto}"
        return f"{fault}, where what it brings is missing"
    return f"pull request #{request.number} goes to {request.base} and not to {onto}, so it is left to people"


_BOTS = {"renovate": "Renovate", "dependabot": "Dependabot"}


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """An open pull request from another branch of the repository; `author` is a login."""

    number: int
    url: str
    node_id: str
    branch: str
    head: str
    author: str
    base: str | None = None
    title: str = ""

    def goes_to(self, branch: str | None) -> bool:
        """Whether it goes there, as far as that was asked for."""
        return self.base is None or branch is None or self.base == branch

    @property
    def bot(self) -> str | None:
        """Which other bot made it, by its account or by how it names branches; None for a person's."""
        names = (self.author.lower().removesuffix("[bot]"), self.branch.partition("/")[0])
        return next((_BOTS[name] for name in names if name in _BOTS), None)


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A pull request that the bot's account has opened, and that is open, or merged since `merged_at`.

    `commit` is the message of its last commit, None where somebody else has made or changed that. `is_to_default`
    where it goes to the default branch.
    """

    number: int
    node_id: str
    url: str
    branch: str
    is_to_default: bool
    body: str
    created_at: datetime
    commit: str | None
    merged_at: datetime | None = None
    marker: str = ""
    """As of any `PullRequest`."""

    @property
    def is_merged(self) -> bool:
        return self.merged_at is not None


@dataclass(frozen=True, slots=True)
class RequestChange:
    """The pull request from `branch`: a new one into the branch `onto`, or new text for `current`.

    Where `title` or `body` is None, that of `current` stays as it is. A new one may begin as a draft. `marker` is
    for beside the body, where a body of this forge has no room for it.
    """

    branch: str
    onto: str
    current: PullRequest | None
    title: str | None
    body: str | None
    is_draft: bool = False
    marker: str = ""

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return self.current is None or (self.title, self.body, self.marker) != (None, None, "")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wished for a pull request: labels, or that they go, reviews by people and teams (without owner), whom
    it is assigned to, and that it merges by itself, or does so no more."""

    labels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    unlabel: tuple[str, ...] = ()
    merge: MergeMethod = MergeMethod.NEVER
    no_merge: bool = False

    def __bool__(self) -> bool:
        return self != NOTHING_WISHED


NOTHING_WISHED = Wishes()
NO_MERGE = Wishes(no_merge=True)


@dataclass(frozen=True, slots=True)
class WishIds:
    """By which ids the forge knows what was wished for; None for what was looked for and is not there.

    `unseen` are those that the credentials may not read, with what would show them.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    people: Mapping[str, str | None] = field(default_factory=dict)
    teams: Mapping[str, str | None] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeRequirements:
    """What a merge into the default branch has to pass: checks that must be green, a queue, a work item.

    `can_wait` tells whether a pull request can be set to merge by itself later.
    """

    requires_checks: bool = False
    has_queue: bool = False
    can_wait: bool = False
    asks_work_item: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the forge would not do of that which a pull request can do without."""

    wish: str
    reason: str

    def __str__(self) -> str:
        return f"{self.wish}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Granted:
    """What came of wishes; `is_to_merge` where the pull request merges by itself now, or has been merged."""

    refused: tuple[Refusal, ...] = ()
    is_to_merge: bool = False


_VERSION = r"(?:-(?:\d[\w.-]*|[0-9a-f]{7,}))?$"
_OF_ALL_DOTNET = "net core docker containers"
"""What Renovate's preset `group:dotNetCore` calls all of .NET's images together."""
_GROUP = re.compile(r"^dependabot/docker(?:[-_]compose)?/(?:.*/)?[^/]+-[0-9a-f]{10}$")


def images_twice(request: OtherRequest, bases: Iterable[Base]) -> tuple[str, ...]:
    """The repositories of those bases that another bot's pull request brings; none where a person has made it, or
    where it brings something else."""
    if request.bot is None:
        return ()
    title = request.title.lower()
    names = dict.fromkeys((base.registry, base.repository) for base in bases)
    return tuple(
        dict.fromkeys(
            repository
            for registry, repository in names
            if _is_in_title(title, registry, repository)
            or _is_in_branch(request.branch, repository)
            or (_OF_ALL_DOTNET in title and repository.startswith("dotnet/"))
        )
    )


def may_bring_images(request: OtherRequest) -> bool:
    """Whether it is for a group of images that it does not name."""
    return request.bot == "Dependabot" and _GROUP.match(request.branch) is not None


def _is_in_title(title: str, registry: str, repository: str) -> bool:
    name = rf"(?<![\w./-])(?:{re.escape(registry)}/)?{re.escape(repository)}(?![\w/-])"
    return re.search(name, title) is not None


def _is_in_branch(branch: str, repository: str) -> bool:
    """The end of a branch's name; Renovate writes dashes for what separates folders."""
    flat = repository.replace("/", "-")
    return re.search(rf"[/-](?:{re.escape(repository)}|{re.escape(flat)}){_VERSION}", branch) is not None
