"""What the properties of a project come to, as far as its texts decide them.

MSBuild evaluates from top to bottom: Directory.Build.props, the project, Directory.Build.targets, each with its
imports (https://learn.microsoft.com/visualstudio/msbuild/comparing-properties-and-items). What only the machine or
the command line knows stays `Undecided` and says why.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.formats.dotnet.msbuild.conditions import both, holds, negated
from bot.formats.dotnet.msbuild.elements import Element
from bot.formats.dotnet.msbuild.imports import Document, Imports
from bot.formats.source.collector import quoted
from bot.formats.source.spanned import Spanned, joined

LONGEST_VALUE = 1024
"""Characters; a longer value is not the name of an image, and properties that double each other end here."""
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
_ANY_EXPRESSION = re.compile(r"[$@%]\(")
_KNOWN_TO_MSBUILD_ALONE = re.compile(
    r"(?:MSBuild|NETCoreSdk|NetCoreTargeting|Bundled|_|GITHUB_|BUILD_|AGENT_|Solution|VisualStudio|DevEnv).*"
    r"|OS|CI|TF_BUILD|ContinuousIntegrationBuild|TargetFrameworkIdentifier|TargetFrameworkVersion|AssemblyName",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A property's value and the place that set it."""

    value: Spanned
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Undecided:
    """A property whose value the texts do not tell; `why` continues the sentence "X is undecided: …"."""

    why: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """An item that the project has; `certain` is False where its condition cannot be decided."""

    name: str
    include: str
    path: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """One element that sets a property we look for, whether or not it comes to count."""

    element: Element
    value: Spanned | Undecided
    condition: str
    applies: bool | None


class Evaluation:
    """Takes documents one after the other and knows afterwards what is set.

    `given` are properties that nothing overrides, like those of the command line. `watched` names the property
    whose assignments in `watched_path` are kept one by one.
    """

    def __init__(self, imports: Imports, given: Mapping[str, str], *, watched: str, watched_path: str) -> None:
        self._imports = imports
        self._given = {name.lower(): value for name, value in given.items()}
        self._settings: dict[str, Setting | Undecided] = {}
        self._watched, self._watched_path = watched.lower(), watched_path
        self._taken: set[str] = set()
        self._put_in_so_far = 0
        self._depth = 0
        self.items: list[Item] = []
        self.sdks: list[str] = []
        self.assignments: list[Assignment] = []

    def take(self, document: Document) -> None:
        """Evaluates a document, unless it was evaluated before."""
        if document.path not in self._taken and len(self._taken) < MOST_DOCUMENTS:
            self._taken.add(document.path)
            self._note_sdks(document.root.attributes.get("Sdk", ""))
            self._body(document, document.root, True, "")

    def setting(self, name: str) -> Setting | Undecided | None:
        """What the property is at this point, None where no text sets it."""
        return self._settings.get(name.lower())

    def settings(self) -> Mapping[str, Setting | Undecided]:
        """All that the texts set, by name in lower case."""
        return self._settings

    def text(self, name: str) -> str | Undecided:
        """The property's value without surrounding space; empty where no text sets it."""
        given = self._given.get(name.lower())
        if given is not None:
            return given
        setting = self.setting(name)
        if isinstance(setting, Undecided):
            return setting
        return setting.value.text.strip() if setting is not None else ""

    def _body(self, document: Document, parent: Element, applies: bool | None, condition: str) -> None:
        if self._depth >= DEEPEST_GROUPS:
            return
        self._depth += 1
        for child in parent.children:
            here, why = self._narrowed(child, applies, condition)
            match child.name:
                case "PropertyGroup":
                    self._properties(document, child, here, why)
                case "ItemGroup":
                    self._items(document, child, here)
                case "Choose":
                    self._choose(document, child, here, why)
                case "ImportGroup":
                    self._body(document, child, here, why)
                case "Import":
                    self._import(document, child, here)
                case "Sdk":
                    self._note_sdks(child.attributes.get("Name", ""))
                case "Target":
                    # A target runs later, if at all: what it sets is a fact of the text, not of the evaluation.
                    for group in child.named("PropertyGroup"):
                        self._watch_only(document, group)
        self._depth -= 1

    def _narrowed(self, element: Element, applies: bool | None, condition: str) -> tuple[bool | None, str]:
        """Whether the element counts, and the condition that keeps us from knowing."""
        own = holds(element.condition, self._expanded_for_condition) if applies is not False else False
        return both(applies, own), condition if own is not None or applies is None else element.condition

    def _choose(self, document: Document, choose: Element, applies: bool | None, condition: str) -> None:
        remaining, why = applies, condition
        for branch in choose.named("When", "Otherwise"):
            own = holds(branch.condition, self._expanded_for_condition)
            because = why if own is not None else branch.condition
            self._body(document, branch, both(remaining, own), because)
            remaining, why = both(remaining, negated(own)), because

    def _import(self, document: Document, element: Element, applies: bool | None) -> None:
        if "Sdk" in element.attributes:
            self._note_sdks(element.attributes["Sdk"])
        elif applies is not False:
            imported = self._imported(document.path, element.attributes.get("Project", ""))
            if imported is not None:
                self.take(imported)

    def _imported(self, path: str, project: str) -> Document | None:
        """The document that an import names, where it is one of those at hand."""
        here = posixpath.dirname(path)
        if above := _FILE_ABOVE.search(project):
            name = above["name"].replace("$(MSBuildThisFile)", posixpath.basename(path))
            if ".." not in (above["start"] or ""):
                return self._imports.nearest(name, here)
            return self._imports.nearest(name, posixpath.dirname(here)) if here else None
        relative = project.replace("\\", "/").replace("$(MSBuildThisFileDirectory)", "./")
        return self._imports.get(posixpath.normpath(posixpath.join(here, relative)))

    def _properties(self, document: Document, group: Element, applies: bool | None, condition: str) -> None:
        for element in group.children:
            here, why = self._narrowed(element, applies, condition)
            value = self.expanded(element.text, document.path)
            if self._is_watched(element, document):
                self.assignments.append(Assignment(element, value, why, here))
            if here is not False and element.name.lower() not in self._given:
                self._assign(document, element, value, here, why)

    def _assign(
        self, document: Document, element: Element, value: Spanned | Undecided, applies: bool | None, condition: str
    ) -> None:
        name = element.name.lower()
        line = document.lines.at(element.start)
        if isinstance(value, Undecided):
            self._settings[name] = value
        elif applies:
            self._settings[name] = Setting(value, document.path, line)
        elif self.text(name) != value.text.strip():
            self._settings[name] = Undecided(
                f"whether {quoted(condition)} holds is not known here", document.path, line
            )

    def _watch_only(self, document: Document, group: Element) -> None:
        for element in group.children:
            if self._is_watched(element, document):
                value = self.expanded(element.text, document.path)
                self.assignments.append(Assignment(element, value, element.condition or group.condition, True))

    def _is_watched(self, element: Element, document: Document) -> bool:
        is_here = document.path == self._watched_path and len(self.assignments) < MOST_ASSIGNMENTS
        return is_here and element.name.lower() == self._watched

    def _items(self, document: Document, group: Element, applies: bool | None) -> None:
        for element in group.children:
            here, _ = self._narrowed(element, applies, "")
            include = element.attributes.get("Include", "")
            if here is not False and include:
                names = include.split(";")[:100]
                self.items += [Item(element.name, name.strip(), document.path, here is True) for name in names]

    def _note_sdks(self, names: str) -> None:
        self.sdks += [name.partition("/")[0].strip() for name in names.split(";") if name.strip()]

    def _expanded_for_condition(self, text: str) -> str | None:
        """A property that no text sets is empty, as in a build from a fresh checkout."""
        for expression in _EXPRESSION.finditer(text):
            name = expression["name"]
            unknown = self.setting(name) is None and name.lower() not in self._given
            if isinstance(self.setting(name), Undecided) or (unknown and _KNOWN_TO_MSBUILD_ALONE.fullmatch(name)):
                return None
        expanded = _EXPRESSION.sub(lambda expression: str(self.text(expression["name"])), text[:LONGEST_VALUE])
        return None if _ANY_EXPRESSION.search(expanded) or len(expanded) > LONGEST_VALUE else expanded

    def expanded(self, written: Spanned, path: str) -> Spanned | Undecided:
        """The text with properties put in; what comes from another file keeps only the place that asks for it."""
        if "(" not in written.text:
            return written
        parts: list[Spanned] = []
        done, length = 0, 0
        for expression in _EXPRESSION.finditer(written.text):
            near = written.place(expression.start())
            put_in = self._put_in(expression["name"], near, path)
            if isinstance(put_in, Undecided):
                return put_in
            length += len(put_in)
            if length > LONGEST_VALUE or self._put_in_so_far + length > MOST_PUT_IN:
                return Undecided("its value is too long", path, 0)
            parts += [written.part(done, expression.start()), put_in]
            done = expression.end()
        self._put_in_so_far += length
        whole = joined([*parts, written.part(done, len(written))])
        if _ANY_EXPRESSION.search(whole.text):
            return Undecided(f"{quoted(written.text)} takes MSBuild to compute", path, 0)
        return whole

    def _put_in(self, name: str, near: int, path: str) -> Spanned | Undecided:
        given = self._given.get(name.lower())
        if given is not None:
            return Spanned(given, (~near,) * len(given))
        setting = self.setting(name)
        if setting is None:
            return Undecided(f"$({name}) is not set here", path, 0)
        if isinstance(setting, Undecided) or setting.path == path:
            return setting if isinstance(setting, Undecided) else setting.value.strip()
        value = setting.value.text.strip()
        return Spanned(value, (~near,) * len(value))
