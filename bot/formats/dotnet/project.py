"""Images that the .NET SDK builds: project files and what they import (`dotnet publish /t:PublishContainer`).

Properties: https://learn.microsoft.com/dotnet/core/containers/publish-configuration. A project that names its
base in ContainerBaseImage has a text to rewrite; one that leaves the choice to the SDK has an implicit base, which
only a rebuild brings up to date.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bot.domain.usage import Findings, Kind, Role, Usage
from bot.formats.dotnet.msbuild.imports import Document, Imports
from bot.formats.dotnet.msbuild.properties import Evaluation, Undecided
from bot.formats.dotnet.publish import NotDecided, implicit_base, is_published
from bot.formats.dotnet.sdk_base import platform_of
from bot.formats.source.collector import Collector, Unreadable, quoted, tag_stands_with_name
from bot.formats.source.spanned import Spanned

KIND = Kind("csproj")
PROJECT_ENDINGS = (".csproj", ".fsproj", ".vbproj")
MOST_FRAMEWORKS = 10

_BASE = "ContainerBaseImage"


def find(path: str, text: str) -> Findings:
    """What one file tells by itself: bases named in it, and the implicit base where the file alone decides it."""
    return find_project(path, text, ())


def find_project(path: str, text: str, props: Sequence[tuple[str, str]], *, sdk: str | None = None) -> Findings:
    """What a project tells together with `props`: (path, text) of files that MSBuild may import into it.

    Those are the repository's Directory.Build.props and Directory.Build.targets, and what these import. `sdk` is
    the SDK version of the global.json above the project, where it pins one. Never raises.
    """
    if not _may_tell(text, props):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        project = Document.read(path, text)
    except Unreadable as error:
        return file.unreadable(error)
    if not path.lower().endswith(PROJECT_ENDINGS):
        _named_bases(file, _evaluated(project, Imports(), {}))
        return file.findings()
    imports = Imports(props)
    implicit = _of_project(file, project, imports, sdk)
    if "container" in text.lower():
        for shared, why in imports.unreadable.items():
            file.problem(project.root.start, f"what {shared} sets is not known here: {why}")
    found = file.findings()
    return Findings((*found.usages, *implicit), found.problems)


def _may_tell(text: str, props: Sequence[tuple[str, str]]) -> bool:
    """Most projects are no images; a look for the word is cheaper than reading the XML."""
    return any("container" in each.lower() for each in (text, *(shared for _, shared in props)))


def _evaluated(project: Document, imports: Imports, given: Mapping[str, str]) -> Evaluation:
    """As MSBuild would from a fresh checkout, for a publish, which builds Release."""
    stem, ending = posixpath.splitext(posixpath.basename(project.path))
    always = {
        "MSBuildProjectName": stem,
        "MSBuildProjectExtension": ending,
        "MSBuildProjectFile": stem + ending,
        "Configuration": "Release",
        "Platform": "AnyCPU",
    }
    evaluation = Evaluation(imports, {**always, **given}, watched=_BASE, watched_path=project.path)
    folder = posixpath.dirname(project.path)
    before = imports.nearest("Directory.Build.props", folder)
    after = imports.nearest("Directory.Build.targets", folder)
    for document in (before, project, after):
        if document is not None:
            evaluation.take(document)
    return evaluation


def _of_project(file: Collector, project: Document, imports: Imports, sdk: str | None) -> list[Usage]:
    """Puts the named bases into `file` and gives the implicit ones, one for each target framework."""
    implicit: dict[Usage, None] = {}
    for framework, evaluation in _frameworks(project, imports):
        _named_bases(file, evaluation)
        if is_published(evaluation, file.path) and not _names_base(evaluation):
            usage = _implicit(file, project, framework, evaluation, sdk)
            if usage is not None:
                implicit[usage] = None
    return list(implicit)


def _frameworks(project: Document, imports: Imports) -> Iterator[tuple[str | Undecided, Evaluation]]:
    """Each target framework with what the project comes to when it is built for that one."""
    evaluation = _evaluated(project, imports, {})
    several, single = evaluation.text("TargetFrameworks"), evaluation.text("TargetFramework")
    if isinstance(several, Undecided) or single or not several:
        yield single or several, evaluation
        return
    for name in [name.strip() for name in several.split(";") if name.strip()][:MOST_FRAMEWORKS]:
        yield name, _evaluated(project, imports, {"TargetFramework": name})


def _named_bases(file: Collector, evaluation: Evaluation) -> None:
    for assignment in evaluation.assignments:
        place = assignment.element.start
        if isinstance(assignment.value, Undecided):
            file.problem(place, f"{_BASE} is undecided: {assignment.value.why}; write the image out in this file")
            continue
        if not assignment.value.text.strip():
            continue
        value, written = assignment.value.strip(), assignment.element.text.strip()
        usage = file.usage(value, Role.BASE_IMAGE, digest_place=_digest_place(value, written))
        if usage is None:
            file.problem(place, f"{quoted(assignment.value.text)} is no image reference; correct it")
            continue
        if usage.span is None and "$(" in assignment.element.text.text:
            usage = replace(usage, fixed_because="the part to rewrite is set in another file; rewrite it there")
        file.add(usage)
        if assignment.applies is None:
            where = f"{_BASE} counts only where {quoted(assignment.condition)} holds, which is not known here"
            file.problem(place, f"{where}; it is followed as written")


def _digest_place(value: Spanned, written: Spanned) -> int | None:
    """Behind what is written where a property supplies only the tag."""
    return None if tag_stands_with_name(value) or written.places[-1] < 0 else written.places[-1] + 1


def _names_base(evaluation: Evaluation) -> bool:
    """Also where a target sets it, which an evaluation does not run."""
    return evaluation.text(_BASE) != "" or any(
        assignment.applies is not False
        and (isinstance(assignment.value, Undecided) or assignment.value.text.strip())
        for assignment in evaluation.assignments
    )


def _implicit(
    file: Collector, project: Document, framework: str | Undecided, evaluation: Evaluation, sdk: str | None
) -> Usage | None:
    line = _line_of_framework(project, evaluation)
    try:
        reference, runtimes = implicit_base(framework, evaluation, sdk)
    except NotDecided as error:
        file.problem(
            project.lines.start(line),
            f"the base that dotnet publish chooses is undecided: {error}; set {_BASE} to name it",
        )
        return None
    if reference is None:
        return None
    platforms = tuple(dict.fromkeys(filter(None, map(platform_of, runtimes))))
    return Usage(
        path=file.path,
        kind=KIND,
        line=line,
        reference=reference,
        role=Role.IMPLICIT_BASE,
        platforms=platforms,
        fixed_because="dotnet publish chooses this base; a rebuild takes the current one",
    )


def _line_of_framework(project: Document, evaluation: Evaluation) -> int:
    """Where the project sets its target framework, or where it begins."""
    for name in ("TargetFramework", "TargetFrameworks"):
        setting = evaluation.setting(name)
        if setting is not None and setting.path == project.path and setting.line:
            return setting.line
    return project.lines.at(project.root.start)
