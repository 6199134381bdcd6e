"""What a bundle holds, and its archive: a zip with `bundle.json`, which names every other file.

The same contents give the same bytes. `bundle.sig` is the signature of `bundle.json`, in base64, as
`cosign verify-blob --key` takes it.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter

from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import Vulnerability
from bot.upstream.feeds.reading import FeedShape, OneLine, UtcMoment
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.record import WantedPackages


@dataclass(frozen=True, slots=True)
class BundledDocument:
    """A document, with the times at which its own address was asked for it."""

    source: FeedSource
    document: StoredDocument


@dataclass(frozen=True, slots=True)
class FixSeen:
    """Since when a version of a package is known to be free of what a record tells."""

    release: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BundledRecord:
    """A record with the times at which it, and the fixes in it, were first seen."""

    vulnerability: Vulnerability
    seen_at: datetime
    fixes: tuple[FixSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class BundledDump:
    """What was kept of a dump, and which packages were looked for in it: of others it tells nothing.

    `entries` counts all records that the dump had; `newest_at` is when one of them was changed last.
    """

    source: DumpSource
    mark: DumpMark
    considered: WantedPackages
    reader: str
    entries: int
    fetched_at: datetime
    checked_at: datetime
    records: tuple[BundledRecord, ...]
    problems: tuple[str, ...] = ()
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that a bundle holds, read and checked. `is_signed` says that it has a signature, whoever made it."""

    documents: tuple[BundledDocument, ...]
    dumps: tuple[BundledDump, ...]
    is_signed: bool = False


FORMAT = "freshness-bot feeds"
VERSION = 1
MANIFEST, SIGNATURE = "bundle.json", "bundle.sig"

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip can name."""
_READABLE = 0o100644 << 16
_RECORD = TypeAdapter(BundledRecord)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Url = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]{1,1000}$")]
_Validator = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=500)]
_Modified = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=100)]


class FilePart(FeedShape):
    """A file in the archive."""

    file: Annotated[
        str, StringConstraints(pattern=r"^(documents|vulnerabilities)/[a-z0-9-]{1,40}\.(txt|json|jsonl)$")
    ]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class DocumentPart(FilePart):
    """A document of a feed."""

    kind: FeedKind
    url: _Url
    etag: _Validator | None
    last_modified: _Modified | None
    fetched_at: UtcMoment
    checked_at: UtcMoment


class DumpPart(FeedShape):
    """What was kept of a publication, called `ecosystem`: its records, a line each, and what was looked for."""

    ecosystem: CvePublication
    place: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    etag: _Validator
    last_modified: _Validator
    reader: Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=64)]
    entries: Annotated[int, Field(ge=0, le=2**31 - 1)]
    problems: Annotated[list[OneLine], Field(max_length=100)]
    fetched_at: UtcMoment
    checked_at: UtcMoment
    newest_at: UtcMoment | None = None
    records: FilePart
    considered: FilePart


class BundleManifest(FeedShape):
    """What `bundle.json` says: the format, and each other file of the bundle."""

    format: str
    version: int
    documents: Annotated[list[DocumentPart], Field(max_length=20_000)]
    dumps: Annotated[list[DumpPart], Field(max_length=20)]

    @property
    def files(self) -> list[FilePart]:
        return [*self.documents, *(part for dump in self.dumps for part in (dump.records, dump.considered))]


@dataclass(slots=True)
class BundleWriter:
    """Writes a bundle part by part, so that one of them at a time is in memory."""

    archive: zipfile.ZipFile
    _documents: list[dict[str, Any]] = field(default_factory=list)
    _dumps: list[dict[str, Any]] = field(default_factory=list)

    def add_document(self, entry: BundledDocument) -> None:
        document = entry.document
        part = self._file(f"documents/{len(self._documents) + 1:05}.txt", [document.body])
        description = {"kind": entry.source.kind.value, "url": document.url}
        validators = {"etag": document.etag, "last_modified": document.last_modified}
        self._documents.append(description | validators | _times(document.fetched_at, document.checked_at) | part)

    def add_dump(self, dump: BundledDump) -> None:
        """Puts a dump into the archive, with what was asked of it and when it was fetched."""
        name = f"vulnerabilities/{dump.source.publication.lower().replace(' ', '-')}"
        considered = dump.considered
        looked_for: dict[str, frozenset[Any]] = {
            "releases": considered.releases,
            "names": considered.names,
            "untold": considered.untold,
            "unread": considered.unread,
        }
        self._dumps.append(
            {
                "ecosystem": dump.source.publication.value,
                "place": dump.source.place,
                "etag": dump.mark.etag,
                "last_modified": dump.mark.last_modified,
                "reader": dump.reader,
                "entries": dump.entries,
                "problems": list(dump.problems),
                **_times(dump.fetched_at, dump.checked_at),
                "newest_at": dump.newest_at and dump.newest_at.isoformat(),
                "records": self._file(f"{name}.jsonl", map(_record_line, dump.records)),
                "considered": self._file(
                    f"{name}.json", [_json({key: sorted(words) for key, words in looked_for.items()})]
                ),
            }
        )

    def finish(self, sign: Callable[[bytes], bytes] | None) -> None:
        """Writes what the archive holds, and its signature where there is a key."""
        contents = {"format": FORMAT, "version": VERSION, "documents": self._documents, "dumps": self._dumps}
        manifest = _json(contents)
        self._file(MANIFEST, [manifest])
        if sign is not None:
            self._file(SIGNATURE, [sign(manifest)])

    def _file(self, name: str, chunks: Iterable[bytes]) -> dict[str, Any]:
        info = zipfile.ZipInfo(name, _LONG_AGO)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = _READABLE
        size, digest = 0, hashlib.sha256()
        with self.archive.open(info, "w", force_zip64=True) as file:
            for chunk in chunks:
                size += len(chunk)
                digest.update(chunk)
                file.write(chunk)
        return {"file": name, "size": size, "sha256": digest.hexdigest()}


def bundle_writer(file: IO[bytes]) -> BundleWriter:
    """Begins a bundle; its archive is to be closed once it is finished."""
    return BundleWriter(zipfile.ZipFile(file, "w"))


def read_record(line: bytes) -> BundledRecord:
    """Reads one line of vulnerabilities. Raises `ValidationError`."""
    return _RECORD.validate_json(line)


def read_considered(data: bytes) -> WantedPackages:
    """Reads which packages a bundle was made for. Raises `ValidationError`."""
    return TypeAdapter(WantedPackages).validate_json(data)


def _record_line(record: BundledRecord) -> bytes:
    return _json(_RECORD.dump_python(record, mode="json"))


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _times(fetched_at: datetime, checked_at: datetime) -> dict[str, str]:
    return {"fetched_at": fetched_at.isoformat(), "checked_at": checked_at.isoformat()}
