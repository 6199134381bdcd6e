"""Dockerfiles read for the audit: their stages in order, and which of them the image is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.domain.repositories.finding import Place
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dockerfile.arguments import Arguments
from bot.files.formats.dockerfile.lines import Instruction, Script, read
from bot.files.formats.dockerfile.stages import BuildStage, resolve
from bot.files.formats.dockerfile.words import split_quoted
from bot.files.formats.source.spanned import Spanned

MOST_STAGES = 200
STARTING = frozenset({"entrypoint", "cmd"})
"""The instructions that say what an image starts."""
COPYING = frozenset({"copy", "add"})


@dataclass(frozen=True, slots=True, eq=False)
class Dockerfile:
    """A Dockerfile read: its stages in order, and which of them the image is made of."""

    path: str
    script: Script
    stages: tuple[BuildStage, ...]
    instructions: Mapping[int, tuple[Instruction, ...]]
    """By the number of the stage; -1 holds what stands before the first FROM."""
    arguments: Arguments

    @property
    def final(self) -> BuildStage:
        return self.stages[-1]

    def stage(self, name: str) -> BuildStage | None:
        return next((each for each in reversed(self.stages) if each.name == name.lower()), None)

    def of(self, stage: BuildStage) -> tuple[Instruction, ...]:
        return self.instructions.get(stage.number, ())

    def place(self, instruction: Instruction) -> Place:
        return Place(self.path, instruction.line, instruction.last_line)

    def chain(self, stage: BuildStage) -> list[BuildStage]:
        """A stage and those that it stands on, itself first."""
        stages = [stage]
        while stages[-1].bases and len(stages) <= MOST_STAGES:
            stages.append(stages[-1].bases[0])
        return stages


def dockerfiles(repository: RepositoryTexts) -> list[Dockerfile]:
    """Reads all Dockerfiles that images for others are built from, in the order of their paths."""
    return repository.kept(_dockerfiles)


def _dockerfiles(repository: RepositoryTexts) -> list[Dockerfile]:
    read_ones = (dockerfile_at(repository, path) for path in repository.dockerfiles)
    return [each for each in read_ones if each is not None and not repository.scope.is_for_developers(each.path)]


def dockerfile_at(repository: RepositoryTexts, path: str | None) -> Dockerfile | None:
    """Reads the Dockerfile at a path, once for all services that are built from it; None where there is none."""
    files_by_path = repository.kept(_by_path)
    if path is None or path not in repository:
        return None
    if path not in files_by_path:
        files_by_path[path] = dockerfile(path, repository.text(path))
    return files_by_path[path]


def _by_path(_: RepositoryTexts) -> dict[str, Dockerfile | None]:
    return {}


def dockerfile(path: str, text: str) -> Dockerfile | None:
    """Reads a Dockerfile; None where there is no stage. Never raises."""
    script = read(text)
    arguments = Arguments(script.escape, {})
    froms: list[Instruction] = []
    own: dict[int, list[Instruction]] = {}
    for instruction in script.instructions:
        if instruction.keyword == "from":
            froms.append(instruction)
            if len(froms) > MOST_STAGES:
                return None
        elif instruction.keyword == "arg" and not froms:
            arguments.declare(instruction)
        else:
            own.setdefault(len(froms) - 1, []).append(instruction)
    if not froms:
        return None
    stages, _, _ = resolve(froms, arguments, script.escape)
    return Dockerfile(path, script, tuple(stages), {key: tuple(each) for key, each in own.items()}, arguments)


def pairs(instruction: Instruction, file: Dockerfile) -> Iterator[tuple[str, str]]:
    """Names and values of an ARG or ENV; a name without a value has an empty one."""
    return ((name, value.text) for name, value in placed_pairs(instruction, file))


def placed_pairs(instruction: Instruction, file: Dockerfile) -> Iterator[tuple[str, Spanned]]:
    """The same with the place of each character."""
    arguments = instruction.arguments
    words = split_quoted(arguments, file.script.escape)
    if instruction.keyword == "env" and words and "=" not in words[0].text:
        yield words[0].text, arguments.part(len(words[0]), len(arguments)).strip()
        return
    for word in words:
        name, equals, _ = word.text.partition("=")
        yield name.strip("\"'"), word.part(len(name) + len(equals), len(word))
