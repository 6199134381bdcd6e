"""From what a Dockerfile's instructions name to usages: which characters of the file to rewrite."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.discover.dockerfile_arguments import Arguments
from bot.discover.dockerfile_lines import Fault, Instruction
from bot.discover.text import Lines
from bot.discover.traced import Traced
from bot.domain.reference import InvalidReference, Reference
from bot.domain.usage import Kind, Piece, Role, Span, Usage


@dataclass(frozen=True, slots=True)
class Named:
    """A reference where an instruction (or the `syntax` directive) names it."""

    instruction: Instruction | None
    line: int
    image: Traced
    role: Role
    stage: str | None = None
    platforms: tuple[str, ...] = ()
    word: Traced | None = None


def usages_of(
    path: str, text: str, named: Sequence[Named], arguments: Arguments
) -> tuple[list[Usage], list[Fault]]:
    """The usages among what instructions name, and what is no image reference."""
    """The usages among what instructions name, and what is no image reference."""
    usages: list[Usage] = []
    faults: list[Fault] = []
    feeds: Counter[str] = Counter()
    for it in named:
        if not isinstance(it.image.places, range):
            feeds.update({owner for run in _runs(it.image) if (owner := arguments.owner(run.span.start))})
    lines = Lines(text)
    for it in named:
        try:
            reference = Reference.parse(it.image.text)
        except InvalidReference as error:
            faults.append(Fault(it.line, _invalid(it, str(error))))
            continue
        if str(reference) != it.image.text:
            faults.append(Fault(it.line, f"{it.image.text[:80]!r} is no image reference"))
            continue
        usages.append(_usage(path, it, reference, lines, arguments, feeds))
    return usages, faults


def _invalid(named: Named, error: str) -> str:
    if named.word is None or "$" not in named.word.text:
        return error
    word, value = named.word.text[:80], named.image.text[:80]
    return f"FROM {word} is {value!r} without build arguments; give its ARGs defaults that make an image reference"


def _usage(
    path: str, named: Named, reference: Reference, lines: Lines, arguments: Arguments, feeds: Counter[str]
) -> Usage:
    image = named.image
    name_end = len(reference.name)
    tag_end = name_end if reference.tag is None else name_end + 1 + len(reference.tag)
    tag, digest = image.span(name_end + 1, tag_end), image.span(tag_end + 1, len(image))
    name = image.span(0, name_end)
    whole = image.span(0, len(image))
    pieces: tuple[Piece, ...] = ()
    span = whole
    if whole is None:
        first, last = (
            (name_end + 1, tag_end)
            if tag_end > name_end
            else (tag_end + 1, len(image))
            if reference.digest
            else (0, name_end)
        )
        runs = _runs(image)
        span = _decisive(runs, first, last, arguments)
        end = _place_for_digest(named, reference, arguments, feeds)
        pieces = (*runs, Piece(len(image), Span(end, end))) if reference.digest is None else runs
    line = named.line if span is None else lines.at(span.start)
    return Usage(
        path=path,
        kind=Kind.DOCKERFILE,
        line=line,
        reference=reference,
        role=named.role,
        span=span,
        tag_span=tag,
        digest_span=digest,
        name_span=name,
        stage=named.stage,
        platforms=named.platforms,
        assembled=whole is None,
        fixed_because="the value comes from outside the file" if span is None else None,
        pieces=pieces,
        statement=None if line == named.line else named.line,
    )


def _runs(image: Traced) -> tuple[Piece, ...]:
    """The pieces of the file that the text is put together from."""
    runs: list[Piece] = []
    places = image.places
    begin = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1 or places[at] == 0:
            if places[begin] >= 0:
                runs.append(Piece(begin, Span(places[begin], places[at - 1] + 1)))
            begin = at
    return tuple(runs)


def _decisive(runs: Sequence[Piece], start: int, end: int, arguments: Arguments) -> Span | None:
    """The piece of `[start, end)` that a maintainer would edit: an ARG's default, else the last one."""
    spans: list[Span] = []
    for run in runs:
        first = max(run.at, start)
        last = min(run.at + run.span.end - run.span.start, end)
        if first < last:
            shift = run.span.start - run.at
            spans.append(Span(first + shift, last + shift))
    owned = (span for span in spans if arguments.owner(span.start) is not None)
    return next(owned, spans[-1] if spans else None)


def _place_for_digest(named: Named, reference: Reference, arguments: Arguments, feeds: Counter[str]) -> int:
    """Behind the last character of the reference; where an ARG that serves other ends too supplies only the tag,
    behind the word that uses it."""
    image = named.image
    last = image.places[-1]
    behind_word = (named.word or image).place(-1) + 1
    if last < 0:
        return behind_word
    owner = arguments.owner(last)
    if owner is None or reference.tag is None or image.span(len(reference.name), len(image)) is not None:
        return last + 1
    return behind_word if feeds[owner] > 1 or owner in arguments.declared_again else last + 1
