"""An image that the repository builds runs as a user that is not root.

What: the last USER of the final stage or of those below it, else that of the base, is not root. .NET's chiseled
and distroless tags run as UID 1654, images that the SDK builds as `app` from .NET 8 on.

Example that fails::

    FROM mcr.microsoft.com/dotnet/aspnet:8.0
    COPY . /app

Fix: `USER $APP_UID` as the last instruction but the entrypoint, or a chiseled base.

What the files do not tell, the configuration of the produced image does, where the fleet knows that image.

Exceptions: Windows images, actions, and Dockerfiles of tests, samples and development containers, are asked
nothing. It is unknown where an entrypoint drops rights by itself (gosu, setpriv, su-exec), where a Dockerfile only
prepares a base for others, or its last stage only runs tests; and of a project that names a container beside a
Dockerfile, where nothing has the SDK publish one.
"""

import posixpath
import re
from collections.abc import Iterator

from bot.domain.reference import Reference
from bot.domain.repositories.finding import FindingSeverity, Fix, Outcome, Place
from bot.domain.repositories.usage import Edit, Role, Span
from bot.files.audit.delivery.building import targets
from bot.files.audit.delivery.built_images import user_with_base
from bot.files.audit.delivery.image_traits import FILLING, starts_script, using_home_of_root
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.delivery.run_by_actions import runs_dockerfile, runs_project, runs_stage
from bot.files.audit.images.by_dockerfile import starts
from bot.files.audit.images.dockerfile import STARTING, Dockerfile, dockerfiles
from bot.files.audit.images.running import is_only_a_base, only_tests
from bot.files.audit.images.stock import instead_of, stock_image
from bot.files.audit.images.user import UserKind
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import is_generated
from bot.files.audit.suggestions.trying import Sign, tried
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workloads.compose import services
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dotnet import project
from bot.files.formats.dotnet.msbuild.imports import Imports
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS, Projects

_OLDEST_WITH_USER = 8
_IMPORTED_UNASKED = ("Directory.Build.props", "Directory.Build.targets")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    targets_by_path = targets(repository)
    built_to_run = set(_built_to_run(repository))
    for file in dockerfiles(repository):
        stages = [
            stage
            for name in sorted(targets_by_path.get(file.path, ()))
            if (stage := file.stage(name) if name else file.final) is not None
        ]
        for stage in dict.fromkeys(stages or _run_of(file)):
            user = user_with_base(repository, file, stage)
            place = file.place(user.where)
            subject = f"stage {stage.label}" if stage.name or stage is not file.final else "final stage"
            is_named = runs_dockerfile(repository, file.path) and not stages
            if user.kind is UserKind.ROOT and (is_named or runs_stage(repository, file, stage)):
                yield not_applicable(place, subject, _OF_ACTION)
                continue
            is_left_open = user.kind is UserKind.ROOT and user.where.keyword == "from"
            if stages:
                is_tried_out = bool(starts(file, stage)) and only_tests(file, stage)
            else:
                is_tried_out = all(only_tests(file, each) for each in file.stages)
            if is_left_open and is_tried_out:
                yield not_applicable(place, subject, "it only runs tests")
                continue
            if is_left_open and not stages and only_tests(file, stage):
                yield unknown(place, subject, _ONLY_TESTS, "the stage that is built to be run")
                continue
            if is_left_open and file.path not in built_to_run and is_only_a_base(file, stage):
                yield unknown(place, subject, _ONLY_A_BASE, "a USER in it, or in what stands on it")
                continue
            match user.kind:
                case UserKind.ROOT:
                    yield fails(place, subject, user.why, _fix(repository, file, stage))
                case UserKind.NUMBER | UserKind.NAME:
                    yield holds(place, subject, user.why)
                case UserKind.NOT_ASKED:
                    yield not_applicable(place, subject, user.why)
                case UserKind.UNKNOWN:
                    yield unknown(place, subject, user.why, user.settled_by)
    yield from _built_by_sdk(repository)


def _built_to_run(repository: RepositoryTexts) -> Iterator[str]:
    """The Dockerfiles that Compose builds, but those that it only gives the name on which others here stand."""
    images = (stage.image for file in dockerfiles(repository) for stage in file.stages)
    stood_on = {repository_of(image.text) for image in images if image is not None}
    for service in services(repository):
        path, _ = service.dockerfile()
        is_base = bool(service.image) and repository_of(service.image) in stood_on and not service.command
        if path is not None and not is_base:
            yield path


_OF_ACTION = "an action runs it, and GitHub has these run as root"
_ONLY_TESTS = "its last stage only tries things out, and which stage is run is not told"
_ONLY_A_BASE = "it starts nothing and takes nothing in, so others may stand on it, which say who they run as"


def _run_of(file: Dockerfile) -> list[BuildStage]:
    """The stage that is run where no build names one: the last one that does more than try things out."""
    if not only_tests(file, file.final):
        return [file.final]
    started = (each for each in reversed(file.stages) if starts(file, each) and not only_tests(file, each))
    return [next(started, file.final)]


_BEFORE_APP_UID = re.compile(r"/dotnet/core/|:[1-7]\.\d")
"""Images of .NET before 8, which have no user of their own."""


def _fix(repository: RepositoryTexts, file: Dockerfile, stage: BuildStage) -> Fix:
    """A USER before the entrypoint, where the base has the user at hand. It is advice: files may belong to root."""
    image = file.chain(stage)[-1].image
    has_user = image is not None and "/dotnet/" in image.text and not _BEFORE_APP_UID.search(image.text)
    name = "$APP_UID" if has_user else "a number above 0"
    stock = stock_image(image.text) if image is not None else None
    advice = f"add USER {name} before the entrypoint, and see that the program writes only where that user may"
    of_root = using_home_of_root(file, stage)
    if stock is not None and stock.instead:
        is_run_in = any(each.keyword == "run" for below in file.chain(stage) for each in file.of(below))
        is_configured = _is_configured(file, stage)
        listens_high = is_configured and _exposes_high_ports(file, stage)
        instead = Fix(instead_of(stock, is_run_in=is_run_in, listens_high=listens_high))
        return tried(instead, Sign.OF_FILES) if starts(file, stage) or is_configured else instead
    starting = [each for each in file.of(stage) if each.keyword in STARTING]
    is_written = any(each.keyword == "user" for each in file.of(stage))
    runs_later = any(each.keyword == "run" and each.line > starting[0].line for each in file.of(stage) if starting)
    if of_root is not None:
        advice += f"; line {of_root.line} uses /root, which no other user may enter: use that user's home"
    if any(map(starts_script, starts(file, stage))):
        return tried(Fix(advice), Sign.OF_FILES)
    if not starting and image is not None and "/dotnet/sdk" in image.text:
        return Fix(f"{advice}; where only other builds stand on it, waive the check: a USER might break them")
    if of_root is not None:
        return Fix(advice)
    if not has_user or is_written or not starting or runs_later or is_generated(repository.text(file.path)):
        return Fix(advice)
    offset = repository.lines(file.path).start(starting[0].line)
    ending = "\r\n" if "\r\n" in repository.text(file.path) else "\n"
    return Fix(advice, suggested=(Edit(file.path, Span(offset, offset), f"USER $APP_UID{ending}"),))


def _is_configured(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether a stage brings a configuration of its own, or changes what the base has."""
    own = (each for each in file.of(stage) if each.keyword in FILLING)
    return any("/etc/" in each.arguments.text for each in own)


def _exposes_high_ports(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether all ports that a stage exposes are such as any user may listen on."""
    exposed = " ".join(each.arguments.text for each in file.of(stage) if each.keyword == "expose").split()
    ports = [each.partition("/")[0] for each in exposed]
    return bool(ports) and all(port.isdecimal() and int(port[:6]) >= 1024 for port in ports)


def _built_by_sdk(repository: RepositoryTexts) -> Iterator[Verdict]:
    for path in repository.paths:
        if path.endswith(PROJECT_ENDINGS) and repository.scope.is_judged(path):
            texts = [repository.text(path), *_shared_texts(repository, path)]
            if any("Container" in text for text in texts):
                of_action = runs_project(repository, path, texts)
                beside = _dockerfile_instead(repository, path)
                for verdict in _of_project(repository, path, texts):
                    if beside and not any(_ASKED.search(text) for text in texts):
                        why = f"{beside} stands beside it, and nothing here is seen to have the SDK build an image"
                        yield unknown(verdict.place, verdict.subject, why, "what builds the image")
                        continue
                    is_asked = verdict.outcome is not Outcome.FAILS or not of_action
                    yield verdict if is_asked else not_applicable(verdict.place, verdict.subject, _OF_ACTION)


_PUBLISHES = re.compile(r"PublishContainer|DefaultContainer")
_ASKED = re.compile(r"<EnableSdkContainerSupport>\s*true|DefaultContainer|PublishContainer", re.I)
"""What has a project published as a container by itself; the package alone (`Microsoft.NET.Build.Containers`) only
brings the means."""


def _dockerfile_instead(repository: RepositoryTexts, path: str) -> str:
    """The Dockerfile beside a project from which its image may be built, where no file here asks the SDK to publish
    a container; empty for none."""
    file = repository.first(posixpath.dirname(path), "Dockerfile") or ""
    return file if file in repository.dockerfiles and not repository.kept(_is_published_somewhere) else ""


def _is_published_somewhere(repository: RepositoryTexts) -> bool:
    """Whether any file asks the SDK to publish a container."""
    return any(_PUBLISHES.search(repository.text(path)) for path in repository.paths)


def _shared_texts(repository: RepositoryTexts, path: str) -> Iterator[str]:
    """What MSBuild imports by itself from the folders above a project, nearest first."""
    folder = path
    while folder:
        folder = posixpath.dirname(folder)
        names = (posixpath.join(folder, name) for name in _IMPORTED_UNASKED)
        yield from (repository.text(name) for name in names if name in repository)


def _projects(repository: RepositoryTexts) -> Projects:
    paths = (path for path in repository.paths if path.endswith((*PROJECT_ENDINGS, ".props", ".targets")))
    return Projects(Imports((path, repository.text(path)) for path in paths))


def _of_project(repository: RepositoryTexts, path: str, texts: list[str]) -> Iterator[Verdict]:
    """One verdict on what a project is published as, also where the files leave several bases open."""
    usages = project.tell(repository.kept(_projects), path).findings.usages
    bases = {each.reference: each.line for each in usages if each.role is Role.IMPLICIT_BASE}
    if not bases:
        return
    line = min(bases.values())
    place, subject = Place(path, line, line), "image that the SDK builds"
    user_line = next((text for text in texts if "<ContainerUser>" in text), None)
    if user_line is not None:
        user = user_line.partition("<ContainerUser>")[2].partition("<")[0].strip()
        if user in {"root", "0"}:
            yield fails(place, subject, "ContainerUser is root", "remove ContainerUser")
        elif "$(" in user or not user:
            yield unknown(place, subject, "ContainerUser is a property", "its value")
        else:
            yield holds(place, subject, f"ContainerUser is {user[:60]}")
        return
    names = " or ".join(map(str, bases))
    as_root = [each for each in bases if not _has_user(each)]
    if not as_root:
        yield holds(place, subject, f"the SDK makes it run as app, on {names}")
    elif len(as_root) == len(bases):
        advice = "move to a .NET that still gets fixes: its images have a user since .NET 8"
        yield fails(place, subject, f"{names} runs as root", advice)
    else:
        why = f"the files leave {names} as its base, and only .NET 8 and later have a user"
        yield unknown(place, subject, why, "ContainerBaseImage, or one target framework")


def _has_user(base: Reference) -> bool:
    major = (base.tag or "").split(".")[0]
    return major.isdecimal() and int(major) >= _OLDEST_WITH_USER


RULE = Rule(
    "image-user",
    "Images run as another user than root",
    "Where no manifest says otherwise, the image decides.",
    FindingSeverity.HIGH,
    judge,
)
