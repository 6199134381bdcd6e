"""How Microsoft kept what it promises of its images, as measured."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.bases.notice import Notice
from bot.domain.bases.promise import PROMISES, PromiseRow


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
            topic.value: {"within_seconds": int(each.within.total_seconds()), "says": each.says}
            for topic, each in PROMISES.items()
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
