"""The values of secrets that stand in a repository's texts, so that nothing that is shown repeats one."""

import re
from collections.abc import Iterable, Iterator

from bot.audit.images.dockerfile import dockerfiles, pairs
from bot.audit.repository import RepositoryTexts
from bot.audit.secrets import holds_secret, takes_a_password
from bot.audit.workflows.flattening import pipelines
from bot.audit.workflows.model import PipelineStep
from bot.audit.workloads.compose import named_values, services
from bot.audit.workloads.kubernetes import containers, word
from bot.formats.source.nodes import Mapping, Scalar

MASK = "***"
"""Stands in a diff for the value of a secret."""


def masked(repository: RepositoryTexts, text: str) -> str | None:
    """A text, such as a diff, without the values that the repository gives secrets; None where one would stay."""
    for name, value in sorted(repository.kept(_literals)):
        if name in text and value in text:
            text = _given(name, value).sub(lambda found: found["name"] + MASK, text)
    return None if _shows_secret(repository, text) else text


def _shows_secret(repository: RepositoryTexts, text: str) -> bool:
    return any(
        name in text and value in text and _given(name, value).search(text) is not None
        for name, value in repository.kept(_literals)
    )


def _given(name: str, value: str) -> re.Pattern[str]:
    """Finds the value behind the name, on its line or as the `value` of the next one."""
    between = r"[\"']?[ \t]*(?:[:= ]|\r?\n.?[ \t]*value:)[ \t]*[\"']?"
    return re.compile(rf"(?P<name>{re.escape(name)}{between}){re.escape(value)}")


def _literals(repository: RepositoryTexts) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, value)
        for name, written in _written(repository)
        if (value := written.strip().strip("\"'"))
        and not value.startswith("$")
        and holds_secret(name, value)
        and not takes_a_password(value)
    )


def _written(repository: RepositoryTexts) -> Iterator[tuple[str, str]]:
    yield from _in_workloads(repository)
    for file in dockerfiles(repository):
        for each in file.script.instructions:
            if each.keyword in {"arg", "env"}:
                yield from pairs(each, file)
    for pipeline in pipelines(repository):
        for holder in (pipeline.root, *_holders(job.mapping for job in pipeline.jobs)):
            yield from ((name, value) for name, value, _ in named_values(holder.get("env")))
        for step in pipeline.steps:
            yield from _of_step(step)


def _in_workloads(repository: RepositoryTexts) -> Iterator[tuple[str, str]]:
    for container in containers(repository):
        for variable in container.own.sequence("env"):
            if isinstance(variable, Mapping):
                yield word(variable.get("name")) or "", word(variable.get("value")) or ""
    for service in services(repository):
        for level in service.levels:
            yield from ((name, value) for name, value, _ in named_values(level.get("environment")))
            build = level.get("build")
            if isinstance(build, Mapping):
                yield from ((name, value) for name, value, _ in named_values(build.get("args")))


def _holders(jobs: Iterable[Mapping]) -> Iterator[Mapping]:
    """Jobs with the containers that they run in and beside, which may have environments of their own."""
    for job in jobs:
        yield from (job, job.mapping("container"))
        yield from (each for _, each in job.mapping("services").entries() if isinstance(each, Mapping))


def _of_step(step: PipelineStep) -> Iterator[tuple[str, str]]:
    """Its environment and inputs, each line of these, and the words of its commands."""
    yield from ((name, value) for name, value, _ in named_values(step.mapping.get("env")))
    for name, value, node in named_values(step.mapping.get("with")):
        yield name, value
        lines = node.value.split("\n") if isinstance(node, Scalar) else ()
        yield from (_parted(line.strip()) for line in lines)
    for command in step.commands:
        yield from (_parted(each.removeprefix("--build-arg=")) for each in command.words)


def _parted(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
