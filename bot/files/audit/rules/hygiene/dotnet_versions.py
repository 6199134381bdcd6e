"""The .NET versions of a repository agree, and none is a preview.

What: the runtime base has the major version of the project's TargetFramework, the SDK base that of `global.json`,
and no image for others stands on a preview, a release candidate or a nightly.

Example that fails::

    FROM mcr.microsoft.com/dotnet/aspnet:9.0-preview

Fix: one major version in all three places.

Exceptions: where several projects could be meant, the check says so. `RollForward`, which lets a program start on a
newer runtime, is taken as meant. Stages that are only copied from, and SDKs that no `global.json` gets into, are
asked nothing; where another .NET is brought in beside the base it is unknown.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.finding import FindingSeverity
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.building import contexts, targets
from bot.files.audit.images.by_name import is_dotnet
from bot.files.audit.images.copying import brings_own_runtime, has_another_dotnet, takes
from bot.files.audit.images.dockerfile import STARTING, Dockerfile, dockerfiles
from bot.files.audit.images.publishing import project_of_folder, publishings
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dotnet import global_json
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS

_FRAMEWORK = re.compile(
    r"<TargetFrameworks?(?:\s+Condition=\"\s*'\$\(\w+\)'\s*==\s*''\s*\")?>\s*([^<]+?)\s*</TargetFrameworks?>"
)
_PROPERTY = re.compile(r"\$\((\w+)\)")
_MODERN = re.compile(r"^(?:net|netcoreapp)(?:(\d{1,2})\.\d|(?<=net)([5-9])(?=-|$))")
"""Of .NET 5 and later, which a single figure names too; `net48` is .NET Framework."""
_PREVIEW = re.compile(r"preview|-rc|-alpha|-beta|nightly")
_STARTED = re.compile(r"^\s*(?:ENTRYPOINT|CMD)\b[^\n]*?([\w.-]+)\.dll", re.IGNORECASE | re.MULTILINE)
_STARTED_AS_PROGRAM = re.compile(
    r"^\s*(?:ENTRYPOINT|CMD)\s*\[?\s*[\"']?(?:\.?/)?(?:[\w.-]+/)*([A-Za-z][\w.-]*)(?=[\"'\s,\]]|$)",
    re.IGNORECASE | re.MULTILINE,
)
"""The host that the SDK makes of a project, which has its name."""
_ASSEMBLY = re.compile(r"<AssemblyName>\s*([\w.-]+)\s*</AssemblyName>")
_PUBLISHED = re.compile(r"[\w./\\-]+\.(?:cs|fs|vb)proj\b")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for file in dockerfiles(repository):
        running = _running(repository, file)
        for stage in file.stages:
            image = stage.image.text if stage.image is not None else ""
            if not is_dotnet(image):
                continue
            place, subject = file.place(stage.instruction), f"stage {stage.label} · {image[:120]}"
            major = major_of(image)
            if _PREVIEW.search(image):
                yield fails(place, subject, "it stands on a preview", "move to the released version")
            elif stage not in running and "/sdk" not in image:
                continue
            elif major is None:
                yield unknown(place, subject, "its version is known only in a build", "a tag that is written out")
            elif "/sdk" in image:
                yield from _sdk(repository, file, stage, major, subject)
            else:
                yield _runtime(repository, file, stage, major, subject)


def _running(repository: RepositoryTexts, file: Dockerfile) -> set[BuildStage]:
    """The stages that a program runs on: the last one, those that builds name or that start something, and what
    they stand on. The others are only copied from, or tried out."""
    names = targets(repository).get(file.path, frozenset())
    waiting = [file.final, *(stage for name in names if name and (stage := file.stage(name)) is not None)]
    waiting += [stage for stage in file.stages if any(each.keyword in STARTING for each in file.of(stage))]
    running = set[BuildStage]()
    while waiting:
        stage = waiting.pop()
        waiting += [each for each in stage.bases if each not in running]
        running.add(stage)
    return running


def major_of(image: str) -> int | None:
    try:
        tag = Reference.parse(image).tag or ""
    except InvalidReference:
        return None
    match = re.match(r"(\d{1,2})(?:\.|$|-)", tag)
    return int(match[1]) if match else None


def _sdk(
    repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, major: int, subject: str
) -> Iterator[Verdict]:
    place = file.place(stage.instruction)
    standing = [each for each in file.stages if stage in file.chain(each)]
    folder = posixpath.dirname(file.path)
    while True:
        path = posixpath.join(folder, "global.json")
        if path in repository or not folder:
            break
        folder = posixpath.dirname(folder)
    pin = global_json.pin(repository.text(path)) if path in repository else None
    if pin is None or _is_outside(repository, file, path):
        return
    taken = [takes(repository, file, each, path) for each in standing]
    if True not in taken and None not in taken:
        return
    pinned_major = pin.version.partition(".")[0]
    if not pinned_major.isdecimal():
        yield unknown(place, subject, f"{path} names no version", "a version in global.json")
    elif int(pinned_major) == major:
        yield holds(place, subject, f"{path} asks for the same major version")
    elif int(pinned_major) < major and pin.roll_forward.lower() in {"major", "latestmajor"}:
        yield holds(place, subject, f"{path} asks for {pinned_major} or newer")
    elif has_another_dotnet(file, standing):
        why = f"{path} asks for the SDK {pin.version}, and another .NET is brought in beside {major}"
        yield unknown(place, subject, why, "which of them the build takes")
    elif True not in taken:
        why = f"{path} asks for the SDK {pin.version}, and whether it is copied beside the sources is not told"
        yield unknown(place, subject, why, "the folder that the image is built from")
    else:
        yield fails(
            place,
            subject,
            f"{path} asks for the SDK {pin.version}, and the image has {major}",
            "one major version in both",
        )


def _is_outside(repository: RepositoryTexts, file: Dockerfile, path: str) -> bool:
    """Whether a file is in no folder that a Dockerfile is built from, where all of them are told."""
    folders = contexts(repository).get(file.path, frozenset())
    return bool(folders) and not any(each is None or not each or path.startswith(f"{each}/") for each in folders)


def _runtime(repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, major: int, subject: str) -> Verdict:
    place = file.place(stage.instruction)
    projects = _projects(repository, file)
    asked_majors = set[int]().union(*(_majors_named(each.framework) for each in publishings(file)))
    target_majors = asked_majors or {each for path in projects for each in _majors(repository, path)}
    if projects and not target_majors:
        why = f"which .NET {first_few(projects)} targets is not told by it or a Directory.Build.props above it"
        return unknown(place, subject, why, "the project's TargetFramework")
    if not target_majors:
        return unknown(
            place,
            subject,
            "which project runs on it is not told by the Dockerfile",
            "the project's TargetFramework",
        )
    if major in target_majors:
        who = "what it runs is published for" if asked_majors else "a project that it runs targets"
        return holds(place, subject, f"{who} .NET {major}")
    if len(target_majors) > 1:
        return unknown(
            place,
            subject,
            f"its projects target .NET {', '.join(map(str, sorted(target_majors)))}",
            "which of them is run",
        )
    target = target_majors.pop()
    path = next(iter(projects), file.path)
    if "RollForward" in repository.text(path) or "RollForward" in repository.text("Directory.Build.props"):
        return holds(place, subject, f"{path} targets .NET {target} and rolls forward")
    if brings_own_runtime(file):
        why = f".NET {target} is targeted, and what is published may bring its own runtime"
        return unknown(place, subject, why, "whether what runs on it is published as self-contained")
    if has_another_dotnet(file, [each for each in file.stages if stage in file.chain(each)]):
        why = f".NET {target} is targeted, and another .NET is brought in beside {major}"
        return unknown(place, subject, why, "which of them the program starts on")
    what = f"{file.path} publishes for" if asked_majors else f"{path} targets"
    return fails(place, subject, f"{what} .NET {target}, and the image has {major}", "one major version in both")


def _projects(repository: RepositoryTexts, file: Dockerfile) -> list[str]:
    """The projects that the Dockerfile publishes, by their files or folders; else the one beside it."""
    folder = posixpath.dirname(file.path)
    names: list[str] = []
    publishing = re.compile(r"dotnet\s+(?:publish|build)\b[^\n]*")
    text = repository.text(file.path)
    for command in publishing.findall(text):
        names += _PUBLISHED.findall(command)
    in_folders = [project_of_folder(repository, each) for each in publishings(file)] if not names else []
    if in_folders and all(in_folders):
        return [path for path in dict.fromkeys(in_folders) if path is not None]
    if not names:
        started = (*_STARTED.findall(text), *_STARTED_AS_PROGRAM.findall(text))
        of_program = repository.kept(_projects_by_program)
        names = [of_program[name] for name in started if name in of_program]
    if not names:
        names = list(_PUBLISHED.findall(text)) if len(set(_PUBLISHED.findall(text))) == 1 else []
    ends = {posixpath.normpath(name.replace("\\", "/")).rpartition("/")[2] for name in names}
    project_paths = [
        path for path in repository.paths if path.rpartition("/")[2] in ends and path.endswith(PROJECT_ENDINGS)
    ]
    if len(project_paths) > len(ends):
        near = [path for path in project_paths if path.startswith(f"{folder}/")] if folder else project_paths
        project_paths = near or project_paths
    beside = [
        path
        for path in repository.below(folder)
        if path.endswith(PROJECT_ENDINGS) and posixpath.dirname(path) == folder
    ]
    return project_paths or (beside if len(beside) == 1 else [])


def _projects_by_program(repository: RepositoryTexts) -> dict[str, str]:
    """The file names of projects by what they make: their `AssemblyName`, else a program of their own name."""
    by_program: dict[str, str] = {}
    for path in repository.paths:
        if path.endswith(PROJECT_ENDINGS):
            name = path.rpartition("/")[2]
            assembly = _ASSEMBLY.search(repository.text(path))
            by_program[assembly[1] if assembly is not None else posixpath.splitext(name)[0]] = name
    return by_program


def _majors(repository: RepositoryTexts, path: str) -> set[int]:
    """The major versions that a project targets, by itself or by the Directory.Build.props above it."""
    folder = posixpath.dirname(path)
    texts = [repository.text(path)]
    while True:
        texts.append(repository.text(posixpath.join(folder, "Directory.Build.props")))
        if not folder:
            break
        folder = posixpath.dirname(folder)
    for text in texts:
        for framework_list in _FRAMEWORK.findall(text):
            if majors := _majors_named(_PROPERTY.sub(lambda match: _value_in(texts, match[1]), framework_list)):
                return majors
    return set()


def _value_in(texts: Iterable[str], name: str) -> str:
    """What a property is set to, where these texts set it once; empty else."""
    values = [each for text in texts for each in re.findall(rf"<{re.escape(name)}>\s*([^<$]*?)\s*</", text)]
    return values[0] if len(values) == 1 else ""


def _majors_named(framework_list: str) -> set[int]:
    matches = (_MODERN.match(name.strip()) for name in framework_list.split(";"))
    return {int(match[1] or match[2]) for match in matches if match is not None}


RULE = Rule(
    "dotnet-versions",
    "The .NET versions agree",
    "A program for one major version does not start on the runtime of another.",
    FindingSeverity.MEDIUM,
    judge,
)
