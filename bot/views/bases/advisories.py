"""Advisories: which fix came into which base, and in which repositories it is open or done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.rollouts.rebuild import ENDED, RebuildState
from bot.views.paging import Page
from bot.views.rows import ChangeRow, RebuildRow


class FixState(StrEnum):
    """How far a fix has come in a repository, what needs somebody at the top."""

    FAILED = "failed"
    OPEN = "open"
    NOT_PROVEN = "not-proven"
    FIXED = "fixed"
    CALLED_OFF = "called-off"


_ENDS: Mapping[RebuildState, FixState] = {
    RebuildState.SUCCEEDED: FixState.FIXED,
    RebuildState.BUILT: FixState.NOT_PROVEN,
    RebuildState.MERGED: FixState.NOT_PROVEN,
    RebuildState.FAILED: FixState.FAILED,
    RebuildState.SUPERSEDED: FixState.CALLED_OFF,
    RebuildState.SKIPPED: FixState.CALLED_OFF,
    RebuildState.CANCELLED: FixState.CALLED_OFF,
}
FIX_WORDS: Mapping[FixState, str] = {
    FixState.FAILED: "its rebuild failed",
    FixState.OPEN: "its rebuild has not ended",
    FixState.NOT_PROVEN: "merged or built, and nothing shows that its image has the fix",
    FixState.FIXED: "its image is seen to have the fix",
    FixState.CALLED_OFF: "skipped or cancelled, or a later rollout goes on with it",
}


def fix_state(state: RebuildState) -> FixState:
    """Tells from a rebuild's state how far the fix has come in its repository."""
    return _ENDS[state] if state in ENDED else FixState.OPEN


def states_of(fix: FixState) -> tuple[RebuildState, ...]:
    """Returns the states of rebuilds that stand for `fix`."""
    return tuple(state for state in RebuildState if fix_state(state) is fix)


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
    """`states` counts all rebuilds that bring the fix, and `fixes` says how far it has come; `rebuilds` shows those
    that are wanted, with the open ones first.

    `images` counts those that have the CVE, or had it, by where its fix is stuck, in the words that the list of
    images takes; empty while that was not worked out, and where none waits.
    """

    advisory: AdvisoryRow
    sources: tuple[str, ...]
    links: tuple[str, ...]
    fixed_versions: tuple[str, ...]
    families: tuple[str, ...]
    systems: tuple[str, ...]
    disagreements: tuple[str, ...]
    changes: tuple[ChangeRow, ...]
    states: Mapping[str, int]
    fixes: Mapping[FixState, int]
    rebuilds: Page[RebuildRow]
    images: Mapping[str, int] = field(default_factory=dict)
