"""What no peer tells: findings about bases and about how far upstream itself is behind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.reference import Base


class Topic(StrEnum):
    """What a notice is about: something that concerns a base and that no rebuild can mend."""

    RELEASE_LAG = "release-lag"
    SIBLING_LAG = "sibling-lag"
    WAITING_FOR_BASE = "waiting-for-base"
    WITHDRAWN = "withdrawn"
    END_OF_LIFE = "end-of-life"
    MOVED_UNDERNEATH = "moved-underneath"
    ROLLBACK = "rollback"
    MIRROR_BEHIND = "mirror-behind"


@dataclass(frozen=True, slots=True)
class Notice:
    """One finding about a base.

    `since` is when it began, `until` when it ended (None: it still holds), `delay` the time between, or up to now.
    A negative delay: the base was earlier than the feed, or an end that still lies ahead. `toward` names the bases
    to move to, the best first.
    """

    topic: Topic
    base: Base
    since: datetime
    until: datetime | None
    delay: timedelta
    text: str
    toward: tuple[Base, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """A stored notice that has not been cleared, kept since `opened_at`; `told`: maintainers have heard of it."""

    id: int
    topic: Topic
    base: Base
    since: datetime
    until: datetime | None
    text: str
    toward: tuple[Base, ...]
    told: bool
    opened_at: datetime | None = None
