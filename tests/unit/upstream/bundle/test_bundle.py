"""A bundle gives what was put into it, and is refused as a whole where anything is off."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.domain.feeds.document import (
    MAX_DOCUMENT_BYTES,
    FeedKind,
    FeedSource,
    NotFetched,
    StoredDocument,
    Unchanged,
)
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.fleet.watch.feeds.wired import NoFeeds
from bot.upstream.bundle import reading
from bot.upstream.bundle.archive import (
    MANIFEST,
    Bundle,
    BundledDocument,
    BundledDump,
    BundledRecord,
    FixSeen,
    bundle_writer,
)
from bot.upstream.bundle.reading import read_bundle
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.record import MOST_BINARIES, MOST_RANGES, MOST_VERSIONS, WantedPackages

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://feeds.example/releases-index.json"
DOCUMENT = BundledDocument(
    FeedSource(FeedKind.DOTNET_INDEX, URL),
    StoredDocument(URL, '"e"', "Tue, 10 Mar 2026", b'{"a": 1}' * 100, NOW - timedelta(days=2), NOW),
)
OPENSSL = AffectedPackage(
    "deb", "openssl", "Ubuntu:24.04", (VersionRange(fixed="3.0.13-0ubuntu3.6"),), (), (("libssl3t64", "3"),)
)
LIMITED = replace(OPENSSL, ranges=(VersionRange(limit="1\n2"),))
RECORD = BundledRecord(
    Vulnerability(
        *("USN-1-1", ("CVE-2026-1001",), "overflow", Severity.HIGH, "Ubuntu", 7.5, NOW),
        affected=(OPENSSL,),
    ),
    NOW - timedelta(days=9),
    (FixSeen("Ubuntu:24.04", "openssl", NOW - timedelta(days=3)),),
)
DUMP = BundledDump(
    DumpSource(CvePublication.UBUNTU, "https://osv.example/Ubuntu/all.zip"),
    DumpMark('"v1"', ""),
    WantedPackages(
        *(frozenset({"", "Ubuntu:24.04"}), frozenset({"openssl", "zlib"}), frozenset({"Ubuntu:25.10"})),
        frozenset({("Ubuntu:24.04", "zlib")}),
    ),
    "1",
    9,
    NOW - timedelta(days=1),
    NOW,
    (RECORD,),
    ("a problem",),
)


def written(
    *,
    documents: tuple[BundledDocument, ...] = (DOCUMENT,),
    dumps: tuple[BundledDump, ...] = (DUMP,),
    sign: Any = None,
) -> bytes:
    file = io.BytesIO()
    writer = bundle_writer(file)
    with writer.archive:
        for document in documents:
            writer.add_document(document)
        for dump in dumps:
            writer.add_dump(dump)
        writer.finish(sign)
    return file.getvalue()


def read(data: bytes) -> Bundle:
    return read_bundle(io.BytesIO(data), "feeds.bundle", lambda signed, signature: None, NOW)


def altered(change: Callable[[dict[str, bytes], Any], None]) -> bytes:
    """The same bundle with its files and what `bundle.json` says of them changed."""
    with zipfile.ZipFile(io.BytesIO(written())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop(MANIFEST))
    change(files, manifest)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_what_was_put_in_comes_out_with_its_ages() -> None:
    assert read(written()) == Bundle((DOCUMENT,), (DUMP,))


def test_the_same_contents_give_the_same_bytes() -> None:
    assert written() == written()


def test_the_files_of_a_bundle_are_packed() -> None:
    large = replace(DOCUMENT, document=replace(DOCUMENT.document, body=b"x" * 1_000_000))
    assert len(written(documents=(large,))) < 10_000


def test_what_could_not_be_read_is_one_line_each() -> None:
    [dump] = read(written(dumps=(replace(DUMP, problems=("a\x00 problem\nof two lines",)),))).dumps
    assert dump.problems == ("a problem of two lines",)


def test_a_signature_is_over_the_list_of_files_and_checked_before_it_is_read() -> None:
    data = written(sign=lambda signed: b"signature of " + signed[:10])
    heard: list[bytes | None] = []
    read_bundle(io.BytesIO(data), "feeds.bundle", lambda signed, said: heard.extend((signed, said)), NOW)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        manifest = archive.read(MANIFEST)
    assert heard == [manifest, b"signature of " + manifest[:10]]


def _another_byte(files: dict[str, bytes], manifest: Any) -> None:
    files["documents/00001.txt"] = files["documents/00001.txt"][:-1] + b"x"


def _longer(files: dict[str, bytes], manifest: Any) -> None:
    files["documents/00001.txt"] += b"x"


def _one_more(files: dict[str, bytes], manifest: Any) -> None:
    files["documents/00002.txt"] = b"x"


def _one_less(files: dict[str, bytes], manifest: Any) -> None:
    del files["documents/00001.txt"]


def _leads_out(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["file"] = "../../etc/passwd"
    files["../../etc/passwd"] = files.pop("documents/00001.txt")


def _from_tomorrow(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["checked_at"] = (NOW + timedelta(days=1)).isoformat()


def _fetched_after_it_was_checked(files: dict[str, bytes], manifest: Any) -> None:
    manifest["dumps"][0]["fetched_at"] = (NOW + timedelta(minutes=1)).isoformat()


def _of_a_file(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["url"] = "file:///etc/passwd"


def _named_twice(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"] *= 2


def _later_version(files: dict[str, bytes], manifest: Any) -> None:
    manifest["version"] = 2


def _no_date_of_the_calendar(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["fetched_at"] = "0001-01-01T00:00:00+14:00"


def _huge(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["size"] = 10**12


def _of_something_else(files: dict[str, bytes], manifest: Any) -> None:
    manifest["format"] = "something else"


def _a_document_twice(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"].append(manifest["documents"][0] | {"file": "documents/00002.txt"})
    files["documents/00002.txt"] = files["documents/00001.txt"]


def _an_ecosystem_twice(files: dict[str, bytes], manifest: Any) -> None:
    dump = json.loads(json.dumps(manifest["dumps"][0]))
    for part, name in (("records", "jsonl"), ("considered", "json")):
        dump[part]["file"] = f"vulnerabilities/more.{name}"
        files[f"vulnerabilities/more.{name}"] = files[f"vulnerabilities/ubuntu.{name}"]
    manifest["dumps"].append(dump)


def _shorter_than_it_says(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["size"] += 1


def _larger_than_a_document(files: dict[str, bytes], manifest: Any) -> None:
    manifest["documents"][0]["size"] = MAX_DOCUMENT_BYTES + 1


def _put(files: dict[str, bytes], part: Any, data: bytes) -> None:
    files[part["file"]] = data
    part |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _no_record(files: dict[str, bytes], manifest: Any) -> None:
    _put(files, manifest["dumps"][0]["records"], b"{}")


def _a_record_twice(files: dict[str, bytes], manifest: Any) -> None:
    _put(files, manifest["dumps"][0]["records"], files["vulnerabilities/ubuntu.jsonl"] * 2)


def _nothing_looked_for(files: dict[str, bytes], manifest: Any) -> None:
    _put(files, manifest["dumps"][0]["considered"], b"[]")


def _a_long_word(key: str, word: object) -> Callable[[dict[str, bytes], Any], None]:
    def change(files: dict[str, bytes], manifest: Any) -> None:
        considered = json.loads(files["vulnerabilities/ubuntu.json"])
        considered[key].append(word)
        _put(files, manifest["dumps"][0]["considered"], json.dumps(considered).encode())

    return change


_LONG = "x" * 257


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_of_something_else, "is no bundle of feeds"),
        (_a_document_twice, "names a document twice"),
        (_an_ecosystem_twice, "names an ecosystem twice"),
        (_shorter_than_it_says, "is not what its digest says"),
        (_larger_than_a_document, "bytes, more than"),
        (_no_record, "ubuntu.jsonl line 1"),
        (_a_record_twice, "has a record twice"),
        (_nothing_looked_for, "vulnerabilities/ubuntu.json"),
        *((_a_long_word(key, _LONG), "a name that is too long") for key in ("names", "releases", "untold")),
        (_a_long_word("unread", ["Ubuntu:24.04", _LONG]), "a name that is too long"),
        (_another_byte, "is not what its digest says"),
        (_longer, "has more than"),
        (_one_more, "is not named in bundle.json"),
        (_one_less, "is missing"),
        (_leads_out, "documents.0.file"),
        (_from_tomorrow, "at a time that cannot be"),
        (_fetched_after_it_was_checked, "at a time that cannot be"),
        (_of_a_file, "documents.0.url"),
        (_named_twice, "names a file twice"),
        (_no_date_of_the_calendar, "documents.0.fetched_at"),
        (_later_version, "has version 2, and 1 is known here"),
        (_huge, "unpacks to"),
    ],
)
def test_one_that_is_not_as_it_says_is_refused_in_one_line(change: Callable[..., None], told: str) -> None:
    with pytest.raises(Failure) as refused:
        read(altered(change))
    line = str(refused.value)
    assert told in line
    assert "nothing of it was imported" in line
    assert "\n" not in line


def _raw(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(MANIFEST)
    info.external_attr = 0o120777 << 16
    return info


def _packed_otherwise() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(MANIFEST, b"{}")
    return file.getvalue()


def _encrypted() -> bytes:
    data = bytearray(_raw((MANIFEST, b"{}")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * (40 * 1024**2))
    return file.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: b"", "is no bundle that can be read"),
        (lambda: b"PK\x03\x04" + bytes(100), "is no bundle that can be read"),
        (lambda: written()[:-30], "is no bundle that can be read"),
        (lambda: _raw(), "has no bundle.json"),
        (lambda: _raw((MANIFEST, b"{}")), "format"),
        (lambda: _raw((MANIFEST, b"[")), "bundle.json"),
        (lambda: _raw((MANIFEST, b"{}"), (MANIFEST, b"{}")), "is there twice"),
        (lambda: _raw((_link(), b"/etc/passwd")), "is no regular file"),
        (lambda: _raw(("folder/", b""), (MANIFEST, b"{}")), "is no regular file"),
        (_bomb, "has more than"),
        (_packed_otherwise, "is packed in a way that no bundle is"),
        (_encrypted, "is packed in a way that no bundle is"),
    ],
)
def test_what_is_no_bundle_is_refused_in_one_line(make: Callable[[], bytes], told: str) -> None:
    with pytest.raises(Failure) as refused:
        read(make())
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_bundle_larger_than_any_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written()
    monkeypatch.setattr(reading, "MOST_BYTES", len(data))
    assert read(data) == Bundle((DOCUMENT,), (DUMP,))
    monkeypatch.setattr(reading, "MOST_BYTES", len(data) - 1)
    with pytest.raises(Failure, match=f"has {len(data):,} bytes, more than {len(data) - 1:,}"):
        read(data)


def test_files_that_are_missing_or_not_named_are_told_by_name_the_first_of_them() -> None:
    def more(files: dict[str, bytes], manifest: Any) -> None:
        files.update({f"documents/{number:05}.txt": b"x" for number in range(20, 10, -1)})

    def less(files: dict[str, bytes], manifest: Any) -> None:
        files.clear()

    with pytest.raises(Failure, match=r"documents/00011.txt' is not named"):
        read(altered(more))
    with pytest.raises(Failure, match=r"documents/00001.txt' is missing"):
        read(altered(less))


def test_times_may_be_those_of_a_clock_that_is_five_minutes_ahead() -> None:
    ahead = NOW + timedelta(minutes=5)
    document = replace(DOCUMENT, document=replace(DOCUMENT.document, fetched_at=ahead, checked_at=ahead))
    record = replace(RECORD, seen_at=ahead, fixes=())
    dump = replace(DUMP, fetched_at=ahead, checked_at=ahead, records=(record,))
    assert read(written(documents=(document,), dumps=(dump,))) == Bundle((document,), (dump,))


def test_a_dump_of_packages_that_belong_to_no_distribution_comes_out_as_it_was() -> None:
    json_package = AffectedPackage("nuget", "Newtonsoft.Json", "", (VersionRange(fixed="13.0.1"),))
    record = replace(
        RECORD,
        vulnerability=Vulnerability("GHSA-5crp-9r3c-p9vr", (), affected=(json_package,)),
        fixes=(),
    )
    dump = replace(DUMP, source=DumpSource(CvePublication.NUGET, "nuget.zip"), records=(record,))
    assert read(written(dumps=(dump,))).dumps == (dump,)
    of_release = replace(json_package, release="Ubuntu:24.04")
    wrong = replace(record, vulnerability=replace(record.vulnerability, affected=(of_release,)))
    with pytest.raises(Failure, match="line 1"):
        read(written(dumps=(replace(dump, records=(wrong,)),)))


@pytest.mark.parametrize("score", [0.0, 10.0, None])
def test_a_score_of_either_end_or_none_is_one(score: float | None) -> None:
    record = replace(RECORD, vulnerability=replace(RECORD.vulnerability, score=score, published_at=None))
    assert read(written(dumps=(replace(DUMP, records=(record,)),))).dumps[0].records == (record,)


@pytest.mark.parametrize(
    "affected",
    [
        replace(OPENSSL, ranges=OPENSSL.ranges * (MOST_RANGES + 1)),
        replace(OPENSSL, versions=("1",) * (MOST_VERSIONS + 1)),
        replace(OPENSSL, binaries=OPENSSL.binaries * (MOST_BINARIES + 1)),
        replace(OPENSSL, binaries=(("x" * 257, "1"),)),
        replace(OPENSSL, release=f"Ubuntu:{'2' * 60}"),
    ],
    ids=["ranges", "versions", "binaries", "a name of a binary", "a release"],
)
def test_an_affected_package_of_more_than_any_record_says_is_refused(affected: AffectedPackage) -> None:
    record = replace(RECORD, vulnerability=replace(RECORD.vulnerability, affected=(affected,)))
    with pytest.raises(Failure, match=r"ubuntu\.jsonl line 1"):
        read(written(dumps=(replace(DUMP, records=(record,)),)))


def test_of_several_cves_each_is_one() -> None:
    record = replace(RECORD, vulnerability=replace(RECORD.vulnerability, cves=("CVE-2026-1001", "x")))
    with pytest.raises(Failure, match=r"ubuntu\.jsonl line 1"):
        read(written(dumps=(replace(DUMP, records=(record,)),)))


def test_what_was_looked_for_is_written_in_order_whatever_set_it_stood_in() -> None:
    names = frozenset(f"name-{number}" for number in range(50))
    data = written(dumps=(replace(DUMP, considered=replace(DUMP.considered, names=names)),))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert json.loads(archive.read("vulnerabilities/ubuntu.json"))["names"] == sorted(names)
        [info, *_] = archive.infolist()
    assert (info.date_time, info.create_system, info.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 3, 0o100644)


async def test_a_feed_that_may_not_be_asked_stays_as_it_is_kept_or_is_missing() -> None:
    kept = await NoFeeds().fetch(DOCUMENT.source, DOCUMENT.document)
    assert kept == Unchanged(DOCUMENT.document)
    missing = await NoFeeds().fetch(DOCUMENT.source, None)
    assert isinstance(missing, NotFetched)
    assert "is not asked offline" in str(missing.failure)


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORD, seen_at=NOW + timedelta(days=1)),
        replace(RECORD, fixes=(FixSeen("Ubuntu:24.04", "openssl", NOW + timedelta(days=1)),)),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, id="x" * 65)),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, cves=("CVE-1",))),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, title="x" * 10_000)),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, affected=(replace(OPENSSL, type="rpm"),))),
        replace(
            RECORD, vulnerability=replace(RECORD.vulnerability, affected=(replace(OPENSSL, release="Debian:12"),))
        ),
        replace(
            RECORD, vulnerability=replace(RECORD.vulnerability, affected=(replace(OPENSSL, release="Ubuntu:\x00"),))
        ),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, title="over\x00flow")),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, rated_by="\x1b[1mUbuntu")),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, score=float("nan"))),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, published_at=NOW.replace(tzinfo=None))),
        replace(RECORD, seen_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, affected=(replace(OPENSSL, name="x" * 300),))),
        replace(RECORD, vulnerability=replace(RECORD.vulnerability, affected=(LIMITED,))),
    ],
)
def test_a_record_that_no_dump_can_have_is_refused(record: BundledRecord) -> None:
    with pytest.raises(Failure, match=r"vulnerabilities/ubuntu.jsonl line 1"):
        read(written(dumps=(replace(DUMP, records=(record,)),)))


def test_a_document_of_oval_comes_out_beside_the_dump_of_the_same_ecosystem_with_the_age_of_its_data() -> None:
    zlib = AffectedPackage("rpm", "zlib", "Azure Linux:3", (VersionRange(fixed="1.3.1-1.azl3"),))
    record = replace(RECORD, vulnerability=Vulnerability("AZL-1", (), affected=(zlib,)), fixes=())
    oval = DumpSource(CvePublication.AZURE_LINUX_3_OVAL, "https://oval.example/azurelinux-3.0-oval.xml")
    osv = DumpSource(CvePublication.AZURE_LINUX, "https://osv.example/all.zip")
    dumps = tuple(replace(DUMP, source=each, records=(record,), newest_at=NOW) for each in (oval, osv))
    assert read(written(dumps=dumps)).dumps == dumps
    of_another = replace(zlib, release="Azure Linux:2")
    wrong = replace(record, vulnerability=replace(record.vulnerability, affected=(of_another,)))
    assert read(written(dumps=(replace(dumps[1], records=(wrong,)),))).dumps[0].records == (wrong,)
    with pytest.raises(Failure, match="none of Azure Linux 3 OVAL"):
        read(written(dumps=(replace(dumps[0], records=(wrong,)),)))
    with pytest.raises(Failure, match="at a time that cannot be"):
        read(written(dumps=(replace(dumps[0], newest_at=NOW + timedelta(hours=1)),)))
