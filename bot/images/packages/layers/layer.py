"""One layer of an image, read as its bytes come: what it brings, and what it takes away from the layers below.

The rules for whiteouts are those of the OCI image specification, "Representing Changes".
"""

import hashlib
import posixpath
from dataclasses import dataclass, field

from bot.domain.bases.image import is_digest
from bot.images.packages.databases import dotnet, places
from bot.images.packages.layers.inflate import Inflater
from bot.images.packages.layers.tar import TarEntry, TarEntryKind, TarReader
from bot.images.packages.reading import malformed

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MOST_ENTRIES = 500_000
_MOST_MARKS = 200_000
_MOST_FILES = 20_000
MARK = 8
"""Bytes of a mark."""
_MOST_DEPTH = 128
LARGEST_KEPT = 192 * 1024 * 1024
"""Bytes of what is read for packages, of one layer or folder together."""
_MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class LayerContents:
    """What a layer says of packages, by itself: it can be kept under the layer's digest.

    `files` are those of `places`, and the folders of shared frameworks with the names of what each holds, one a
    line (what was read early has none). `removed` and `opaque` are the whiteouts, `replaced` are links and
    devices: each hides what lies there and below in lower layers. So does a regular file in place of a folder:
    `marks` are short hashes, one behind the other, of the paths of all regular files, whose names alone would be
    most of what is kept. With a slash behind, they are of folders that take the place of a link below, if there
    is one. `links` are those of `replaced` that lead to a folder where what they would hold is looked for as
    well. `hard_links` are those whose content lies in a layer below, as it was when this one was made. `diff_id` is
    the digest of the layer unpacked, by which it is known again where it was packed otherwise.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    diff_id: str = field(default="", compare=False)
    marks: bytes = b""
    links: dict[str, str] = field(default_factory=dict)
    hard_links: dict[str, str] = field(default_factory=dict)


class LayerReader:
    """Takes a layer's blob in chunks of any size; nothing of it counts before `finish` has checked its digest."""

    def __init__(self, digest: str) -> None:
        self._place = f"layer {digest[:19]}…"
        if not is_digest(digest):
            raise malformed("has no sha256 or sha512 digest", self._place)
        self._digest = digest
        self._hash = hashlib.new(digest.partition(":")[0])
        self._unpacked = hashlib.sha256()
        self._inflater = Inflater(self._place)
        self._tar = TarReader(self._place, self._on_entry, self._on_content)
        self._files: dict[str, bytes] = {}
        self._kept_size = 0
        self._entries = 0
        self._removed: set[str] = set()
        self._opaque: set[str] = set()
        self._replaced: set[str] = set()
        self._marks = bytearray()
        self._links: dict[str, str] = {}
        self._hard_links: dict[str, str] = {}
        self._frameworks: dict[str, list[str]] = {}
        self._problems: list[str] = []

    def feed(self, chunk: bytes) -> None:
        """Takes in a piece of the blob. Raises `Failure` where that is damaged or hostile."""
        self._hash.update(chunk)
        for piece in self._inflater.feed(chunk):
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        self._unpacked.update(piece)
        self._tar.feed(piece)

    def finish(self) -> LayerContents:
        """Raises `Failure` where the blob is not the one that the digest names, or is cut short."""
        if self._hash.hexdigest() != self._digest.partition(":")[2]:
            raise malformed("is not what its digest names", self._place)
        for piece in self._inflater.finish():
            self._take(piece)
        self._tar.finish()
        frameworks = {folder: "\n".join(names).encode() for folder, names in self._frameworks.items()}
        return LayerContents(
            self._files | frameworks,
            frozenset(self._removed),
            frozenset(self._opaque),
            frozenset(self._replaced),
            tuple(self._problems),
            f"sha256:{self._unpacked.hexdigest()}",
            bytes(self._marks),
            self._links,
            self._hard_links,
        )

    def _on_entry(self, entry: TarEntry) -> bool:
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            raise malformed(f"has more than {_MOST_ENTRIES} entries", self._place)
        path = _relative(entry.name)
        if path is None:
            self._note(f"an entry named {entry.name[:80]!r} leads out of the image and is not read")
            return False
        folder, _, name = path.rpartition("/")
        if name.startswith(_WHITEOUT):
            self._whiteout(folder, name)
            return False
        if entry.kind is TarEntryKind.FILE:
            return self._on_file(path, entry)
        if entry.kind is not TarEntryKind.FOLDER or places.largest(path):
            self._mark(self._replaced, path)
            self._files.pop(path, None)
            self._hard_links.pop(path, None)
            self._frameworks.pop(path, None)
        if entry.kind is not TarEntryKind.FOLDER:
            self._on_link(path, entry)
            if entry.kind is TarEntryKind.SYMLINK and (led := places.known_folder(path, entry.target)) is not None:
                self._links[path] = led
        elif path in places.DATABASES:
            self._note(f"{path} is a folder in the place of a database")
        elif path in places.LINKED_FOLDERS:
            self._marks += mark_of(f"{path}/")
        return False

    def _on_file(self, path: str, entry: TarEntry) -> bool:
        self._marks += mark_of(path)
        self._hard_links.pop(path, None)
        self._on_framework(path)
        if path in places.NOT_READ:
            self._keep(path, b"")
        largest = places.largest(path)
        if not largest:
            return False
        if entry.size > largest or entry.is_sparse:
            self._note(
                f"{path} is {'sparse' if entry.is_sparse else f'larger than {largest} bytes'}; it is not read"
            )
            return False
        return True

    def _on_content(self, entry: TarEntry, content: bytes) -> None:
        path = _relative(entry.name)
        assert path is not None
        self._keep(path, content)

    def _on_link(self, path: str, entry: TarEntry) -> None:
        """A hard link to a file of the same layer that is kept is that file, and one to a file that a layer below
        may have kept is looked for there; other links are not followed."""
        is_hard = entry.kind is TarEntryKind.HARD_LINK
        target = _relative(entry.target) if is_hard else None
        if is_hard:
            self._on_framework(path)
        if target is not None and target in self._files and places.largest(path):
            self._keep(path, self._files[target])
        elif target is not None and places.is_linked_below(path, target):
            self._hard_links[path] = self._hard_links.get(target, target)
        elif places.hides_packages(path, entry.target):
            self._note(f"{path} is a {entry.kind} to {entry.target[:80]!r}, which is not followed")

    def _on_framework(self, path: str) -> None:
        """A shared framework is there with its files, of which each may be taken away by itself."""
        folder = dotnet.framework_folder(path)
        if folder is not None:
            name = path.removeprefix(f"{folder}/")
            self._frameworks.setdefault(folder, []).append(name)
            self._keep(folder, b"")
            self._count(len(name))

    def _whiteout(self, folder: str, name: str) -> None:
        if name == _OPAQUE:
            self._mark(self._opaque, folder)
            return
        removed = name.removeprefix(_WHITEOUT)
        if removed and not removed.startswith(_WHITEOUT):
            self._mark(self._removed, f"{folder}/{removed}" if folder else removed)

    def _keep(self, path: str, content: bytes) -> None:
        """Keeps a file. What hard links lead to counts each time, since it is read as often."""
        self._files[path] = content
        self._count(len(content))
        if len(self._files) > _MOST_FILES:
            raise malformed(f"holds more than {_MOST_FILES} package databases", self._place)

    def _count(self, size: int) -> None:
        self._kept_size += size
        if self._kept_size > LARGEST_KEPT:
            raise malformed(f"holds more than {LARGEST_KEPT} bytes of package databases", self._place)

    def _mark(self, marks: set[str], path: str) -> None:
        marks.add(path)
        if len(marks) > _MOST_MARKS:
            raise malformed(f"has more than {_MOST_MARKS} links or whiteouts", self._place)

    def _note(self, problem: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(f"{self._place}: {problem}")


def mark_of(path: str) -> bytes:
    """Gives the short hash that stands for a path among a layer's marks."""
    return hashlib.blake2b(path.encode(), digest_size=MARK).digest()


def _relative(name: str) -> str | None:
    """The path below the root; None for one that leads out of it. Container runtimes take `/etc` as `etc` too."""
    if name.count("/") > _MOST_DEPTH:
        return None
    if ".." in name and ".." in name.split("/"):
        return None
    path = posixpath.normpath(name.lstrip("/"))
    return "" if path == "." else path
