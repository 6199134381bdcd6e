"""Rebuilds and changes as rows of long lists: plain values, read without decoding what a list does not show."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.packages.changes import PlatformChanges, changes_by_platform, moves_in_words
from bot.domain.packages.cves.wording import cve_lines, cves_counted


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of a rebuild in one line."""

    name: str
    state: str
    reason: str
    url: str | None
    began_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RebuildRow:
    """A rebuild in one line. `what` says in two or three words what it is; `kept` why it does not begin, where a
    person or a quarantine keeps it."""

    id: int
    rollout: int
    repository: str
    wave: str
    what: str
    state: str
    has_ended: bool
    reason: str
    url: str | None
    planned_at: datetime
    attempted_at: datetime | None
    ended_at: datetime | None
    kept: str | None
    steps: tuple[StepRow, ...] = ()
    run_url: str | None = None
    """Where the build of its merged pull request is shown, which `url` leads to."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of a base in one line; `packages` say how each platform's packages changed, as far as known."""

    base: str
    at: datetime
    cause: str
    severity: str | None
    cves: tuple[str, ...]
    from_version: str | None
    to_version: str | None
    to_digest: str | None
    detail: str
    rollout: int | None
    packages: tuple[PlatformChanges, ...] = ()

    @property
    def packages_told(self) -> str:
        """For people, in a line; empty where nothing is known."""
        return moves_in_words(self.packages)

    @property
    def packages_listed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """By platforms, a line for each package that changed, where a line for all of them has left some out."""
        return changes_by_platform(self.packages)

    @property
    def cves_told(self) -> str:
        """How many it fixed and left open, for people in a line; empty where nobody asked."""
        return cves_counted(self.packages, some_told=bool(self.cves))

    @property
    def cves_listed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """By platforms, a line for each CVE that it fixed or left open, and for what is not known."""
        return cve_lines(self.packages)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """What no rebuild can mend, or how late upstream was; `until` is None while it goes on."""

    topic: str
    base: str
    since: datetime
    until: datetime | None
    text: str
    toward: tuple[str, ...]

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes up to now."""
        return ((self.until or now) - self.since).total_seconds()
