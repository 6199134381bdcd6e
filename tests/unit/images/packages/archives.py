"""Layers made by hand, honest and hostile."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import AsyncGenerator, Iterable, Mapping

from backports.zstd import compress

from bot.images.packages.layers.layer import LayerContents, LayerReader

STATUS = "var/lib/dpkg/status"


def paragraph(name: str, version: str = "1.0") -> bytes:
    return f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n\n".encode()


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


def archive(
    files: Mapping[str, bytes] | None = None,
    others: Iterable[tarfile.TarInfo] = (),
    form: int = tarfile.PAX_FORMAT,
) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as tar:
        for info in others:
            tar.addfile(info)
        for name, data in (files or {}).items():
            tar.addfile(entry(name, size=len(data)), io.BytesIO(data))
    return packed.getvalue()


def zstd(data: bytes) -> bytes:
    return compress(data)


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def read(blob: bytes, chunk: int = 65_536, named: str | None = None) -> LayerContents:
    reader = LayerReader(named or digest(blob))
    for start in range(0, len(blob), chunk):
        reader.feed(blob[start : start + chunk])
    return reader.finish()


class BlobsInMemory:
    """The port of an image's content, over bytes at hand; it counts how often each layer is fetched."""

    def __init__(self, *blobs: bytes) -> None:
        self.blobs = {digest(blob): blob for blob in blobs}
        self.fetched: list[str] = []

    async def document(self, digest: str) -> bytes:
        return self.blobs[digest]

    async def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
        self.fetched.append(digest)
        for start in range(0, len(self.blobs[digest]), 65_536):
            yield self.blobs[digest][start : start + 65_536]
