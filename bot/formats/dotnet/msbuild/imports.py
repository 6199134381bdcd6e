"""The files that a project is put together from, read when they are asked for."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.formats.dotnet.msbuild.elements import Element, read
from bot.formats.source.collector import Unreadable
from bot.formats.source.text import Lines

MOST_KEPT = 64
"""Shared files kept read, because the next project of the repository asks for the same ones."""


@dataclass(frozen=True, slots=True)
class Document:
    """A project or a file that it imports; `path` is relative to the repository, with forward slashes."""

    path: str
    root: Element
    lines: Lines

    @classmethod
    def read(cls, path: str, source: str) -> "Document":
        """Raises `Unreadable`."""
        return cls(path, read(source), Lines(source))


class Imports:
    """What MSBuild may import: (path, text) each. `unreadable` says which could not be read, and why."""

    def __init__(self, files: Sequence[tuple[str, str]] = ()) -> None:
        self._texts = {posixpath.normpath(path): text for path, text in files}
        self.unreadable: dict[str, str] = {}

    def get(self, path: str) -> Document | None:
        """The file at a path, None where there is none that can be read."""
        text = self._texts.get(path)
        if text is None or path in self.unreadable:
            return None
        read = _read(path, text)
        if isinstance(read, Unreadable):
            self.unreadable[path] = str(read)
            return None
        return read

    def nearest(self, name: str, folder: str) -> Document | None:
        """The file of that name in the folder or the closest one above it, as MSBuild looks for it."""
        while True:
            found = posixpath.join(folder, name)
            if found in self._texts or not folder or folder == "/":
                return self.get(found)
            folder = posixpath.dirname(folder)


@lru_cache(maxsize=MOST_KEPT)
def _read(path: str, text: str) -> Document | Unreadable:
    try:
        return Document.read(path, text)
    except Unreadable as error:
        return error
