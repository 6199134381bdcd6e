"""All files of one repository, read together: projects need the properties that stand above them."""

import posixpath
from collections.abc import Iterable, Mapping

from bot.domain.images.claims import NamedImage
from bot.domain.repositories.repository import Workflow, is_workflow
from bot.domain.repositories.usage import Findings, Kind, OpenReference, SourceProblem, Usage
from bot.files.formats import azd
from bot.files.formats.aspire import finder as aspire
from bot.files.formats.builds import DotnetPublish, FileBuild
from bot.files.formats.dotnet import global_json, project, solution_files
from bot.files.formats.dotnet.solution import Around, PublishingFile, Solution, place
from bot.files.formats.finding import is_text, kind_in, one_for_each_file
from bot.files.formats.linked import Linked, is_linked, link
from bot.files.formats.memory import File, Memory
from bot.files.formats.produced.together import builds_in, each_once, hangs_on_builds, names_together, values_in
from bot.files.formats.source.text import decode
from bot.files.formats.table import kind_of
from bot.files.formats.workflows import KIND as WORKFLOW
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.files.scope import Scope


def images_of(files: Iterable[File], memory: Memory) -> tuple[tuple[NamedImage, ...], tuple[SourceProblem, ...]]:
    """The images that a repository's builds push, in the order of paths, each name and tag of a file once for each
    file that it is built from; and what of its builds is not read."""
    in_order = sorted(files, key=lambda file: file.path)
    by_path = {file.path: file for file in in_order}
    contents = {file.path: file.data for file in in_order}
    names_by_path = {file.path: memory.images_named(file) for file in in_order}
    together = {path for path in names_by_path if hangs_on_builds(path, contents[path], names_by_path[path])}
    builds: list[FileBuild] = []
    unread: tuple[SourceProblem, ...] = ()
    if together:
        builds, unread = builds_in(contents, lambda path, variables: memory.file_builds(by_path[path], variables))
    images: list[NamedImage] = []
    values_of = values_in(contents)
    for path, alone in names_by_path.items():
        if path in together:
            images += names_together(path, contents, alone, builds, values_of)
        else:
            images += (each.image for each in alone)
    return tuple(each_once(images)), unread


def read_files(files: Iterable[File], memory: Memory) -> tuple[Findings, tuple[Workflow, ...]]:
    """Usages and problems in the order of paths, and the workflows that can be dispatched."""
    usages: list[Usage] = []
    problems: list[SourceProblem] = []
    open_references: list[OpenReference] = []
    workflows: list[Workflow] = []
    in_order = sorted(files, key=lambda file: file.path)
    kinds = {file.path: kind for file in in_order if (kind := kind_in(file.path, file.data)) is not None}
    linked = linked_files((file.path, file.data) for file in in_order)
    files_of_kind = ((file.path, file.data) for file in in_order if file.path in kinds)
    solution = solution_of(files_of_kind, linked.dotnet)
    together = solution.findings()
    for file in in_order:
        kind = kinds.get(file.path)
        if kind is None or (kind == aspire.KIND and not solution.belongs_to_app_host(file.path)):
            continue
        of_solution = together.get(file.path, Findings())
        findings = of_solution if is_read_together(file.path, file.data) else linked.findings.get(file.path)
        if findings is None:
            findings = memory.findings(file, kind)
        usages += findings.usages
        problems += one_for_each_file(
            (*findings.problems, *(of_solution.problems if findings is not of_solution else ()))
        )
        open_references += findings.open_references
        if kind == WORKFLOW and is_workflow(file.path):
            workflow = dispatchable(file.path, decode(file.data))
            workflows += [workflow] if workflow is not None else []
    shown_usages = sorted(linked.kept(usages), key=lambda usage: usage.path)
    return Findings(tuple(shown_usages), tuple(problems), tuple(open_references)), tuple(workflows)


def sources_of_app_hosts(files: Iterable[tuple[str, bytes]], paths: Iterable[str]) -> frozenset[str]:
    """The C# files among `paths` from which the AppHosts among the files are compiled."""
    solution = solution_of(files, ())
    return frozenset(path for path in paths if kind_of(path) == aspire.KIND and solution.belongs_to_app_host(path))


def linked_files(files: Iterable[tuple[str, bytes]]) -> Linked:
    """What the files that are no projects tell about each other."""
    texts: dict[str, tuple[Kind, str]] = {}
    for path, data in files:
        kind = kind_in(path, data)
        if kind is not None and is_linked(kind) and is_text(data):
            texts[path] = kind, decode(data)
    return link(texts)


def solution_of(files: Iterable[tuple[str, bytes]], publishes: tuple[DotnetPublish, ...]) -> Solution:
    """The MSBuild files among the files of a repository, with what the others say about them.

    `publishes` is what command lines ask of the .NET SDK.
    """
    all_files = dict(files)
    texts: dict[str, str] = {}
    pins: dict[str, str] = {}
    solutions: dict[str, str] = {}
    publishing_files: list[PublishingFile] = []
    added: dict[str, tuple[tuple[str, int], ...]] = {}
    paths: set[str] = set()
    for path, data in all_files.items():
        paths.add(path)
        kind = kind_of(path)
        if not is_text(data):
            continue
        if kind == project.KIND:
            texts[path] = decode(data)
        elif kind == global_json.KIND:
            pins[path] = decode(data)
        elif kind == solution_files.KIND:
            solutions[path] = decode(data)
        elif kind == azd.KIND:
            services = azd.published(path, decode(data))
            publishing_files.append(PublishingFile(path, tuple((each.project, each.line) for each in services)))
        elif kind == aspire.KIND:
            text = decode(data)
            projects = aspire.added_projects(text)
            if aspire.is_file_based_app_host(text):
                projects = (*((each, 1) for each in aspire.referenced_projects(text)), *projects)
                here = posixpath.dirname(path)
                publishing_files.append(
                    PublishingFile(
                        path, tuple((place(here, each), line) for each, line in projects), is_app_host=True
                    )
                )
            elif projects:
                added[path] = projects
    scope = Scope(_Texts(all_files))
    return Solution(
        texts, Around(pins, tuple(publishing_files), paths, publishes, solutions, added, scope.evidence)
    )


class _Texts:
    """The texts of files, as `Scope` asks for them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.paths = sorted(files)

    def text(self, path: str) -> str:
        return decode(self._files[path]) if is_text(self._files[path]) else ""

    def glimpse(self, path: str) -> str:
        return self.text(path)

    def kind(self, path: str) -> Kind | None:
        return kind_in(path, self._files[path])


def needs_projects(path: str) -> bool:
    """Whether what a file says hangs on the repository's projects: one of these, or C#, of which AppHosts count."""
    return kind_of(path) in (project.KIND, aspire.KIND)


def is_read_together(path: str, data: bytes) -> bool:
    """Whether a file is one of those that MSBuild puts projects together from.

    What is too large or no text is refused by the reading of a single file.
    """
    return kind_of(path) == project.KIND and is_text(data)
