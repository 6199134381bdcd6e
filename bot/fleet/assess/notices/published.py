"""What the published inventory of images lists, and whether its publisher still keeps it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import counted, duration
from bot.fleet.assess.baseline import BaseStanding
from bot.upstream.dotnet.tag_family import TagFamily


@dataclass(frozen=True, slots=True)
class Listed:
    """A tag in the inventory; `systems` are the operating systems of its images (`linux`, `windows`)."""

    digest: str | None
    systems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Published:
    """What the image inventory lists: its repositories, less those that could not be read whole, and their tags.

    Of tags that are `doubted` it lists none, and that is not believed yet.
    """

    repositories: frozenset[str]
    tags: Mapping[tuple[str, str], Listed]
    doubted: frozenset[tuple[str, str]] = frozenset()

    def lists(self, base: Base) -> bool | None:
        """Whether the inventory lists a base; None where it says nothing of the repository, or nothing certain.

        A mirror holds the same tags as MCR.
        """
        if base.repository not in self.repositories or (base.repository, base.tag) in self.doubted:
            return None
        return (base.repository, base.tag) in self.tags

    def lists_channel(self, base: Base) -> bool:
        """Whether it lists any tag of the channel of .NET that a base is of."""
        channel = TagFamily.of(base.tag).channel
        return any(
            repository == base.repository and TagFamily.of(tag).channel == channel for repository, tag in self.tags
        )

    def digest_of(self, base: Base) -> str | None:
        tag = self.tags.get((base.repository, base.tag))
        return tag.digest if tag else None

    def kin(self, image: Observation) -> list[BaseStanding]:
        """The floating tags of its repository for its operating system, as they stand on its registry."""
        base, systems = (
            image.base,
            {platform.platform.partition("/")[0] for platform in image.platforms} or {"linux"},
        )
        return [
            BaseStanding(Observation(image.at, Base(base.registry, repository, tag), entry.digest))
            for (repository, tag), entry in self.tags.items()
            if repository == base.repository and entry.systems & systems and Tag.parse(tag).is_floating
        ]


@dataclass(frozen=True, slots=True)
class StaleInventory:
    """Since when the inventory has not followed the registry; `text` is one line for people."""

    since: datetime
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Unfollowed:
    """A move of a base that the inventory does not know: it still lists what the base showed before."""

    at: datetime
    base: Base


def unfollowed(
    used: Iterable[Base], histories: Mapping[Base, Sequence[Observation]], published: Published | None
) -> list[Unfollowed]:
    """Finds the moves of these bases that the inventory does not know, the oldest first.

    A mirror that lags behind the inventory shows what that has left, not the other way round.
    """
    moves = (
        ((_time_of_leaving(histories.get(base, ()), published.digest_of(base)), base) for base in used)
        if published
        else ()
    )
    return sorted(Unfollowed(moved_at, base) for moved_at, base in moves if moved_at is not None)


def _time_of_leaving(history: Sequence[Observation], listed_digest: str | None) -> datetime | None:
    """When a base moved to what it shows now, if `listed_digest` is what it showed before."""
    sights = [observation for observation in history if observation.digest is not None]
    moves = [number for number in range(1, len(sights)) if sights[number].digest != sights[number - 1].digest]
    if not moves or listed_digest == sights[-1].digest:
        return None
    return (
        sights[moves[-1]].at
        if listed_digest in {observation.digest for observation in sights[: moves[-1]]}
        else None
    )


def stale_inventory(moves: Sequence[Unfollowed], now: datetime, after: timedelta) -> StaleInventory | None:
    """Says what is wrong with the inventory where the first of `moves` is at least `after` ago."""
    late_moves = [move for move in moves if now - move.at >= after]
    if not late_moves:
        return None
    first, others = late_moves[0], len(late_moves) - 1
    bases_text = f"{first.base.short} and {counted(others, 'other base')}" if others else first.base.short
    moved_text = "they moved, the first" if others else "it moved"
    text = (
        f"still lists what {bases_text} showed before {moved_text} {duration(now - first.at)} ago, so that "
        "withdrawn tags go unnoticed; look whether its publisher still updates it"
    )
    return StaleInventory(first.at, text)
