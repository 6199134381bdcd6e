"""Build arguments that hold secrets, turned into build secrets in the Dockerfile and where it is built."""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.images.dockerfile import Dockerfile, dockerfiles
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import without_comments
from bot.files.audit.splicing.keys import (
    GENERATED,
    NotSpliceable,
    check_spliceable,
    edits_of,
    is_generated,
    merged,
    with_key,
)
from bot.files.audit.workflows.flattening import pipelines
from bot.files.formats.dockerfile.lines import Instruction
from bot.files.formats.source.nodes import Mapping, ScalarStyle

_OF_FRONTEND = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?:1\.(?P<minor>\d{1,3})(?:[.@-].*)?")
_FIRST_WITH_VARIABLES = 10
_IS_BAKE = re.compile(r"(?:^|/)[^/]*bake[^/]*\.(?:hcl|json)$")
_OF_COMPOSE = re.compile(r"compose[^/]*\.ya?ml$|(?:^|/)\.?devcontainer(?:/[^/]+)*\.json$")
_ARGUMENTS = re.compile(r"\bargs\b")
_PROSE = (".md", ".txt", ".rst", ".adoc")
_MOST_INSTRUCTIONS = 500
"""Each secret of a file is looked for in all of them."""


def as_build_secret(repository: RepositoryTexts, file: Dockerfile, name: str, advice: str) -> Fix:
    """Suggests `RUN --mount=type=secret` in place of an ARG, and a secret in place of the argument for it."""
    try:
        edits = list(_in_dockerfile(repository, file, name))
        for push in deliveries(repository).pushes:
            if dockerfile_of(push) == file.path:
                edits += _in_workflow(repository, push, name)
        _check_handed_over(repository, file, name)
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(dict.fromkeys(edits)))


def _check_handed_over(repository: RepositoryTexts, file: Dockerfile, name: str) -> None:
    """Raises `NotSpliceable` where another build than those that push hands the argument over too, and would go on
    without a secret."""
    built: dict[int, set[str | None]] = {}
    for push in deliveries(repository).pushes:
        built.setdefault(id(push.step.mapping), set()).add(dockerfile_of(push))
    line = re.compile(rf"(?:^|[\s=]){re.escape(name)}=", re.MULTILINE)
    option = re.compile(rf"--build-arg[\s=,\"']+{re.escape(name)}(?!\w)")
    for step in (step for pipeline in pipelines(repository) for step in pipeline.steps):
        files = built.get(id(step.mapping), {None})
        if files == {file.path} or not files & {file.path, None}:
            continue
        commands = (" ".join(each.words) for each in step.commands if each.has("--build-arg"))
        if line.search(step.input("build-args")) or any(map(option.search, commands)):
            raise NotSpliceable(f"{step.subject} hands {name} over as well")
    whole_name = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for path, text in repository.kept(_texts_with_arguments):
        if whole_name.search(text):
            raise NotSpliceable(f"{path} hands {name} over as well")


def _texts_with_arguments(repository: RepositoryTexts) -> tuple[tuple[str, str], ...]:
    """The files that may hand arguments to a build, each with its path: scripts, Compose's files, those of
    developers too, and definitions for Buildx bake. The steps of pipelines are read one by one."""
    known = {each.path for each in dockerfiles(repository)}
    known |= {step.path for pipeline in pipelines(repository) for step in pipeline.steps}
    paths = (path for path in repository.paths if path not in known and not path.lower().endswith(_PROSE))
    texts = ((path, without_comments(repository.text(path))) for path in paths)
    return tuple((path, text) for path, text in texts if _IS_BAKE.search(path) or _hands_over(path, text))


def _hands_over(path: str, text: str) -> bool:
    return "--build-arg" in text or (_OF_COMPOSE.search(path) is not None and _ARGUMENTS.search(text) is not None)


def _in_dockerfile(repository: RepositoryTexts, file: Dockerfile, name: str) -> Iterator[Edit]:
    text, lines = repository.text(file.path), repository.lines(file.path)
    if is_generated(text):
        raise NotSpliceable(GENERATED)
    if len(file.script.instructions) > _MOST_INSTRUCTIONS:
        raise NotSpliceable(f"the file has more than {_MOST_INSTRUCTIONS} instructions")
    if file.script.syntax is not None and _is_too_old(file.script.syntax.text):
        raise NotSpliceable(f"{file.script.syntax.text} gives no secret to a variable, as 1.10 is the first to do")
    is_used = re.compile(rf"\$(?:{re.escape(name)}\b|\{{{re.escape(name)}\b)")
    for number in sorted(file.instructions):
        is_declared, mounts = False, 0
        for instruction in file.instructions[number]:
            if instruction.keyword == "arg" and re.fullmatch(
                rf"{re.escape(name)}(?:=\S*)?", instruction.arguments.text
            ):
                is_declared = True
                yield Edit(file.path, Span(lines.start(instruction.line), lines.end(instruction.last_line)), "")
            elif instruction.keyword == "arg" and re.search(
                rf"(?:^|\s){re.escape(name)}(?:[=\s]|$)", instruction.arguments.text
            ):
                raise NotSpliceable("several arguments are declared in one line")
            elif is_used.search(text[lines.start(instruction.line) : lines.end(instruction.last_line)]):
                if instruction.keyword != "run" or not _is_plain(instruction):
                    raise NotSpliceable(f"{name} is used in line {instruction.line} by what takes no build secret")
                offset, mounts = instruction.start + instruction.at, mounts + 1
                yield Edit(file.path, Span(offset, offset), f"--mount=type=secret,id={name},env={name} ")
        if (
            is_declared
            and not mounts
            and any(instruction.keyword == "run" for instruction in file.instructions[number])
        ):
            raise NotSpliceable(f"no RUN names {name}, and each of them may read it from its environment")


def _is_too_old(syntax: str) -> bool:
    """Whether a frontend is of a version that knows no secret as a variable (`docker/dockerfile`, before 1.10)."""
    version = _OF_FRONTEND.fullmatch(syntax)
    return version is not None and int(version["minor"]) < _FIRST_WITH_VARIABLES


def _is_plain(instruction: Instruction) -> bool:
    """Whether a RUN is a line for a shell that begins where its keyword stands."""
    return len(instruction.joints) == 1 or instruction.at < instruction.joints[1][0]


def _in_workflow(repository: RepositoryTexts, push: Push, name: str) -> Iterator[Edit]:
    inputs = push.step.mapping.get("with")
    arguments = inputs.scalar("build-args") if isinstance(inputs, Mapping) else None
    if push.step.action not in BUILDKIT_ACTIONS or not isinstance(inputs, Mapping) or arguments is None:
        raise NotSpliceable("the build's arguments are handed over by a command")
    path = repository.path_of(arguments)
    text, lines = repository.text(path), repository.lines(path)
    check_spliceable(text)
    handed = next((line for line in arguments.value.split("\n") if line.strip().startswith(f"{name}=")), None)
    if handed is None:
        return
    if inputs.get("secrets") is not None:
        raise NotSpliceable("the build has secrets already")
    if len([line for line in arguments.value.split("\n") if line.strip()]) == 1:
        key = inputs.own["build-args"][0]
        yield Edit(path, Span(key.start, key.end), "secrets")
        return
    if arguments.style is not ScalarStyle.LITERAL:
        raise NotSpliceable("the build's arguments are not written line by line")
    numbers = range(lines.at(arguments.start) + 1, lines.at(max(arguments.end - 1, arguments.start)) + 1)
    line_numbers = [number for number in numbers if lines.of(number).strip() == handed.strip()]
    if len(line_numbers) != 1:
        raise NotSpliceable("the build's arguments are not written line by line")
    yield Edit(path, Span(lines.start(line_numbers[0]), lines.end(line_numbers[0])), "")
    yield from edits_of(with_key(repository, inputs, "secrets", ["|", f"  {handed.strip()}"], ""))
