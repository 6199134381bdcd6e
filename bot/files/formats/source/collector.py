"""What one file tells, put together while it is read."""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.usage import Findings, Kind, OpenReference, Piece, Role, SourceProblem, Span, Usage
from bot.domain.tags.tag import Tag
from bot.files.formats.source.nodes import Mapping, Scalar
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import Lines

LONGEST_QUOTE = 80
BUILT_BY_KO = "ko://"
IMAGE_CONTEXT = "docker-image://"
"""What stands before an image that is a build context, in Compose and Bake alike."""
_FULL_PRECISION = 3
_NAMES_AN_IMAGE = re.compile(r"(?:image|container)$", re.IGNORECASE)


class Unreadable(Exception):
    """The text cannot be read; `line` is 1-based, `str()` says why in words for a maintainer."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        super().__init__(why)


class Collector:
    """Usages and problems of one file; what is found twice at the same place counts once."""

    def __init__(self, path: str, text: str, kind: Kind) -> None:
        self.path = path
        self.text = text
        self.kind = kind
        self.lines = Lines(text)
        self._usages: dict[Usage, None] = {}
        self._problems: dict[SourceProblem, None] = {}
        self._open: dict[OpenReference, None] = {}

    def image(self, text: Spanned, role: Role, *, assembled: bool = False, digest_place: int | None = None) -> bool:
        """Adds the usage that `text` is; False where it is no image reference."""
        usage = self.usage(text, role, assembled=assembled, digest_place=digest_place)
        if usage is not None:
            self.add(usage)
        return usage is not None

    def image_or_problem(self, text: Spanned, role: Role, *, digest_place: int | None = None) -> None:
        """Adds an image, or a problem, where nothing but an image (or a Go package for ko) makes sense."""
        if (
            text.text.strip()
            and not text.text.startswith(BUILT_BY_KO)
            and not self.image(text, role, digest_place=digest_place)
        ):
            self.problem(text.place(0), f"{quoted(text.text)} is no image reference; correct it")

    def image_or_part(self, text: Spanned, role: Role, *, why_fixed: str, statement: int | None = None) -> None:
        """As `image_or_problem`, where variables may have supplied a part of the image.

        No digest can be added then: behind the image it would be that of all values that the variable has, and
        where the value stands it would meet others that expect a version. Only another tag brings it up to date.
        `statement` is the line that markers go above, if it is not the usage's own.
        """
        usage = self.usage(text, role)
        if usage is not None and statement is not None and statement != usage.line:
            usage = replace(usage, statement=statement)
        if usage is None:
            self.image_or_problem(text, role)
        elif usage.assembled and usage.reference.digest is None and not _is_patch(usage.reference.tag):
            self.add(replace(usage, span=None, fixed_because=why_fixed))
        else:
            self.add(usage)

    def usage(
        self, text: Spanned, role: Role, *, assembled: bool = False, digest_place: int | None = None
    ) -> Usage | None:
        """The usage that `text` is, or None where it is no image reference.

        `assembled` says that it was put together from parts even where these happen to stand side by side;
        `digest_place` is where a digest can be added to such a one, if not right behind its last character.
        """
        text = text.strip()
        try:
            reference = Reference.parse(text.text)
        except InvalidReference:
            return None
        if str(reference) != text.text:
            return None
        name_end = len(reference.name)
        tag_end = name_end if reference.tag is None else name_end + 1 + len(reference.tag)
        name = text.span(0, name_end)
        tag = text.span(name_end + 1, tag_end)
        digest = text.span(tag_end + 1, len(text))
        if reference.tag is not None:
            decisive = (name_end + 1, tag_end)
        elif reference.digest is not None:
            decisive = (tag_end + 1, len(text))
        else:
            decisive = (0, name_end)
        whole = None if assembled else text.span(0, len(text))
        span, pieces = whole, list[Piece]()
        if whole is None:
            decisive_pieces = text.pieces(*decisive)
            span = decisive_pieces[-1].span if decisive_pieces else None
            pieces = text.pieces(0, len(text))
            if reference.digest is None and (end := self._digest_place(text, digest_place)) is not None:
                pieces.append(Piece(len(text), Span(end, end)))
        return Usage(
            path=self.path,
            kind=self.kind,
            line=self.lines.at(span.start if span else text.place(decisive[0])),
            reference=reference,
            role=role,
            span=span,
            tag_span=tag,
            digest_span=digest,
            name_span=name,
            assembled=whole is None,
            fixed_because=None if span else written_with_escapes(reference),
            pieces=tuple(pieces),
        )

    def _digest_place(self, text: Spanned, place: int | None) -> int | None:
        if place is not None:
            return place
        last = text.places[-1]
        return last + 1 if last >= 0 else None

    def add(self, usage: Usage) -> None:
        self._usages[usage] = None

    def problem(self, place: int, message: str) -> None:
        """`place` is an offset in the text."""
        self._problems[SourceProblem(self.path, self.lines.at(place), message)] = None

    def leave_open(self, place: int, pattern: str, why: str) -> None:
        """An image stands at `place` that is not known; `pattern` has `*` in it for what is missing."""
        self._open[OpenReference(self.path, self.lines.at(place), pattern, why)] = None

    def unreadable(self, error: Unreadable) -> Findings:
        """Parsers tell of an unexpected end on the line behind the last one."""
        return Findings(problems=(SourceProblem(self.path, min(error.line, len(self.lines)), str(error)),))

    def findings(self) -> Findings:
        """Returns all that was collected, in the order of the text."""
        usages = sorted(self._usages, key=_order)
        problems = tuple(sorted(self._problems, key=lambda problem: problem.line))
        return Findings(tuple(usages), problems, tuple(self._open))


def _is_patch(tag: str | None) -> bool:
    """Whether a tag is brought up to date by another tag."""
    return tag is not None and Tag.parse(tag).precision == _FULL_PRECISION


def _order(usage: Usage) -> tuple[int, int]:
    if usage.named_at is not None:
        return usage.named_at.line, 0
    return usage.line, usage.span.start if usage.span else 0


def tag_stands_with_name(image: Spanned) -> bool:
    """Whether the tag stands in one piece with the name; no digest is added to one that a variable supplies.

    That variable may serve other ends too.
    """
    colon = image.text.rfind(":")
    return colon > 0 and image.span(colon - 1, len(image)) is not None


def quoted(text: str) -> str:
    """Quotes a text for a message: short, on one line."""
    text = text.strip()
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…")


def written_with_escapes(reference: Reference) -> str:
    """Why no character of the file can be changed to change the reference."""
    return f"{reference} is written with escapes only; write it out"


def handed_over(inputs: Mapping) -> Iterator[Scalar]:
    """The values that name an image by their key and plainly are one, among those for a template or a workflow of
    another file."""
    for key, value in inputs.entries():
        if (
            _NAMES_AN_IMAGE.search(key.value)
            and isinstance(value, Scalar)
            and is_plainly_an_image(value.value.strip())
        ):
            yield value


def is_plainly_an_image(value: str) -> bool:
    """Whether a value that could be anything (a build argument) can only be meant as an image.

    A registry host, a path and a tag, or a digest behind a path or a tag: `redis:6379` may be a host and its port,
    `8.0@sha256:…` is only half of an image.
    """
    try:
        reference = Reference.parse(value)
    except InvalidReference:
        return False
    host, _, path = reference.name.partition("/")
    has_registry = bool(path) and ("." in host or ":" in host or host == "localhost")
    if reference.digest is not None:
        return bool(path) or reference.tag is not None
    return has_registry and reference.tag is not None
