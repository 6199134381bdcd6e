"""What holds of the fleet's bases beyond their changes: which notices to open, to refresh and to clear."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.bases.mirrors import Behind
from bot.domain.bases.notice import Notice, OpenNotice, Topic
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import duration
from bot.fleet.assess.baseline import BaseStanding
from bot.fleet.assess.notices.published import (
    Published,
    StaleInventory,
    Unfollowed,
    stale_inventory,
    unfollowed,
)
from bot.fleet.assess.notices.rules import (
    end_of_life_notices,
    mirror_behind,
    moved_underneath,
    rolled_back,
    waiting_for_base,
    withdrawn,
)
from bot.upstream.dotnet.lags import release_lag, sibling_lag
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.dotnet.tag_family import TagFamily, sibling_of

RECENTLY = timedelta(days=7)
"""How long a tag that changed under its users stays worth showing."""
INVENTORY_DELAY = timedelta(days=3)
"""An image younger than this may be in the registry before the inventory lists it."""
LOOK_AGAIN = timedelta(days=1)
"""Even without news: texts tell how long something has lasted, and ends of life come nearer."""


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """How long a published fix may miss in a base, how long before its end of life a base is worth telling, and how
    long the inventory may stay behind the registry, and a mirror behind what it is a copy of."""

    waiting_for_base: timedelta = timedelta(hours=24)
    end_of_life: timedelta = timedelta(days=90)
    stale_inventory: timedelta = timedelta(days=1)
    mirror_behind: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the store knows. `used` are the bases of the fleet with their ids, `histories` the latest observations,
    oldest first, of these and of their siblings. `is_first`: nobody has looked before. `copies` are the bases in
    mirrors, `behind` those of them that do not show yet what upstream does."""

    used: Mapping[Base, int]
    histories: Mapping[Base, Sequence[Observation]]
    published: Published | None
    open: Sequence[OpenNotice]
    is_first: bool
    behind: Sequence[Behind] = ()
    copies: Collection[Base] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A notice that begins to hold, of the base in the row `base_id`; `tell`: it is worth a message."""

    base_id: int
    notice: Notice
    tell: bool


@dataclass(frozen=True, slots=True)
class RefreshedNotice:
    """`tell`: it is worth a message now; `reword`: the message that there is must change."""

    id: int
    notice: Notice
    tell: bool
    reword: bool


@dataclass(frozen=True, slots=True)
class Cleared:
    """A notice that ends, with its `outcome` in words for people."""

    id: int
    outcome: str


@dataclass(frozen=True, slots=True)
class NoticeDifference:
    """Between what is stored and what holds; `look_again_at` is when time alone may change it. `stale` stands while
    the inventory is not to be trusted."""

    opened: tuple[Opened, ...]
    refreshed: tuple[RefreshedNotice, ...]
    cleared: tuple[Cleared, ...]
    look_again_at: datetime
    stale: StaleInventory | None = None


def compare_notices(
    picture: Picture,
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
    options: AlertOptions,
) -> NoticeDifference:
    """Compares what holds now with the notices that are open: which begin, change and end."""
    standings = _standings(picture, releases, now)
    notices = {
        _key(notice): notice for notice in _find_notices(picture, standings, releases, advisories, now, options)
    }
    stored = {_key(notice): notice for notice in picture.open}
    opened = tuple(
        Opened(picture.used[notice.base], notice, _is_worth_telling(notice, picture.is_first, options))
        for key, notice in notices.items()
        if key not in stored
    )
    pairs = [(stored[key], notice) for key, notice in notices.items() if key in stored]
    refreshed = tuple(step for before, after in pairs if (step := _refresh(before, after, options)) is not None)
    cleared = tuple(
        Cleared(notice.id, _outcome(notice, standings.get(notice.base), now))
        for key, notice in stored.items()
        if key not in notices
    )
    moves = unfollowed(picture.used, picture.histories, picture.published)
    return NoticeDifference(
        opened,
        refreshed,
        cleared,
        _look_again_at(notices.values(), moves, now, options),
        stale_inventory(moves, now, options.stale_inventory),
    )


def _standings(picture: Picture, releases: ReleaseIndex, now: datetime) -> dict[Base, BaseStanding]:
    standings = {
        base: _standing(picture.histories.get(base, ()), picture.published, releases, now)
        for base in sorted(picture.used)
    }
    return {base: standing for base, standing in standings.items() if standing is not None}


def _standing(
    history: Sequence[Observation], published: Published | None, releases: ReleaseIndex, now: datetime
) -> BaseStanding | None:
    """The inventory as it is now decides what is withdrawn; where it says nothing, what was observed."""
    sights = [observation for observation in history if observation.digest is not None]
    if not sights:
        return None
    last, absences = sights[-1], [observation.at for observation in history if observation.digest is None]
    is_listed = published.lists(last.base) if published else None
    if is_listed is None or published is None:
        return BaseStanding(last, history[-1].at if history[-1].digest is None else None)
    if is_listed:
        return BaseStanding(last)
    if absences:
        return BaseStanding(last, absences[-1])
    if not _should_be_listed(last) or _lacks_supported_channel(published, last.base, releases, now):
        return BaseStanding(last)
    return BaseStanding(last, sights[0].at, withdrawn_unseen=True)


def _lacks_supported_channel(published: Published, base: Base, releases: ReleaseIndex, now: datetime) -> bool:
    """Whether the inventory has nothing at all of a channel that is still supported.

    That looks like a mistake there, and as nobody has seen it with these tags, nothing else doubts it.
    """
    channel = TagFamily.of(base.tag).channel
    channel_releases = releases.of_channel(channel) if channel else ()
    ends_on = channel_releases[-1].end_of_life if channel_releases else None
    return ends_on is not None and now.date() < ends_on and not published.lists_channel(base)


def _should_be_listed(last: Observation) -> bool:
    """Whether the inventory should list a base: a floating tag of Microsoft's that is not brand-new."""
    created = max((image.created for image in last.platforms if image.created), default=last.created)
    try:
        made_at = datetime.fromisoformat(created) if created else None
    except ValueError:
        made_at = None
    is_new = made_at is not None and made_at.tzinfo is not None and last.at - made_at < INVENTORY_DELAY
    return Tag.parse(last.base.tag).is_floating and not is_new


def _find_notices(
    picture: Picture,
    standings: Mapping[Base, BaseStanding],
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
    options: AlertOptions,
) -> Iterable[Notice]:
    current = list(standings.values())
    yield from _withdrawn(current, picture.published, releases, now)
    # What is so of a copy is so of what it is a copy of, and told there once.
    published_first = [each for each in current if each.base not in picture.copies]
    yield from waiting_for_base(published_first, releases, advisories, now)
    yield from end_of_life_notices(published_first, releases, now, options.end_of_life)
    yield from mirror_behind((each for each in picture.behind if each.base in picture.used), now)
    for base in standings:
        history = picture.histories[base]
        yield from (notice for notice in moved_underneath(history) if now - notice.since <= RECENTLY)
        if standings[base].withdrawn_at is not None:
            continue
        if base not in picture.copies:
            yield from rolled_back(history, releases, advisories, now)
        yield from release_lag(history, releases)[-1:]
        if (sibling := sibling_of(base)) is not None:
            above = picture.histories.get(sibling, ())
            yield from [notice for notice in sibling_lag(above, history, now) if notice.until is None][:1]


def _withdrawn(
    current: Sequence[BaseStanding], published: Published | None, releases: ReleaseIndex, now: datetime
) -> Iterable[Notice]:
    """The live tags to move to are those of the inventory, whoever uses them; without one, the fleet's."""
    for standing in current:
        if standing.withdrawn_at is None:
            continue
        kin = published.kin(standing.last) if published else []
        live = kin or (other for other in current if other.withdrawn_at is None)
        yield from withdrawn([standing, *live], releases, now)


def _key(notice: Notice | OpenNotice) -> tuple[Topic, Base, datetime | None]:
    """A state is one notice for as long as it holds, whenever it is said to have begun; an event is its moment."""
    is_event = notice.topic is Topic.MOVED_UNDERNEATH
    return notice.topic, notice.base, notice.since if is_event else None


def _is_worth_telling(notice: Notice, is_first: bool, options: AlertOptions) -> bool:
    match notice.topic:
        case Topic.WITHDRAWN | Topic.END_OF_LIFE | Topic.ROLLBACK:
            return True
        case Topic.WAITING_FOR_BASE:
            return notice.delay >= options.waiting_for_base
        case Topic.MIRROR_BEHIND:
            return notice.delay >= options.mirror_behind
        case Topic.MOVED_UNDERNEATH:
            return not is_first
        case _:
            return False


def _refresh(before: OpenNotice, after: Notice, options: AlertOptions) -> RefreshedNotice | None:
    """An event is worth telling when it is new or never."""
    tell = (
        not before.told and before.topic is not Topic.MOVED_UNDERNEATH and _is_worth_telling(after, False, options)
    )
    is_same = (before.text, before.since, before.until, before.toward) == (
        after.text,
        after.since,
        after.until,
        after.toward,
    )
    if is_same and not tell:
        return None
    return RefreshedNotice(before.id, after, tell, before.told and before.toward != after.toward)


def _outcome(notice: OpenNotice, standing: BaseStanding | None, now: datetime) -> str:
    if standing is None:
        return "no repository uses it any more"
    if notice.topic is Topic.WITHDRAWN:
        return f"it is published again after {duration(now - notice.since)}"
    if standing.withdrawn_at is not None:
        return "it was withdrawn"
    match notice.topic:
        case Topic.WAITING_FOR_BASE if standing.last.at < (notice.opened_at or notice.since):
            return "no source tells of that fix any more"
        case Topic.WAITING_FOR_BASE:
            return f"the fix arrived after {duration(now - notice.since)}"
        case Topic.MIRROR_BEHIND:
            return f"the mirror came to show it after {duration(now - notice.since)}"
        case Topic.ROLLBACK:
            return f"it came forward again after {duration(now - notice.since)}"
        case Topic.END_OF_LIFE:
            return "its end of life is no longer near"
        case _:
            return "it has moved on"


def _look_again_at(
    notices: Collection[Notice], moves: Iterable[Unfollowed], now: datetime, options: AlertOptions
) -> datetime:
    alerts = [
        notice.since + options.waiting_for_base for notice in notices if notice.topic is Topic.WAITING_FOR_BASE
    ]
    alerts += [notice.since + options.mirror_behind for notice in notices if notice.topic is Topic.MIRROR_BEHIND]
    alerts += [move.at + options.stale_inventory for move in moves]
    return min([now + LOOK_AGAIN, *(alert for alert in alerts if alert > now)])
