"""Dockerfiles written inside other files: `dockerfile_inline` of Compose, `dockerfile-inline` of Bake."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.usage import Piece, Span, Usage
from bot.files.formats.dockerfile import finder as dockerfile
from bot.files.formats.source.collector import Collector, written_with_escapes
from bot.files.formats.source.spanned import Spanned, joined
from bot.files.formats.source.text import Lines

_ARG_INSTRUCTION = re.compile(r"^[ \t]*ARG[ \t]+(?P<declarations>[^\n]*)$", re.IGNORECASE | re.MULTILINE)
_DECLARATION = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<default>=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']*))?(?=\s|$)")
_PLAIN_VALUE = re.compile(r"[\w.:/@+-]+")


def find(
    text_in_file: Spanned,
    file: Collector,
    *,
    args: Mapping[str, Spanned],
    contexts: Collection[str],
    variables_are_shared: bool = False,
) -> None:
    """Adds what the Dockerfile uses, with places in the file that it is written in.

    `args` are the build's own, which take the place of the defaults that ARG declares; `contexts` are the names
    of its named contexts: BuildKit takes `FROM name` and `COPY --from=name` from there, so they are no images.
    With `variables_are_shared`, a variable of the file may feed other texts too, so no digest is put into one.
    """
    text = _with_args(text_in_file, args)
    inner = dockerfile.find(file.path, text.text)
    context_names = {_familiar(name) for name in contexts}
    moved = _Moved(text, file, variables_are_shared)
    for usage in inner.usages:
        if not _is_named(usage, context_names):
            file.add(moved.usage(usage))
    for problem in inner.problems:
        file.problem(moved.place_of_line(problem.line), problem.message)


def _with_args(text: Spanned, args: Mapping[str, Spanned]) -> Spanned:
    """ARG defaults replaced by the values that the build passes, which keep their own places."""
    parts: list[Spanned] = []
    done = 0
    for instruction in _ARG_INSTRUCTION.finditer(text.text):
        for declaration in _DECLARATION.finditer(text.text, *instruction.span("declarations")):
            value = args.get(declaration["name"])
            if value is None or not _PLAIN_VALUE.fullmatch(value.text):
                continue
            parts.append(text.part(done, declaration.end("name")).joined("="))
            parts.append(value)
            done = declaration.end()
    return joined([*parts, text.part(done, len(text))])


class _Moved:
    """Usages of the inline Dockerfile as usages of the file around it."""

    def __init__(self, text: Spanned, file: Collector, variables_are_shared: bool) -> None:
        self.text = text
        self.file = file
        self.lines = Lines(text.text)
        self.variables_are_shared = variables_are_shared

    def usage(self, usage: Usage) -> Usage:
        tag, digest, name = (self._span(span) for span in (usage.tag_span, usage.digest_span, usage.name_span))
        whole = None if usage.assembled else self._span(usage.span)
        exact = None if usage.assembled else usage.tag_span or usage.digest_span or usage.name_span
        decisive = exact or usage.span
        parts = self.text.pieces(decisive.start, decisive.end) if decisive else []
        span = whole or (parts[-1].span if parts else None)
        place = self.text.place(decisive.start) if decisive else self.place_of_line(usage.line)
        line = self.file.lines.at(span.start if span and not whole else place)
        statement = self.file.lines.at(self.place_of_line(usage.statement or usage.line))
        lost = usage.span is not None and span is None
        return replace(
            usage,
            kind=self.file.kind,
            line=line,
            span=span,
            tag_span=tag,
            digest_span=digest,
            name_span=name,
            assembled=whole is None,
            fixed_because=written_with_escapes(usage.reference) if lost else usage.fixed_because,
            pieces=() if whole else (*self._pieces(usage), *self._place_for_digest(usage)),
            statement=None if statement == line else statement,
        )

    def place_of_line(self, line: int) -> int:
        if not self.text.text:
            return 0
        return self.text.place(min(self.lines.start(line), len(self.text) - 1))

    def _span(self, span: Span | None) -> Span | None:
        return self.text.span(span.start, span.end) if span else None

    def _place_for_digest(self, usage: Usage) -> Iterator[Piece]:
        """Where a digest goes behind a reference that the file around the Dockerfile fills in.

        A Compose default serves this place only, so the digest goes into it. A Bake variable may feed others, which
        a digest would break, so it goes behind the `${…}`: that is where the next character stands.
        """
        end = usage.span.end if usage.span and not usage.assembled and not usage.is_pinned else 0
        if end and self.variables_are_shared and end < len(self.text):
            place = self.text.place(end)
        elif end and self.text.places[end - 1] >= 0:
            place = self.text.place(end - 1) + 1
        else:
            return
        yield Piece(len(str(usage.reference)), Span(place, place))

    def _pieces(self, usage: Usage) -> Iterator[Piece]:
        """Each piece of the Dockerfile in pieces of the file; the whole reference where it was one there."""
        whole = (Piece(0, usage.span),) if usage.span is not None and not usage.assembled else ()
        for piece in usage.pieces or whole:
            shift = piece.at - piece.span.start
            for part in self.text.pieces(piece.span.start, piece.span.end):
                yield replace(part, at=part.at + shift)
            end = piece.span.end
            if piece.span.start == end and end > 0 and self.text.places[end - 1] >= 0:
                behind = self.text.place(end - 1) + 1
                yield Piece(piece.at, Span(behind, behind))


def _is_named(usage: Usage, context_names: Collection[str]) -> bool:
    return bool(context_names) and _familiar(str(usage.reference)) in context_names


def _familiar(name: str) -> str:
    """The name by which BuildKit looks a context up: Docker Hub's prefixes and `:latest` make no difference."""
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return name
    tag = None if reference.tag == "latest" and reference.digest is None else reference.tag
    return str(Reference(f"{reference.registry}/{reference.repository}", tag, reference.digest))
