"""Findings about bases and about how far upstream is behind, with what Microsoft promises of its images."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median_low

from bot.domain.reference import Base


class Topic(StrEnum):
    """What a notice is about: something that concerns a base and that no rebuild can mend."""

    RELEASE_LAG = "release-lag"
    SIBLING_LAG = "sibling-lag"
    WAITING_FOR_BASE = "waiting-for-base"
    WITHDRAWN = "withdrawn"
    END_OF_LIFE = "end-of-life"
    MOVED_UNDERNEATH = "moved-underneath"
    ROLLBACK = "rollback"
    MIRROR_BEHIND = "mirror-behind"


@dataclass(frozen=True, slots=True)
class Notice:
    """One finding about a base.

    `since` is when it began, `until` when it ended (None: it still holds), `delay` the time between, or up to now.
    A negative delay: the base was earlier than the feed, or an end that still lies ahead. `toward` names the bases
    to move to, the best first.
    """

    topic: Topic
    base: Base
    since: datetime
    until: datetime | None
    delay: timedelta
    text: str
    toward: tuple[Base, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """A stored notice that has not been cleared, kept since `opened_at`; `told`: maintainers have heard of it."""

    id: int
    topic: Topic
    base: Base
    since: datetime
    until: datetime | None
    text: str
    toward: tuple[Base, ...]
    told: bool
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """Something is to be in the images `within` that time."""

    within: timedelta
    says: str


PROMISES: Mapping[Topic, Promise] = {
    Topic.RELEASE_LAG: Promise(timedelta(days=1), "a .NET release is in the images the same day"),
    Topic.SIBLING_LAG: Promise(timedelta(hours=12), "an update of the OS below is in the images within 12 hours"),
}
"""As dotnet/dotnet-docker says in its documentation of supported tags and platforms."""


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """How a promise was kept in one group: `times` it was due, `kept` of them in time; `pending` are still awaited,
    of which those that are late by now count as due and not kept."""

    topic: Topic
    group: tuple[str, ...]
    times: int
    kept: int
    median: timedelta
    longest: timedelta
    pending: int = 0


def kept_by(measured: Iterable[Notice], group: Callable[[Notice], tuple[str, ...]]) -> tuple[PromiseRow, ...]:
    """Sums up lags by topic and group, in their order. What came before it was due counts as no lag."""
    lags: dict[tuple[Topic, tuple[str, ...]], list[Notice]] = {}
    for notice in measured:
        if notice.topic in PROMISES:
            lags.setdefault((notice.topic, group(notice)), []).append(notice)
    return tuple(_row(topic, group_name, each) for (topic, group_name), each in sorted(lags.items()))


def _row(topic: Topic, group: tuple[str, ...], lags: Iterable[Notice]) -> PromiseRow:
    within = PROMISES[topic].within
    every = list(lags)
    pending = [each for each in every if each.until is None]
    due = [max(each.delay, timedelta()) for each in every if each.until is not None or each.delay > within]
    return PromiseRow(
        topic,
        group,
        len(due),
        sum(delay <= within for delay in due),
        median_low(due) if due else timedelta(),
        max(due, default=timedelta()),
        len(pending),
    )
