"""An image in a folder: the OCI image layout, as skopeo's `oci:` and BuildKit's `--output type=oci` write it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from bot.clients.folders.opening import open_below
from bot.domain.bases.image import INDEXES, Index, check_digest, is_digest, read_document
from bot.domain.failure import Failure, Trouble

_MARKER = "oci-layout"
_INDEX = "index.json"
_BLOBS = "blobs"
_COSIGN_KIND = "kind"
_COSIGN_IMAGES = ("dev.cosignproject.cosign/image", "dev.cosignproject.cosign/imageIndex")
_NAME = "org.opencontainers.image.ref.name"
_TAG_OF_DIGEST = re.compile(r"sha(?:256|512)-(?P<digest>[0-9a-f]{64,128})(?P<kind>\.(?:sig|att|sbom))?")
_LARGEST_DOCUMENT = 4 * 1024 * 1024
_CHUNK = 256 * 1024


def is_layout(folder: Path) -> bool:
    """Also without the file that marks one, or without its index: what has blobs beside is no root file system."""
    marks = ((folder / _INDEX).is_file(), (folder / _MARKER).is_file(), (folder / _BLOBS).is_dir())
    return sum(marks) > 1


class OciLayout:
    """The blobs of a layout folder. Links are not followed: a blob lies in the folder or is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def index(self) -> Index:
        """The images that the layout's own index lists, without what was copied along, such as signatures.

        Raises `Failure` where it is none.
        """
        place = str(self._folder / _INDEX)
        document = read_document(_of_images(self._read_file(_INDEX)), place)
        if not isinstance(document, Index):
            raise Failure(Trouble.MALFORMED, "is no index", where=place)
        return document

    async def document(self, digest: str) -> bytes:
        body = await asyncio.to_thread(self._read_file, self._path(digest))
        check_digest(body, digest, str(self._folder))
        return body

    async def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
        with open_below(self._folder, self._path(digest)) as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk

    def _path(self, digest: str) -> str:
        if not is_digest(digest):
            raise Failure(Trouble.MALFORMED, f"names {digest[:80]!r} as a digest", where=str(self._folder))
        return f"{_BLOBS}/{digest.replace(':', '/')}"

    def _read_file(self, path: str) -> bytes:
        with open_below(self._folder, path) as file:
            body = file.read(_LARGEST_DOCUMENT + 1)
        if len(body) > _LARGEST_DOCUMENT:
            raise Failure(Trouble.MALFORMED, f"is larger than {_LARGEST_DOCUMENT} bytes", where=path)
        return body


def _of_images(body: bytes) -> bytes:
    """The index without what refers to images; as it is where nothing does, or where it cannot be read."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    entries = document.get("manifests") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return body
    images = [each for each in entries if not isinstance(each, dict) or not _refers(each)]
    images = [each for each in images if not isinstance(each, dict) or not _is_named_for_another(each)] or images
    return body if len(images) == len(entries) else json.dumps({**document, "manifests": images}).encode()


def _refers(entry: Mapping[str, Any]) -> bool:
    """Whether the entry is an artifact (OCI 1.1), or what cosign saves beside an image."""
    kind = _annotation(entry, _COSIGN_KIND)
    is_beside = (
        isinstance(kind, str) and kind.startswith("dev.cosignproject.cosign/") and kind not in _COSIGN_IMAGES
    )
    return bool(entry.get("artifactType")) or is_beside


def _is_named_for_another(entry: Mapping[str, Any]) -> bool:
    """Whether its tag is made of the digest of an image: that of cosign's signatures and the like, or that of
    an index of what refers to the image. An image may have its own digest as its tag."""
    match = _TAG_OF_DIGEST.fullmatch(str(_annotation(entry, _NAME)))
    if match is None:
        return False
    is_of_another = str(entry.get("mediaType")) in INDEXES and match["digest"] not in str(entry.get("digest"))
    return match["kind"] is not None or is_of_another


def _annotation(entry: Mapping[str, Any], name: str) -> object:
    annotations = entry.get("annotations")
    return annotations.get(name) if isinstance(annotations, dict) else None
