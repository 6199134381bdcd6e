"""Releases as rows."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.advisory import Release
from bot.store.engine.codec import dump
from bot.store.engine.inserting import upsert
from bot.store.rows.tables import releases


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
