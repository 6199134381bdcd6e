"""Feed documents, releases and advisories: what the feeds stage reads and writes."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import LONGEST_SUBJECT, Incident
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.fleet.watch.feeds.tick import DueFeed, FeedReading
from bot.reconcile.work import Claimed
from bot.store.engine.among import is_among
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.counters import FEEDS, raise_counter
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_missing, lock, upsert
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.observations import add_observation
from bot.store.rows.bases.tables import advisories, base_of, bases, documents, observations, releases
from bot.store.rows.bases.told_ways import read_releases, save_release
from bot.store.rows.inventories.marks import save_marks
from bot.store.rows.inventories.wanted import ShownImage, want_observed
from bot.store.rows.news import dump_doubts, load_doubts, tell_silence
from bot.upstream.feeds.doubts import FactKey, WatchedTag

DOUBTED = "says less"
"""The kind of incident that a source is whose losses are doubted."""
_KNOWN = select(documents.c.url).where(is_among(documents.c.url, "urls"))


class FeedsStore(Store):
    """`bot.fleet.watch.feeds.tick.FeedsStore` on the database."""

    async def follow_feeds(self, sources: Sequence[FeedSource]) -> None:
        """Looks first, so that a tick with nothing to do writes nothing."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            known_urls = set(await connection.scalars(_KNOWN, {"urls": {source.url for source in sources}}))
        missing = sorted((source for source in sources if source.url not in known_urls), key=lambda each: each.url)
        if not missing:
            return
        async with self._database.transaction() as connection:
            for source in missing:
                await connection.execute(_row(connection, source, now))

    def documents(self, kinds: frozenset[FeedKind]) -> DueRows[DueFeed]:
        """The documents of these kinds whose turn it is."""
        conditions = [documents.c.kind.in_([kind.value for kind in kinds])]
        return DueRows(
            self._database, self._worker, documents, _feed_of, lambda row: str(row["url"]), where=conditions
        )

    async def feeds_checked_at(self, kind: FeedKind) -> Mapping[str, datetime]:
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(documents.c.url, documents.c.checked_at).where(
                    documents.c.kind == kind.value, documents.c.body.is_not(None)
                )
            )
            return dict(readable(rows, lambda row: (row.url, row.checked_at), lambda row: str(row.url)))

    async def known_releases(self) -> dict[str, Release]:
        async with self._database.reading() as connection:
            stored_releases = await read_releases(connection, select(releases))
        return {release.version: release for release in stored_releases}

    async def advisories(self) -> list[Advisory]:
        """Reads what each source says of each CVE."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(advisories))).all()
        return readable(
            rows, lambda row: load(row.advisory, Advisory), lambda row: f"advisory {row.source} {row.cve}"
        )

    async def watched(self, tags: Collection[FactKey]) -> list[WatchedTag]:
        watched_tags: list[WatchedTag] = []
        async with self._database.reading() as connection:
            for chunk in chunks(sorted({tag for _, tag in tags})):
                rows = await connection.execute(select(bases).where(bases.c.used.is_(True), bases.c.tag.in_(chunk)))
                watched_tags += [
                    WatchedTag((row.repository, row.tag), base_of(row), row.digest, row.moved_at)
                    for row in rows
                    if (row.repository, row.tag) in tags
                ]
        return watched_tags

    async def keep_feed(self, reading: FeedReading) -> None:
        async with self._database.transaction() as connection:
            rows = await _bring_forward(connection, [reading])
            values = _document_values(reading)
            row = rows[reading.source.url]
            values["doubts"] = dump_doubts(reading.doubts)
            await settle(connection, documents, self._worker, row, due_at=reading.due_at, values=values)
            await _save_contents(connection, reading, reading.document.checked_at)
            await tell_silence(connection, reading.source.kind, reading.document.checked_at)
            if _is_news(reading):
                await raise_counter(connection, FEEDS)


def _is_news(reading: FeedReading) -> bool:
    news = (reading.releases, reading.advisories, reading.withdrawn_advisories, reading.taken_back)
    return any((*news, reading.doubts_over))


def _document_values(reading: FeedReading) -> dict[str, Any]:
    """The columns of the row of a document that hold its copy; one that tells no time is as old as what it told
    before."""
    document = reading.document
    return ({} if reading.newest_at is None else {"newest_at": reading.newest_at}) | {
        "etag": document.etag,
        "last_modified": document.last_modified,
        "body": zlib.compress(document.body),
        "reader": document.reader,
        "fetched_at": document.fetched_at,
        "checked_at": document.checked_at,
        "error": None,
    }


async def import_feeds(
    connection: AsyncConnection, readings: Sequence[FeedReading], now: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    """Keeps documents that did not come from their own addresses; the addresses of those whose copy here is older,
    and of those that are known here as documents of another kind.

    Whoever works on a row goes on: what its address says meanwhile is newer. A document that is known as one of
    another kind stays that. The caller raises the counter of feeds at the end of its transaction.
    """
    rows = await _bring_forward(connection, readings, own=True)
    rows_by_id: dict[int, Any] = {}
    columns = (documents.c.id, documents.c.kind, documents.c.checked_at)
    for chunk in chunks(sorted(rows.values())):
        rows_by_id |= {
            row.id: row for row in await connection.execute(select(*columns).where(documents.c.id.in_(chunk)))
        }
    newer: list[FeedReading] = []
    others: set[str] = set()
    for reading in readings:
        row, document = rows_by_id[rows[reading.source.url]], reading.document
        is_older = row.checked_at is None or row.checked_at < document.checked_at
        if row.kind != reading.source.kind.value:
            others.add(reading.source.url)
        elif is_older:
            newer.append(reading)
            values = {**_document_values(reading), "doubts": dump_doubts(reading.doubts)}
            statement = update(documents).where(documents.c.id == row.id).values(**values)
            await connection.execute(statement)
    if newer:
        combined_reading = replace(
            newer[0],
            releases=tuple(release for each in newer for release in each.releases),
            advisories=tuple(advisory for each in newer for advisory in each.advisories),
            withdrawn_advisories=tuple(place for each in newer for place in each.withdrawn_advisories),
            taken_back=tuple(advisory for each in newer for advisory in each.taken_back),
            tags_withdrawn=frozenset(tag for each in newer for tag in each.tags_withdrawn),
            tags_returned=frozenset(tag for each in newer for tag in each.tags_returned),
            doubts=tuple(doubt for each in newer for doubt in each.doubts),
            doubts_over=frozenset(place for each in newer for place in each.doubts_over),
            marks=tuple(marks for each in newer for marks in each.marks),
        )
        await _save_contents(connection, combined_reading, now)
    return frozenset(each.source.url for each in newer), frozenset(others)


async def _save_contents(connection: AsyncConnection, reading: FeedReading, now: datetime) -> None:
    """Writes the releases and advisories of a document, what its inventory lists no longer or again, and tells of
    losses that are doubted, or are no more."""
    for release in sorted(reading.releases, key=lambda each: (each.channel, each.version)):
        await save_release(connection, release)
    for source, cve in sorted(reading.withdrawn_advisories):
        await connection.execute(delete(advisories).where(advisories.c.source == source, advisories.c.cve == cve))
    for advisory in sorted(reading.taken_back, key=_place_of):
        await _take_back(connection, advisory)
    for advisory in sorted(reading.advisories, key=_place_of):
        await connection.execute(
            upsert(
                connection,
                advisories,
                ["source", "cve"],
                source=advisory.evidence[0].source,
                cve=advisory.cve,
                advisory=dump(advisory, Advisory),
            )
        )
    for marks in reading.marks:
        await save_marks(connection, marks)
    await _note_inventory(connection, reading, now)
    opened = [Incident(_subject_of_doubt(each.place), each.since, each.text) for each in reading.doubts]
    if opened or reading.doubts_over:
        await tell_incidents(connection, opened, {_subject_of_doubt(place) for place in reading.doubts_over}, now)


def _subject_of_doubt(place: str) -> str:
    """The subject of an incident."""
    return f"{DOUBTED}:{place}"[:LONGEST_SUBJECT]


def _place_of(advisory: Advisory) -> tuple[str, str]:
    return advisory.evidence[0].source, advisory.cve


async def _take_back(connection: AsyncConnection, advisory: Advisory) -> None:
    """Takes out what a source said of a CVE, unless another of its documents has said so since."""
    evidence = advisory.evidence[0]
    row = (advisories.c.source == evidence.source) & (advisories.c.cve == advisory.cve)
    stored_advisory = (await connection.execute(select(advisories.c.advisory).where(row))).scalar_one_or_none()
    if stored_advisory is not None and load(stored_advisory, Advisory).evidence[0].locator == evidence.locator:
        await connection.execute(delete(advisories).where(row))


async def _bring_forward(
    connection: AsyncConnection, readings: Sequence[FeedReading], *, own: bool = False
) -> dict[str, int]:
    """Locks the documents' rows together with those of what they lead to, which is due when they were checked; the
    ids of the documents by their addresses.

    Rows are made where there are none, those of the documents themselves where `own` says so.
    """
    due: dict[FeedSource, datetime] = {}
    for reading in readings:
        for source in reading.leads_to:
            due[source] = min(reading.document.checked_at, due.get(source, reading.document.checked_at))
    due_of_rows = {**{reading.source: reading.document.checked_at for reading in readings if own}, **due}
    for source in sorted(due_of_rows, key=lambda each: each.url):
        await connection.execute(_row(connection, source, due_of_rows[source]))
    ids_by_url: dict[str, int] = {}
    for urls in chunks(sorted({each.url for each in (*due, *(reading.source for reading in readings))})):
        ids = select(documents.c.url, documents.c.id).where(documents.c.url.in_(urls))
        ids_by_url |= {row.url: row.id for row in await connection.execute(ids)}
    await lock(connection, documents, ids_by_url.values())
    for moment in sorted(set(due.values())):
        for chunk in chunks(sorted(ids_by_url[source.url] for source in due if due[source] == moment)):
            statement = update(documents).where(documents.c.id.in_(chunk), documents.c.due_at > moment)
            await connection.execute(statement.values(due_at=moment))
    return {reading.source.url: ids_by_url[reading.source.url] for reading in readings}


async def _note_inventory(connection: AsyncConnection, reading: FeedReading, now: datetime) -> None:
    """Watched bases that the inventory lists no longer, or again, get an observation that says so.

    The inventory speaks of MCR; a mirror of it under another host holds the same tags.
    """
    changed_tags = reading.tags_withdrawn | reading.tags_returned
    if not changed_tags:
        return
    watched = await connection.execute(
        select(bases).where(bases.c.observation_id.is_not(None), bases.c.tag.in_({tag for _, tag in changed_tags}))
    )
    for row in watched.mappings().all():
        key = (row["repository"], row["tag"])
        if key not in changed_tags:
            continue
        if key in reading.tags_withdrawn:
            new_observations = [Observation(now, base_of(row), None)]
        else:
            last = await connection.execute(
                select(observations.c.id, observations.c.observation).where(
                    observations.c.id == row["observation_id"]
                )
            )
            new_observations = readable(
                last,
                lambda old: replace(load(old.observation, Observation), at=now),
                lambda old: f"observation {old.id}",
            )
        for observation in new_observations:
            number = await add_observation(connection, row["id"], observation, "inventory")
            images = [ShownImage(row["registry"], row["repository"], each) for each in observation.platforms]
            await want_observed(connection, {number: images}, now)


async def _feed_of(claimed: Claimed) -> DueFeed:
    row = claimed.row
    source = FeedSource(FeedKind(row["kind"]), row["url"])
    if row["body"] is None:
        return DueFeed(source, None)
    document = StoredDocument(
        row["url"],
        row["etag"],
        row["last_modified"],
        zlib.decompress(row["body"]),
        row["fetched_at"],
        row["checked_at"],
        row["reader"] or "",
    )
    return DueFeed(source, document, load_doubts(row["doubts"]))


def _row(connection: AsyncConnection, source: FeedSource, now: datetime) -> Any:
    return insert_missing(connection, documents, url=source.url, kind=source.kind.value, due_at=now)
