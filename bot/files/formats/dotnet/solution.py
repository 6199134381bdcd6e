"""The MSBuild files of one repository, read together: what a project comes to stands in many of them."""

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.repositories.usage import Findings, SourceProblem, Usage
from bot.domain.wording.words import counted
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
    evidence: Callable[[str], tuple[str, str] | None] = lambda path: None
    """The folder by which a path is left out, since it is of tests or samples, and why; None for what is not."""


class Solution:
    """All projects and what they import. `texts` are by path."""

    def __init__(self, texts: Mapping[str, str], around: Around, projects: Projects | None = None) -> None:
        self._texts = texts
        self._around = around
        self._ordered = property_sets(around.publishes, self._find_projects)
        properties_by_path = {path: [each.given for each in orders] for path, orders in self._ordered.items()}
        self._projects = projects or Projects(Imports(texts.items()), properties_by_path)
        self._hosts: list[AppHost] | None = None
        self._folders = frozenset(posixpath.dirname(path) for path in texts if _is_project(path))

    def changed(self, texts: Mapping[str, str]) -> "Solution":
        """Returns the solution with new texts in some files."""
        return Solution({**self._texts, **texts}, self._around, self._projects.changed(texts))

    def findings(self) -> Mapping[str, Findings]:
        """Returns the findings by file; one that cannot be read is a problem of its own."""
        findings_by_path: dict[str, Findings] = {}
        publishers, publisher_problems = self._publishers()
        is_about = {path: mentions_containers(text) for path, text in self._texts.items()}
        shared_is_about = any(is_about[path] for path in self._texts if not _is_project(path))
        usages_by_place: dict[tuple[str, int], dict[Usage, None]] = {}
        for path in sorted(filter(_is_project, self._texts)):
            if is_about[path] or shared_is_about or path in publishers or path in self._ordered:
                one = self._tell(path, publishers.get(path))
                findings_by_path[path] = one.findings
                for place, usages in one.named.items():
                    usages_by_place.setdefault(place, {}).update(dict.fromkeys(usages))
        in_projects = {place: tuple(usages) for place, usages in usages_by_place.items()}
        for path in sorted(self._texts):
            if is_about[path] and not _is_project(path):
                findings_by_path[path] = self._tell_shared(path, in_projects)
        for problem in publisher_problems:
            before = findings_by_path.get(problem.path, Findings())
            findings_by_path[problem.path] = replace(before, problems=(*before.problems, problem))
        return self._mark_usages(findings_by_path)

    def _tell(self, path: str, publisher: str | None) -> Told:
        pin = _sdk_above(path, self._around.pins)
        try:
            return tell(self._projects, path, sdk=pin, publisher=publisher)
        except Exception as error:
            return Told(_report_broken(path, error))

    def _tell_shared(self, path: str, usages_by_place: Named) -> Findings:
        try:
            return tell_shared(self._projects, path, usages_by_place)
        except Exception as error:
            return _report_broken(path, error)

    def _publishers(self) -> tuple[Mapping[str, str], list[SourceProblem]]:
        """Who has each project published, and what a maintainer should know of those who do."""
        hosts = self._app_hosts()
        publishers: dict[str, str] = {}
        left_out = self._left_out(hosts)
        problems = [_tell_left_out(evidence, of_folder) for evidence, of_folder in left_out.items()]
        paths = {host.path for host in hosts}
        passed_over = {host.path for of_folder in left_out.values() for host in of_folder}
        for host in hosts:
            if host.path not in passed_over:
                problems += [SourceProblem(host.path, host.line, host.told)] if host.told else []
                publishers |= {path: host.path for path in host.published if path not in publishers}
        for project, orders in self._ordered.items():
            by = next((each for each in orders if each.is_container), None)
            if by is not None and (by.names_project or not self._is_test(project)):
                publishers.setdefault(project, by.path)
        for publishing_file in self._around.asked:
            if publishing_file.is_app_host:
                continue
            for project_name, line in publishing_file.projects:
                path = self._project_at(project_name)
                if path is None:
                    problems.append(
                        SourceProblem(publishing_file.path, line, f"there is no .NET project at {project_name}")
                    )
                elif (
                    path not in paths
                    and f"{posixpath.dirname(path)}/Dockerfile".lstrip("/") not in self._around.paths
                ):
                    publishers.setdefault(path, publishing_file.path)
        return publishers, problems

    def _left_out(self, hosts: Sequence[AppHost]) -> dict[tuple[str, str], list[AppHost]]:
        """The AppHosts of tests and samples that nothing delivers, by the folder that says so and what says it."""
        left_out: dict[tuple[str, str], list[AppHost]] = {}
        for host in hosts:
            of_tests = (posixpath.dirname(host.path), "a test project") if host.is_test else None
            evidence = self._around.evidence(host.path) or of_tests
            if evidence is not None:
                left_out.setdefault(evidence, []).append(host)
        return left_out

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
        for publishing_file in self._around.asked:
            if publishing_file.is_app_host:
                references = [
                    self._reference(project_name, line) for project_name, line in publishing_file.projects
                ]
                hosts.append(read(self._projects, publishing_file.path, references))
        return hosts

    def _app_host(self, path: str) -> AppHost | None:
        read = self._projects.imports.get(path)
        if isinstance(read, Unreadable):
            is_named = any(sign in self._texts[path] for sign in ("Aspire.AppHost.Sdk", "IsAspireHost"))
            return AppHost(path, 1, (), f"an Aspire AppHost that is not read: {read}") if is_named else None
        try:
            return app_host(self._projects, path, self._list_added_projects(path))
        except Exception as error:
            return AppHost(path, 1, (), _report_broken(path, error).problems[0].message)

    def _list_added_projects(self, path: str) -> list[ProjectReference]:
        """What the C# of an AppHost's project adds by paths."""
        folder = posixpath.dirname(path)
        return [
            self._reference(place(folder, project_name), line)
            for source, projects in self._around.added.items()
            if self._folder_of(source) == folder
            for project_name, line in projects
        ]

    def _reference(self, project_name: str, line: int) -> ProjectReference:
        path = self._project_at(project_name)
        item = ProjectItem("ProjectReference", project_name, project_name, True, line)
        return ProjectReference(item, path, "" if path else f"{project_name} is not in this repository")

    def _is_test(self, path: str) -> bool:
        return any(is_test(built.evaluation) for built in self._projects.built(path))

    def _find_projects(self, target: str) -> tuple[str, ...]:
        """What MSBuild builds for a project, a solution or a folder; in a folder the solution counts that is called
        like the only project there, or stands there without one."""
        if target in self._around.solutions:
            solution_projects = projects_in(target, self._around.solutions[target])
            return tuple(path for path in solution_projects if path in self._texts)
        folder = "" if target == "." else target
        solutions = [path for path in self._around.solutions if _is_in(folder, path) and not path.endswith(".slnf")]
        inside = [path for path in self._texts if _is_project(path) and _is_in(folder, path)]
        stems = {posixpath.splitext(posixpath.basename(path))[0].lower() for path in (*solutions, *inside)}
        if len(solutions) == 1 and len(inside) <= 1 and len(stems) == 1:
            return self._find_projects(solutions[0])
        project = self._project_at(target) if not solutions else None
        return (project,) if project is not None else ()

    def _project_at(self, target: str) -> str | None:
        if target in self._texts and _is_project(target):
            return target
        folder = "" if target == "." else target
        inside = [path for path in self._texts if _is_project(path) and _is_in(folder, path)]
        return inside[0] if len(inside) == 1 else None

    def _mark_usages(self, findings_by_path: Mapping[str, Findings]) -> Mapping[str, Findings]:
        """Gives usages the digests that markers record, above the line to rewrite in whichever file that is."""
        lines: dict[str, Lines] = {}

        def marked(usage: Usage) -> Usage:
            text = self._texts.get(usage.path, "")
            if marker.NAME not in text:
                return usage
            lines_of_file = lines.setdefault(usage.path, Lines(text))
            recorded = marker.find(usage, lines_of_file)
            return replace(usage, marker=recorded.digest) if recorded else usage

        return {
            path: replace(findings, usages=tuple(marked(usage) for usage in findings.usages))
            for path, findings in findings_by_path.items()
        }


def place(folder: str, relative_path: str) -> str:
    """A path that is written from a folder on, with separators of either kind, from the repository's root on."""
    return posixpath.normpath(posixpath.join(folder, relative_path.replace("\\", "/")))


def _is_project(path: str) -> bool:
    return path.lower().endswith(PROJECT_ENDINGS)


def _is_in(folder: str, path: str) -> bool:
    return posixpath.dirname(path) == folder


def _report_broken(path: str, error: Exception) -> Findings:
    why = f"could not be read ({type(error).__name__}); please report this file"
    return Findings(problems=(SourceProblem(path, 1, why),))


def _sdk_above(path: str, pins: Mapping[str, str]) -> str | None:
    """The SDK that the nearest global.json in the folders above pins (how the .NET host looks for it)."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        text = pins.get(f"{folder}/global.json" if folder else "global.json")
        if text is not None:
            pin = global_json.pin(text)
            return pin.version if pin is not None else None
    return None


def _tell_left_out(evidence: tuple[str, str], hosts: Sequence[AppHost]) -> SourceProblem:
    folder, why = evidence
    what = "what it references is" if len(hosts) == 1 else "what they reference is"
    number = counted(len(hosts), "Aspire AppHost")
    message = f"{number} in {folder or '.'} left out, {why}: {what} not taken for published"
    return SourceProblem(hosts[0].path, hosts[0].line, message)
