"""Dockerfiles: the images that FROM, COPY --from, RUN --mount and `# syntax=` name.

Names resolve as in BuildKit (`frontend/dockerfile/dockerfile2llb/convert.go`): unset variables are empty, and
COPY --from and RUN --mount expand none but know every stage of the file. ADD --from is read like COPY --from.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.repositories.usage import Findings, Role, SourceProblem
from bot.domain.wording.escaping import terminal
from bot.files.formats.dockerfile import KIND as KIND
from bot.files.formats.dockerfile.arguments import Arguments
from bot.files.formats.dockerfile.lines import Fault, Instruction, Script, read
from bot.files.formats.dockerfile.stages import EMPTY_IMAGE, BuildStage, resolve
from bot.files.formats.dockerfile.usages import NamedReference, usages_of
from bot.files.formats.dockerfile.words import split_flags
from bot.files.formats.source.spanned import Spanned

# fmt: off
KEYWORDS = frozenset((
    "add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label",
    "maintainer", "onbuild", "run", "shell", "stopsignal", "user", "volume", "workdir",
))
# fmt: on
MOST_IMAGES = 2000
"""Also of stages, and of other instructions that may name images: nobody writes or reads a longer file."""
MOST_PROBLEMS = 20
_TOO_MANY = Fault(
    1, f"more than {MOST_IMAGES} instructions may name images; only the first are read, split the file"
)
_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_TEMPLATE = re.compile(r"\{\{|\{%|<%")
_TEMPLATED = (
    "the file is a template of another program; what its expressions name is neither read nor edited, "
    "so write the images out, or keep them in a file that is no template"
)
_VARIABLE = re.compile(r"\$.")


def find(path: str, text: str, args: Mapping[str, Spanned] | None = None, shared: Collection[str] = ()) -> Findings:
    """Finds all references of a Dockerfile in the order of its instructions; never raises.

    `args` are build arguments: they take the place of the defaults of ARGs with these names, and nothing is added
    to the ones in `shared`. A name that depends on the platform built for (`$TARGETARCH`) is resolved for
    linux/amd64, and `platforms` says so.
    """
    script = read(text)
    outline = _outline(script, Arguments(script.escape, args or {}, shared))
    stages, by_name, faults = resolve(outline.stages, outline.arguments, script.escape)
    references: list[NamedReference] = []
    if script.syntax is not None:
        references.append(NamedReference(script.syntax_line, script.syntax, script.syntax, Role.SYNTAX))
    final = stages[-1].roots if stages else ()
    for stage in stages:
        if stage.image is not None:
            role = Role.FINAL_STAGE if stage in final else Role.BUILD_STAGE
            line = stage.instruction.line
            references.append(NamedReference(line, stage.image, stage.word, role, stage.label, stage.platforms))
    for instruction, number in outline.sources:
        label = stages[number].label if 0 <= number < len(stages) else None
        for role, source in _sources(instruction, script.escape):
            fault = _source_fault(instruction, source, len(stages))
            if fault is not None:
                faults.append(fault)
            elif not _is_stage(source.text, by_name):
                references.append(NamedReference(instruction.line, source, source, role, label))
    references.sort(key=lambda it: it.line)
    if len(references) > MOST_IMAGES:
        faults.append(_TOO_MANY)
        del references[MOST_IMAGES:]
    usages, unusable = usages_of(path, text, references, outline.arguments)
    all_faults = sorted([*script.faults, *outline.faults, *outline.arguments.faults, *faults, *unusable])
    if all_faults and (template := _template_at_fault(text, all_faults)) is not None:
        all_faults = [Fault(template, _TEMPLATED)]
    problems = [SourceProblem(path, fault.line, terminal(fault.message)) for fault in all_faults[:MOST_PROBLEMS]]
    return Findings(tuple(usages), tuple(problems))


def refusal(text: str) -> Fault | None:
    """The first fault for which Docker would refuse to read a Dockerfile; None where it has none.

    A file without any instruction says nothing, and is not refused here. Never raises.
    """
    script = read(text)
    faults = sorted([*script.faults, *_outline(script, Arguments(script.escape, {}, ())).faults])
    template = _template_at_fault(text, faults) if faults else None
    return Fault(template, _TEMPLATED) if template is not None else next(iter(faults), None)


def _template_at_fault(text: str, faults: Sequence[Fault]) -> int | None:
    """The first line at fault where an expression of a template stands: `{{ … }}`, `{% … %}` or `<% … %>`."""
    if _TEMPLATE.search(text) is None:
        return None
    lines = text.split("\n")
    return next(
        (fault.line for fault in faults if _TEMPLATE.search("".join(lines[fault.line - 1 : fault.line]))), None
    )


@dataclass(frozen=True, slots=True)
class _Outline:
    """The instructions that can name images; each source comes with the number of its stage."""

    stages: list[Instruction]
    sources: list[tuple[Instruction, int]]
    arguments: Arguments
    faults: list[Fault]


def _outline(script: Script, arguments: Arguments) -> _Outline:
    outline = _Outline([], [], arguments, [])
    stages, sources = outline.stages, outline.sources
    unknown: Instruction | None = None
    for instruction in script.instructions:
        keyword = instruction.keyword
        if keyword == "from":
            stages.append(instruction)
        elif keyword == "arg":
            declare = arguments.declare_again if stages else arguments.declare
            declare(instruction)
        elif keyword in ("run", "copy", "add", "onbuild"):
            inner = instruction.nested() if keyword == "onbuild" else instruction
            if inner is not None and "--" in instruction.text and "from" in instruction.text.lower():
                sources.append((inner, len(stages) - 1))
        elif keyword not in KEYWORDS and unknown is None:
            unknown = instruction
    if max(len(stages), len(sources)) > MOST_IMAGES:
        outline.faults.append(_TOO_MANY)
        del stages[MOST_IMAGES:], sources[MOST_IMAGES:]
    if unknown is not None:
        message = f"{unknown.keyword[:40]!r} is no instruction, Docker would refuse the file"
        outline.faults.append(Fault(unknown.line, message))
    elif not stages and script.instructions:
        outline.faults.append(Fault(1, "there is no FROM: this is no Dockerfile that can be built"))
    return outline


def _sources(instruction: Instruction, escape: str) -> Iterator[tuple[Role, Spanned]]:
    """The values of --from and of the `from` fields of --mount, as written."""
    if instruction.keyword not in ("run", "copy", "add"):
        return
    flags, _ = split_flags(instruction.arguments, escape)
    for flag in flags:
        if instruction.keyword != "run":
            if flag.text.startswith("--from="):
                yield Role.COPIED_FROM, flag.part(len("--from="), len(flag))
        elif flag.text.startswith("--mount="):
            yield from ((Role.MOUNTED_FROM, source) for source in _mount_sources(flag))


def _mount_sources(flag: Spanned) -> Iterator[Spanned]:
    position = len("--mount=")
    for part in flag.text[position:].split(","):
        key, _, value = part.partition("=")
        if key.strip('"').lower() == "from":
            begin = position + len(key) + 1
            yield flag.part(begin, begin + len(value.rstrip('"')))
        position += len(part) + 1


def _source_fault(instruction: Instruction, source: Spanned, stages: int) -> Fault | None:
    flag = f"{instruction.keyword.upper()} from={source.text[:80]}"
    if _VARIABLE.search(source.text):
        message = f"{flag}: no variables are expanded here; name the image in a FROM … AS stage and copy from that"
        return Fault(instruction.line, message)
    if _NUMBER.fullmatch(source.text) and not 0 <= _index(source.text) < stages:
        return Fault(instruction.line, f"{flag}: there is no stage with this number")
    return None


def _is_stage(name: str, by_name: Mapping[str, BuildStage]) -> bool:
    return not name or name == EMPTY_IMAGE or name.lower() in by_name or _NUMBER.fullmatch(name) is not None


def _index(number: str) -> int:
    return int(number) if len(number) < 10 else -1
