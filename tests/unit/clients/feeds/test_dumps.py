"""Dumps come into a file, where they changed; redirects elsewhere, other answers and missing files are refused."""

import errno
import io
from pathlib import Path

import httpx
import pytest

from bot.clients.feeds.dumps import DumpReader
from bot.clients.http.client import Http, Limits
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure
from bot.domain.packages.cves.publication import DumpMark
from tests.builders import NOON

URL = "https://osv.example/Ubuntu/all.zip"


async def read(
    place: str, answer: httpx.Response, previous: DumpMark | None = None, max_bytes: int = 1000
) -> tuple[tuple[bytes, DumpMark] | None, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    transport = httpx.MockTransport(respond)
    async with (
        Http(ManualClock(NOON), limits=Limits(attempts=1), transport=transport) as http,
        DumpReader(http, max_bytes).opened(place, previous) as dump,
    ):
        if dump is None:
            return None, asked
        dump.file.seek(0)
        return (dump.file.read(), dump.mark), asked


async def test_a_dump_comes_as_it_is_with_what_marks_it() -> None:
    answer = httpx.Response(200, headers={"ETag": '"v1"'}, stream=httpx.ByteStream(b"zip"))
    found, [request] = await read(URL, answer)
    assert found == (b"zip", DumpMark('"v1"', ""))
    assert "if-none-match" not in request.headers


async def test_an_unchanged_dump_is_not_sent_again() -> None:
    mark = DumpMark('"v1"', "Tue, 10 Mar 2026 10:00:00 GMT")
    found, [request] = await read(URL, httpx.Response(304), mark)
    assert found is None
    assert (request.headers["if-none-match"], request.headers["if-modified-since"]) == (
        mark.etag,
        mark.last_modified,
    )


@pytest.mark.parametrize("status", [401, 404, 418])
async def test_another_answer_is_refused(status: int) -> None:
    with pytest.raises(Failure, match=f"osv.example/Ubuntu/all.zip: .*{status}"):
        await read(URL, httpx.Response(status))


async def test_a_dump_that_is_too_large_is_not_taken_to_its_end() -> None:
    with pytest.raises(Failure, match="more than"):
        await read(URL, httpx.Response(200, stream=httpx.ByteStream(b"x" * 20)), max_bytes=10)


@pytest.mark.parametrize(
    ("failing", "told"), [("no_folder", "No usable temporary directory"), ("full_disk", "No space left on device")]
)
async def test_where_no_temporary_file_can_be_it_says_what_to_do(
    failing: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def temporary(**_: object) -> io.FileIO:
        if failing == "no_folder":
            raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")
        return io.FileIO("/dev/full", "r+")

    monkeypatch.setattr("bot.clients.feeds.dumps.tempfile.TemporaryFile", temporary)
    with pytest.raises(Failure, match=f"temporary file: {told}.*let TMPDIR name a folder"):
        await read(URL, httpx.Response(200, stream=httpx.ByteStream(b"zip")))


async def test_a_redirect_to_another_host_leads_nowhere() -> None:
    with pytest.raises(Failure):
        await read(URL, httpx.Response(302, headers={"Location": "https://elsewhere.example/all.zip"}))


async def test_a_file_is_marked_by_its_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "Ubuntu.zip"
    path.write_bytes(b"zip")
    found, asked = await read(str(path), httpx.Response(500))
    assert found is not None
    content, mark = found
    assert (content, asked) == (b"zip", [])
    assert await read(str(path), httpx.Response(500), mark) == (None, [])
    with pytest.raises(Failure, match=r"missing\.zip: cannot be read"):
        await read(str(tmp_path / "missing.zip"), httpx.Response(500))
