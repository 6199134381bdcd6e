"""Publishes that command lines ask for: their properties win over those of every file, as MSBuild has it.

https://learn.microsoft.com/visualstudio/msbuild/msbuild-properties#global-properties; `--os` and `--arch` make a
runtime identifier (https://learn.microsoft.com/dotnet/core/tools/dotnet-publish).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from bot.files.formats.builds import DotnetPublish
from bot.files.formats.dotnet.msbuild.values import UndecidedValue

GIVEN_SIGNS = ("container", "enablesdkcontainersupport")
"""How names of properties begin that only mean something where an image is published."""
_DECIDING = ("containerbaseimage", "containerfamily")
"""Without a value of these that is known, nothing tells the base."""
USUAL_OS = "linux"
USUAL_ARCHITECTURE = "x64"
"""What hosted runners of pipelines have, where a command line leaves it out."""


class Ordered(NamedTuple):
    """A publish of a project that the file `path` asks for, with its properties.

    `names_project` says that the command means this project alone, not a solution of several; `undecided` are the
    properties that it gives a value which only a run knows, in `line`.
    """

    path: str
    properties: tuple[tuple[str, str], ...]
    is_container: bool
    names_project: bool = True
    undecided: tuple[str, ...] = ()
    line: int = 0

    @property
    def given(self) -> Mapping[str, str | UndecidedValue]:
        why = f"line {self.line} of {self.path} gives it a value that is known only when that runs"
        open_ones = {name: UndecidedValue(why, self.path, self.line) for name in self.undecided}
        return {**dict(self.properties), **open_ones}


def property_sets(
    publishes: Iterable[DotnetPublish], projects_named: Callable[[str], Sequence[str]]
) -> Mapping[str, tuple[Ordered, ...]]:
    """Returns by project which sets of properties command lines build its image with, each once.

    `projects_named` gives the projects that a place means: a project, a solution or a folder.
    """
    orders_by_project: dict[str, dict[Ordered, None]] = {}
    for publish in publishes:
        if publish.target is None or not (publish.is_container or _is_about_images(publish)):
            continue
        target = publish.target or "."
        properties = tuple(_properties(publish))
        undecided = tuple(name for name in publish.undecided if name.lower() in _DECIDING)
        line = publish.line if undecided else 0
        projects = projects_named(target)
        for project in projects:
            is_alone = len(projects) == 1
            one = Ordered(publish.path, properties, publish.is_container, is_alone, undecided, line)
            orders_by_project.setdefault(project, {})[one] = None
    return {project: tuple(each) for project, each in orders_by_project.items()}


def _is_about_images(publish: DotnetPublish) -> bool:
    names = (*(name for name, _ in publish.properties), *publish.undecided)
    return any(name.lower().startswith(GIVEN_SIGNS) for name in names)


def _properties(publish: DotnetPublish) -> Iterable[tuple[str, str]]:
    yield from ((name, value.text) for name, value in publish.properties)
    if publish.os is not None or publish.architecture is not None:
        yield "RuntimeIdentifier", f"{publish.os or USUAL_OS}-{publish.architecture or USUAL_ARCHITECTURE}"
