"""A project evaluated, as far as its texts decide it.

MSBuild evaluates from top to bottom: Directory.Build.props, Directory.Packages.props, the project,
Directory.Build.targets, each with its imports
(https://learn.microsoft.com/visualstudio/msbuild/comparing-properties-and-items). What only the machine or the
command line knows stays an `UndecidedValue` and says why. Every character of a value keeps its place in the file
that it comes from.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from bot.files.formats.dotnet.msbuild.conditions import Applies, negated
from bot.files.formats.dotnet.msbuild.elements import ProjectElement
from bot.files.formats.dotnet.msbuild.imports import Document, Imports
from bot.files.formats.dotnet.msbuild.items import ProjectItem, ProjectItems, metadata_of
from bot.files.formats.dotnet.msbuild.properties import Given, Properties
from bot.files.formats.dotnet.msbuild.values import Assignment, Setting, UndecidedValue
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.spanned import Spanned

DEEPEST_GROUPS = 100
MOST_ASSIGNMENTS = 100
"""How often one file may set the watched property before the rest is left out."""
MOST_DOCUMENTS = 50
"""How many files one project is put together from, at most."""

_FILE_ABOVE = re.compile(
    r"GetPathOfFileAbove\(\s*'?(?P<name>\$\(MSBuildThisFile\)|[\w.-]+)'?\s*(?:,(?P<start>[^,]*))?\)\)", re.ASCII
)
"""`start` is the folder to begin in; without it, that of the file itself."""
_FOLDER_ABOVE = re.compile(
    r"\$\(\[MSBuild\]::GetDirectoryNameOfFileAbove\([^,()]*(?:\([^)]*\)[^,()]*)?,\s*'?(?P<name>[\w.-]+)'?\s*\)\)",
    re.ASCII,
)
_ROOM = 1 << 21
"""More characters than any file has: places in the n-th file of an evaluation begin at n times that."""


class Evaluation:
    """Takes documents one after the other and knows afterwards what they set (`properties`) and list (`items`).

    `command_properties` are as in `Properties`. The assignments of the property `watched` are kept one by one.
    Places are counted through all files: those of `home` are as in that file, `located` tells whose and which the
    others are.
    """

    def __init__(self, imports: Imports, command_properties: Given, *, watched: str, home: str) -> None:
        self._imports = imports
        self.properties = Properties(command_properties, home)
        self._watched = watched.lower()
        self._numbers = {home: 0}
        self._taken: dict[str, Document] = {}
        self._depth = 0
        self._items = ProjectItems()
        self.sdks: list[str] = []
        self.assignments: list[Assignment] = []
        self.unreadable: dict[str, Unreadable] = {}

    @property
    def documents(self) -> Mapping[str, Document]:
        """All that was evaluated, by path."""
        return self._taken

    @property
    def items(self) -> Sequence[ProjectItem]:
        """The items that the project has after all documents taken so far."""
        return self._items.all

    def take(self, document: Document) -> None:
        """Evaluates a document, unless it was evaluated before."""
        if document.path not in self._taken and len(self._taken) < MOST_DOCUMENTS:
            self._taken[document.path] = document
            self._numbers.setdefault(document.path, len(self._numbers))
            self._note_sdks(document.root.attributes.get("Sdk", ""))
            self._body(document, document.root, Applies())

    def take_path(self, path: str | None) -> None:
        """Evaluates the file at a path, if there is one; what cannot be read is in `unreadable`."""
        document = self._imports.get(path) if path is not None else None
        if isinstance(document, Unreadable):
            self.unreadable[path or ""] = document
        elif document is not None:
            self.take(document)

    def located(self, place: int) -> tuple[str, int]:
        """The file that a place belongs to, and the offset there."""
        number, offset = divmod(place, _ROOM)
        return list(self._numbers)[number], offset

    def placed(self, text: Spanned, path: str) -> Spanned:
        """A text of a file, with its places counted through all files."""
        shift = self._numbers.get(path, 0) * _ROOM
        if not shift:
            return text
        if isinstance(text.places, range):
            return Spanned(text.text, range(text.places.start + shift, text.places.stop + shift))
        places = tuple(place + shift if place >= 0 else place - shift for place in text.places)
        return Spanned(text.text, places)

    def _body(self, document: Document, parent: ProjectElement, applies: Applies) -> None:
        if self._depth >= DEEPEST_GROUPS:
            return
        self._depth += 1
        for child in parent.children:
            here = self._narrow_by_condition(child, applies)
            match child.name:
                case "PropertyGroup":
                    self._properties(document, child, here)
                case "ItemGroup":
                    self._item_group(document, child, here)
                case "Choose":
                    self._choose(document, child, here)
                case "ImportGroup":
                    self._body(document, child, here)
                case "Import":
                    self._import(document, child, here.holds)
                case "Sdk" if here.holds is not False:
                    self._note_sdks(child.attributes.get("Name", ""))
                case "Target":
                    # A target runs later, if at all: what it sets is a fact of the text, not of the evaluation.
                    for group in child.named("PropertyGroup"):
                        self._watch_only(document, group)
        self._depth -= 1

    def _narrow_by_condition(self, element: ProjectElement, applies: Applies) -> Applies:
        """Whether the element counts within what `applies` tells of."""
        if not element.condition or applies.holds is False:
            return applies
        own, is_certain = self.properties.answer(element.condition)
        return applies.narrowed(own, element.condition, is_certain=is_certain)

    def _choose(self, document: Document, choose: ProjectElement, applies: Applies) -> None:
        remaining = applies
        for branch in choose.named("When", "Otherwise"):
            own, is_certain = self.properties.answer(branch.condition)
            here = remaining.narrowed(own, branch.condition, is_certain=is_certain)
            remaining = remaining.narrowed(negated(own), branch.condition, is_certain=is_certain)
            self._body(document, branch, here)

    def _import(self, document: Document, element: ProjectElement, applies: bool | None) -> None:
        if applies is False:
            return
        if "Sdk" in element.attributes:
            self._note_sdks(element.attributes["Sdk"])
        else:
            self.take_path(self._find_import(document.path, element.attributes.get("Project", "")))

    def _find_import(self, path: str, project: str) -> str | None:
        """The file that an import names, as far as the text tells."""
        here = posixpath.dirname(path)
        if above := _FILE_ABOVE.search(project):
            name = above["name"].replace("$(MSBuildThisFile)", posixpath.basename(path))
            if ".." not in (above["start"] or ""):
                return self._imports.nearest(name, here)
            return self._imports.nearest(name, posixpath.dirname(here)) if here else None
        if above := _FOLDER_ABOVE.search(project):
            file_above = self._imports.nearest(above["name"], here)
            if file_above is None:
                return None
            project = f"{project[: above.start()]}/{posixpath.dirname(file_above)}/{project[above.end() :]}"
        return self.path_of(project, path)

    def path_of(self, raw_path: str, path: str) -> str | None:
        """The file of the repository that a path written in the file `path` means; None where it is not known."""
        expanded = self._expanded_text(raw_path, path)
        if expanded is None:
            return None
        relative = expanded.replace("\\", "/")
        folder = "" if relative.startswith("/") else posixpath.dirname(path)
        normal_path = posixpath.normpath(posixpath.join(folder, relative.lstrip("/")))
        return normal_path.removeprefix("./")

    def _expanded_text(self, text: str, path: str) -> str | None:
        if "$(" not in text:
            return text
        value = self.properties.expanded(Spanned(text, range(len(text))), path)
        return None if isinstance(value, UndecidedValue) else value.text

    def _properties(self, document: Document, group: ProjectElement, applies: Applies) -> None:
        for element in group.children:
            here = self._narrow_by_condition(element, applies)
            text = self.placed(element.text, document.path)
            value, is_certain = self.properties.weighed(text, document.path)
            if self._is_watched(element, document):
                self.assignments.append(
                    Assignment(
                        document.path, element.start, text, value, here.condition, here.holds, here.is_ruled_out
                    )
                )
            line = document.lines.at(element.start)
            setting = value if isinstance(value, UndecidedValue) else Setting(value, document.path, line)
            self.properties.assign(element.name, setting, here, is_certain=is_certain and here.is_certain)

    def _watch_only(self, document: Document, group: ProjectElement) -> None:
        for element in group.children:
            if self._is_watched(element, document):
                text = self.placed(element.text, document.path)
                value = self.properties.expanded(text, document.path)
                condition = element.condition or group.condition
                self.assignments.append(Assignment(document.path, element.start, text, value, condition, True))

    def _is_watched(self, element: ProjectElement, document: Document) -> bool:
        if element.name.lower() != self._watched:
            return False
        return sum(each.path == document.path for each in self.assignments) < MOST_ASSIGNMENTS

    def _item_group(self, document: Document, group: ProjectElement, applies: Applies) -> None:
        for element in group.children:
            here = self._narrow_by_condition(element, applies).holds
            if here is False or self._items.is_full:
                continue
            line = document.lines.at(element.start)
            metadata = metadata_of(element)
            for name in self._names(element.attributes.get("Include", ""), document):
                self._items.add(ProjectItem(element.name, name, document.path, here is True, line, metadata))
            for name in self._names(element.attributes.get("Update", ""), document):
                self._items.update(element.name, name, metadata)
            for name in self._names(element.attributes.get("Remove", ""), document):
                self._items.remove(element.name, name, certain=here is True)

    def _names(self, name_list: str, document: Document) -> Iterator[str]:
        if not name_list:
            return
        expanded = self._expanded_text(name_list, document.path)
        for name in (name_list if expanded is None else expanded).split(";")[:100]:
            if name.strip():
                yield name.strip()

    def _note_sdks(self, names: str) -> None:
        self.sdks += [name.partition("/")[0].strip() for name in names.split(";") if name.strip()]
