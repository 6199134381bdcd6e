"""Plain bytes out of gzip, zstd or plain ones, pushed in as they come, with bounds against bombs."""

import zlib
from collections.abc import Iterator, Mapping

from backports import zstd

from bot.images.packages.reading import malformed

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
_LONGEST_MAGIC = 4

LARGEST = 16 * 1024**3
_SUSPICIOUS = 64 * 1024 * 1024
_HIGHEST_RATIO = 100
"""Layers shrink to a third, those of text to a tenth; a bomb to a thousandth and less."""
_MOST_FRAMES = 500_000
"""A seekable layer (eStargz, zstd:chunked) has a frame for each of its files."""
_PIECE = 1024 * 1024
_LARGEST_WINDOW: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 26}
"""64 MiB, which a decoder keeps in memory."""


class Inflater:
    """The form is told by the first bytes. `largest` bounds what comes out, for what may be kept in memory."""

    def __init__(self, place: str, largest: int = LARGEST) -> None:
        self._place = place
        self._largest = largest
        self._start = b""
        self._decoder: _Plain | _Gzip | _Zstd | None = None
        self._packed_size = 0
        self._unpacked_size = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes that `chunk` adds. Raises `Failure` for a damaged stream and for a bomb."""
        self._packed_size += len(chunk)
        if self._decoder is None:
            self._start += chunk
            if len(self._start) < _LONGEST_MAGIC:
                return
            chunk, self._start = self._start, b""
            self._decoder = _decoder(chunk)
        try:
            for piece in self._decoder.feed(chunk):
                self._unpacked_size += len(piece)
                self._check()
                yield piece
        except (zlib.error, zstd.ZstdError) as error:
            raise malformed(f"is damaged: {str(error)[:80]}", self._place) from error
        if self._decoder.frames > _MOST_FRAMES:
            raise malformed(f"consists of more than {_MOST_FRAMES} frames", self._place)

    def finish(self) -> Iterator[bytes]:
        """What is left once all has been fed. Raises `Failure` where the stream was cut short."""
        if self._decoder is None:
            yield self._start
        elif not self._decoder.is_complete:
            raise malformed("is cut short", self._place)

    def _check(self) -> None:
        if self._unpacked_size > self._largest:
            raise malformed(f"unpacks to more than {self._largest} bytes", self._place)
        if self._unpacked_size > _SUSPICIOUS and self._unpacked_size > _HIGHEST_RATIO * self._packed_size:
            raise malformed(f"unpacks to more than {_HIGHEST_RATIO} times its size", self._place)


def is_zstd(start: bytes) -> bool:
    """Whether bytes begin with a frame of zstd, a skippable one among them."""
    return start.startswith(_ZSTD) or (start[1:4] == _SKIPPABLE and start[0] & 0xF0 == 0x50)


def _decoder(start: bytes) -> "_Plain | _Gzip | _Zstd":
    if start.startswith(_GZIP):
        return _Gzip()
    if is_zstd(start):
        return _Zstd()
    return _Plain()


class _Plain:
    is_complete = True
    frames = 1

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Gzip:
    """One member after the other (RFC 1952); zeros behind the last are padding."""

    def __init__(self) -> None:
        self.frames = 0
        self._member: zlib._Decompress | None = None
        self._is_padded = False

    @property
    def is_complete(self) -> bool:
        return self._member is None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._member is None:
                if self._is_padded or chunk[0] == 0:
                    self._is_padded = True
                    if chunk.strip(b"\0"):
                        raise zlib.error("something follows its end")
                    return
                self._member = zlib.decompressobj(wbits=31)
                self.frames += 1
            piece = self._member.decompress(chunk, _PIECE)
            if piece:
                yield piece
            if self._member.eof:
                chunk = self._member.unused_data
                self._member = None
            else:
                chunk = self._member.unconsumed_tail


class _Zstd:
    """One frame after the other (RFC 8878), skippable ones among them."""

    def __init__(self) -> None:
        self.frames = 0
        self._frame: zstd.ZstdDecompressor | None = None

    @property
    def is_complete(self) -> bool:
        return self._frame is None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk or self._frame is not None:
            if self._frame is None:
                self._frame = zstd.ZstdDecompressor(options=_LARGEST_WINDOW)
                self.frames += 1
            piece, chunk = self._frame.decompress(chunk, _PIECE), b""
            if piece:
                yield piece
            if self._frame.eof:
                chunk, self._frame = self._frame.unused_data, None
            elif self._frame.needs_input:
                return
