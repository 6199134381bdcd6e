"""Reading a bundle that anybody may have made: all of it is checked before anything of it is used."""

import hashlib
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import IO

from pydantic import ValidationError

from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES, FeedSource, StoredDocument
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, Ecosystem, Vulnerability, release_named
from bot.domain.wording.misfits import misfit
from bot.files.formats.zip_list import DAMAGES, check_list
from bot.upstream.bundle.archive import (
    FORMAT,
    MANIFEST,
    SIGNATURE,
    VERSION,
    Bundle,
    BundledDocument,
    BundledDump,
    BundledRecord,
    BundleManifest,
    DocumentPart,
    DumpPart,
    FilePart,
    read_considered,
    read_record,
)
from bot.upstream.feeds.reading import CVE, one_line
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import LARGEST_LIST
from bot.upstream.osv.record import MOST_BINARIES, MOST_RANGES, MOST_VERSIONS, RECORD_ID

MOST_BYTES = 512 * 1024**2
_MOST_UNPACKED = 512 * 1024**2
_LARGEST_MANIFEST = 32 * 1024**2
_LARGEST_SIGNATURE = 16 * 1024
_MOST_FILES = 21_000
_MOST_CVES = 1_000
_MOST_AFFECTED = 20_000
_LONGEST_WORD = 256
_HIGHEST_SCORE = 10
_AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be before ours."""
_ID = re.compile(RECORD_ID)
_CONTROL = re.compile(r"[\x00-\x1f]")
_CVE = re.compile(CVE)
_UNHURT = "nothing of it was imported"

DigestCheck = Callable[[bytes, bytes | None], None]
"""Takes the signed bytes and the signature, None where there is none; raises `Failure` where it does not count."""


def read_bundle(file: IO[bytes], place: str, check: DigestCheck, now: datetime) -> Bundle:
    """Reads a bundle as a whole. Raises `Failure` where any of it is not as it should be."""
    size = file.seek(0, 2)
    file.seek(0)
    if size > MOST_BYTES:
        raise _bundle_failure(f"has {size:,} bytes, more than {MOST_BYTES:,}", place)
    check_list(file, place, LARGEST_LIST, advice=_UNHURT)
    try:
        with zipfile.ZipFile(file) as archive:
            return _Reader(archive, place, now).read(check)
    except (*DAMAGES, ValueError, NotImplementedError) as error:
        raise _bundle_failure(f"is no bundle that can be read: {error}", place) from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, place: str, now: datetime) -> None:
        self._archive = archive
        self._place = place
        self._latest = now + _AHEAD
        self._files = self._list_files()

    def read(self, check: DigestCheck) -> Bundle:
        manifest = self._bytes(MANIFEST, _LARGEST_MANIFEST)
        signature = self._bytes(SIGNATURE, _LARGEST_SIGNATURE) if SIGNATURE in self._files else None
        check(manifest, signature)
        contents = self._manifest(manifest)
        dumps = tuple(self._dump(part) for part in contents.dumps)
        documents = tuple(self._document(part) for part in contents.documents)
        return Bundle(documents, dumps, signature is not None)

    def _list_files(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > _MOST_FILES:
            raise self._part_failure(f"has {len(infos):,} files, more than {_MOST_FILES:,}")
        files: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.filename in files:
                raise self._part_failure("is there twice", info.filename)
            if info.is_dir() or kind not in (0, stat.S_IFREG):
                raise self._part_failure("is no regular file", info.filename)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                raise self._part_failure("is packed in a way that no bundle is", info.filename)
            files[info.filename] = info
        if MANIFEST not in files:
            raise self._part_failure(f"has no {MANIFEST}")
        return files

    def _manifest(self, data: bytes) -> BundleManifest:
        try:
            contents = BundleManifest.model_validate_json(data)
        except ValidationError as error:
            raise self._part_failure(_describe_misfit(error), MANIFEST) from None
        if contents.format != FORMAT:
            raise self._part_failure("is no bundle of feeds", MANIFEST)
        if contents.version != VERSION:
            raise self._part_failure(f"has version {contents.version}, and {VERSION} is known here", MANIFEST)
        names = [part.file for part in contents.files]
        unlisted = sorted(self._files.keys() - set(names) - {MANIFEST, SIGNATURE})
        missing = sorted(set(names) - self._files.keys())
        if len(set(names)) != len(names):
            raise self._part_failure("names a file twice", MANIFEST)
        if unlisted or missing:
            name, complaint = (
                (missing[0], "is missing") if missing else (unlisted[0], f"is not named in {MANIFEST}")
            )
            raise self._part_failure(complaint, name)
        if len({part.url for part in contents.documents}) != len(contents.documents):
            raise self._part_failure("names a document twice", MANIFEST)
        if len({dump.ecosystem for dump in contents.dumps}) != len(contents.dumps):
            raise self._part_failure("names an ecosystem twice", MANIFEST)
        unpacked = sum(part.size for part in contents.files)
        if unpacked > _MOST_UNPACKED:
            raise self._part_failure(f"unpacks to {unpacked:,} bytes, more than {_MOST_UNPACKED:,}")
        return contents

    def _document(self, part: DocumentPart) -> BundledDocument:
        self._check_times(part)
        if part.size > MAX_DOCUMENT_BYTES:
            raise self._part_failure(f"has {part.size:,} bytes, more than {MAX_DOCUMENT_BYTES:,}", part.file)
        document = StoredDocument(
            part.url, part.etag, part.last_modified, self._part(part), part.fetched_at, part.checked_at
        )
        return BundledDocument(FeedSource(part.kind, part.url), document)

    def _dump(self, part: DumpPart) -> BundledDump:
        self._check_times(part)
        try:
            considered = read_considered(self._part(part.considered))
        except ValidationError as error:
            raise self._part_failure(_describe_misfit(error), part.considered.file) from None
        words = considered.names | considered.releases | considered.untold | {*chain(*considered.unread)}
        if any(len(word) > _LONGEST_WORD for word in words):
            raise self._part_failure("has a name that is too long", part.considered.file)
        records = tuple(self._records(part))
        if len({each.vulnerability.id for each in records}) != len(records):
            raise self._part_failure("has a record twice", part.records.file)
        return BundledDump(
            DumpSource(part.ecosystem, part.place),
            DumpMark(part.etag, part.last_modified),
            considered,
            part.reader,
            part.entries,
            part.fetched_at,
            part.checked_at,
            records,
            tuple(part.problems),
            part.newest_at,
        )

    def _records(self, part: DumpPart) -> Iterator[BundledRecord]:
        for number, line in enumerate(self._part(part.records).splitlines(), 1):
            name = f"{part.records.file} line {number}"
            try:
                record = read_record(line)
            except ValidationError as error:
                raise self._part_failure(_describe_misfit(error), name) from None
            times = [record.seen_at, *(fix.at for fix in record.fixes)]
            if not all(map(_is_moment, times)) or max(times) > self._latest:
                raise self._part_failure("was seen at a time that cannot be", name)
            if (defect := _defect(record.vulnerability, part.ecosystem)) is not None:
                raise self._part_failure(defect, name)
            yield record

    def _check_times(self, part: DocumentPart | DumpPart) -> None:
        name = part.url if isinstance(part, DocumentPart) else part.ecosystem.value
        newest_at = part.newest_at if isinstance(part, DumpPart) else None
        if part.fetched_at > part.checked_at or max(part.checked_at, newest_at or part.checked_at) > self._latest:
            raise self._part_failure("was fetched at a time that cannot be", name)

    def _part(self, part: FilePart) -> bytes:
        data = self._bytes(part.file, part.size)
        if len(data) != part.size or hashlib.sha256(data).hexdigest() != part.sha256:
            raise self._part_failure("is not what its digest says", part.file)
        return data

    def _bytes(self, name: str, most: int) -> bytes:
        with self._archive.open(self._files[name]) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise self._part_failure(f"has more than {most:,} bytes", name)
        return data

    def _part_failure(self, complaint: str, part: str = "") -> Failure:
        return _bundle_failure(f"{part[:200]!r} {complaint}" if part else complaint, self._place)


def _defect(record: Vulnerability, publication: CvePublication) -> str | None:
    """What that publication cannot have said, as its own reader sees to."""
    if not _ID.fullmatch(record.id):
        return "names no record"
    if len(record.cves) > _MOST_CVES or not all(map(_CVE.fullmatch, record.cves)):
        return "names a CVE that is none"
    if len(record.affected) > _MOST_AFFECTED or len(record.rated_by) > 32:
        return "says more than any record does"
    if any(one_line(text) != text for text in (record.title, record.rated_by)):
        return "says something that is not one line of text"
    if record.score is not None and not 0 <= record.score <= _HIGHEST_SCORE:
        return "has a score that is none"
    if record.published_at is not None and not _is_moment(record.published_at):
        return "was published at a time that cannot be"
    return next((defect for each in record.affected if (defect := _defect_of(each, publication)) is not None), None)


def _defect_of(affected: AffectedPackage, publication: CvePublication) -> str | None:
    release, ecosystem = affected.release, publication.ecosystem
    if ecosystem is Ecosystem.NUGET:
        is_of_it = release == ""
    else:
        is_of_it = release_named(release) == release and release.startswith(f"{ecosystem}:")
    is_of_it = is_of_it and publication.tells_of(release)
    if affected.type != ecosystem.package_type or not is_of_it or len(release) > 64:
        return f"is about packages that are none of {publication}"
    if (
        len(affected.ranges) > MOST_RANGES
        or len(affected.versions) > MOST_VERSIONS
        or len(affected.binaries) > MOST_BINARIES
    ):
        return "says more than any record does"
    words = [release, affected.name, *affected.versions]
    words += [word for binary in affected.binaries for word in binary]
    words += [word for one in affected.ranges for word in (one.introduced, one.fixed, one.last_affected, one.limit)]
    if any(len(word) > _LONGEST_WORD or _CONTROL.search(word) for word in words):
        return "has a word that is none"
    return None


def _is_moment(moment: datetime) -> bool:
    """Whether it has a zone, and is within the calendar in UTC."""
    try:
        return moment.tzinfo is not None and moment.astimezone(UTC) is not None
    except OverflowError:
        return False


def _describe_misfit(error: ValidationError) -> str:
    return f"is not as a bundle has it: {misfit(error)}"[:300]


def _bundle_failure(complaint: str, place: str) -> Failure:
    return Failure(Trouble.MALFORMED, complaint, where=place, advice=_UNHURT)
