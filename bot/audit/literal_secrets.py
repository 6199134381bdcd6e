"""The values of secrets that stand in a repository's texts, so that nothing that is shown repeats one."""

import re
from collections.abc import Iterator

from bot.audit.images.dockerfile import dockerfiles, pairs
from bot.audit.repository import Repository
from bot.audit.secrets import holds_secret, takes_a_password
from bot.audit.workloads.compose import named_values, services
from bot.audit.workloads.kubernetes import containers, word
from bot.formats.source.nodes import Mapping


def shows_secret(repository: Repository, text: str) -> bool:
    """Whether a text, such as a diff, gives a secret the value that the repository gives it."""
    return any(
        name in text and value in text and _given(name, value, text) for name, value in repository.kept(_literals)
    )


def _given(name: str, value: str, text: str) -> bool:
    """Whether the value follows the name, on its line or as the `value` of the next one."""
    between = r"[\"']?[ \t]*(?:[:= ]|\r?\n.?[ \t]*value:)[ \t]*[\"']?"
    return re.search(rf"{re.escape(name)}{between}{re.escape(value)}", text) is not None


def _literals(repository: Repository) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, value)
        for name, written in _written(repository)
        if (value := written.strip().strip("\"'"))
        and not value.startswith("$")
        and holds_secret(name, value)
        and not takes_a_password(value)
    )


def _written(repository: Repository) -> Iterator[tuple[str, str]]:
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
    for file in dockerfiles(repository):
        for instructions in file.instructions.values():
            for each in instructions:
                if each.keyword in {"arg", "env"}:
                    yield from pairs(each, file)
