"""The variables that commands of deploys give what they run.

Sources: the manuals of `az containerapp`, `az container create` and `gcloud run deploy`. What names a secret of the
app (`secretref:`) stands in the app's own store, and is no value.
"""

from collections.abc import Iterator

from bot.files.audit.shell import ShellCommand
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.expressions import EXPRESSION

_OF_AZURE = frozenset({"--set-env-vars", "--replace-env-vars", "--env-vars"})
_OF_INSTANCES = frozenset({"-e", "--environment-variables"})
_OF_GOOGLE = frozenset({"--set-env-vars", "--update-env-vars"})
_REFERS = ("secretref:", "@Microsoft.KeyVault")
_PUT_IN = "$VALUE"
"""Stands for what only a run knows."""


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
