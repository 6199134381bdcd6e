"""Releases as rows, and what they tell of the way from what is pinned, or was built, to what is current."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import ToldWay
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.reference import Base
from bot.domain.rollouts.pinning import BehindUsage
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.counters import FEEDS, counter
from bot.store.engine.writing import upsert
from bot.store.rows.bases.tables import advisories, releases
from bot.store.stores import Stores
from bot.upstream.dotnet.fixing import way_from
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.feeds.combine import combine_all


async def read_releases(connection: AsyncConnection, query: Select[Any]) -> list[Release]:
    """Reads the releases that `query` selects."""
    rows = (await connection.execute(query)).all()
    return readable(rows, lambda row: load(row.release, Release), lambda row: f"release {row.version}")


async def save_release(connection: AsyncConnection, release: Release) -> None:
    """A whole row: what the feed once said of the release is replaced."""
    await connection.execute(
        upsert(
            connection,
            releases,
            ["channel", "version"],
            channel=release.channel,
            version=release.version,
            published_at=release.published_at,
            release=dump(release, Release),
        )
    )


@dataclass(frozen=True, slots=True)
class ToldByFeeds:
    """All that feeds have told so far."""

    releases: ReleaseIndex
    advisories: Mapping[str, Advisory]

    def way(self, stood_on: Observation | str, shown: Observation, now: datetime) -> ToldWay | None:
        return way_from(stood_on, shown, self.releases, self.advisories, now)

    def out_since(self, base: Base, version: str | None, now: datetime) -> datetime | None:
        release = self.releases.release_of(family_name(base), version, now)
        return None if release is None else release.out_since

    def version_by(self, shown: Observation, moment: datetime) -> str | None:
        """The version that a build of that time has surely had the chance to take."""
        return self.releases.version_by(family_name(shown.base), shown.version, moment)


async def read_told(connection: AsyncConnection) -> ToldByFeeds:
    index = ReleaseIndex(await read_releases(connection, select(releases)))
    rows = await connection.execute(select(advisories))
    by_cve = combine_all(
        readable(rows, lambda row: load(row.advisory, Advisory), lambda row: f"advisory {row.source} {row.cve}")
    )
    return ToldByFeeds(index, by_cve)


class KeptFeeds:
    """The same, read again only where a feed has brought news: every pull request of a rollout asks for it."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls()

    def __init__(self) -> None:
        self._told: tuple[Any, ToldByFeeds] | None = None

    async def told(self, connection: AsyncConnection) -> ToldByFeeds:
        revision = await counter(connection, FEEDS)
        if self._told is None or self._told[0] != revision:
            self._told = revision, await read_told(connection)
        return self._told[1]


async def with_told_ways(
    connection: AsyncConnection, behind_usages: Sequence[BehindUsage], now: datetime
) -> tuple[BehindUsage, ...]:
    """The usages, each with what the feeds tell of its way, and since when what it names was out where nothing else
    dates that. The feeds are read only where there is something to tell of."""
    if not behind_usages:
        return ()
    by_feeds = await read_told(connection)
    ways: dict[Any, ToldWay | None] = {}

    def with_told_way(behind: BehindUsage) -> BehindUsage:
        stood_on = behind.stood_on
        if behind.pinned is None and behind.published_at is not None:
            stood_on = by_feeds.version_by(behind.observation, behind.published_at)
        if stood_on is None:
            return behind
        key = behind.base, stood_on if isinstance(stood_on, str) else stood_on.digest
        if key not in ways:
            ways[key] = by_feeds.way(stood_on, behind.observation, now)
        published_at = behind.published_at or by_feeds.out_since(behind.base, behind.version, now)
        return replace(behind, told_way=ways[key], published_at=published_at)

    return tuple(map(with_told_way, behind_usages))
