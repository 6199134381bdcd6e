"""How Microsoft kept what it promises of its images, as measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.bases.notice import PROMISES, Notice, PromiseRow, Topic, kept_by

YEAR = timedelta(days=365)
_MOST_BASES = 12


class Grouping(StrEnum):
    """By what lags are summed up."""

    MONTH = "month"
    FAMILY = "family"
    BASE = "base"


@dataclass(frozen=True, slots=True)
class Promises:
    """`since` is when the first lag that counts began; None where nothing was measured."""

    since: datetime | None
    grouping: Grouping
    rows: tuple[PromiseRow, ...]


@dataclass(frozen=True, slots=True)
class PromiseRecord:
    """How one promise was kept in a year: by month and family, by family, and by base, of which the `bases` that
    were late most often are told."""

    topic: Topic
    says: str
    within: timedelta
    times: int
    kept: int
    months: tuple[PromiseRow, ...]
    families: tuple[PromiseRow, ...]
    bases: tuple[PromiseRow, ...]


def promises_by(grouping: Grouping, lags: Iterable[Notice], last: timedelta, now: datetime) -> Promises:
    """Sums up the lags that began within `last`; they come by when each began."""
    lately = [lag for lag in lags if now - lag.since <= last]
    rows = kept_by(lately, lambda lag: group_of(lag, grouping))
    return Promises(lately[0].since if lately else None, grouping, rows)


def records(lags: Iterable[Notice], now: datetime) -> tuple[PromiseRecord, ...]:
    """Sums up how each promise was kept in the last year, as far as it was due."""
    every = list(lags)
    by = {grouping: promises_by(grouping, every, YEAR, now).rows for grouping in Grouping}
    promise_records: list[PromiseRecord] = []
    for topic, promise in PROMISES.items():
        months, families, bases = (tuple(row for row in by[each] if row.topic is topic) for each in Grouping)
        late = sorted((row for row in bases if row.kept < row.times), key=_late_first)[:_MOST_BASES]
        times, kept_times = sum(row.times for row in families), sum(row.kept for row in families)
        if families:
            totals = (topic, promise.says, promise.within, times, kept_times)
            promise_records.append(PromiseRecord(*totals, months, families, tuple(late)))
    return tuple(promise_records)


def promises_by_family(lags: Iterable[Notice], now: datetime) -> Mapping[tuple[Topic, str], PromiseRow]:
    """Sums up how each promise was kept for each family in the last year."""
    rows = promises_by(Grouping.FAMILY, lags, YEAR, now).rows
    return {(row.topic, row.group[0]): row for row in rows}


def _late_first(row: PromiseRow) -> tuple[int, timedelta, tuple[str, ...]]:
    return row.kept - row.times, -row.longest, row.group


def group_of(notice: Notice, grouping: Grouping) -> tuple[str, ...]:
    """Names the group of a lag: its month and family, its family alone, or its base."""
    family = notice.base.repository.rpartition("/")[2]
    match grouping:
        case Grouping.MONTH:
            return f"{notice.since:%Y-%m}", family
        case Grouping.FAMILY:
            return (family,)
        case Grouping.BASE:
            return (notice.base.short,)


def as_json(promises: Promises) -> dict[str, Any]:
    """Gives what was measured as plain JSON values."""
    return {
        "since": promises.since,
        "by": promises.grouping.value,
        "promises": {
            topic.value: {"within_seconds": int(promise.within.total_seconds()), "says": promise.says}
            for topic, promise in PROMISES.items()
        },
        "measured": [
            {
                "promise": row.topic.value,
                "group": list(row.group),
                "times": row.times,
                "kept": row.kept,
                "median_seconds": int(row.median.total_seconds()),
                "longest_seconds": int(row.longest.total_seconds()),
                "pending": row.pending,
            }
            for row in promises.rows
        ],
    }
