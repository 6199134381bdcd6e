"""What a source says less of than before: how long that is doubted, and who has to agree before it is believed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.bases.image import Head
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base

PUBLICATIONS = 2
"""So many that differ must lack what is doubted."""
STILL_FOR = timedelta(weeks=5)
"""A tag that has not moved for so long moves no more: 99 of 100 moves in three years came sooner after the one
before, and so long a time has a patch day in it."""
ASK_AGAIN_AFTER = timedelta(days=1)

FactKey = tuple[str, str]
"""What can be lost: repository and tag, channel and release, source and CVE."""


@dataclass(frozen=True, slots=True)
class DoubtedLoss:
    """What a source said before and says no more, and what counts until that is believed.

    `place` is where, in the publisher's words (`dotnet/aspnet 10.0`), and `told` what was seen there.
    `publications` counts those that lacked it; `asked_at` is when the registry was asked last.
    """

    place: str
    told: str
    keys: frozenset[FactKey]
    since: datetime
    publications: int = 1
    asked_at: datetime | None = None

    @property
    def text(self) -> str:
        """One line for people, with until when."""
        return (
            f"{self.told}; what is gone counts as before until a second publication lacks it and the registry "
            f"agrees, on {self.since + STILL_FOR:%Y-%m-%d} where nothing moves"
        )


@dataclass(frozen=True, slots=True)
class WatchedTag:
    """A base that stands for a doubted tag: what its registry showed last, and since when."""

    key: FactKey
    base: Base
    digest: str | None
    moved_at: datetime | None


class RegistryWord(Protocol):
    """What a registry says of a tag that is told to be gone; both raise `Failure`."""

    async def head(self, base: Base) -> Head: ...

    async def has_ended(self, base: Base, digest: str) -> bool:
        """Whether its publisher marked the image as at its end, and that day is past."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """`believed` is lost now; `over` names the places of doubts that are no more."""

    believed: frozenset[FactKey] = frozenset()
    doubts: tuple[DoubtedLoss, ...] = ()
    over: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Saying:
    """What one look at a source brought: `said` is what it lists, `unread` whether some of it could not be read.

    `is_new`: it is another publication than before. `lost` are the losses that begin with it and are doubted, `due`
    what is expected to be lost, as the tags of a channel past its end.
    """

    said: Collection[FactKey] | None
    is_new: bool = False
    unread: bool = False
    lost: Sequence[DoubtedLoss] = ()
    due: Collection[FactKey] = ()


def weigh(
    doubts_before: Sequence[DoubtedLoss],
    saying: Saying,
    watched: Iterable[WatchedTag],
    agreed: Collection[str],
    now: datetime,
) -> Weighed:
    """Tells which doubted losses are believed by now, which are over, and which stay in doubt or begin.

    `agreed` are the places of those that the registry agrees to; without its word, that none of their tags has
    moved for long says the same.
    """
    moved = {each.key: each.moved_at for each in watched}
    doubts: dict[str, DoubtedLoss] = {}
    believed: set[FactKey] = set()
    for doubt in doubts_before:
        left = doubt.keys if saying.said is None else doubt.keys.difference(saying.said)
        expected = left.intersection(saying.due)
        left, believed = left - expected, believed | expected
        if not left:
            continue
        counts = saying.is_new and not saying.unread
        doubt = replace(doubt, keys=left, publications=doubt.publications + counts)
        if is_believed(doubt, moved, agreed, now):
            believed |= left
        else:
            doubts[doubt.place] = doubt
    for doubt in saying.lost:
        earlier = doubts.get(doubt.place)
        doubts[doubt.place] = replace(doubt, keys=doubt.keys | earlier.keys) if earlier else doubt
    over = frozenset(doubt.place for doubt in doubts_before) - doubts.keys()
    return Weighed(frozenset(believed), tuple(doubts[place] for place in sorted(doubts)), over)


def is_believed(
    doubt: DoubtedLoss, moved: Mapping[FactKey, datetime | None], agreed: Collection[str], now: datetime
) -> bool:
    if doubt.publications < PUBLICATIONS:
        return False
    still_since = max([doubt.since, *(moved_at for key in doubt.keys if (moved_at := moved.get(key)) is not None)])
    return doubt.place in agreed or now - still_since >= STILL_FOR


def to_ask(doubts: Iterable[DoubtedLoss], now: datetime) -> tuple[DoubtedLoss, ...]:
    """Returns the doubts that only wait for the registry, and of which it was not asked for a day."""
    waiting = (each for each in doubts if each.publications >= PUBLICATIONS)
    return tuple(each for each in waiting if each.asked_at is None or now - each.asked_at >= ASK_AGAIN_AFTER)


async def agrees(registry: RegistryWord, doubt: DoubtedLoss, watched: Iterable[WatchedTag]) -> bool:
    """Whether the registry has none of the tags any more, or marks what they show as ended; the first that goes on
    decides. One that is not watched, or does not answer, says nothing."""
    tags = [each for each in watched if each.key in doubt.keys]
    for tag in tags:
        try:
            head = await registry.head(tag.base)
            if not await registry.has_ended(tag.base, head.digest):
                return False
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                return False
    return bool(tags)
