"""One place where a repository names a reference, what it named before, and one change of a file's text."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NewType

from bot.domain.platform import usual_name
from bot.domain.reference import Reference
from bot.domain.repositories.sdk_pin import SdkPin

Kind = NewType("Kind", str)
"""The kind of file that a usage stands in: a plain word, one for each format of `bot.files.formats.table`."""


class Role(StrEnum):
    """What the image is for where it is named."""

    BUILD_STAGE = "build-stage"
    FINAL_STAGE = "final-stage"
    COPIED_FROM = "copied-from"
    MOUNTED_FROM = "mounted-from"
    SYNTAX = "syntax"
    IMAGE = "image"
    BUILD_ARGUMENT = "build-argument"
    CONTEXT = "context"
    CONTAINER = "container"
    SERVICE = "service"
    ACTION = "action"
    FEATURE = "feature"
    BASE_IMAGE = "base-image"
    IMPLICIT_BASE = "implicit-base"
    SDK_PIN = "sdk-pin"


BUILT_UPON = frozenset(
    {
        Role.BUILD_STAGE,
        Role.FINAL_STAGE,
        Role.COPIED_FROM,
        Role.MOUNTED_FROM,
        Role.BUILD_ARGUMENT,
        Role.CONTEXT,
        Role.BASE_IMAGE,
        Role.IMPLICIT_BASE,
    }
)
"""Roles in which an image goes into what is built; in others it is run."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `[start, end)` of the file's text as decoded (see `formats.source.text`)."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """The characters of `str(reference)` from `at` on stand at `span`, one for one.

    An empty span at the reference's end is the place where a digest may be added. `path` names the file where that
    is not the usage's own.
    """

    at: int
    span: Span
    path: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class FileLine:
    """A line of a file, counted from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Usage:
    """A resolved reference and where to rewrite it.

    `line` is 1-based and names the line where the text to rewrite stands: the tag, else the digest, else the
    name. `span` covers exactly the reference's text; where the reference is put together from ARGs or separate
    keys, it covers the part that holds the tag (else the digest, else the name). The finer spans are set where
    that part can be replaced on its own. A usage without any span needs a rebuild, not an edit.
    """

    path: str
    kind: Kind
    line: int
    reference: Reference
    role: Role
    span: Span | None = None
    tag_span: Span | None = None
    digest_span: Span | None = None
    name_span: Span | None = None
    stage: str | None = None
    platforms: tuple[str, ...] = ()
    assembled: bool = False
    marker: str | None = None
    """The digest that a marker line above the usage records, if there is one."""
    fixed_because: str | None = None
    """Why the text cannot be rewritten, in words for a maintainer; None where it can."""
    pieces: tuple[Piece, ...] = ()
    """Where an assembled reference is put together from; characters that no text of the file holds have none.

    Empty where the spans above tell it all.
    """
    statement: int | None = None
    """The first line of the instruction that names the reference, where that is not `line`; markers go above it."""
    sdk_pin: SdkPin | None = None
    """What a global.json asks for."""
    named_at: FileLine | None = None
    """Where the reference is named, if that is another file than the one that holds its tag: a project whose base
    takes its version from Directory.Build.props."""

    @property
    def is_pinned(self) -> bool:
        return self.reference.digest is not None

    @property
    def is_editable(self) -> bool:
        """Whether its text stands where it can be rewritten."""
        return self.span is not None and self.fixed_because is None

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that its text stands in, the one to rewrite first."""
        naming_paths = [self.named_at.path] if self.named_at is not None else []
        return tuple(dict.fromkeys([self.path, *(piece.path or self.path for piece in self.pieces), *naming_paths]))

    def lost(self, lacks: Collection[str]) -> tuple[str, ...]:
        """The platforms that it says to build for, of those that its base does not have any more."""
        if not lacks:
            return ()
        platform_names = {usual_name(platform) for platform in self.platforms}
        return tuple(each for each in lacks if each in platform_names)

    def builds_for(self, changed: Iterable[str]) -> bool:
        """Whether any of the platforms that changed matters; all do where nothing is said on either side.

        They compare by system and architecture. Which variant serves a machine is for Docker to choose
        (`linux/arm` takes `linux/arm/v7`), and a rebuild too many does less harm than one too few.
        """
        if not self.platforms:
            return True
        heads = _without_variants(tuple(changed))
        return not heads or not heads.isdisjoint(_without_variants(self.platforms))


@lru_cache(maxsize=1024)
def _without_variants(platforms: tuple[str, ...]) -> frozenset[str]:
    return frozenset("/".join(platform.split("/")[:2]) for platform in platforms)


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """Something in a file that a maintainer should know: one line, what, where and what to do."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class OpenReference:
    """A place that names an image which the texts do not tell, and why; it is told as a problem too.

    `pattern` is what is written, with `*` for each part that is not known.
    """

    path: str
    line: int
    pattern: str
    reason: str

    def may_be(self, reference: Reference) -> bool:
        return fnmatchcase(str(reference), self.pattern)


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one file told."""

    usages: tuple[Usage, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    open_references: tuple[OpenReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Replacement:
    """Ask for every usage of `old` to become `new`.

    With `marker`, the reference stays as it is and the marker line above it records `new.digest`.
    """

    old: Reference
    new: Reference
    marker: bool = False


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The file after a rewrite; `edits` counts the places changed, `refused` names those that could not be.

    `moved` tells what else the edits of a shared property move: other files' bases, and whatever else uses it.
    """

    data: bytes
    edits: int
    refused: tuple[SourceProblem, ...] = ()
    moved: tuple[SourceProblem, ...] = ()


NO_TAG = "latest"
"""The tag of what is named without any, and without a digest."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A tag or digest of one image, and `since` when the place was first seen to name it, or for longer, where it
    `is_older`; until the next one begins."""

    tag: str | None
    digest: str | None
    since: datetime
    is_older: bool = False


def what_is_named(tag: str | None, digest: str | None) -> str:
    """What both name together: beside a digest the tag says nothing."""
    return digest or tag or NO_TAG


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The characters of `path` at `span` become `text`; an empty span inserts."""

    path: str
    span: Span
    text: str
