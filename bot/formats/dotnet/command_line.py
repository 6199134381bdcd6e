"""Publishes that command lines ask for: their properties win over those of every file, as MSBuild has it.

https://learn.microsoft.com/visualstudio/msbuild/msbuild-properties#global-properties; `--os` and `--arch` make a
runtime identifier (https://learn.microsoft.com/dotnet/core/tools/dotnet-publish).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from bot.formats.builds import DotnetPublish

GIVEN_SIGNS = ("container", "enablesdkcontainersupport")
"""How names of properties begin that only mean something where an image is published."""
USUAL_OS = "linux"
USUAL_ARCHITECTURE = "x64"
"""What hosted runners of pipelines have, where a command line leaves it out."""


class Ordered(NamedTuple):
    """A publish of a project that the file `path` asks for, with its properties."""

    path: str
    properties: tuple[tuple[str, str], ...]
    is_container: bool

    @property
    def given(self) -> Mapping[str, str]:
        return dict(self.properties)


def ordered(
    publishes: Iterable[DotnetPublish], project_at: Callable[[str], str | None]
) -> Mapping[str, tuple[Ordered, ...]]:
    """By project, what command lines about images ask of it; each set of properties once."""
    found: dict[str, dict[Ordered, None]] = {}
    for publish in publishes:
        project = project_at(publish.target or ".") if publish.target is not None else None
        if project is not None and (publish.is_container or _is_about_images(publish)):
            one = Ordered(publish.path, tuple(_properties(publish)), publish.is_container)
            found.setdefault(project, {})[one] = None
    return {project: tuple(each) for project, each in found.items()}


def _is_about_images(publish: DotnetPublish) -> bool:
    return any(name.lower().startswith(GIVEN_SIGNS) for name, _ in publish.properties)


def _properties(publish: DotnetPublish) -> Iterable[tuple[str, str]]:
    yield from ((name, value.text) for name, value in publish.properties)
    if publish.os is not None or publish.architecture is not None:
        yield "RuntimeIdentifier", f"{publish.os or USUAL_OS}-{publish.architecture or USUAL_ARCHITECTURE}"
