"""The observation log and the release log, in and out."""

import gzip
import io
import json
import lzma
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.image import MOST_LAYERS
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.upstream.history.log import (
    LONGEST_LINE,
    observation_row,
    read_observations,
    read_release_log,
    write_observations,
    write_releases,
)
from tests.conftest import NO_SHARED_DATA, SHARED

ROW: dict[str, Any] = {
    "at": "2025-06-10T17:00:00Z",
    "repository": "dotnet/aspnet",
    "tag": "8.0-noble",
    "digest": f"sha256:{'1' * 64}",
    "version": "8.0.17",
    "created": "2025-06-10T15:00:00.1234567Z",
    "platforms": [
        {
            "platform": "linux/amd64",
            "digest": f"sha256:{'2' * 64}",
            "created": None,
            "os": "noble",
            "layers": ["a" * 12],
        }
    ],
}
RELEASE: dict[str, Any] = {
    "published_at": "2025-06-10T18:27:28Z",
    "channel": "8.0",
    "release": "8.0.17",
    "cves": ["CVE-2025-30399"],
    "cves_listed_at": "2025-06-10T19:27:28+01:00",
}


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "log.jsonl"
        path.write_bytes(content)
        return path

    return write


Writer = Callable[[bytes], Path]


def test_a_row_becomes_an_observation(file: Writer) -> None:
    (seen,) = read_observations(file(lines(ROW)))
    image = PlatformImage("linux/amd64", f"sha256:{'2' * 64}", None, "noble", ("a" * 12,))
    assert seen == Observation(
        at=datetime(2025, 6, 10, 17, tzinfo=UTC),
        base=Base("mcr.microsoft.com", "dotnet/aspnet", "8.0-noble"),
        digest=f"sha256:{'1' * 64}",
        version="8.0.17",
        created="2025-06-10T15:00:00.1234567Z",
        platforms=(image,),
    )


def test_a_withdrawal_needs_no_more_than_its_null_digest(file: Writer) -> None:
    row = {key: ROW[key] for key in ("at", "repository", "tag")} | {"digest": None}
    (seen,) = read_observations(file(lines(row)))
    assert (seen.digest, seen.platforms) == (None, ())


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_the_first_bytes_tell_how_a_file_is_packed(file: Writer, pack: Callable[[bytes], bytes]) -> None:
    assert len(list(read_observations(file(pack(lines(ROW, ROW)))))) == 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_a_log_may_come_through_a_pipe(pack: Callable[[bytes], bytes]) -> None:
    read, write = os.pipe()
    with open(write, "wb") as pipe:
        pipe.write(pack(lines(ROW, ROW)))
    try:
        assert len(list(read_observations(Path(f"/dev/fd/{read}")))) == 2
    finally:
        os.close(read)


def test_blank_lines_and_unknown_keys_are_skipped(file: Writer) -> None:
    content = b"\n" + lines(ROW | {"colour": "blue"}) + b"  \n"
    assert len(list(read_observations(file(content)))) == 1


def test_lists_may_be_null_or_left_out(file: Writer) -> None:
    image = {"platform": "linux/amd64", "digest": f"sha256:{'2' * 64}", "layers": None}
    (bare, layerless) = read_observations(file(lines(ROW | {"platforms": None}, ROW | {"platforms": [image]})))
    assert (bare.platforms, layerless.platforms[0].layers) == ((), ())
    (release,) = read_release_log(file(lines(RELEASE | {"sdks": None, "cves": None, "security": None})))
    assert (release.sdks, release.cves, release.security) == ((), (), False)


def test_a_log_may_come_from_windows(file: Writer) -> None:
    content = b"\xef\xbb\xbf" + lines(ROW, ROW).replace(b"\n", b"\r\n")
    assert len(list(read_observations(file(content)))) == 2


def test_a_release_keeps_when_the_feed_showed_what(file: Writer) -> None:
    (release,) = read_release_log(file(lines(RELEASE)))
    assert release.published_at == datetime(2025, 6, 10, 18, 27, 28, tzinfo=UTC)
    assert release.cves_listed_at == datetime(2025, 6, 10, 18, 27, 28, tzinfo=UTC)
    assert (release.version, release.cves, release.security) == ("8.0.17", ("CVE-2025-30399",), False)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        pytest.param(b"{", "log.jsonl line 2: Invalid JSON", id="cut off"),
        pytest.param(b"[]", "log.jsonl line 2: ", id="no object"),
        pytest.param(b'"\xff"', "log.jsonl line 2: ", id="not UTF-8"),
        pytest.param(b"[" * 5000, "log.jsonl line 2: ", id="nested too deep"),
        pytest.param(lines(ROW | {"digest": "sha256:1"}), "log.jsonl line 2: digest: ", id="digest"),
        pytest.param(lines(ROW | {"at": "yesterday"}), "log.jsonl line 2: at: ", id="time"),
        pytest.param(lines(ROW | {"at": "2025-06-10T17:00:00"}), "log.jsonl line 2: at: ", id="no time zone"),
        *(
            pytest.param(
                lines(ROW | {"at": at}),
                "log.jsonl line 2: at: is not between the years 1970 and 2999; ",
                id=f"year {at[:4]}",
            )
            for at in ("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "3000-01-01T00:00:00Z")
        ),
        pytest.param(lines({"at": ROW["at"]}), "log.jsonl line 2: repository: Field required", id="missing"),
        pytest.param(
            lines(ROW | {"platforms": [{"platform": "linux/amd64", "digest": "x"}]}),
            "log.jsonl line 2: platforms.0.digest: ",
            id="platform",
        ),
        pytest.param(
            lines(ROW | {"at": "2025-06-10T16:59:59Z"}),
            "log.jsonl line 2: observed at 2025-06-10T16:59:59Z, before the line above it; sort the log by `at`",
            id="out of order",
        ),
        pytest.param(b" " * (LONGEST_LINE + 1), "log.jsonl line 2: longer than 1024 KiB", id="too long"),
    ],
)
def test_a_bad_line_is_named(file: Writer, broken: bytes, says: str) -> None:
    with pytest.raises(Failure) as raised:
        list(read_observations(file(lines(ROW) + broken)))
    assert raised.value.trouble is Trouble.MALFORMED
    assert str(raised.value).startswith(says)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["published_at", "cves_listed_at"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59Z"])
def test_a_release_of_no_time_that_can_be_counted_with_is_named(file: Writer, name: str, at: str) -> None:
    with pytest.raises(Failure, match=f"log.jsonl line 1: {name}: is not between the years"):
        read_release_log(file(lines(RELEASE | {name: at})))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_packed_file_that_was_cut_off_is_named(file: Writer, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Failure, match="cannot be unpacked"):
        list(read_observations(file(pack(lines(*[ROW] * 50))[:-10])))


def test_a_line_that_unpacks_without_end_is_refused_early(file: Writer) -> None:
    with pytest.raises(Failure, match="longer than"):
        list(read_observations(file(lzma.compress(b"a" * (8 * LONGEST_LINE)))))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no such file") as raised:
        list(read_observations(tmp_path / "missing.jsonl"))
    assert raised.value.trouble is Trouble.MISSING


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be read"):
        list(read_observations(tmp_path))


@pytest.mark.skipif(not SHARED.is_dir(), reason=NO_SHARED_DATA)
def test_the_real_log_comes_out_as_it_went_in() -> None:
    log = SHARED / "observations-2023-2025.jsonl.xz"
    out = io.StringIO()
    assert write_observations(read_observations(log), out) == 14_686
    assert out.getvalue().encode() == lzma.decompress(log.read_bytes())


@pytest.mark.skipif(not SHARED.is_dir(), reason=NO_SHARED_DATA)
def test_the_real_releases_come_out_as_they_went_in() -> None:
    log = SHARED / "releases-2023-2025.jsonl"
    out = io.StringIO()
    assert write_releases(read_release_log(log), out) == 103
    assert out.getvalue() == log.read_text()


def test_an_image_of_as_many_layers_as_are_read_comes_back(file: Writer) -> None:
    (seen,) = read_observations(file(lines(ROW)))
    tall = replace(seen, platforms=(replace(seen.platforms[0], layers=("b" * 12,) * MOST_LAYERS),))
    (back,) = read_observations(file(lines(observation_row(tall))))
    assert back == tall


def test_another_registry_is_written_out(file: Writer) -> None:
    (seen,) = read_observations(file(lines(ROW)))
    elsewhere = replace(seen, base=replace(seen.base, registry="registry.example:5000"))
    (back,) = read_observations(file(lines(observation_row(elsewhere))))
    assert back == elsewhere


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


_hex = st.sampled_from([("sha256", 32), ("sha512", 64)]).flatmap(
    lambda kind: st.binary(min_size=kind[1], max_size=kind[1]).map(lambda data: f"{kind[0]}:{data.hex()}")
)
_word = st.none() | st.text(max_size=20)
_images = st.builds(
    PlatformImage,
    platform=st.sampled_from(["linux/amd64", "linux/arm/v7"]),
    digest=_hex,
    created=_word,
    os=_word,
    layers=st.lists(_hex | _hex.map(lambda digest: digest[7:19]), max_size=3).map(tuple),
    diff_ids=st.lists(_hex, max_size=3).map(tuple),
)
_observations = st.builds(
    Observation,
    at=st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)),
    base=st.builds(Base, st.just("mcr.microsoft.com"), st.just("dotnet/sdk"), st.sampled_from(["8.0", "latest"])),
    digest=_hex,
    version=_word,
    created=_word,
    platforms=st.lists(_images, max_size=3).map(tuple),
)


@given(st.lists(_observations, max_size=3))
def test_what_is_written_reads_back_the_same(folder: Path, observations: list[Observation]) -> None:
    ordered = sorted(observations, key=lambda seen: seen.at)
    path = folder / "log.jsonl"
    with path.open("w", encoding="utf-8") as out:
        write_observations(ordered, out)
    assert list(read_observations(path)) == ordered
