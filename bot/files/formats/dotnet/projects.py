"""The projects of one repository, each evaluated when it is asked for, and the references between them."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.files.formats.dotnet.msbuild.evaluation import Evaluation
from bot.files.formats.dotnet.msbuild.imports import Document, Imports
from bot.files.formats.dotnet.msbuild.items import ProjectItem
from bot.files.formats.dotnet.msbuild.properties import Given
from bot.files.formats.dotnet.msbuild.values import UndecidedValue

PROJECT_ENDINGS = (".csproj", ".fsproj", ".vbproj")
BASE = "ContainerBaseImage"
MOST_FRAMEWORKS = 10

_PATTERN = re.compile(r"\*\*/|\*|[^*]+")


@dataclass(frozen=True, slots=True)
class Built:
    """What a project comes to when it is built for one target framework."""

    framework: str | UndecidedValue
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class ProjectReference:
    """One project that another one references; `path` is None where it is not in the repository or not known.

    `why` says then what is missing.
    """

    item: ProjectItem
    path: str | None
    why: str = ""


class Projects:
    """Evaluates the projects among `imports`, each once for the same properties.

    `property_sets` are the properties that command lines give to a project, a set for each of them.
    """

    def __init__(self, imports: Imports, property_sets: Mapping[str, Sequence[Given]] | None = None) -> None:
        self.imports = imports
        self._property_sets = property_sets or {}
        self._built: dict[str, tuple[Built, ...]] = {}
        self._references: dict[Evaluation, tuple[ProjectReference, ...]] = {}

    def changed(self, texts: Mapping[str, str]) -> "Projects":
        """Returns the projects with new texts in some files; what these do not concern is not evaluated again."""
        other = Projects(self.imports.changed(texts), self._property_sets)
        other._built = {
            path: built
            for path, built in self._built.items()
            if path not in texts and not any(texts.keys() & each.evaluation.documents.keys() for each in built)
        }
        return other

    def built(self, path: str) -> tuple[Built, ...]:
        """Evaluates a project for each publish and target framework; nothing where it cannot be read."""
        builds = self._built.get(path)
        if builds is None:
            document = self.imports.get(path)
            builds = ()
            if isinstance(document, Document):
                sets = self._property_sets.get(path, ({},))
                builds = tuple(built for properties in sets for built in self._frameworks(document, properties))
            self._built[path] = builds
        return builds

    def _frameworks(self, project: Document, properties: Given) -> Iterator[Built]:
        evaluation = self.evaluated(project, properties)
        several, single = (
            evaluation.properties.text("TargetFrameworks"),
            evaluation.properties.text("TargetFramework"),
        )
        if isinstance(several, UndecidedValue) or single or not several:
            yield Built(single or several, evaluation)
            return
        for name in [name.strip() for name in several.split(";") if name.strip()][:MOST_FRAMEWORKS]:
            yield Built(name, self.evaluated(project, {**properties, "TargetFramework": name}))

    def evaluated(self, project: Document, properties: Given) -> Evaluation:
        """Evaluates a project as MSBuild would from a fresh checkout, for a publish, which builds Release.

        Directory.Packages.props comes before the project too (NuGet.props, which Microsoft.Common.props imports).
        """
        stem, ending = posixpath.splitext(posixpath.basename(project.path))
        always = {
            "MSBuildProjectName": stem,
            "MSBuildProjectExtension": ending,
            "MSBuildProjectFile": stem + ending,
            "Configuration": "Release",
            "Platform": "AnyCPU",
        }
        evaluation = Evaluation(self.imports, {**always, **properties}, watched=BASE, home=project.path)
        folder = posixpath.dirname(project.path)
        is_project = project.path.lower().endswith(PROJECT_ENDINGS)
        for name in ("Directory.Build.props", "Directory.Packages.props") if is_project else ():
            evaluation.take_path(self.imports.nearest(name, folder))
        evaluation.take(project)
        if is_project:
            evaluation.take_path(self.imports.nearest("Directory.Build.targets", folder))
        return evaluation

    def references(self, path: str, evaluation: Evaluation) -> tuple[ProjectReference, ...]:
        """The .NET projects that a project references; a pattern gives every project that it fits."""
        references = self._references.get(evaluation)
        if references is None:
            references = self._references[evaluation] = tuple(self._find_references(path, evaluation))
        return references

    def _find_references(self, path: str, evaluation: Evaluation) -> Iterator[ProjectReference]:
        for item in evaluation.items:
            if item.name != "ProjectReference":
                continue
            include = item.include.replace("\\", "/")
            if "$(" in item.include or "@(" in item.include:
                yield ProjectReference(item, None, f"{item.include} has a property in it that is not known here")
            elif "." in posixpath.basename(include) and not include.lower().endswith((*PROJECT_ENDINGS, "*")):
                continue
            elif "*" in include:
                yield from (ProjectReference(item, match_path) for match_path in self._matching(include, path))
            else:
                project_path = evaluation.path_of(include, path)
                is_here = project_path is not None and project_path in self.imports
                why = "" if is_here else f"{posixpath.basename(include)} is not in this repository"
                yield ProjectReference(item, project_path if is_here else None, why)

    def _matching(self, pattern: str, path: str) -> list[str]:
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), pattern))
        parts = {"**/": "(?:[^/]+/)*", "*": "[^/]*"}
        compiled = re.compile("".join(parts.get(part) or re.escape(part) for part in _PATTERN.findall(whole)))
        return [
            candidate
            for candidate in self.imports.paths()
            if candidate != path and candidate.lower().endswith(PROJECT_ENDINGS) and compiled.fullmatch(candidate)
        ]
