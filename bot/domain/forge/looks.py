"""What one look shows: repositories' own words, a branch with its pull requests, or all those that are followed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.failure import Failure
from bot.domain.forge.branches import Tip
from bot.domain.forge.pull_requests import MergeRequirements, OtherRequest, PullRequest, PullRequestState, WishIds
from bot.domain.repositories.repository import Identity

MOST_STANDINGS = 50
"""Repositories in one look at what they say of themselves."""


@dataclass(frozen=True, slots=True)
class FollowedRequests:
    """What a look at many pull requests at once has shown, by node id; what is gone is not in it.

    `unseen` are those that the credentials may not see, each with why.
    """

    states: Mapping[str, PullRequestState] = field(default_factory=dict)
    unseen: Mapping[str, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """Why of an owner's repositories nothing can be told.

    `is_passing` where the forge or the grant is in trouble at present; else people have taken the bot away there.
    """

    reason: str
    is_passing: bool = False


@dataclass(frozen=True, slots=True)
class OwnWord:
    """What a repository says of itself at this moment.

    `identity` has the name that it bears now. `head` is the commit that its default branch stands at, None where it
    has none. `config` is the file in which it says what it wants of the bot, None where there is none;
    `is_config_unread` that it is there, and the forge shows no text of it. `read_only` says why nothing can be
    written (archived, locked), None where it can; `is_archived` that this is so until somebody unarchives it.
    """

    identity: Identity
    default_branch: str | None
    config: bytes | None = None
    read_only: str | None = None
    head: str | None = None
    is_archived: bool = False
    is_config_unread: bool = False


@dataclass(frozen=True, slots=True)
class BranchLook:
    """All that a pull request's branch needs to be known for, read in one go.

    `trunk` is the tip of the default branch, None in a repository without commits; `branch` that of the branch,
    None where there is none. `pull_requests` are all from that branch, newest first; `others` are open ones from
    other branches. `workflows` are the texts of the default branch's workflows, None for one that is not shown.
    """

    standing: OwnWord
    trunk: Tip | None
    branch: Tip | None
    pull_requests: tuple[PullRequest, ...] = ()
    wish_ids: WishIds = WishIds()  # noqa: RUF009 - frozen
    requirements: MergeRequirements = MergeRequirements()  # noqa: RUF009 - frozen
    others: tuple[OtherRequest, ...] = ()
    workflows: tuple[str | None, ...] = ()

    def own(self, *numbers: int | None) -> tuple[PullRequest, ...]:
        """The bot's own pull requests, newest first: those from its branch that its account has opened, and those
        that it knows by their `numbers`, since its account may be another by now. From there anybody may open
        one."""
        return tuple(each for each in self.pull_requests if each.is_own or each.number in numbers)

    def open_own(self, number: int | None = None) -> PullRequest | None:
        """The bot's own that is open, before all the one that it knows."""
        open_ones = [each for each in self.own(number) if each.is_open]
        return min(open_ones, key=lambda each: each.number != number, default=None)

    def open_of_others(self, *numbers: int | None) -> PullRequest | None:
        """Returns an open pull request from the branch that is not the bot's own; None where there is none."""
        own = self.own(*numbers)
        return next((each for each in self.pull_requests if each.is_open and each not in own), None)

    @property
    def has_no_commits(self) -> bool:
        """Whether the branch stands where the default branch does, as one does that was only just made."""
        return self.branch is not None and self.trunk is not None and self.branch.sha == self.trunk.sha
