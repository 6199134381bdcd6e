"""The MSBuild files of a repository, read when they are asked for."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.files.formats.dotnet.msbuild.elements import ProjectElement, read
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.text import Lines


@dataclass(frozen=True, slots=True)
class Document:
    """A project or a file that it imports; `path` is relative to the repository, with forward slashes."""

    path: str
    root: ProjectElement
    lines: Lines

    @classmethod
    def read(cls, path: str, source: str) -> "Document":
        """Reads a document from its text. Raises `Unreadable`."""
        return cls(path, read(source), Lines(source))


class Imports:
    """What MSBuild may read: (path, text) each. Every file is parsed once at most."""

    def __init__(self, files: Iterable[tuple[str, str]] = ()) -> None:
        self._texts = {posixpath.normpath(path): text for path, text in files}
        self._read: dict[str, Document | Unreadable] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._texts

    def paths(self) -> Iterable[str]:
        return self._texts

    def text(self, path: str) -> str:
        return self._texts[path]

    def changed(self, texts: Mapping[str, str]) -> "Imports":
        """Returns the files with new texts in some of them; what stays is not parsed again."""
        other = Imports()
        other._texts = {**self._texts, **texts}
        other._read = {path: read for path, read in self._read.items() if path not in texts}
        return other

    def get(self, path: str) -> Document | Unreadable | None:
        """The file at a path: why it cannot be read where that is so, None where there is none."""
        text = self._texts.get(path)
        if text is None:
            return None
        document = self._read.get(path)
        if document is None:
            try:
                document = Document.read(path, text)
            except Unreadable as error:
                document = error
            self._read[path] = document
        return document

    def nearest(self, name: str, folder: str) -> str | None:
        """The path of the file of that name in the folder or the closest one above it, as MSBuild looks for it."""
        while True:
            candidate = posixpath.join(folder, name)
            if candidate in self._texts:
                return candidate
            if not folder or folder == "/":
                return None
            folder = posixpath.dirname(folder)
