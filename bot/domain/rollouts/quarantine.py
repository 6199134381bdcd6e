"""Quarantine: a new base that breaks repositories which were fine is built upon by nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.reference import Base

LEAST_BROKEN = 3
BROKEN_SHARE = 0.2
GREEN_WITHIN = timedelta(days=14)
"""How long ago a build on the old digest may have been green and still tell that the repository was fine."""


@dataclass(frozen=True, slots=True)
class BuildEnd:
    """How one repository's build on a new digest ended.

    `green_before` is when it was last green on the digest before; `failed_again` says whether one re-run of a
    failed build failed too, None where none was made yet. `can_be_repeated` is False where nobody but the
    repository's people can start it.
    """

    repository: str
    base: Base
    digest: str
    succeeded: bool
    at: datetime
    green_before: datetime | None = None
    failed_again: bool | None = None
    can_be_repeated: bool = True

    @property
    def was_fine(self) -> bool:
        return self.green_before is not None and self.at - self.green_before <= GREEN_WITHIN

    @property
    def wants_rerun(self) -> bool:
        """Whether one more run would tell an accident from a broken base."""
        return not self.succeeded and self.was_fine and self.failed_again is None and self.can_be_repeated

    @property
    def tells_against_base(self) -> bool:
        return not self.succeeded and self.was_fine and self.failed_again is True


def kept_in_words(base: Base, who: str, reason: str, *, is_shown: bool) -> str:
    """Why a quarantine of `base` keeps a rebuild, and what that waits for; `is_shown` while the base shows the
    quarantined digest."""
    lift = f"`freshness-bot quarantine lift {base}`"
    reason_text = f"quarantined by {who} ({reason})"
    if is_shown:
        return f"{reason_text}: it waits until {base.short} shows another digest, or for {lift}"
    by_now = f"what is planned for the digest that {base.short} shows by now takes its place"
    return f"{reason_text}: {by_now}, or it waits for {lift}"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A digest that broke repositories which were fine before."""

    base: Base
    digest: str
    broken: tuple[str, ...]
    ended: int

    @property
    def reason(self) -> str:
        return f"{len(self.broken)} of {self.ended} repositories fail on it that were green on the digest before"


def suspects(ends: Iterable[BuildEnd]) -> tuple[Suspect, ...]:
    """The digests on which at least three repositories, and a fifth of those that ended, fail reproducibly."""
    suspect_digests = []
    for (base, digest), latest in _latest(ends).items():
        broken = sorted(name for name, end in latest.items() if end.tells_against_base)
        if _are_many(len(broken), len(latest)):
            suspect_digests.append(Suspect(base, digest, tuple(broken), len(latest)))
    return tuple(suspect_digests)


def needed_reruns(ends: Iterable[BuildEnd]) -> tuple[BuildEnd, ...]:
    """The failed builds of which one more run would tell whether their base is broken.

    None as long as so few have failed that the base would not be suspected even if all failed again.
    """
    reruns: list[BuildEnd] = []
    for latest in _latest(ends).values():
        waiting = [end for end in latest.values() if end.wants_rerun]
        broken = sum(end.tells_against_base for end in latest.values())
        if waiting and _are_many(broken + len(waiting), len(latest)):
            reruns += waiting
    return tuple(reruns)


def _latest(ends: Iterable[BuildEnd]) -> dict[tuple[Base, str], dict[str, BuildEnd]]:
    """Returns by base and digest the last build of each repository."""
    by_digest: dict[tuple[Base, str], dict[str, BuildEnd]] = {}
    for end in sorted(ends, key=lambda end: end.at):
        by_digest.setdefault((end.base, end.digest), {})[end.repository] = end
    return by_digest


def _are_many(broken: int, ended: int) -> bool:
    return broken >= LEAST_BROKEN and broken >= BROKEN_SHARE * ended
