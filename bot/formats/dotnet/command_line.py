"""Publishes that command lines ask for: their properties win over those of every file, as MSBuild has it.

https://learn.microsoft.com/visualstudio/msbuild/msbuild-properties#global-properties; `--os` and `--arch` make a
runtime identifier (https://learn.microsoft.com/dotnet/core/tools/dotnet-publish).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from bot.formats.builds import DotnetPublish

GIVEN_SIGNS = ("container", "enablesdkcontainersupport")
"""How names of properties begin that only mean something where an image is published."""
USUAL_OS = "linux"
USUAL_ARCHITECTURE = "x64"
"""What hosted runners of pipelines have, where a command line leaves it out."""


class Ordered(NamedTuple):
    """A publish of a project that the file `path` asks for, with its properties.

    `names_project` says that the command means this project alone, not a solution of several.
    """

    path: str
    properties: tuple[tuple[str, str], ...]
    is_container: bool
    names_project: bool = True

    @property
    def given(self) -> Mapping[str, str]:
        return dict(self.properties)


def ordered(
    publishes: Iterable[DotnetPublish], projects_named: Callable[[str], Sequence[str]]
) -> Mapping[str, tuple[Ordered, ...]]:
    """Returns by project which sets of properties command lines build its image with, each once.

    `projects_named` gives the projects that a place means: a project, a solution or a folder.
    """
    found: dict[str, dict[Ordered, None]] = {}
    for publish in publishes:
        if publish.target is None or not (publish.is_container or _is_about_images(publish)):
            continue
        named = publish.target or "."
        properties = tuple(_properties(publish))
        projects = projects_named(named)
        for project in projects:
            one = Ordered(publish.path, properties, publish.is_container, names_project=len(projects) == 1)
            found.setdefault(project, {})[one] = None
    return {project: tuple(each) for project, each in found.items()}


def _is_about_images(publish: DotnetPublish) -> bool:
    return any(name.lower().startswith(GIVEN_SIGNS) for name, _ in publish.properties)


def _properties(publish: DotnetPublish) -> Iterable[tuple[str, str]]:
    yield from ((name, value.text) for name, value in publish.properties)
    if publish.os is not None or publish.architecture is not None:
        yield "RuntimeIdentifier", f"{publish.os or USUAL_OS}-{publish.architecture or USUAL_ARCHITECTURE}"
