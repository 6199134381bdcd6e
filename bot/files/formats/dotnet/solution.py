"""The MSBuild files of one repository, read together: what a project comes to stands in many of them."""

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bot.domain.repositories.usage import Findings, SourceProblem, Usage
from bot.files.formats.builds import DotnetPublish
from bot.files.formats.dotnet import global_json
from bot.files.formats.dotnet.app_host import AppHost, app_host, may_be_app_host, read
from bot.files.formats.dotnet.command_line import property_sets
from bot.files.formats.dotnet.msbuild.imports import Imports
from bot.files.formats.dotnet.msbuild.items import ProjectItem
from bot.files.formats.dotnet.project import Named, Told, mentions_containers, tell, tell_shared
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS, ProjectReference, Projects
from bot.files.formats.dotnet.publish import is_test
from bot.files.formats.dotnet.solution_files import projects_in
from bot.files.formats.rewrite import marker
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.text import Lines


@dataclass(frozen=True, slots=True)
class PublishingFile:
    """A file other than a project that has projects published: azure.yaml, or an AppHost that is one C# file.

    `projects` are project files or the folders of one, relative to the repository, with the line that names each.
    """

    path: str
    projects: tuple[tuple[str, int], ...]
    is_app_host: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What the repository holds beside its MSBuild files, as far as these need it."""

    pins: Mapping[str, str] = field(default_factory=dict)
    """The texts of the global.json files."""
    asked: tuple[PublishingFile, ...] = ()
    paths: Collection[str] = frozenset()
    """All files that are read, to see whether a folder has a Dockerfile."""
    publishes: tuple[DotnetPublish, ...] = ()
    """What command lines ask of the .NET SDK."""
    solutions: Mapping[str, str] = field(default_factory=dict)
    """The texts of the solution files."""
    added: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """The projects that the C# of AppHosts adds, by its path: as written from the AppHost on, and where."""


class Solution:
    """All projects and what they import. `texts` are by path."""

    def __init__(self, texts: Mapping[str, str], around: Around, projects: Projects | None = None) -> None:
        self._texts = texts
        self._around = around
        self._ordered = property_sets(around.publishes, self._projects_named)
        given = {path: [each.given for each in orders] for path, orders in self._ordered.items()}
        self._projects = projects or Projects(Imports(texts.items()), given)
        self._hosts: list[AppHost] | None = None
        self._folders = frozenset(posixpath.dirname(path) for path in texts if _is_project(path))

    def changed(self, texts: Mapping[str, str]) -> "Solution":
        """Returns the solution with new texts in some files."""
        return Solution({**self._texts, **texts}, self._around, self._projects.changed(texts))

    def findings(self) -> Mapping[str, Findings]:
        """Returns the findings by file; one that cannot be read is a problem of its own."""
        found: dict[str, Findings] = {}
        publishers, told = self._publishers()
        is_about = {path: mentions_containers(text) for path, text in self._texts.items()}
        shared_is_about = any(is_about[path] for path in self._texts if not _is_project(path))
        named: dict[tuple[str, int], dict[Usage, None]] = {}
        for path in sorted(filter(_is_project, self._texts)):
            if is_about[path] or shared_is_about or path in publishers or path in self._ordered:
                one = self._tell(path, publishers.get(path))
                found[path] = one.findings
                for place, usages in one.named.items():
                    named.setdefault(place, {}).update(dict.fromkeys(usages))
        in_projects = {place: tuple(usages) for place, usages in named.items()}
        for path in sorted(self._texts):
            if is_about[path] and not _is_project(path):
                found[path] = self._tell_shared(path, in_projects)
        for problem in told:
            before = found.get(problem.path, Findings())
            found[problem.path] = replace(before, problems=(*before.problems, problem))
        return self._marked(found)

    def _tell(self, path: str, publisher: str | None) -> Told:
        pin = _sdk_above(path, self._around.pins)
        try:
            return tell(self._projects, path, sdk=pin, publisher=publisher)
        except Exception as error:
            return Told(_broken(path, error))

    def _tell_shared(self, path: str, named: Named) -> Findings:
        try:
            return tell_shared(self._projects, path, named)
        except Exception as error:
            return _broken(path, error)

    def _publishers(self) -> tuple[Mapping[str, str], list[SourceProblem]]:
        """Who has each project published, and what a maintainer should know of those who do."""
        hosts = self._app_hosts()
        publishers: dict[str, str] = {}
        told = [SourceProblem(host.path, host.line, host.told) for host in hosts if host.told]
        for host in hosts:
            publishers |= {path: host.path for path in host.published if path not in publishers}
        paths = {host.path for host in hosts}
        for project, orders in self._ordered.items():
            by = next((each for each in orders if each.is_container), None)
            if by is not None and (by.names_project or not self._is_test(project)):
                publishers.setdefault(project, by.path)
        for asked in self._around.asked:
            if asked.is_app_host:
                continue
            for named, line in asked.projects:
                path = self._project_at(named)
                if path is None:
                    told.append(SourceProblem(asked.path, line, f"there is no .NET project at {named}"))
                elif (
                    path not in paths
                    and f"{posixpath.dirname(path)}/Dockerfile".lstrip("/") not in self._around.paths
                ):
                    publishers.setdefault(path, asked.path)
        return publishers, told

    def belongs_to_app_host(self, path: str) -> bool:
        """Whether a C# file is compiled into an AppHost: the nearest project in the folders above is one."""
        hosts = {host.path for host in self._app_hosts()}
        if not hosts or path in hosts:
            return path in hosts
        folder = self._folder_of(path)
        return folder in {posixpath.dirname(host) for host in hosts if host in self._texts}

    def _folder_of(self, path: str) -> str:
        """The nearest folder above a file that has a project."""
        folder = posixpath.dirname(path)
        while folder and folder not in self._folders:
            folder = posixpath.dirname(folder)
        return folder

    def _app_hosts(self) -> list[AppHost]:
        if self._hosts is None:
            self._hosts = self._read_app_hosts()
        return self._hosts

    def _read_app_hosts(self) -> list[AppHost]:
        shared = any(may_be_app_host(text) for path, text in self._texts.items() if not _is_project(path))
        hosts: list[AppHost] = []
        for path in sorted(filter(_is_project, self._texts)):
            if shared or may_be_app_host(self._texts[path]):
                host = self._app_host(path)
                hosts += [host] if host is not None else []
        for asked in self._around.asked:
            if asked.is_app_host:
                references = [self._reference(named, line) for named, line in asked.projects]
                hosts.append(read(self._projects, asked.path, references))
        return hosts

    def _app_host(self, path: str) -> AppHost | None:
        read = self._projects.imports.get(path)
        if isinstance(read, Unreadable):
            is_named = any(sign in self._texts[path] for sign in ("Aspire.AppHost.Sdk", "IsAspireHost"))
            return AppHost(path, 1, (), f"an Aspire AppHost that is not read: {read}") if is_named else None
        try:
            return app_host(self._projects, path, self._added(path))
        except Exception as error:
            return AppHost(path, 1, (), _broken(path, error).problems[0].message)

    def _added(self, path: str) -> list[ProjectReference]:
        """What the C# of an AppHost's project adds by paths."""
        folder = posixpath.dirname(path)
        return [
            self._reference(place(folder, named), line)
            for source, projects in self._around.added.items()
            if self._folder_of(source) == folder
            for named, line in projects
        ]

    def _reference(self, named: str, line: int) -> ProjectReference:
        path = self._project_at(named)
        item = ProjectItem("ProjectReference", named, named, True, line)
        return ProjectReference(item, path, "" if path else f"{named} is not in this repository")

    def _is_test(self, path: str) -> bool:
        return any(is_test(built.evaluation) for built in self._projects.built(path))

    def _projects_named(self, named: str) -> tuple[str, ...]:
        """What MSBuild builds for a project, a solution or a folder; in a folder the solution counts that is called
        like the only project there, or stands there without one."""
        if named in self._around.solutions:
            listed = projects_in(named, self._around.solutions[named])
            return tuple(path for path in listed if path in self._texts)
        folder = "" if named == "." else named
        solutions = [path for path in self._around.solutions if _is_in(folder, path) and not path.endswith(".slnf")]
        inside = [path for path in self._texts if _is_project(path) and _is_in(folder, path)]
        stems = {posixpath.splitext(posixpath.basename(path))[0].lower() for path in (*solutions, *inside)}
        if len(solutions) == 1 and len(inside) <= 1 and len(stems) == 1:
            return self._projects_named(solutions[0])
        project = self._project_at(named) if not solutions else None
        return (project,) if project is not None else ()

    def _project_at(self, named: str) -> str | None:
        if named in self._texts and _is_project(named):
            return named
        folder = "" if named == "." else named
        inside = [path for path in self._texts if _is_project(path) and _is_in(folder, path)]
        return inside[0] if len(inside) == 1 else None

    def _marked(self, found: Mapping[str, Findings]) -> Mapping[str, Findings]:
        """Gives usages the digests that markers record, above the line to rewrite in whichever file that is."""
        lines: dict[str, Lines] = {}

        def marked(usage: Usage) -> Usage:
            text = self._texts.get(usage.path, "")
            if marker.NAME not in text:
                return usage
            at = lines.setdefault(usage.path, Lines(text))
            recorded = marker.find(usage, at)
            return replace(usage, marker=recorded.digest) if recorded else usage

        return {
            path: replace(findings, usages=tuple(marked(usage) for usage in findings.usages))
            for path, findings in found.items()
        }


def place(folder: str, named: str) -> str:
    """A path that is written from a folder on, with separators of either kind, from the repository's root on."""
    return posixpath.normpath(posixpath.join(folder, named.replace("\\", "/")))


def _is_project(path: str) -> bool:
    return path.lower().endswith(PROJECT_ENDINGS)


def _is_in(folder: str, path: str) -> bool:
    return posixpath.dirname(path) == folder


def _broken(path: str, error: Exception) -> Findings:
    why = f"could not be read ({type(error).__name__}); please report this file"
    return Findings(problems=(SourceProblem(path, 1, why),))


def _sdk_above(path: str, pins: Mapping[str, str]) -> str | None:
    """The SDK that the nearest global.json in the folders above pins (how the .NET host looks for it)."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        text = pins.get(f"{folder}/global.json" if folder else "global.json")
        if text is not None:
            found = global_json.pin(text)
            return found.version if found is not None else None
    return None
