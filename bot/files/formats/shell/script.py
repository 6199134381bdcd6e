"""A piece of shell text in the file that it stands in: the builds that it asks for, and the bases that it names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.domain.repositories.usage import Role
from bot.files.formats.builds import Asked
from bot.files.formats.shell.commands import UNKNOWN, commands
from bot.files.formats.shell.docker import build_of, contexts_of, override_of
from bot.files.formats.shell.dotnet import BASE, publish_of
from bot.files.formats.shell.folders import Folders
from bot.files.formats.shell.running import RunImage, images_run, may_run, names_built, names_given
from bot.files.formats.source.collector import IMAGE_CONTEXT, Collector, quoted
from bot.files.formats.source.spanned import Spanned

_HINTS = re.compile(r"\b(?:docker|podman|buildah|nerdctl|depot|acr|dotnet|msbuild)\b")
_GOES_ON = re.compile(r"(?:[\\`]|&&|\|\||(?<![:-] )\|)\s*\Z")
"""How a line ends that goes on in the next one; behind `: ` or `- ` a bar begins a block of YAML."""
_ONLY_A_PART = "a variable supplies only a part of it; write the whole image in the variable to have it pinned"


def may_ask(text: str) -> bool:
    """Whether a text may hold a command that asks for a build, told faster than by reading its commands."""
    return _HINTS.search(text) is not None


def asked(
    text: Spanned,
    file: Collector,
    folder: str | None = "",
    variables: Mapping[str, Spanned] | None = None,
    own: str | None = None,
) -> Iterator[Asked]:
    """What the commands ask for, each in the folder that `cd` has led to from `folder` on; `own` is the folder
    of a script, which may be called from there."""
    if not may_ask(text.text):
        return
    folders = Folders(folder, own, may_be_own=own is not None)
    for command in commands(text, variables):
        if (changed := folders.after(command)) is not None:
            folders = changed
        elif (build := build_of(command, file.path, file.kind, folders)) is not None:
            yield build
        elif (publish := publish_of(command, file.path, file.kind, folders, file.lines.at)) is not None:
            yield publish
        elif (override := override_of(command, file.path, file.kind, folders)) is not None:
            yield override


def names_images(text: str) -> bool:
    """Whether a text may hold a command line that names an image; a look for the words is cheap."""
    return IMAGE_CONTEXT in text or BASE.lower() in text.lower() or may_run(text)


def name_images(text: Spanned, file: Collector, variables: Mapping[str, Spanned] | None = None) -> None:
    """Adds the images that command lines name: as the base of what is published, as a context of a build, and as
    what is run or fetched, where the file does not build it itself."""
    if not names_images(text.text):
        return
    all_commands = commands(text, variables)
    built = names_built(file.text) | {name for command in all_commands for name in names_given(command)}
    for command in all_commands:
        for image in contexts_of(command):
            _name(image, Role.CONTEXT, file, file.lines.at(command.words[0].place(0)))
        for run in images_run(command):
            if run.image.text not in built:
                _name_run(run, file)
        publish = publish_of(command, file.path, file.kind, Folders(), file.lines.at)
        if publish is None:
            continue
        for name, value in publish.properties:
            if name.lower() == BASE.lower() and value.text:
                _name(value, Role.BASE_IMAGE, file, publish.line)


def _name_run(run: RunImage, file: Collector) -> None:
    """Adds what is run; a word that is no image reference is nobody's mistake, but a text of another kind."""
    if not run.is_known:
        image = quoted(run.image.text.replace(UNKNOWN, "…"))
        why = f"the image {image} is known only when the command runs; write it out to have it watched"
        file.problem(run.image.place(0), why)
    elif (usage := file.usage(run.image, Role.CONTAINER)) is not None:
        statement = _first_line(file, usage.line)
        file.image_or_part(run.image, Role.CONTAINER, why_fixed=_ONLY_A_PART, statement=statement)


def _first_line(file: Collector, line: int) -> int:
    """The line that those before begin with which go on in it: a comment among them would break the command."""
    while line > 1 and _GOES_ON.search(file.lines.of(line - 1)) is not None:
        line -= 1
    return line


def _name(value: Spanned, role: Role, file: Collector, command: int) -> None:
    """A marker goes above the whole command: a comment among its lines would break it."""
    usage = file.usage(value, role)
    if usage is None:
        file.image_or_problem(value, role)
    else:
        file.add(replace(usage, statement=None if usage.line == command else command))
