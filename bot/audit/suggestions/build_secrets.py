"""Build arguments that hold secrets, turned into build secrets in the Dockerfile and where it is built."""

import re
from collections.abc import Iterator

from bot.audit.delivery.building import dockerfile_of
from bot.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.audit.delivery.delivery import Push
from bot.audit.images.dockerfile import Dockerfile
from bot.audit.repository import Repository
from bot.audit.splices import (
    GENERATED,
    NotSpliceable,
    check_spliceable,
    edits_of,
    is_generated,
    merged,
    with_key,
)
from bot.domain.repositories.edit import Edit
from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Span
from bot.formats.dockerfile.lines import Instruction
from bot.formats.source.nodes import Mapping, ScalarStyle


def as_build_secret(repository: Repository, file: Dockerfile, name: str, advice: str) -> Fix:
    """Suggests `RUN --mount=type=secret` in place of an ARG, and a secret in place of the argument for it."""
    try:
        edits = list(_in_dockerfile(repository, file, name))
        for push in deliveries(repository).pushes:
            if dockerfile_of(push) == file.path:
                edits += _in_workflow(repository, push, name)
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(dict.fromkeys(edits)))


def _in_dockerfile(repository: Repository, file: Dockerfile, name: str) -> Iterator[Edit]:
    text, lines = repository.text(file.path), repository.lines(file.path)
    if is_generated(text):
        raise NotSpliceable(GENERATED)
    is_used = re.compile(rf"\$(?:{re.escape(name)}\b|\{{{re.escape(name)}[}}:])")
    for number in sorted(file.instructions):
        for each in file.instructions[number]:
            if each.keyword == "arg" and re.fullmatch(rf"{re.escape(name)}(?:=\S*)?", each.arguments.text):
                yield Edit(file.path, Span(lines.start(each.line), lines.end(each.last_line)), "")
            elif each.keyword == "arg" and re.search(rf"(?:^|\s){re.escape(name)}(?:[=\s]|$)", each.arguments.text):
                raise NotSpliceable("several arguments are declared in one line")
            elif is_used.search(text[lines.start(each.line) : lines.end(each.last_line)]):
                if each.keyword != "run" or not _is_plain(each):
                    raise NotSpliceable(f"{name} is used in line {each.line} by what takes no build secret")
                at = each.start + each.at
                yield Edit(file.path, Span(at, at), f"--mount=type=secret,id={name},env={name} ")


def _is_plain(instruction: Instruction) -> bool:
    """Whether a RUN is a line for a shell that begins where its keyword stands."""
    return len(instruction.joints) == 1 or instruction.at < instruction.joints[1][0]


def _in_workflow(repository: Repository, push: Push, name: str) -> Iterator[Edit]:
    given = push.step.mapping.get("with")
    arguments = given.scalar("build-args") if isinstance(given, Mapping) else None
    if push.step.action not in BUILDKIT_ACTIONS or not isinstance(given, Mapping) or arguments is None:
        raise NotSpliceable("the build's arguments are handed over by a command")
    path = repository.path_of(arguments)
    text, lines = repository.text(path), repository.lines(path)
    check_spliceable(text)
    handed = next((line for line in arguments.value.split("\n") if line.strip().startswith(f"{name}=")), None)
    if handed is None:
        return
    if given.get("secrets") is not None:
        raise NotSpliceable("the build has secrets already")
    if len([line for line in arguments.value.split("\n") if line.strip()]) == 1:
        key = given.own["build-args"][0]
        yield Edit(path, Span(key.start, key.end), "secrets")
        return
    if arguments.style is not ScalarStyle.LITERAL:
        raise NotSpliceable("the build's arguments are not written line by line")
    numbers = range(lines.at(arguments.start) + 1, lines.at(max(arguments.end - 1, arguments.start)) + 1)
    found = [number for number in numbers if lines.of(number).strip() == handed.strip()]
    if len(found) != 1:
        raise NotSpliceable("the build's arguments are not written line by line")
    yield Edit(path, Span(lines.start(found[0]), lines.end(found[0])), "")
    yield from edits_of(with_key(repository, given, "secrets", ["|", f"  {handed.strip()}"], ""))
