"""Releases as rows."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Release
from bot.store.engine.codec import dump, load
from bot.store.engine.inserting import upsert
from bot.store.engine.readable import readable
from bot.store.rows.bases.tables import releases


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
