"""Advisories: which fix came into which base, and in which repositories it is open or done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.views.paging import Page
from bot.views.rows import ChangeRow, RebuildRow


@dataclass(frozen=True, slots=True)
class AdvisoryRow:
    """One CVE, as the sources that tell of it are combined."""

    cve: str
    title: str
    severity: str | None
    score: float | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Advisories:
    """The newest first, a page at a time."""

    advisories: Page[AdvisoryRow]


@dataclass(frozen=True, slots=True)
class AdvisoryPage:
    """`states` counts the rebuilds that bring the fix, `rebuilds` shows them with the open ones first."""

    advisory: AdvisoryRow
    sources: tuple[str, ...]
    links: tuple[str, ...]
    fixed_versions: tuple[str, ...]
    families: tuple[str, ...]
    systems: tuple[str, ...]
    disagreements: tuple[str, ...]
    changes: tuple[ChangeRow, ...]
    states: Mapping[str, int]
    rebuilds: Page[RebuildRow]
