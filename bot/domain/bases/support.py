"""Until when a .NET image gets fixes, by what its tag names: its version of .NET and its distribution.

The days are those of Microsoft's lifecycle policy of .NET, Alpine's release branches, Debian's regular support,
Ubuntu's standard support and CBL-Mariner's end. What the table does not name is not known to end: the service reads
Microsoft's feeds, which tell of later versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from bot.domain.bases.dotnet import ImageFamily, family_of
from bot.domain.reference import Base, Reference
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import counted

TOLD_AHEAD = timedelta(days=90)
"""An end is told of from so long before it."""
_DOTNET: Mapping[str, date] = {
    "2.1": date(2021, 8, 21),
    "3.1": date(2022, 12, 13),
    "5.0": date(2022, 5, 10),
    "6.0": date(2024, 11, 12),
    "7.0": date(2024, 5, 14),
    "8.0": date(2026, 11, 10),
    "9.0": date(2026, 11, 10),
    "10.0": date(2028, 11, 14),
}
_DISTRIBUTIONS: Mapping[str, date] = {
    "alpine3.17": date(2024, 11, 22),
    "alpine3.18": date(2025, 5, 9),
    "alpine3.19": date(2025, 11, 1),
    "alpine3.20": date(2026, 4, 1),
    "alpine3.21": date(2026, 11, 1),
    "alpine3.22": date(2027, 5, 1),
    "alpine3.23": date(2027, 11, 1),
    "buster": date(2022, 9, 10),
    "bullseye": date(2024, 8, 14),
    "bookworm": date(2026, 6, 10),
    "trixie": date(2028, 8, 9),
    "focal": date(2025, 5, 31),
    "jammy": date(2027, 5, 31),
    "cbl-mariner2.0": date(2025, 7, 31),
}


class SupportState(StrEnum):
    """How the support of what somebody stands on goes, where that is worth telling; the ended first."""

    ENDED = "out-of-support"
    SOON = "ends-soon"


@dataclass(frozen=True, slots=True)
class Support:
    """What ends: a version of .NET or a distribution, on which day, and which version of .NET comes next."""

    subject: str
    until: date
    toward: str | None = None

    def has_ended(self, today: date) -> bool:
        return today >= self.until

    def is_told(self, today: date) -> bool:
        """Whether it has ended, or will soon."""
        return self.until - today <= TOLD_AHEAD

    def state(self, today: date) -> SupportState | None:
        """Whether it has ended, or soon will; None where nobody needs to know yet."""
        if self.has_ended(today):
            return SupportState.ENDED
        return SupportState.SOON if self.is_told(today) else None

    def told(self, today: date) -> str:
        """Words it: `.NET 8.0 is out of support for 20 days: no more fixes will come; 10.0 is the next`."""
        toward = f"; {self.toward} is the next" if self.toward else ""
        if self.has_ended(today):
            since = counted((today - self.until).days, "day", "days")
            return f"{self.subject} is out of support for {since}: no more fixes will come{toward}"
        left = counted((self.until - today).days, "more day", "more days")
        return f"{self.subject} is supported for {left}, until {self.until}{toward}"


def support_of(reference: Reference, today: date) -> Support | None:
    """The support of a .NET image that ends first, as its tag tells; None where none is known to end."""
    if family_of(reference) is not ImageFamily.DOTNET or not reference.tag:
        return None
    tag = Tag.parse(reference.tag)
    channel = ".".join(map(str, tag.parts[:2]))
    ends = []
    if (until := _DOTNET.get(channel)) is not None:
        ends.append(Support(f".NET {channel}", until, _next_after(channel, today)))
    if (until := _DISTRIBUTIONS.get(tag.system or "")) is not None:
        ends.append(Support(tag.system or "", until))
    return min(ends, key=lambda support: support.until, default=None)


@lru_cache(maxsize=4096)
def support_of_base(base: Base, today: date) -> Support | None:
    """The same of a base that is watched."""
    return support_of(Reference(base.name, base.tag), today)


def _next_after(channel: str, today: date) -> str | None:
    """The version of the table to move to: the one that is supported longest."""
    later = [(until, other) for other, until in _DOTNET.items() if until > today and until > _DOTNET[channel]]
    return max(later)[1] if later else None
