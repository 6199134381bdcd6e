"""What stands beside a CVE, whoever publishes it: whether it is known to be exploited, and how likely that is."""

from collections.abc import Iterable, Mapping
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

    def news(self, listed: Iterable[str], kept: Mapping[str, Value]) -> dict[str, Value]:
        """What it says of these CVEs, which it lists, otherwise than what is kept of them."""
        told = self.values
        return {cve: told[cve] for cve in listed if cve not in kept or kept[cve] != told[cve]}

    def ends_others(self, kept: int) -> bool:
        """Whether what it lists no more goes, where so many CVEs are kept.

        That stays where an entry could not be read, which may be that one, and where less than half is left, which
        is more likely a fault of the publisher's.
        """
        return self.is_whole and 2 * len(self.values) >= kept


@dataclass(frozen=True, slots=True)
class CveMarks:
    """What one document marks: CVEs that are exploited with the day on which they were listed, or scores of EPSS in
    ten-thousandths."""

    exploited: MarkedCves[date | None] | None = None
    epss: MarkedCves[int] | None = None
