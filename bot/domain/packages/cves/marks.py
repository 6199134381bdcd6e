"""What stands beside a CVE, whoever publishes it: whether it is known to be exploited, and how likely that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

EPSS_UNIT = 10_000
"""Scores of EPSS are kept in ten-thousandths: finer ones change every day and tell nobody more."""
Value = TypeVar("Value", date | None, int)


@dataclass(frozen=True, slots=True)
class CveMark:
    """What CISA's catalogue and EPSS say of one CVE.

    It `is_exploited`, listed since that day where one is told. `epss` is the probability that it will be within 30
    days; None where that is not known.
    """

    is_exploited: bool = False
    exploited_since: date | None = None
    epss: float | None = None

    @property
    def exploited_told(self) -> str:
        """`known exploited since 2026-03-04`; empty where it is not known to be."""
        if not self.is_exploited:
            return ""
        since = f" since {self.exploited_since:%Y-%m-%d}" if self.exploited_since is not None else ""
        return f"known exploited{since}"

    @property
    def epss_told(self) -> str:
        """`EPSS 0.0114`; empty where no score is known."""
        return f"EPSS {self.epss:.4f}" if self.epss is not None else ""

    @property
    def told(self) -> str:
        """Both in one line; empty where neither is known."""
        return ", ".join(filter(None, (self.exploited_told, self.epss_told)))


NO_MARK = CveMark()


@dataclass(frozen=True, slots=True)
class MarkedCves(Generic[Value]):
    """All CVEs that one document lists, each with what it says of it; it `is_whole` where every entry was read."""

    values: Mapping[str, Value]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class CveMarks:
    """What one document marks: CVEs that are exploited with the day on which they were listed, or scores of EPSS in
    ten-thousandths."""

    exploited: MarkedCves[date | None] | None = None
    epss: MarkedCves[int] | None = None


@dataclass(frozen=True, slots=True)
class MarkChanges(Generic[Value]):
    """What differs from what is kept: values that are new or changed, and CVEs that are listed no more."""

    changed: Mapping[str, Value]
    gone: frozenset[str]


def changes_of(kept: Mapping[str, Value], told: MarkedCves[Value]) -> MarkChanges[Value]:
    """Compares what is kept with a document that lists all.

    What it lists no more goes. It stays where an entry could not be read, which may be that one, and where less
    than half is left, which is more likely a fault of the publisher's.
    """
    values = told.values
    changed = {cve: value for cve, value in values.items() if cve not in kept or kept[cve] != value}
    is_believed = told.is_whole and 2 * len(values) >= len(kept)
    return MarkChanges(changed, frozenset(kept.keys() - values.keys()) if is_believed else frozenset())
