"""From what a Dockerfile's instructions name to usages: which characters of the file to rewrite."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.usage import Role, Span, Usage
from bot.files.formats.dockerfile import KIND
from bot.files.formats.dockerfile.arguments import Arguments
from bot.files.formats.dockerfile.lines import Fault
from bot.files.formats.source.collector import Collector
from bot.files.formats.source.spanned import Spanned

_JOINTS = ("-", ".", "_")
"""What a tag ends with to which a variable without a value was to add the rest."""


@dataclass(frozen=True, slots=True)
class NamedReference:
    """A reference where an instruction (or the `syntax` directive) names it: its line, and `word` as written."""

    line: int
    image: Spanned
    word: Spanned
    role: Role
    stage: str | None = None
    platforms: tuple[str, ...] = ()


def usages_of(
    path: str, text: str, references: Sequence[NamedReference], arguments: Arguments
) -> tuple[list[Usage], list[Fault]]:
    """The usages among what instructions name, and what is no image reference."""
    usages: list[Usage] = []
    faults: list[Fault] = []
    file = Collector(path, text, KIND)
    served = _count_references(references, arguments)
    for it in references:
        try:
            reference = Reference.parse(it.image.text)
        except InvalidReference as error:
            faults.append(Fault(it.line, _invalid(it, str(error))))
            continue
        if "$" in it.word.text and (reference.tag or "").endswith(_JOINTS):
            faults.append(Fault(it.line, _invalid(it, "")))
            continue
        usage = file.usage(it.image, it.role, digest_place=_place_for_digest(it, reference, arguments, served))
        if usage is None:
            faults.append(Fault(it.line, f"{it.image.text[:80]!r} is no image reference"))
            continue
        span, why_fixed = usage.span, usage.fixed_because
        if usage.assembled:
            span = _default_in(usage, it.image, arguments) or span
            why_fixed = why_fixed and "a build argument or the platform supplies what would have to change"
        line = file.lines.at(span.start) if span else usage.line
        usages.append(
            replace(
                usage,
                line=line,
                span=span,
                fixed_because=why_fixed,
                stage=it.stage,
                platforms=it.platforms,
                statement=None if line == it.line else it.line,
            )
        )
    return usages, faults


def _invalid(reference: NamedReference, error: str) -> str:
    if "$" not in reference.word.text:
        return error
    word, value = reference.word.text[:80], reference.image.text[:80]
    return f"FROM {word} is {value!r} without build arguments; give its ARGs defaults that make an image reference"


def _count_references(references: Sequence[NamedReference], arguments: Arguments) -> Counter[str]:
    """How many references each ARG supplies characters of."""
    served: Counter[str] = Counter()
    for it in references:
        if not isinstance(it.image.places, range):
            pieces = it.image.pieces(0, len(it.image))
            served.update({owner for piece in pieces if (owner := arguments.owner(piece.span.start))})
    return served


def _default_in(usage: Usage, image: Spanned, arguments: Arguments) -> Span | None:
    """The default of an ARG that supplies the tag (else the digest, else the name) or a part of it: what a
    maintainer would edit."""
    reference = usage.reference
    name_end = len(reference.name)
    if reference.tag is not None:
        decisive = image.pieces(name_end + 1, name_end + 1 + len(reference.tag))
    elif reference.digest is not None:
        decisive = image.pieces(name_end + 1, len(image))
    else:
        decisive = image.pieces(0, name_end)
    return next((piece.span for piece in decisive if arguments.owner(piece.span.start)), None)


def _place_for_digest(
    named_reference: NamedReference, reference: Reference, arguments: Arguments, served: Counter[str]
) -> int:
    """Behind the last character of the reference.

    But behind the word that names it where that character comes from an ARG that does not end with it, or supplies
    a part of the tag, or only the tag while it serves other ends too: other references, or a stage that declares it
    again.
    """
    image = named_reference.image
    last = image.places[-1]
    behind_word = named_reference.word.place(-1) + 1
    if last < 0:
        return behind_word
    owner = arguments.owner(last)
    name_end = len(reference.name)
    if owner is None:
        return last + 1
    if not arguments.is_last(last):
        return behind_word
    if reference.tag is None or image.span(name_end, len(image)) is not None:
        return last + 1
    supplies_tag = image.span(name_end + 1, len(image)) is not None
    serves_others = served[owner] > 1 or owner in arguments.declared_again
    return last + 1 if supplies_tag and not serves_others else behind_word
