"""What the properties of a project come to, as far as its texts decide them.

MSBuild evaluates from top to bottom: Directory.Build.props, Directory.Packages.props, the project,
Directory.Build.targets, each with its imports
(https://learn.microsoft.com/visualstudio/msbuild/comparing-properties-and-items). What only the machine or the
command line knows stays an `UndecidedValue` and says why. Every character of a value keeps its place in the file
that it comes from.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from bot.formats.dotnet.msbuild.conditions import Applies, condition_holds, negated
from bot.formats.dotnet.msbuild.elements import ProjectElement
from bot.formats.dotnet.msbuild.imports import Document, Imports
from bot.formats.dotnet.msbuild.items import ProjectItem, ProjectItems, metadata_of
from bot.formats.dotnet.msbuild.values import LONGEST_VALUE, Assignment, Setting, UndecidedValue
from bot.formats.source.collector import Unreadable, quoted
from bot.formats.source.spanned import Spanned, joined

MOST_PUT_IN = 200_000
"""Characters that properties may come to altogether."""
DEEPEST_GROUPS = 100
MOST_ASSIGNMENTS = 100
"""How often one file may set the watched property before the rest is left out."""
MOST_DOCUMENTS = 50
"""How many files one project is put together from, at most."""

_EXPRESSION = re.compile(r"\$\((?P<name>[A-Za-z_][\w-]*)\)")
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
_ANY_EXPRESSION = re.compile(r"[$@%]\(")
_FUNCTION = re.compile(r"\$\((?:\[|[A-Za-z_][\w-]*[.\[])")
"""`$([Type]::Function(…))`, `$(Property.Method(…))`: what only MSBuild computes, whatever is put in."""
_OWN_FOLDER = frozenset({"msbuildthisfiledirectory", "msbuildprojectdirectory"})
"""Properties that hold a folder; written here from the repository's root on, with a slash before and behind."""
_KNOWN_TO_MSBUILD_ALONE = re.compile(
    r"(?:MSBuild|NETCoreSdk|NetCoreTargeting|Bundled|_|GITHUB_|BUILD_|AGENT_|Solution|VisualStudio|DevEnv).*"
    r"|OS|CI|TF_BUILD|ContinuousIntegrationBuild|TargetFrameworkIdentifier|TargetFrameworkVersion|AssemblyName",
    re.I,
)


Given = Mapping[str, str | UndecidedValue]
"""Properties of a command line, with what is known of their values."""


class Evaluation:
    """Takes documents one after the other and knows afterwards what is set.

    `given` are properties that nothing overrides, like those of the command line. The assignments of the property
    `watched` are kept one by one. Places are counted through all files: those of `home` are as in that file,
    `located` tells whose and which the others are.
    """

    def __init__(self, imports: Imports, given: Given, *, watched: str, home: str) -> None:
        self._imports = imports
        self._given = {name.lower(): value for name, value in given.items()}
        self._settings: dict[str, Setting | UndecidedValue] = {}
        self._watched = watched.lower()
        self._numbers = {home: 0}
        self._taken: dict[str, Document] = {}
        self._put_in_so_far = 0
        self._depth = 0
        self._items = ProjectItems()
        self._replaceable: set[str] = set()
        """Properties that a build may be given another value for, as the texts set them where they are empty."""
        self._is_certain = True
        """Whether what was expanded last rests on none of these, nor on one that no text sets."""
        self.sdks: list[str] = []
        self.assignments: list[Assignment] = []
        self.unreadable: dict[str, Unreadable] = {}

    @property
    def documents(self) -> Mapping[str, Document]:
        """All that was evaluated, by path."""
        return self._taken

    @property
    def items(self) -> Sequence[ProjectItem]:
        """Those that the project has by now."""
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
        found = self._imports.get(path) if path is not None else None
        if isinstance(found, Unreadable):
            self.unreadable[path or ""] = found
        elif found is not None:
            self.take(found)

    def located(self, place: int) -> tuple[str, int]:
        """The file that a place belongs to, and the offset there."""
        number, offset = divmod(place, _ROOM)
        return list(self._numbers)[number], offset

    def placed(self, written: Spanned, path: str) -> Spanned:
        """A text of a file, with its places counted through all files."""
        shift = self._numbers.get(path, 0) * _ROOM
        if not shift:
            return written
        if isinstance(written.places, range):
            return Spanned(written.text, range(written.places.start + shift, written.places.stop + shift))
        places = tuple(place + shift if place >= 0 else place - shift for place in written.places)
        return Spanned(written.text, places)

    def setting(self, name: str) -> Setting | UndecidedValue | None:
        """What the property is at this point, None where no text sets it."""
        return self._settings.get(name.lower())

    def settings(self) -> Mapping[str, Setting | UndecidedValue]:
        """All that the texts set, by name in lower case."""
        return self._settings

    def given(self, name: str) -> str | UndecidedValue | None:
        """What the command line gives the property, None where it gives nothing."""
        return self._given.get(name.lower())

    def text(self, name: str) -> str | UndecidedValue:
        """The property's value without surrounding space; empty where no text sets it."""
        given = self._given.get(name.lower())
        if given is not None:
            return given
        setting = self.setting(name)
        if isinstance(setting, UndecidedValue):
            return setting
        return setting.value.text.strip() if setting is not None else ""

    def _body(self, document: Document, parent: ProjectElement, applies: Applies) -> None:
        if self._depth >= DEEPEST_GROUPS:
            return
        self._depth += 1
        for child in parent.children:
            here = self._narrowed(child, applies)
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

    def _narrowed(self, element: ProjectElement, applies: Applies) -> Applies:
        """Whether the element counts within what `applies` tells of."""
        if not element.condition or applies.holds is False:
            return applies
        own = self._answer(element.condition)
        return applies.narrowed(own, element.condition, is_certain=self._is_certain)

    def _answer(self, condition: str) -> bool | None:
        self._is_certain = True
        return condition_holds(condition, self._expanded_for_condition)

    def _choose(self, document: Document, choose: ProjectElement, applies: Applies) -> None:
        remaining = applies
        for branch in choose.named("When", "Otherwise"):
            own = self._answer(branch.condition)
            is_certain = self._is_certain
            here = remaining.narrowed(own, branch.condition, is_certain=is_certain)
            remaining = remaining.narrowed(negated(own), branch.condition, is_certain=is_certain)
            self._body(document, branch, here)

    def _import(self, document: Document, element: ProjectElement, applies: bool | None) -> None:
        if applies is False:
            return
        if "Sdk" in element.attributes:
            self._note_sdks(element.attributes["Sdk"])
        else:
            self.take_path(self._imported(document.path, element.attributes.get("Project", "")))

    def _imported(self, path: str, project: str) -> str | None:
        """The file that an import names, as far as the text tells."""
        here = posixpath.dirname(path)
        if above := _FILE_ABOVE.search(project):
            name = above["name"].replace("$(MSBuildThisFile)", posixpath.basename(path))
            if ".." not in (above["start"] or ""):
                return self._imports.nearest(name, here)
            return self._imports.nearest(name, posixpath.dirname(here)) if here else None
        if above := _FOLDER_ABOVE.search(project):
            found = self._imports.nearest(above["name"], here)
            if found is None:
                return None
            project = f"{project[: above.start()]}/{posixpath.dirname(found)}/{project[above.end() :]}"
        return self.path_of(project, path)

    def path_of(self, written: str, path: str) -> str | None:
        """The file of the repository that a path written in the file `path` means; None where it is not known."""
        expanded = self._expanded_text(written, path)
        if expanded is None:
            return None
        relative = expanded.replace("\\", "/")
        folder = "" if relative.startswith("/") else posixpath.dirname(path)
        found = posixpath.normpath(posixpath.join(folder, relative.lstrip("/")))
        return found.removeprefix("./")

    def _expanded_text(self, written: str, path: str) -> str | None:
        if "$(" not in written:
            return written
        value = self.expanded(Spanned(written, range(len(written))), path)
        return None if isinstance(value, UndecidedValue) else value.text

    def _properties(self, document: Document, group: ProjectElement, applies: Applies) -> None:
        for element in group.children:
            here = self._narrowed(element, applies)
            written = self.placed(element.text, document.path)
            self._is_certain = True
            value = self.expanded(written, document.path)
            is_certain = self._is_certain and here.is_certain
            if self._is_watched(element, document):
                self.assignments.append(
                    Assignment(
                        document.path, element.start, written, value, here.condition, here.holds, here.is_ruled_out
                    )
                )
            if element.name.lower() in self._given or here.is_ruled_out:
                continue
            if not is_certain:
                self._replaceable.add(element.name.lower())
            elif here.holds:
                self._replaceable.discard(element.name.lower())
            if here.holds is not False:
                self._assign(document, element, value, here)

    def _assign(
        self, document: Document, element: ProjectElement, value: Spanned | UndecidedValue, applies: Applies
    ) -> None:
        name = element.name.lower()
        line = document.lines.at(element.start)
        if isinstance(value, UndecidedValue):
            self._settings[name] = value
        elif applies.holds:
            self._settings[name] = Setting(value, document.path, line)
        elif self.text(name) != value.text.strip():
            self._settings[name] = UndecidedValue(
                f"whether {quoted(applies.condition)} holds is not known here", document.path, line
            )

    def _watch_only(self, document: Document, group: ProjectElement) -> None:
        for element in group.children:
            if self._is_watched(element, document):
                written = self.placed(element.text, document.path)
                value = self.expanded(written, document.path)
                condition = element.condition or group.condition
                self.assignments.append(Assignment(document.path, element.start, written, value, condition, True))

    def _is_watched(self, element: ProjectElement, document: Document) -> bool:
        if element.name.lower() != self._watched:
            return False
        return sum(each.path == document.path for each in self.assignments) < MOST_ASSIGNMENTS

    def _item_group(self, document: Document, group: ProjectElement, applies: Applies) -> None:
        for element in group.children:
            here = self._narrowed(element, applies).holds
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

    def _names(self, written: str, document: Document) -> Iterator[str]:
        if not written:
            return
        expanded = self._expanded_text(written, document.path)
        for name in (written if expanded is None else expanded).split(";")[:100]:
            if name.strip():
                yield name.strip()

    def _note_sdks(self, names: str) -> None:
        self.sdks += [name.partition("/")[0].strip() for name in names.split(";") if name.strip()]

    def _expanded_for_condition(self, text: str) -> str | None:
        """A property that no text sets is empty, as in a build from a fresh checkout."""
        for expression in _EXPRESSION.finditer(text):
            name = expression["name"]
            unknown = self.setting(name) is None and name.lower() not in self._given
            self._is_certain = self._is_certain and not unknown and name.lower() not in self._replaceable
            if isinstance(self.text(name), UndecidedValue) or (unknown and _KNOWN_TO_MSBUILD_ALONE.fullmatch(name)):
                return None
        expanded = _EXPRESSION.sub(lambda expression: str(self.text(expression["name"])), text[:LONGEST_VALUE])
        return None if _ANY_EXPRESSION.search(expanded) or len(expanded) > LONGEST_VALUE else expanded

    def expanded(self, written: Spanned, path: str) -> Spanned | UndecidedValue:
        """The text with properties put in, each character with the place that it comes from."""
        if "(" not in written.text:
            return written
        parts: list[Spanned] = []
        done, length = 0, 0
        for expression in _EXPRESSION.finditer(written.text):
            near = written.place(expression.start())
            put_in = self._put_in(expression["name"], near, path)
            if isinstance(put_in, UndecidedValue):
                return self._computed(written, path) if _FUNCTION.search(written.text) else put_in
            length += len(put_in)
            if length > LONGEST_VALUE or self._put_in_so_far + length > MOST_PUT_IN:
                return UndecidedValue("its value is too long", path, 0)
            parts += [written.part(done, expression.start()), put_in]
            done = expression.end()
        self._put_in_so_far += length
        whole = joined([*parts, written.part(done, len(written))])
        if _ANY_EXPRESSION.search(whole.text):
            return self._computed(written, path)
        return whole

    def _computed(self, written: Spanned, path: str) -> UndecidedValue:
        return UndecidedValue(f"{quoted(written.text)} takes MSBuild to compute", path, 0)

    def _put_in(self, name: str, near: int, path: str) -> Spanned | UndecidedValue:
        given = self._given.get(name.lower())
        if given is not None:
            return given if isinstance(given, UndecidedValue) else Spanned(given, (~near,) * len(given))
        if name.lower() in _OWN_FOLDER:
            folder = posixpath.dirname(path if "this" in name.lower() else next(iter(self._numbers)))
            text = f"/{folder}{'/' if folder else ''}"
            return Spanned(text, (~near,) * len(text))
        setting = self.setting(name)
        self._is_certain = self._is_certain and name.lower() not in self._replaceable
        if setting is None:
            return UndecidedValue(f"$({name}) is not set here", path, 0)
        return setting if isinstance(setting, UndecidedValue) else setting.value.strip()
