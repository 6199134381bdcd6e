"""An archive at an address of which only what is read is fetched, in pieces (RFC 9110, section 14)."""

import asyncio
import io
import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from bot.clients.http.answers import Answer, Streamed
from bot.clients.http.client import Http
from bot.domain.failure import Failure, Trouble

TAIL = 64 * 1024
"""The end of an archive says where its list is."""
_LEAST, _MOST = 32 * 1024, 4 * 1024 * 1024
_PART = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class ContentRange:
    """A part of `total` bytes that an answer says to hold, from `begin` up to `end`."""

    begin: int
    end: int
    total: int

    def ends_with(self, tail: bytes) -> bool:
        """Whether these bytes are as many as it has, up to the end of all."""
        return self.end == self.total and len(tail) == self.end - self.begin


def part_in(answer: Answer | Streamed) -> ContentRange | None:
    """The part that an answer of 206 holds; None for any other answer, and for one that does not tell."""
    told = _PART.fullmatch(answer.headers.get("content-range", ""))
    if answer.status != 206 or told is None:
        return None
    first, last, total = map(int, told.groups())
    return ContentRange(first, last + 1, total) if first <= last < total else None


def is_strong(etag: str) -> bool:
    """Whether a validator stands for the very same bytes, so that pieces of several answers belong together."""
    return etag.startswith('"') and len(etag) > 2


class RangedFile(io.RawIOBase):
    """Is read by a thread beside the loop whose client fetches the pieces; `abandon` ends what it waits for.

    Pieces grow while they are read one behind the other. Raises `Failure`, also where the archive is no more the
    one that `etag` marks.
    """

    def __init__(
        self, http: Http, place: str, headers: Mapping[str, str], etag: str, tail: bytes, part: ContentRange
    ) -> None:
        self._http = http
        self._place = place
        self._headers = {**headers, "If-Match": etag}
        self._loop = asyncio.get_running_loop()
        self._size = part.total
        self._tail = part.begin, tail
        self._piece = 0, b""
        self._length = _LEAST
        self._position = 0
        self._asked: Future[Answer] | None = None
        self._is_abandoned = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max((0, self._position, self._size)[whence] + offset, 0)
        return self._position

    def readinto(self, buffer: "bytearray | memoryview[int]") -> int:  # type: ignore[override]
        if self._position >= self._size:
            return 0
        taken = self._kept(self._position) or self._fetch(len(buffer))
        taken = taken[: len(buffer)]
        buffer[: len(taken)] = taken
        self._position += len(taken)
        return len(taken)

    def abandon(self) -> None:
        """Nothing more is fetched, and whoever waits for a piece gets none."""
        self._is_abandoned = True
        if self._asked is not None:
            self._asked.cancel()

    def _kept(self, position: int) -> memoryview:
        for begin, data in (self._piece, self._tail):
            if begin <= position < begin + len(data):
                return memoryview(data)[position - begin :]
        return memoryview(b"")

    def _fetch(self, wanted: int) -> memoryview:
        begin, last = self._position, self._piece[0] + len(self._piece[1])
        self._length = min(2 * self._length, _MOST) if begin == last else _LEAST
        end = min(begin + max(self._length, min(wanted, _MOST)), self._size)
        if self._is_abandoned:
            raise Failure(Trouble.UNREACHABLE, "is not read any more", where=self._place.partition("?")[0])
        headers = {**self._headers, "Range": f"bytes={begin}-{end - 1}"}
        request = self._http.request("GET", self._place, headers=headers, max_bytes=end - begin)
        self._asked = asyncio.run_coroutine_threadsafe(request, self._loop)
        answer = self._asked.result()
        if part_in(answer) != ContentRange(begin, end, self._size) or len(answer.body) != end - begin:
            fault = f"was replaced while it was read, or sent otherwise than in pieces ({answer.status})"
            raise Failure(Trouble.UNREACHABLE, fault, where=answer.where, advice="it is read again later")
        self._piece = begin, answer.body
        return memoryview(answer.body)
