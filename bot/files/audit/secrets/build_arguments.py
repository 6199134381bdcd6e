"""Which arguments of a build are secrets, by what actions and commands hand over."""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.building import builds_of
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import option_values
from bot.files.audit.secrets.names import holds_secret, is_secret_name
from bot.files.audit.workflows.model import PipelineStep

_SECRET = re.compile(r"\$\{\{\s*(?:secrets\.|github\.token)")


def secret_arguments(push: Push) -> list[tuple[PipelineStep, str]]:
    """The names of the secrets that the build of what is pushed is given as arguments, each with its step."""
    return [(step, name) for step, name, value in _arguments(push) if _is_secret(name, value)]


def _is_secret(name: str, value: str) -> bool:
    return _SECRET.search(value) is not None or (
        is_secret_name(name) and (holds_secret(name, value) or "${{" in value)
    )


def _arguments(push: Push) -> Iterator[tuple[PipelineStep, str, str]]:
    """The step that hands an argument to the build of what is pushed, with the argument's name and value."""
    for line in push.step.input("build-args").split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals and name and not name.startswith("#"):
            yield push.step, name.strip(), value.strip()
    for step, command in builds_of(push):
        for argument in option_values(command.words, "--build-arg"):
            name, equals, value = argument.partition("=")
            yield step, name, value if equals else step.environment.get(name, "")
