"""What a pull request can do without: labels, reviews, assignees and a merge by itself, and what came of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.rollouts.terms import MergeMethod


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
    """What a merge into the default branch has to pass: checks that must be green, a queue.

    `can_wait` tells whether a pull request can be set to merge by itself later.
    """

    requires_checks: bool = False
    has_queue: bool = False
    can_wait: bool = False


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
