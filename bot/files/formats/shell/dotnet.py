"""Command lines of `dotnet publish`, `dotnet build` and `dotnet msbuild`.

Options: https://learn.microsoft.com/dotnet/core/tools/dotnet-publish; properties and targets as MSBuild takes them
(https://learn.microsoft.com/visualstudio/msbuild/msbuild-command-line-reference): `-`, `--` or `/`, in any case.
"""

import re
from collections.abc import Callable

from bot.domain.repositories.usage import Kind
from bot.files.formats.builds import DotnetPublish
from bot.files.formats.shell.commands import Command, is_literal
from bot.files.formats.shell.folders import Folders
from bot.files.formats.source.spanned import Spanned

BASE = "ContainerBaseImage"
MOST_PROPERTIES = 50
_VERBS = frozenset({"publish", "build", "msbuild", "pack"})
_PROPERTY = re.compile(r"(?:--?|/)(?:p|property):", re.IGNORECASE)
_PROPERTY_APART = re.compile(r"(?:--?)(?:p|property)", re.IGNORECASE)
_TARGET = re.compile(r"(?:--?|/)(?:t|target):(?P<names>.*)", re.IGNORECASE)
WITH_VALUE = frozenset(
    {"-c", "--configuration", "-f", "--framework", "-o", "--output", "-r", "--runtime", "-v", "--verbosity"}
    | {"-s", "--source", "--manifest", "--version-suffix", "--artifacts-path", "--os", "-a", "--arch", "-p", "-t"}
    | {"--property", "--target"}
)


def publish_of(
    command: Command, path: str, kind: Kind, folders: Folders, line_at: Callable[[int], int]
) -> DotnetPublish | None:
    """What a command asks of the .NET SDK, None where it asks for nothing; `line_at` counts lines."""
    words = command.words
    if command.name == "msbuild":
        options = words[1:]
    elif command.name == "dotnet" and len(words) > 1 and words[1].text in _VERBS:
        options = words[2:]
    else:
        return None
    settings = _CommandLine()
    position = 0
    while position < len(options):
        position += settings.take(options[position], options[position + 1] if position + 1 < len(options) else None)
    return DotnetPublish(
        path=path,
        kind=kind,
        line=line_at(words[0].place(0)),
        target=folders.place(settings.target),
        properties=tuple(settings.properties[:MOST_PROPERTIES]),
        undecided=tuple(settings.undecided[:MOST_PROPERTIES]),
        is_container=settings.is_container,
        os=settings.os,
        architecture=settings.architecture,
    )


class _CommandLine:
    """The options of one command, taken word by word."""

    def __init__(self) -> None:
        self.target: Spanned | None = None
        self.properties: list[tuple[str, Spanned]] = []
        self.undecided: list[str] = []
        self.is_container = False
        self.os: str | None = None
        self.architecture: str | None = None

    def take(self, word: Spanned, following: Spanned | None) -> int:
        """Reads a word, with the one behind it where an option needs a value; returns how many words it took."""
        name, equals, _ = word.text.partition("=")
        if prefix := _PROPERTY.match(word.text):
            self._properties(word.part(prefix.end(), len(word)))
            return 1
        if targets := _TARGET.fullmatch(word.text):
            self._targets(targets["names"])
            return 1
        if equals and _PROPERTY_APART.fullmatch(name):
            self._properties(word.part(len(name) + 1, len(word)))
            return 1
        if not word.text.startswith("-"):
            if self.target is None and not word.text.startswith("/"):
                self.target = word
            return 1
        if equals:
            self._option(name, word.part(len(name) + 1, len(word)))
            return 1
        if word.text in WITH_VALUE and following is not None:
            self._option(word.text, following)
            return 2
        return 1

    def _option(self, name: str, value: Spanned) -> None:
        if name == "--os":
            self.os = value.text if is_literal(value) else None
        elif name in ("-a", "--arch"):
            self.architecture = value.text if is_literal(value) else None
        elif name in ("-p", "--property"):
            self._properties(value)
        elif name in ("-t", "--target"):
            self._targets(value.text)
        elif name in ("-r", "--runtime"):
            self._property("RuntimeIdentifier", value)
        elif name in ("-c", "--configuration"):
            self._property("Configuration", value)
        elif name in ("-f", "--framework"):
            self._property("TargetFramework", value)

    def _properties(self, properties: Spanned) -> None:
        """`NAME=value`, several with `;` or `,` between."""
        begin = 0
        for part in re.split("[;,]", properties.text):
            name, equals, value = part.partition("=")
            if equals:
                self._property(name.strip(), properties.part(begin + len(name) + 1, begin + len(part)))
                if name.strip().lower() == "publishprofile" and value.strip().lower() == "defaultcontainer":
                    self.is_container = True
            begin += len(part) + 1

    def _property(self, name: str, value: Spanned) -> None:
        if is_literal(value):
            self.properties.append((name, value.strip()))
        else:
            self.undecided.append(name)

    def _targets(self, names: str) -> None:
        targets = {name.strip().lower() for name in re.split("[;,]", names)}
        self.is_container |= "publishcontainer" in targets
