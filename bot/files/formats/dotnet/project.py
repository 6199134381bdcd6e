"""Images that the .NET SDK builds: project files and what they import (`dotnet publish /t:PublishContainer`).

Properties: https://learn.microsoft.com/dotnet/core/containers/publish-configuration. A project that names its
base in ContainerBaseImage has a text to rewrite, perhaps in a file that it imports; one that leaves the choice to
the SDK has an implicit base, which only a rebuild brings up to date.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.repositories.usage import FileLine, Findings, Kind, Role, Usage
from bot.files.formats.dotnet.aspnet import is_aspnet
from bot.files.formats.dotnet.msbuild.evaluation import Evaluation
from bot.files.formats.dotnet.msbuild.imports import Document, Imports
from bot.files.formats.dotnet.msbuild.values import Assignment, UndecidedValue
from bot.files.formats.dotnet.projects import BASE, PROJECT_ENDINGS, Built, Projects
from bot.files.formats.dotnet.publish import NotDecided, implicit_base, is_published, not_publishable
from bot.files.formats.dotnet.sdk_base import platform_of
from bot.files.formats.source.collector import Collector, Unreadable, quoted, tag_stands_with_name
from bot.files.formats.source.placing import placed
from bot.files.formats.source.spanned import Spanned

KIND = Kind("csproj")
_NOT_KNOWN = re.compile(r"[$@%]\(|[*?\[]")
_BRACKET = re.compile(r"[()]")
Named = Mapping[tuple[str, int], tuple[Usage, ...]]
"""The bases that assignments of shared files come to in projects, by the file and the place of the assignment."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one project tells: of itself, and of the shared files that name a base for it."""

    findings: Findings = field(default_factory=Findings)
    named: Named = field(default_factory=dict)


def find(path: str, text: str) -> Findings:
    """What one file tells by itself: bases named in it, and the implicit base where the file alone decides it."""
    return find_project(path, text, ())


def find_project(path: str, text: str, props: Sequence[tuple[str, str]], *, sdk: str | None = None) -> Findings:
    """What a project tells together with `props`: (path, text) of files that MSBuild may read with it."""
    if not any(mentions_containers(each) for each in (text, *(shared for _, shared in props))):
        return Findings()
    projects = Projects(Imports([*props, (path, text)]))
    if not path.lower().endswith(PROJECT_ENDINGS):
        return tell_shared(projects, path, {})
    return tell(projects, path, sdk=sdk).findings


def mentions_containers(text: str) -> bool:
    """Whether a text names containers at all, as most projects do not: told faster than by reading the XML."""
    return "container" in text.lower()


def tell(projects: Projects, path: str, *, sdk: str | None = None, publisher: str | None = None) -> Told:
    """What a project tells; `publisher` is the file that has it published as a container, where another one does.

    `sdk` is the SDK version of the global.json above the project, where it pins one.
    """
    text = projects.imports.text(path)
    file = Collector(path, text, KIND)
    project = projects.imports.get(path)
    if not isinstance(project, Document):
        return Told(file.unreadable(project) if isinstance(project, Unreadable) else Findings())
    implicit: dict[Usage, None] = {}
    usages_by_place: dict[tuple[str, int], dict[Usage, None]] = {}
    unreadable: dict[str, Unreadable] = {}
    for built in projects.built(path):
        evaluation = built.evaluation
        unreadable |= evaluation.unreadable
        for assignment in evaluation.assignments:
            if assignment.is_ruled_out:
                continue
            if assignment.path == path:
                _add_base(file, assignment, evaluation)
            elif assignment.applies is not False and (usage := _usage(assignment, evaluation)) is not None:
                usages_by_place.setdefault((assignment.path, assignment.start), {})[usage] = None
        is_ours = is_published(evaluation, path)
        is_theirs = publisher is not None and not_publishable(evaluation, built.framework) is None
        if (is_ours or is_theirs) and isinstance(command_base := evaluation.properties.given(BASE), UndecidedValue):
            file.problem(project.root.start, f"{BASE} is undecided: {command_base.why}; write the image out there")
        if (is_ours or is_theirs) and not _names_base(evaluation):
            implicit |= dict.fromkeys(_implicit(file, project, built, projects, sdk, publisher))
    if mentions_containers(text) or publisher is not None:
        for shared, why in unreadable.items():
            file.problem(project.root.start, f"what {shared} sets is not known here: {why}")
    findings = file.findings()
    return Told(
        replace(findings, usages=(*findings.usages, *implicit)),
        {place: tuple(usages) for place, usages in usages_by_place.items()},
    )


def tell_shared(projects: Projects, path: str, usages_by_place: Named) -> Findings:
    """The bases that a shared file names: by itself, and else as the projects that import it come to them."""
    file = Collector(path, projects.imports.text(path), KIND)
    document = projects.imports.get(path)
    if not isinstance(document, Document):
        is_concerned = isinstance(document, Unreadable) and mentions_containers(file.text)
        return file.unreadable(document) if is_concerned and isinstance(document, Unreadable) else Findings()
    evaluation = projects.evaluated(document, {})
    for assignment in evaluation.assignments:
        if assignment.path != path:
            continue
        in_projects = usages_by_place.get((path, assignment.start), ())
        if assignment.is_ruled_out and not in_projects:
            continue
        if isinstance(assignment.value, UndecidedValue) and in_projects:
            for usage in in_projects:
                file.add(usage)
        else:
            _add_base(file, assignment, evaluation)
    return file.findings()


def _add_base(file: Collector, assignment: Assignment, evaluation: Evaluation) -> None:
    value, place = assignment.value, assignment.start
    if isinstance(value, UndecidedValue):
        why = f"{BASE} is undecided: {value.why}"
        file.problem(place, f"{why}; write the image out in this file")
        file.leave_open(place, _pattern(assignment.written.text.strip()), why)
        return
    if not value.text.strip():
        return
    usage = _usage(assignment, evaluation)
    if usage is None:
        file.problem(place, f"{quoted(value.text)} is no image reference; correct it")
        return
    file.add(usage)
    if assignment.applies is None:
        message = f"{BASE} counts only where {quoted(assignment.condition)} holds, which is not known here"
        file.problem(place, f"{message}; it is followed as written")


def _pattern(text: str) -> str:
    """The text with `*` for each part that is not known: what stands in `$(…)`, with all brackets within."""
    parts: list[str] = []
    position = 0
    while (match := _NOT_KNOWN.search(text, position)) is not None:
        parts += [text[position : match.start()], "*"]
        position = match.end()
        depth = len(match.group()) - 1
        while depth:
            bracket = _BRACKET.search(text, position)
            depth = 0 if bracket is None else depth + (1 if bracket.group() == "(" else -1)
            position = len(text) if bracket is None else bracket.end()
    return "".join((*parts, text[position:]))


def _usage(assignment: Assignment, evaluation: Evaluation) -> Usage | None:
    """None where the value is empty, undecided or no image reference."""
    if isinstance(assignment.value, UndecidedValue) or not assignment.value.text.strip():
        return None
    document = evaluation.documents[assignment.path]
    value, text = assignment.value.strip(), assignment.written.strip()
    collector = Collector(assignment.path, "", KIND)
    usage = collector.usage(value, Role.BASE_IMAGE, digest_place=_digest_place(value, text))
    if usage is None:
        return None
    if usage.span is None and "$(" in text.text:
        usage = replace(usage, fixed_because="MSBuild computes the part to rewrite; write the image out")
    named_at = FileLine(assignment.path, document.lines.at(assignment.start))
    return placed(usage, evaluation.located, lambda path: evaluation.documents[path].lines, named_at)


def _digest_place(value: Spanned, text: Spanned) -> int | None:
    """Behind what is written where a property supplies only the tag."""
    return None if tag_stands_with_name(value) or text.places[-1] < 0 else text.places[-1] + 1


def _names_base(evaluation: Evaluation) -> bool:
    """Also where a target of the project sets it, which an evaluation does not run."""
    return evaluation.properties.text(BASE) != "" or any(
        assignment.applies is not False
        and (isinstance(assignment.value, UndecidedValue) or assignment.value.text.strip())
        for assignment in evaluation.assignments
    )


def _implicit(
    file: Collector, project: Document, built: Built, projects: Projects, sdk: str | None, publisher: str | None
) -> list[Usage]:
    """The base that the SDK chooses, or every candidate where the texts leave several, which is told."""
    line = _line_of_framework(project, built.evaluation)
    start = project.lines.start(line)
    undecided = "the base that dotnet publish chooses is undecided"
    try:
        implied = implicit_base(built.framework, built.evaluation, is_aspnet(projects, project.path, built), sdk)
    except NotDecided as error:
        file.problem(start, f"{undecided}: {error}; set {BASE} to name it")
        return []
    reason = f"dotnet publish chooses this base{f' for {publisher}' if publisher else ''}"
    if len(implied.references) > 1:
        names = " and ".join(reference.base.short for reference in implied.references)
        file.problem(start, f"{undecided}: {implied.why}; {names} are followed, set {BASE} to name it")
        reason += f" or another one ({implied.why})"
    platforms = tuple(dict.fromkeys(filter(None, map(platform_of, implied.runtimes))))
    return [
        Usage(
            path=file.path,
            kind=KIND,
            line=line,
            reference=reference,
            role=Role.IMPLICIT_BASE,
            platforms=platforms,
            fixed_because=f"{reason}; a rebuild takes the current one",
        )
        for reference in implied.references
    ]


def _line_of_framework(project: Document, evaluation: Evaluation) -> int:
    """Where the project sets its target framework, or where it begins."""
    for name in ("TargetFramework", "TargetFrameworks"):
        setting = evaluation.properties.setting(name)
        if setting is not None and setting.path == project.path and setting.line:
            return setting.line
    return project.lines.at(project.root.start)
