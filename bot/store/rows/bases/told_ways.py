"""What releases tell of the way from a version that is pinned, where its base was not seen to go it: on day one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Advisory
from bot.domain.rollouts.behind import BehindUsage
from bot.domain.rollouts.pinning import named_version
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.rows.bases.releases import read_releases
from bot.store.rows.bases.tables import advisories, releases
from bot.upstream.dotnet.fixing import way_from
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.feeds.combine import combine_all


async def with_told_ways(
    connection: AsyncConnection, behind_usages: Sequence[BehindUsage], now: datetime
) -> tuple[BehindUsage, ...]:
    """The usages, those of which nothing was seen with what the feeds tell of the version that they name, and since
    when that was out. The feeds are read only where there is such a one."""
    if not any(map(_version_of, behind_usages)):
        return tuple(behind_usages)
    index = ReleaseIndex(await read_releases(connection, select(releases)))
    rows = await connection.execute(select(advisories))
    by_cve = combine_all(
        readable(rows, lambda row: load(row.advisory, Advisory), lambda row: f"advisory {row.source} {row.cve}")
    )

    def with_told_way(behind: BehindUsage) -> BehindUsage:
        if (version := _version_of(behind)) is None:
            return behind
        release = index.release_of(family_name(behind.base), version, now)
        return replace(
            behind,
            told_way=way_from(version, behind.observation, index, by_cve, now),
            published_at=None if release is None else release.out_since,
        )

    return tuple(map(with_told_way, behind_usages))


def _version_of(behind: BehindUsage) -> str | None:
    """The version that it names, where nothing of it was seen."""
    if behind.moves or behind.published_at is not None:
        return None
    return named_version(behind.usage.reference, behind.base)
