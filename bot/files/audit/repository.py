"""The texts of one repository, each parsed at most once, whichever rules ask for it."""

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from typing import Protocol, TypeVar, cast

from bot.domain.images.claims import name_and_tag
from bot.domain.images.seen_config import SeenConfig
from bot.domain.repositories.finding import Place
from bot.domain.repositories.surroundings import NOTHING_KNOWN, Surroundings
from bot.domain.repositories.usage import Kind
from bot.files.formats.dockerfile import KIND as DOCKERFILE
from bot.files.formats.finding import LARGEST_FILE, refusal
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping as YamlMapping
from bot.files.formats.source.nodes import Node, Scalar, Sequence
from bot.files.formats.source.text import Lines, decode
from bot.files.formats.source.yaml import read
from bot.files.formats.table import kind_of, kind_of_file
from bot.files.scope import Scope

T = TypeVar("T")


class PartOfFile(Protocol):
    """A mapping of the file at `path`, or of none that is there."""

    @property
    def path(self) -> str: ...

    @property
    def mapping(self) -> YamlMapping: ...


_BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")
"""What files in UTF-16 begin with."""


class RepositoryTexts:
    """`files` are all texts that are known of it, by path from its root; `name` is what the forge calls it.

    `produced` are the images that were built from it, as far as they were seen in a registry. `leaves_out` False
    has all files judged, those of tests and samples too. `surroundings` is what counts besides the files.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        name: str = "",
        produced: Collection[SeenConfig] = (),
        *,
        leaves_out: bool = True,
        surroundings: Surroundings = NOTHING_KNOWN,
    ) -> None:
        self.name = name
        self.surroundings = surroundings
        self.produced = tuple(produced)
        self.leaves_out = leaves_out
        self._files = dict(sorted(files.items()))
        self._texts: dict[str, str] = {}
        self._documents: dict[str, list[Node] | Unreadable] = {}
        self._owners: dict[int, tuple[str, Lines]] = {}
        self._models: dict[object, object] = {}
        self._kinds: dict[str, Kind | None] = {}
        self._adopted: list[str] = []

    @property
    def paths(self) -> list[str]:
        """The paths of all files, in order."""
        return list(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def with_files(self, files: Mapping[str, bytes]) -> "RepositoryTexts":
        """The same repository with other texts; all else that is known of it stays."""
        return RepositoryTexts(
            files, self.name, self.produced, leaves_out=self.leaves_out, surroundings=self.surroundings
        )

    def text(self, path: str) -> str:
        """The file's text; empty where there is no such file, or where its bytes are refused."""
        text = self._texts.get(path)
        if text is None:
            data = self._files.get(path, b"")
            text = "" if refusal(data) is not None else decode(data)
            self._texts[path] = text
            self._owners[id(text)] = (path, Lines(text))
        return text

    def refusal(self, path: str) -> str | None:
        """Why a file's bytes are refused, and what to do about it; None where they are read as text."""
        return refusal(self._files.get(path, b""))

    def glimpse(self, path: str) -> str:
        """The text by which a file is recognized: of one that is refused, what its first bytes would be as text."""
        if self.refusal(path) is None:
            return self.text(path)
        data = self._files[path][:LARGEST_FILE].replace(b"\0", b"")
        return decode(data[2:] if data.startswith(_BYTE_ORDERS) else data)

    def kind(self, path: str) -> Kind | None:
        """What kind a file is, by its text too where its path alone does not tell."""
        if path not in self._kinds:
            self._kinds[path] = kind_of_file(path, lambda: self.glimpse(path))
        return self._kinds[path]

    def lines(self, path: str) -> Lines:
        return self._owners[id(self.text(path))][1]

    def documents(self, path: str) -> list[Node]:
        """The roots of a YAML file; none where it cannot be read."""
        outcome = self._documents.get(path)
        if outcome is None:
            refused = self.refusal(path)
            try:
                outcome = read(self.text(path)) if refused is None else Unreadable(1, refused)
            except Unreadable as error:
                outcome = error
            self._documents[path] = outcome
        return outcome if isinstance(outcome, list) else []

    def unreadable(self, path: str) -> Unreadable | None:
        """Why a YAML file cannot be read, or its bytes are refused; None where it is read."""
        self.documents(path)
        outcome = self._documents[path]
        return outcome if isinstance(outcome, Unreadable) else None

    def root(self, path: str) -> YamlMapping | None:
        """The one mapping that a YAML file is."""
        documents = self.documents(path)
        return documents[0] if documents and isinstance(documents[0], YamlMapping) else None

    def path_of(self, node: Node) -> str:
        """The file that a node was read from; empty for one that no file holds."""
        first = first_scalar(node)
        return self._owners.get(id(first.source), ("", None))[0] if first is not None else ""

    def place(self, node: Node, path: str = "") -> Place:
        """The lines that a node takes; `path` where it may be one that no file holds."""
        first, last = first_scalar(node), last_scalar(node)
        if first is None or last is None or id(first.source) not in self._owners:
            return Place(path, 1, 1)
        owner, lines = self._owners[id(first.source)]
        end = last.end if last.source is first.source else first.end
        return Place(owner, lines.at(first.start), max(lines.at(first.start), lines.at(max(end - 1, first.start))))

    def where(self, part: "PartOfFile") -> Place:
        """The lines of a job or a step."""
        return self.place(part.mapping, part.path)

    def kept(self, make: "Callable[[RepositoryTexts], T]") -> T:
        """What `make` gives for this repository, made once: a model that several rules share."""
        if make not in self._models:
            self._models[make] = make(self)
        return cast("T", self._models[make])

    @cached_property
    def dockerfiles(self) -> list[str]:
        """The Dockerfiles that images are built from, without those that are left out."""
        return [
            path
            for path in self._files
            if kind_of(path) == DOCKERFILE and self.kind(path) == DOCKERFILE and self.scope.is_judged(path)
        ]

    @cached_property
    def scope(self) -> Scope:
        """Which of the files are judged."""
        return Scope(self, leaves_out=self.leaves_out)

    def produced_from(self, path: str) -> SeenConfig | None:
        """Returns the image that was built from a Dockerfile, which is clear only where there is one of each."""
        return self.produced[0] if len(self.produced) == 1 and self.dockerfiles == [path] else None

    def produced_as(self, image: str) -> SeenConfig | None:
        """The image of that name: of several tags with a build each the one that is named, else whatever tag or
        digest stands behind it."""
        name, tag = name_and_tag(image.partition("@")[0])
        mine = [each for each in self.produced if each.image == name]
        return mine[0] if len(mine) == 1 else next((each for each in mine if each.tag == tag), None)

    def adopt(self, text: str, path: str, lines: Lines) -> None:
        """Makes places in a text that was made from the file known; `lines` tells the file's own."""
        self._adopted.append(text)
        self._owners[id(text)] = (path, lines)

    def below(self, folder: str) -> Iterator[str]:
        prefix = f"{folder}/" if folder else ""
        return (path for path in self._files if path.startswith(prefix))

    def first(self, folder: str, *names: str) -> str | None:
        """The first of these files that the folder has."""
        return next((path for name in names if (path := posixpath.join(folder, name)) in self._files), None)


def first_scalar(node: Node) -> Scalar | None:
    """The scalar that a node begins with; of a mapping put together from several files, that of its own one."""
    for _ in range(100):
        match node:
            case Scalar():
                return node
            case Sequence(items=[first, *_]):
                node = first
            case YamlMapping(own=own, start=start) if own:
                return min((key for key, _ in own.values()), key=lambda key: (abs(key.start - start), key.value))
            case _:
                return None
    return None


def last_scalar(node: Node) -> Scalar | None:
    """The scalar that a node ends with, in the file that it begins in."""
    first = first_scalar(node)
    last = first
    for _ in range(100):
        match node:
            case Scalar():
                return node if first is not None and node.source is first.source and node.end > node.start else last
            case Sequence(items=[*_, final]):
                node = final
            case YamlMapping(own=own):
                ours = [entry for entry in own.values() if first is not None and entry[0].source is first.source]
                if not ours:
                    return last
                last, node = max(ours, key=lambda entry: entry[0].start)
            case _:
                return last
    return last
