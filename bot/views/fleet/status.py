"""How things stand: bases, a few of them in short, notices, open rebuilds, incidents, and what was unreadable."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.bases.notice import OpenNotice
from bot.domain.bases.observation import ShowsTwo
from bot.domain.reference import Base
from bot.domain.repositories.onboarding import OnboardingState
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.timing.age import Ages
from bot.domain.rollouts.timing.waves import Hold
from bot.views.bases import mirrors
from bot.views.bases.mirrors import MirrorStatus
from bot.views.fleet import ages, needs
from bot.views.fleet.fleet import Standing
from bot.views.fleet.needs import NOTHING_NEEDED, NeedsYou
from bot.views.rollouts import rebuilds


@dataclass(frozen=True, slots=True)
class BaseStatus:
    """`release_lag`: how long after the release feed the newest .NET release came; negative: before it."""

    base: Base
    digest: str | None
    version: str | None
    moved_at: datetime | None
    repositories: int
    error: str | None
    release_lag: timedelta | None = None
    mirror: MirrorStatus | None = None
    """How it stands to what it is a copy of."""
    shows_two: ShowsTwo | None = None
    """What its registry shows beside `digest`, in turn."""
    due_at: datetime | None = None
    """When it is to be looked at next."""


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """Something outside that is, or was, in trouble."""

    subject: str
    opened_at: datetime
    cleared_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class DumpStatus:
    """A dump of vulnerabilities: when it was last read or confirmed, of how many records how many are kept.

    `unread` are the lines of those records that could not be read. `newest_at` is when one of all was changed last.
    """

    ecosystem: str
    place: str
    checked_at: datetime | None
    entries: int | None
    kept: int
    unread: tuple[str, ...] = ()
    error: str | None = None
    newest_at: datetime | None = None


_LEFT_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """`rebuilds` are those that have not ended, and all of the newest rollout; `tried_again` the ids of those that
    count no more, since another took their place."""

    repositories: int
    unreadable: tuple[tuple[str, str], ...]
    bases: tuple[BaseStatus, ...]
    rebuilds: tuple[Rebuild, ...]
    incidents: tuple[IncidentRow, ...]
    notices: tuple[OpenNotice, ...]
    feed_errors: tuple[tuple[str, str], ...]
    waits: Mapping[int, Hold] = field(default_factory=dict)
    """What rebuilds that have not begun wait for, by their ids."""
    pauses: tuple[Pause, ...] = ()
    ages: Ages = Ages()  # noqa: RUF009 - frozen
    dumps: tuple[DumpStatus, ...] = ()
    onboardings: Mapping[OnboardingState, int] = field(default_factory=dict)
    tried_again: frozenset[int] = frozenset()
    needs: NeedsYou = NOTHING_NEEDED
    standings: Mapping[Standing, int] = field(default_factory=dict)
    """How many repositories stand how."""
    no_room: str | None = None
    """What is told of the store's disk where that has no room left."""

    def left_since(self, now: datetime) -> datetime | None:
        """Since when no bot looks at any base; None where one does, which looks at each several times a day."""
        due = [each.due_at for each in self.bases if each.due_at is not None]
        latest = max(due, default=None)
        return latest if latest is not None and now - latest > _LEFT_AFTER else None

    @property
    def ahead(self) -> tuple[Rebuild, ...]:
        """The rebuilds that the bot has still to begin or to go on with, what is due first before the others."""
        return tuple(
            sorted((each for each in self.rebuilds if each.state.awaits_action), key=lambda each: each.due_at)
        )


def as_json(status: Status, now: datetime) -> dict[str, Any]:
    """Gives the status as plain JSON values; `left_since` is null while a bot looks at bases."""
    return {
        "left_since": status.left_since(now),
        "needs_you": needs.as_json(status.needs),
        "repositories": status.repositories,
        "unreadable": [{"repository": name, "error": error} for name, error in status.unreadable],
        "bases": [_base(item) for item in status.bases],
        "notices": [
            {
                "topic": item.topic,
                "base": str(item.base),
                "since": item.since,
                "text": item.text,
                "toward": [str(base) for base in item.toward],
            }
            for item in status.notices
        ],
        "rebuilds": [rebuilds.as_json(rebuild, status.waits.get(rebuild.id)) for rebuild in status.rebuilds],
        "incidents": [
            {"subject": item.subject, "opened_at": item.opened_at, "detail": item.detail}
            for item in status.incidents
        ],
        "paused": [
            {
                "rollout": pause.rollout,
                "since": pause.since,
                "by": pause.who,
                "reason": pause.reason,
            }
            for pause in status.pauses
        ],
        "ages": ages.as_json(status.ages),
        "vulnerabilities": [_dump(item) for item in status.dumps],
        "onboardings": {state.value: count for state, count in status.onboardings.items()},
        "feed_errors": [{"url": url, "error": error} for url, error in status.feed_errors],
        "no_room": status.no_room,
    }


def _dump(item: DumpStatus) -> dict[str, Any]:
    return {
        "ecosystem": item.ecosystem,
        "place": item.place,
        "checked_at": item.checked_at,
        "newest_at": item.newest_at,
        "records": item.entries,
        "kept": item.kept,
        "unread": list(item.unread),
        "error": item.error,
    }


def _base(item: BaseStatus) -> dict[str, Any]:
    return {
        "base": str(item.base),
        "digest": item.digest,
        "version": item.version,
        "moved_at": item.moved_at,
        "repositories": item.repositories,
        "error": item.error,
        "release_lag_seconds": None if item.release_lag is None else int(item.release_lag.total_seconds()),
        "mirror": mirrors.as_json(item.mirror),
        "shows_two": None if item.shows_two is None else asdict(item.shows_two),
    }
