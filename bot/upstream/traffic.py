"""What reading the recommended sources costs the network each day at most, estimated from the sizes of documents.

Nothing here was measured over a network: sizes are those of documents that are kept or that others have recorded,
and each is taken to change as often as it is asked for or its publisher writes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DailyTraffic:
    """A source of whose document so many megabytes are sent, at most so many times a day."""

    name: str
    megabytes: float
    times: float

    @property
    def a_day(self) -> float:
        """Megabytes a day at most."""
        return self.megabytes * self.times


FOR_ALL: Sequence[DailyTraffic] = (
    DailyTraffic(".NET's releases, MSRC and GitHub's advisories", 6, 1),
    DailyTraffic("NuGet", 2.5, 4),
    DailyTraffic("CISA's catalogue of what is exploited", 1.3, 1),
    DailyTraffic("EPSS", 2.5, 1),
)
"""What is read whatever images are of, apart from NuGet's, which needs packages of it."""
UBUNTU = DailyTraffic("Ubuntu", 680, 4)
UBUNTU_IN_PARTS = DailyTraffic("Ubuntu", 12.5, 4)
"""Where the host sends parts, as long as no packages of other names come: the list of 60,000 entries, 72 bytes
each, and a quarter of what changes in a day. These are 1,000 records, which is a guess, in pieces of 32 KiB."""
AZURE_LINUX = DailyTraffic("Azure Linux", 2.2, 1)
"""The size of its OVAL of October 2024."""
NOT_KNOWN = ("Debian", "Alpine")
"""Distributions the size of whose dumps nobody has recorded here."""


def in_words() -> str:
    """What the recommended sources cost, for whoever is asked whether they are to be read."""
    of_all, in_parts = _rounded(FOR_ALL), _rounded([UBUNTU_IN_PARTS])
    return (
        f"at most {of_all} MB a day, {_rounded([AZURE_LINUX])} more where images are of Azure Linux, "
        f"{_rounded([UBUNTU])} more where they are of Ubuntu (some {in_parts} where its host sends parts of a dump "
        f"and no new packages come), and what was not estimated where of {' or '.join(NOT_KNOWN)}"
    )


def _rounded(several: Iterable[DailyTraffic]) -> str:
    return f"{round(sum(each.a_day for each in several)):,}"
