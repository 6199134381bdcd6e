"""An image in a folder: the OCI image layout, as skopeo's `oci:` and BuildKit's `--output type=oci` write it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from bot.clients.opening import open_below
from bot.domain.bases.image import Index, check_digest, is_digest, read_document
from bot.domain.failure import Failure, Trouble

_MARKER = "oci-layout"
_INDEX = "index.json"
_LARGEST_DOCUMENT = 4 * 1024 * 1024
_CHUNK = 256 * 1024


def is_layout(folder: Path) -> bool:
    return (folder / _MARKER).is_file() and (folder / _INDEX).is_file()


class OciLayout:
    """The blobs of a layout folder. Links are not followed: a blob lies in the folder or is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def index(self) -> Index:
        """The layout's own index. Raises `Failure` where it is none."""
        where = str(self._folder / _INDEX)
        document = read_document(self._read(_INDEX), where)
        if not isinstance(document, Index):
            raise Failure(Trouble.MALFORMED, "is no index", where=where)
        return document

    async def document(self, digest: str) -> bytes:
        body = await asyncio.to_thread(self._read, self._path(digest))
        check_digest(body, digest, str(self._folder))
        return body

    async def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
        with open_below(self._folder, self._path(digest)) as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk

    def _path(self, digest: str) -> str:
        if not is_digest(digest):
            raise Failure(Trouble.MALFORMED, f"names {digest[:80]!r} as a digest", where=str(self._folder))
        return f"blobs/{digest.replace(':', '/')}"

    def _read(self, path: str) -> bytes:
        with open_below(self._folder, path) as file:
            body = file.read(_LARGEST_DOCUMENT + 1)
        if len(body) > _LARGEST_DOCUMENT:
            raise Failure(Trouble.MALFORMED, f"is larger than {_LARGEST_DOCUMENT} bytes", where=path)
        return body
