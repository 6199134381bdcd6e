"""The items of a project, as its elements add, change and remove them one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.files.formats.dotnet.msbuild.elements import ProjectElement

MOST_ITEMS = 5_000
"""Items of one project; the rest is left out."""


@dataclass(frozen=True, slots=True)
class ProjectItem:
    """An item that the project has; `certain` is False where its condition cannot be decided.

    `include` still has `$(` in it where a property in it is not known. `metadata` has its names in lower case.
    """

    name: str
    include: str
    path: str
    certain: bool
    line: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)


class ProjectItems:
    """Takes items in the order of the elements; beyond `MOST_ITEMS` the rest is left out."""

    def __init__(self) -> None:
        self.all: list[ProjectItem] = []

    @property
    def is_full(self) -> bool:
        return len(self.all) >= MOST_ITEMS

    def add(self, item: ProjectItem) -> None:
        self.all.append(item)

    def update(self, kind: str, name: str, metadata: Mapping[str, str]) -> None:
        """Adds metadata to the items of a kind that `name` fits."""
        self.all = [
            replace(item, metadata={**item.metadata, **metadata})
            if item.name == kind and _fits(item, name)
            else item
            for item in self.all
        ]

    def remove(self, kind: str, name: str, *, certain: bool) -> None:
        """Removes the items of a kind that `name` fits; where that is not `certain`, neither are they any more."""
        remaining: list[ProjectItem] = []
        for item in self.all:
            if item.name != kind or not _fits(item, name):
                remaining.append(item)
            elif not certain:
                remaining.append(replace(item, certain=False))
        self.all = remaining


def metadata_of(element: ProjectElement) -> Mapping[str, str]:
    own = {name.lower(): value.strip() for name, value in element.attributes.items()}
    return {**own, **{child.name.lower(): child.text.text.strip() for child in element.children}}


def _fits(item: ProjectItem, name: str) -> bool:
    """Whether an item is the one that an Update or a Remove names; `**` and the like are taken for all."""
    return "*" in name or item.include.replace("\\", "/").lower() == name.replace("\\", "/").lower()
