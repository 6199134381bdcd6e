"""When a base is looked at again.

Microsoft publishes on the second Tuesday of a month at 10:00 in Redmond ("Patch Tuesday"), and .NET images follow
within hours. From that hour, and whenever a feed shows a release whose images are not there yet, the bases that
are expected to move are looked at every two minutes, and so is a mirror's base that does not show yet what its
upstream does; otherwise every quarter of an hour.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.backoff import backoff
from bot.domain.bases.followed_base import is_line
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base, Reference
from bot.domain.tags.choice import PinStrength, pins

REDMOND = ZoneInfo("America/Los_Angeles")
RELEASE_HOUR = time(10)
MOST_INTERVALS = 5
"""How far failures put off a base that is expected to move, and a pause of its host: within minutes."""


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """`interval` between polls, `release_interval` while a base is expected to move.

    `expected_for` ends that expectation: not every Patch Tuesday brings a .NET release, and not every tag follows
    one. A tag that has not moved for `alive_for` is no longer published. `jitter` is the part of an interval by
    which polls are spread, always the same for the same base.
    """

    interval: timedelta = timedelta(minutes=15)
    release_interval: timedelta = timedelta(minutes=2)
    expected_for: timedelta = timedelta(hours=24)
    alive_for: timedelta = timedelta(days=100)
    jitter: float = 0.1


def next_poll(
    base: Base,
    now: datetime,
    policy: PollPolicy,
    *,
    moved_at: datetime | None = None,
    version: str | None = None,
    releases: Iterable[Release] = (),
    behind_since: datetime | None = None,
    failed: int = 0,
) -> datetime:
    """Says when to look at `base` next, given when it last moved, what version it shows, and since when it is
    behind what it is a copy of.

    `failed` counts the looks in a row that have brought nothing: each doubles the interval, up to an hour, up to
    `MOST_INTERVALS` of them while the base is expected to move, and never past the next Patch Tuesday.
    """
    awaits_upstream = behind_since is not None and now - behind_since < policy.expected_for
    is_awaited = awaits_upstream or is_expected(base, now, policy, moved_at)
    if is_awaited or awaits_release(base, now, policy, version, releases):
        return now + min(
            _rest(base, policy.release_interval, policy, failed), MOST_INTERVALS * policy.release_interval
        )
    due = now + _rest(base, policy.interval, policy, failed)
    release = patch_tuesday_after(now)
    if due < release or _is_fixed(base):
        return due
    return release + policy.release_interval * (policy.jitter * _fraction(base))


def is_expected(base: Base, now: datetime, policy: PollPolicy, moved_at: datetime | None) -> bool:
    """Patch Tuesday has come, and the base, which moves at times, has not moved since."""
    if moved_at is None or _is_fixed(base):
        return False
    release = patch_tuesday_before(now)
    return now - release < policy.expected_for and release - policy.alive_for < moved_at < release


def awaits_release(
    base: Base, now: datetime, policy: PollPolicy, version: str | None, releases: Iterable[Release]
) -> bool:
    """Whether a release is awaited: a feed has just shown a newer release of the channel that the base's `version`
    belongs to."""
    if version is None or _is_fixed(base):
        return False
    channel = ".".join(version.split(".")[:2])
    published = [release for release in releases if release.channel == channel and release.published_at <= now]
    newest = max(published, key=lambda release: release.published_at, default=None)
    if newest is None or now - newest.published_at >= policy.expected_for:
        return False
    return version not in (newest.version, newest.runtime, newest.aspnetcore, *newest.sdks)


def patch_tuesday(year: int, month: int) -> datetime:
    """The moment of release in that month, in UTC."""
    first = date(year, month, 1)
    day = 8 + (1 - first.weekday()) % 7
    return datetime.combine(date(year, month, day), RELEASE_HOUR, REDMOND).astimezone(UTC)


def patch_tuesday_before(now: datetime) -> datetime:
    """The latest release day that has come, `now` included."""
    local = now.astimezone(REDMOND)
    this = patch_tuesday(local.year, local.month)
    if this <= now:
        return this
    earlier = local.date().replace(day=1) - timedelta(days=1)
    return patch_tuesday(earlier.year, earlier.month)


def patch_tuesday_after(now: datetime) -> datetime:
    """The next release day that is still to come."""
    local = now.astimezone(REDMOND)
    this = patch_tuesday(local.year, local.month)
    if this > now:
        return this
    next_month = local.date().replace(day=28) + timedelta(days=4)
    return patch_tuesday(next_month.year, next_month.month)


def _is_fixed(base: Base) -> bool:
    """A tag that names one release does not follow the next, and a line of own releases follows nobody's."""
    return is_line(base) or pins(Reference(base.name, base.tag)) is PinStrength.PATCH


def _rest(base: Base, interval: timedelta, policy: PollPolicy, failed: int) -> timedelta:
    return backoff(failed, interval) if failed else _spread(base, interval, policy)


def _spread(base: Base, interval: timedelta, policy: PollPolicy) -> timedelta:
    """`interval`, shortened by up to `jitter`: never longer than what the operator asked for."""
    return interval * (1 - policy.jitter * _fraction(base))


def _fraction(base: Base) -> float:
    """Between 0 and 1, always the same for the same base."""
    return int.from_bytes(hashlib.sha256(str(base).encode()).digest()[:4]) / 2**32
