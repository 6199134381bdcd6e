"""The fleet at a glance, and a row for each repository."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.bases.support import SupportState
from bot.views.bases.support import SupportRow
from bot.views.paging import Page


class Standing(StrEnum):
    """How a repository stands to its bases, the one to look at first at the top."""

    FAILED = "failed"
    BEHIND = "behind"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    CURRENT = "current"
    LEFT_ALONE = "left-alone"
    NO_BASE = "no-base"


IN_WORDS: Mapping[Standing, str] = {
    Standing.FAILED: "its latest rebuild failed",
    Standing.BEHIND: "a rebuild has not ended, or a pin or an image is not what its base shows",
    Standing.UNKNOWN: "nothing proves on what its image stands since its floating tag moved, or witnesses disagree",
    Standing.UNREADABLE: "it was not read yet, or could not be, or nobody can tell what it asks for",
    Standing.CURRENT: "it stands on what its bases show",
    Standing.LEFT_ALONE: "it asks to be left alone",
    Standing.NO_BASE: "it names no watched base",
}


def followed(standings: Mapping[Standing, int]) -> int:
    """How many repositories stand on a watched base and want to be rebuilt: of these a share is current."""
    return sum(standings.get(each, 0) for each in Standing if each not in (Standing.NO_BASE, Standing.LEFT_ALONE))


class Sort(StrEnum):
    """By what the rows are sorted; `standing` begins with those that need a look."""

    STANDING = "standing"
    NAME = "name"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """Which repositories: those whose name holds `text`, with this standing, that use this base, whose base's
    support goes so, and that are behind for so long: one of `AGES`."""

    text: str = ""
    standing: Standing | None = None
    base: str = ""
    sort: Sort = Sort.STANDING
    support: SupportState | None = None
    age: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """`behind_since` is when the oldest rebuild that has not ended was first planned, or its base moved.

    `rebuild` is the state of its latest rebuild, `url` where that can be looked at. `support` is the first end of
    what it stands on, where that has come or is near.
    """

    name: str
    standing: Standing
    usages: int
    bases: int
    behind_since: datetime | None
    rebuild: str | None
    rollout: int | None
    url: str | None
    error: str | None
    support: SupportRow | None = None


@dataclass(frozen=True, slots=True)
class DayOfFreshness:
    """How many repositories stood how on a day, as counted last on it."""

    day: date
    standings: Mapping[Standing, int]


@dataclass(frozen=True, slots=True)
class Fleet:
    """`standings` counts all listed repositories, `ages` those that are behind or failed by for how long, `days`
    tells of the last 90 days."""

    standings: Mapping[Standing, int]
    ages: Mapping[str, int]
    days: tuple[DayOfFreshness, ...]
    repositories: Page[RepositoryRow]

    @property
    def total(self) -> int:
        return sum(self.standings.values())

    @property
    def followed(self) -> int:
        """Those that stand on a watched base and want to be rebuilt."""
        return followed(self.standings)


FRESHNESS_DAYS = 90
AGES = ("under-1d", "1d-to-7d", "7d-to-30d", "over-30d")
"""For how long a repository is behind, in steps."""
