"""An image in a folder that somebody else filled: the OCI image layout, or one laid out like a root file system."""

import asyncio
import errno
import json
import os
import re
import stat
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from bot.domain.bases.image import INDEXES, Index, check_digest, is_digest, read_document
from bot.domain.failure import Failure, Trouble


def open_below(root: Path, relative: str) -> BinaryIO:
    """The regular file at `relative`, opened part by part without following a link.

    Raises `Failure`: MISSING where it is not there, DENIED where it may not be read, MALFORMED for a link, a device
    or a path that leads out of `root`.
    """
    parts = relative.split("/")
    place = str(root / relative)
    if any(part in ("", ".", "..") for part in parts):
        raise Failure(Trouble.MALFORMED, "is no path below it", where=place)
    folder = -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without O_NONBLOCK, a named pipe would be waited for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(parts[-1], flags, dir_fd=folder)
    except OSError as error:
        raise _failure(error, place) from error
    finally:
        if folder >= 0:
            os.close(folder)
    file = os.fdopen(opened, "rb")
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        file.close()
        raise Failure(Trouble.MALFORMED, "is no regular file", where=place)
    return file


def _failure(error: OSError, place: str) -> Failure:
    if error.errno in (errno.ENOENT, errno.ENXIO):
        return Failure(Trouble.MISSING, "is not there", where=place)
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return Failure(Trouble.MALFORMED, "is behind a link, which is not followed", where=place)
    return Failure(Trouble.DENIED, f"cannot be read: {error.strerror}", where=place)


_MOST_ENTRIES = 2_000_000
_MOST_DEPTH = 128
_NOT_OF_THE_IMAGE = frozenset({"proc", "sys", "dev"})
"""What a running system has in its root, and an image has not."""


def paths_below(
    root: Path, is_wanted: Callable[[str], bool], on_unread: Callable[[str], None]
) -> Iterator[tuple[str, str | None]]:
    """Paths of wanted files and links, relative to `root`, in order; with each link, what it leads to.

    Links to folders are not followed. `on_unread` is told of each folder that may not be looked into. Raises
    `Failure` where `root` is no folder, and past a bound of entries.
    """
    if not root.is_dir():
        raise Failure(Trouble.MISSING, "there is no such folder", where=str(root))

    def tell(error: OSError) -> None:
        on_unread(f"{os.path.relpath(error.filename, root)}: cannot be looked into: {error.strerror}")

    entries = 0
    for folder, folders, files in os.walk(root, onerror=tell):
        base = os.path.relpath(folder, root)
        prefix = "" if base == "." else f"{base}/"
        if not prefix:
            folders[:] = [name for name in folders if name not in _NOT_OF_THE_IMAGE]
        if prefix.count("/") >= _MOST_DEPTH and folders:
            on_unread(f"{base[:80]}…: is nested more than {_MOST_DEPTH} folders deep, and not looked into further")
            folders.clear()
        folders.sort()
        entries += len(files) + len(folders)
        if entries > _MOST_ENTRIES:
            raise Failure(Trouble.MALFORMED, f"has more than {_MOST_ENTRIES} entries", where=str(root))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted((*files, *links)):
            if is_wanted(prefix + name):
                yield prefix + name, _target(os.path.join(folder, name))


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def read_below(root: Path, path: str, largest: int) -> bytes:
    """Reads at most one byte more than `largest`, so that a reader can tell what is too large. Raises `Failure`."""
    with open_below(root, path) as file:
        return file.read(largest + 1)


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
