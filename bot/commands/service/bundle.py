"""Bundles of feeds: all that the store holds of them in one file, signed, and brought in elsewhere once its
maker is known."""

import asyncio
import base64
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from urllib.parse import urlsplit

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import FeedSource
from bot.fleet.watch.bundle.rows import BundleStore
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.watch.feeds.tick import DueFeed, FeedReading, FeedsToRead, read_document, reading_of
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.wiring.grants import dump_sources, feed_hosts, feed_sources
from bot.service.opened_stores import opened_stores
from bot.settings import Settings, secret
from bot.store.stores import Stores
from bot.upstream.bundle.archive import Bundle, BundledDocument, BundledDump, BundleWriter, bundle_writer
from bot.upstream.bundle.reading import DigestCheck, read_bundle
from bot.upstream.feeds.reading import KEPT
from bot.upstream.osv.questions import PackageQuestion

_LARGEST_KEY = 64 * 1024


def signer(path: Path) -> Callable[[bytes], bytes]:
    """What signs with the private key in that file, the same bytes alike each time. Raises `Failure`."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from bot.fleet.verify.attesting.summary import NoSigningKey, signing_key

    try:
        key = signing_key(secret(path, "--key"))
    except NoSigningKey as error:
        raise Failure(Trouble.MALFORMED, str(error), where=f"--key {path}") from None
    always_the_same = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    return lambda signed: base64.b64encode(key.sign(signed, always_the_same)) + b"\n"


def checker(path: Path | None, place: str, notes: list[str]) -> DigestCheck:
    """Makes a check that accepts a signature, and adds to `notes` what it is worth."""
    from bot.images.signatures.cosign.keys import Content, check_signature, read_public_key
    from bot.images.signatures.verdict import Refused

    key = None
    if path is not None:
        try:
            key = read_public_key(path.read_bytes()[: _LARGEST_KEY + 1], where=f"feeds.bundle_key {path}")
        except OSError as error:
            fault = f"cannot be read: {error.strerror}"
            raise Failure(Trouble.DENIED, fault, where=f"feeds.bundle_key {path}") from error

    def check(signed: bytes, signature: bytes | None) -> None:
        if key is None:
            fingerprint = "not checked, no feeds.bundle_key is set" if signature is not None else "not signed"
            notes.append(fingerprint)
            return
        advice = "nothing of it was imported"
        if signature is None:
            fault = f"is not signed, as {path} demands"
            raise Failure(Trouble.DENIED, fault, where=place, advice=advice)
        try:
            check_signature(key, base64.b64decode(signature, validate=False), Content.of(signed))
        except (Refused, ValueError) as error:
            fault = f"is not signed by {path}"
            raise Failure(Trouble.DENIED, fault, where=place, advice=advice) from error
        notes.append(f"signed by {path}")

    return check


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many documents and records, and the moment up to which all of it is known."""

    documents: int
    dumps: int
    records: int
    is_signed: bool
    oldest: datetime | None


class Fate(StrEnum):
    """What became of a part of a bundle."""

    IMPORTED = "imported"
    KNOWN = "the copy here is as new"
    OTHER_KIND = "a document of another kind here"
    NOT_FOLLOWED = "not followed here"
    FROM_FILE = "read from a file here"


@dataclass(frozen=True, slots=True)
class ImportedPart:
    """A document or dump.

    `not_considered` counts names of packages here that nobody had looked for in the dump, `releases` are those of
    images here that nobody had looked for. `versions_there` says that it was an API, which was asked about the
    versions there alone.
    """

    name: str
    as_of: datetime
    fate: Fate
    not_considered: int = 0
    releases: tuple[str, ...] = ()
    versions_there: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it tells of all packages here."""
        return not (self.not_considered or self.releases or self.versions_there)


@dataclass(frozen=True, slots=True)
class ImportedBundle:
    """What became of each part; `signature` says what its signature is worth."""

    parts: tuple[ImportedPart, ...]
    signature: str


async def export_bundle(settings: Settings, file: Path, key: Path | None, clock: Clock) -> Exported:
    """Writes all that is kept of feeds and vulnerabilities. Raises `Failure`, and leaves no half of a file."""
    sign = signer(key) if key is not None else None
    async with opened_stores(settings, clock) as stores:
        with _replacing(file) as opened:
            writer = bundle_writer(opened)
            with writer.archive:
                documents, dumps, records, oldest = await _write(stores, writer)
                await asyncio.to_thread(writer.finish, sign)
    return Exported(documents, dumps, records, sign is not None, oldest)


@contextmanager
def _replacing(file: Path) -> Iterator[IO[bytes]]:
    """Opens a file beside that one, which takes its place once it is whole."""
    new_file: Path | None = None
    try:
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as opened:
            new_file = Path(opened.name)
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        new_file.chmod(0o644)
        new_file.replace(file)
    except OSError as error:
        fault = f"cannot be written: {error.strerror}"
        raise Failure(Trouble.DENIED, fault, where=str(file)) from error
    finally:
        if new_file is not None:
            new_file.unlink(missing_ok=True)


async def _write(stores: Stores, writer: BundleWriter) -> tuple[int, int, int, datetime | None]:
    times: list[datetime] = []
    documents = dumps = records = 0
    for url in await stores[BundleStore].document_addresses():
        if (document := await stores[BundleStore].document(url)) is not None:
            await asyncio.to_thread(writer.add_document, document)
            times.append(document.document.checked_at)
            documents += 1
    async for dump in stores[BundleStore].dumps():
        await asyncio.to_thread(writer.add_dump, dump)
        times.append(dump.checked_at)
        dumps += 1
        records += len(dump.records)
    if not times:
        fault, advice = "nothing is kept of any feed yet", "let the bot read them first: freshness-bot once"
        raise Failure(Trouble.MISSING, fault, advice=advice)
    return documents, dumps, records, min(times)


async def import_bundle(settings: Settings, file: Path, clock: Clock) -> ImportedBundle:
    """Brings what is newer than the copies here, all of it or nothing.

    Raises `Failure` where any of it is not as it should be, or is not signed as `feeds.bundle_key` demands.
    """
    signature: list[str] = []
    check = checker(settings.feeds.bundle_key, str(file), signature)
    bundle = await asyncio.to_thread(_read, file, check, clock.now())
    async with opened_stores(settings, clock) as stores:
        parts = await _bring(settings, stores, bundle, str(file), clock.now())
    return ImportedBundle(tuple(parts), signature[0])


def _read(file: Path, check: DigestCheck, now: datetime) -> Bundle:
    try:
        with file.open("rb") as opened:
            return read_bundle(opened, str(file), check, now)
    except OSError as error:
        raise Failure(Trouble.MISSING, f"cannot be read: {error.strerror}", where=str(file)) from error


async def _bring(
    settings: Settings, stores: Stores, bundle: Bundle, place: str, now: datetime
) -> list[ImportedPart]:
    feeds = FeedsToRead(tuple(feed_sources(settings)))
    followed = [each for each in bundle.documents if _is_followed(each.source, settings, feeds)]
    readings = [
        await _reading(stores, feeds, feed, document, place, now)
        for document in followed
        if not _is_as_new(feed := await stores[BundleStore].known_copy(document.source), document)
    ]
    sources = dump_sources(settings)
    await stores[VulnerabilitiesStore].follow_dumps(sources)
    files = {source.publication for source in sources if source.is_file}
    imported = await stores[BundleStore].bring(readings, bundle.dumps, files)
    parts: list[ImportedPart] = []
    for document in bundle.documents:
        fate = Fate.IMPORTED if document.source.url in imported.documents else Fate.KNOWN
        fate = Fate.OTHER_KIND if document.source.url in imported.of_another_kind else fate
        fate = fate if document in followed else Fate.NOT_FOLLOWED
        parts.append(ImportedPart(document.source.url, document.document.checked_at, fate))
    for dump in bundle.dumps:
        publication = dump.source.publication
        fate = Fate.IMPORTED if publication in imported.publications else Fate.KNOWN
        fate = Fate.FROM_FILE if publication in files else fate
        fate = fate if publication in {source.publication for source in sources} else Fate.NOT_FOLLOWED
        part = ImportedPart(f"vulnerabilities of {publication}", dump.checked_at, fate)
        if fate is Fate.IMPORTED:
            questions = await stores[VulnerabilitiesStore].questions(publication.ecosystem)
            part = _beside(part, dump, [each for each in questions if publication.tells_of(each.release)])
        parts.append(part)
    return parts


def _beside(part: ImportedPart, dump: BundledDump, here: Collection[PackageQuestion]) -> ImportedPart:
    """Adds to the part what the dump leaves out of the packages here."""
    names = {each.name.lower() for each in here} - dump.considered.names
    releases = {each.release for each in here} - dump.considered.releases
    is_of_versions = dump.source.api is not None and bool(here)
    return replace(part, not_considered=len(names), releases=tuple(sorted(releases)), versions_there=is_of_versions)


def _is_followed(source: FeedSource, settings: Settings, feeds: FeedsToRead) -> bool:
    """Whether its feed is on here; where feeds are asked too, only of hosts that may be."""
    is_permitted = settings.feeds.offline or urlsplit(source.url).netloc in feed_hosts(settings)
    return source.kind in feeds.kinds and is_permitted


def _is_as_new(feed: DueFeed, document: BundledDocument) -> bool:
    return feed.document is not None and feed.document.checked_at >= document.document.checked_at


async def _reading(
    stores: Stores, feeds: FeedsToRead, feed: DueFeed, document: BundledDocument, place: str, now: datetime
) -> FeedReading:
    try:
        read = await asyncio.to_thread(read_document, feed, document.document)
    except Failure as failure:
        advice = "" if failure.advice == KEPT else failure.advice
        failure_without_advice = failure.altered(advice=advice)
        raise Failure(
            Trouble.MALFORMED, str(failure_without_advice), where=place, advice="nothing of it was imported"
        ) from failure
    reading, _ = await reading_of(stores[FeedsStore], feeds, document.source, read, now)
    return reading
