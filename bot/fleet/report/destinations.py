"""Where maintainers read, and which part of the news each place hears."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Protocol, runtime_checkable

from bot.domain.bases.change import Change
from bot.domain.reference import Base
from bot.domain.rollouts.policy import Match
from bot.domain.wording.message import Message


class Channel(Protocol):
    """Where maintainers read. One that cannot update gets a message when a rollout begins and when it ends."""

    @property
    def can_update(self) -> bool: ...

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> dict[str, str] | None:
        """Posts once, below the message at `thread` where there is one, and answers where; None where the channel
        does not tell."""
        ...

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None: ...


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message of the bot's own that stands in a channel: where, and what it is about, as `Message.about`."""

    remote: dict[str, str]
    about: frozenset[str]


@runtime_checkable
class FindsMessages(Protocol):
    """A channel that tells what it has."""

    async def find(self, message: Message, since: datetime) -> FoundMessage | None:
        """The newest message of the bot's own since then that is about one of the same things; None where there is
        none, or too much to look through."""
        ...


@dataclass(frozen=True, slots=True)
class Destination:
    """`name` is what the store calls it. Without a `part` it hears everything, else what concerns the repositories,
    bases and causes that match."""

    name: str
    channel: Channel
    part: Match | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a message concerns; `changes` is empty where no change is behind it. With `fleet` it concerns these
    repositories whatever has become of their bases."""

    repositories: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    bases: tuple[Base, ...] = ()
    fleet: bool = False


def hears(destination: Destination, about: About | None) -> bool:
    """Whether a message concerns a destination; `about` is None where it concerns the bot as a whole."""
    part = destination.part
    if part is None:
        return True
    if about is None:
        return False
    concerns_change = any(part.accepts_change(each.base, each.cause, each.severity) for each in about.changes)
    concerns_base = any(_accepts_base(part, base) for base in about.bases)
    return (about.fleet or concerns_change or concerns_base) and bool(part_of(part, about.repositories))


def part_of(part: Match, repositories: Iterable[str]) -> frozenset[str]:
    """The repositories that are a destination's own."""
    return frozenset(name for name in repositories if part.accepts_repository(name))


def _accepts_base(part: Match, base: Base) -> bool:
    """Whether a destination hears of a base itself; without a change there is no cause or severity to match."""
    if part.causes or part.min_severity is not None:
        return False
    return not part.bases or any(fnmatchcase(str(base), glob) for glob in part.bases)
