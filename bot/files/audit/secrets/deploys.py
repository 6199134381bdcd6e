"""The variables that commands of deploys give what they run, and engines containers that outlive their run.

Sources: the manuals of `az containerapp`, `az container create`, `gcloud run deploy` and `docker run`. What names a
secret of the app (`secretref:`) stands in the app's own store, and is no value.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.over_ssh import texts_over_ssh
from bot.files.audit.shell import ShellCommand, joined_lines, without_comments
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.expressions import EXPRESSION

_OF_AZURE = frozenset({"--set-env-vars", "--replace-env-vars", "--env-vars"})
_OF_INSTANCES = frozenset({"-e", "--environment-variables"})
_OF_GOOGLE = frozenset({"--set-env-vars", "--update-env-vars"})
_REFERS = ("secretref:", "@Microsoft.KeyVault")
_PUT_IN = "$VALUE"
"""Stands for what only a run knows."""


_STARTS = re.compile(
    r"\b(?:docker|podman|nerdctl)[ \t]+(?:container[ \t]+)?(?:run|create|service[ \t]+(?:create|update))\b"
    r"(?P<words>(?:[^\n;|\"']|\"[^\"\n]*\"|'[^'\n]*'){0,5000})"
)
_STAYS = re.compile(r"--restart[= ](?!no\b)")
_GIVEN = re.compile(
    r"(?<!\S)(?:-e|--env|--env-add)(?:[ \t]+|=)"
    r"(?:\"(?P<in_double>[^\"\n]*)\"|'(?P<in_single>[^'\n]*)'|(?P<plain>(?:[^\s\"']|\"[^\"\n]*\"|'[^'\n]*')+))"
)


def variables_of_started(step: PipelineStep) -> Iterator[tuple[str, str]]:
    """What a step gives the environment of containers that it starts on another machine, or to stay on its own."""
    over_ssh, run = list(texts_over_ssh(step)), step.mapping.scalar("run")
    for text in over_ssh or ([run.value] if run is not None else []):
        commands = joined_lines(without_comments(EXPRESSION.sub(_PUT_IN, text)))
        for start in _STARTS.finditer(commands):
            if over_ssh or _STAYS.search(start["words"]):
                yield from _given_to(start["words"])


def _given_to(words: str) -> Iterator[tuple[str, str]]:
    for match in _GIVEN.finditer(words):
        pair = next(each for each in match.groups() if each is not None)
        name, equals, value = pair.partition("=")
        if _NAME.fullmatch(name):
            yield name, value.strip("\"'") if equals else f"${name}"


_NAME = re.compile(r"[A-Za-z_][\w.:-]{0,200}")


def variables_of_deploy(command: ShellCommand) -> Iterator[tuple[str, str]]:
    """Names and values, of which `$VALUE` stands for what a run puts in."""
    for pair in _pairs(command):
        name, equals, value = pair.partition("=")
        if equals and name and not value.startswith(_REFERS):
            yield name, EXPRESSION.sub(_PUT_IN, value).replace(UNKNOWN, _PUT_IN)


def _pairs(command: ShellCommand) -> Iterator[str]:
    match command.words[:3]:
        case ("az", "containerapp", *_):
            yield from _words_behind(command, _OF_AZURE)
        case ("az", "container", "create"):
            yield from _words_behind(command, _OF_INSTANCES)
        case ("gcloud", "run", "deploy"):
            for word in _words_behind(command, _OF_GOOGLE):
                yield from word.split(",") if not word.startswith("^") else ()


def _words_behind(command: ShellCommand, options: frozenset[str]) -> Iterator[str]:
    """The words behind an option, up to the next one."""
    is_behind = False
    for word in command.words:
        option, equals, value = word.partition("=")
        if word.startswith("-"):
            is_behind = option in options
            if is_behind and equals:
                yield value
        elif is_behind:
            yield word
