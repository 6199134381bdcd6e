"""Dumps of vulnerabilities fetched in pieces or into temporary files where they changed, and OSV's API asked."""

import asyncio
import io
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from bot.clients.feeds.ranged import TAIL, RangedFile, is_strong, part_in
from bot.clients.http.answers import Answer, Streamed, conditions, validator
from bot.clients.http.client import Http
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES
from bot.domain.packages.cves.publication import DumpMark, OpenedDump

_LONGEST_VALIDATOR = 500


class DumpReader:
    """Reads what an operator named, an address or a file, up to `max_bytes`; no redirect to another host counts."""

    def __init__(self, http: Http, max_bytes: int) -> None:
        self._http = http
        self._max_bytes = max_bytes

    @asynccontextmanager
    async def opened(self, place: str, previous: DumpMark | None) -> AsyncIterator[OpenedDump | None]:
        """The dump at an address or path; None where it is still what `previous` marks. Raises `Failure`."""
        if "://" not in place:
            with _open_file(Path(place)) as file:
                mark = await asyncio.to_thread(_mark_of, file)
                yield None if mark == previous else OpenedDump(file, mark)
            return
        with ExitStack() as opened_files:
            yield await self._ask(opened_files, place, previous, in_pieces=urlsplit(place).path.endswith(".zip"))

    async def _ask(
        self, opened_files: ExitStack, place: str, previous: DumpMark | None, *, in_pieces: bool
    ) -> OpenedDump | None:
        """What an address has: an archive in pieces where its server gives some of it, else a temporary file."""
        headers = {"Accept": "application/zip, application/xml, */*;q=0.1", "Accept-Encoding": "identity"}
        asked = headers | (conditions(previous.etag, previous.last_modified) if previous is not None else {})
        if in_pieces:
            asked |= {"Range": f"bytes=-{TAIL}"}
        async with self._http.stream(place, max_bytes=self._max_bytes, headers=asked) as answer:
            if answer.status == 304 and previous is not None:
                return None
            etag, modified = (validator(answer, name, _LONGEST_VALIDATOR) for name in ("etag", "last-modified"))
            mark = DumpMark(etag, modified)
            if not (in_pieces and answer.status == 206):
                _expect_dump(answer, place)
                file = opened_files.enter_context(_make_temporary_file())
                async for chunk in answer.chunks:
                    await asyncio.to_thread(_write, file, chunk)
                return OpenedDump(io.BufferedReader(file), mark)
            part, tail = part_in(answer), b"".join([chunk async for chunk in answer.chunks])
        if part is None or not part.ends_with(tail) or part.total > self._max_bytes or not is_strong(etag):
            return await self._ask(opened_files, place, previous, in_pieces=False)
        pieces = RangedFile(self._http, place, headers, etag, tail, part)
        opened_files.callback(pieces.abandon)
        return OpenedDump(io.BufferedReader(pieces), mark)


def _make_temporary_file() -> io.FileIO:
    """One without a buffer, so that what has no room is told by the write, not by the end."""
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise _no_place(error) from error


def _write(file: io.FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise _no_place(error) from error


def _no_place(error: OSError) -> Failure:
    fault = f"a dump cannot be put into a temporary file: {error.strerror}"
    return Failure(Trouble.DENIED, fault, advice="let TMPDIR name a folder that can be written and has room for it")


def _open_file(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        trouble = Trouble.MISSING if isinstance(error, FileNotFoundError) else Trouble.DENIED
        advice = "put the dump there, or take it out of the settings"
        raise Failure(trouble, f"cannot be read: {error.strerror}", where=str(path), advice=advice) from error


def _mark_of(file: IO[bytes]) -> DumpMark:
    status = os.fstat(file.fileno())
    return DumpMark.of_file(status.st_size, status.st_mtime_ns)


def _expect_dump(answer: Streamed, place: str) -> None:
    if answer.status == 200:
        return
    address = place.partition("?")[0]
    if answer.status in (401, 403):
        raise Failure(Trouble.DENIED, f"refuses access ({answer.status})", where=address)
    if answer.status in (404, 410):
        raise Failure(Trouble.MISSING, f"is not there ({answer.status})", where=address, advice="check the address")
    raise Failure(Trouble.MALFORMED, f"gave an unexpected answer ({answer.status})", where=address)


_LARGEST_BATCH = 32 * 1024 * 1024
"""What OSV says that an answer has at most over HTTP/1.1."""


class OsvClient:
    """Asks what an operator named; no redirect to another host counts."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def batch(self, address: str, queries: Sequence[Mapping[str, Any]]) -> Any:
        """What `/v1/querybatch` answers. It only asks, so it is tried again like a GET. Raises `Failure`."""
        answer = await self._http.request(
            "POST",
            f"{address.rstrip('/')}/v1/querybatch",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            content=json.dumps({"queries": list(queries)}).encode(),
            max_bytes=_LARGEST_BATCH,
            retry=True,
        )
        if answer.status != 200:
            raise _refusal_of(answer)
        return answer.json()

    async def record(self, address: str, name: str) -> bytes | None:
        """A record in the format of OSV; None where there is none of that name. Raises `Failure`."""
        url = f"{address.rstrip('/')}/v1/vulns/{quote(name, safe='')}"
        headers = {"Accept": "application/json"}
        answer = await self._http.request("GET", url, headers=headers, max_bytes=MAX_DOCUMENT_BYTES)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise _refusal_of(answer)
        return answer.body


def _refusal_of(answer: Answer) -> Failure:
    if answer.status in (401, 403):
        trouble, fault = Trouble.DENIED, "refuses access"
    else:
        trouble, fault = Trouble.MALFORMED, "gave an unexpected answer"
    return Failure(
        trouble, f"{fault} ({answer.status})", where=answer.where, advice="check the address", status=answer.status
    )
