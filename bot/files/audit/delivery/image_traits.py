"""What advice on an image may build on, by its name or by the Dockerfile that it is built from here."""

import re
from collections.abc import Set
from dataclasses import dataclass

from bot.files.audit.delivery.built_images import Origin, built_here, user_of_stage
from bot.files.audit.delivery.made_here import is_published_by_project
from bot.files.audit.images.by_dockerfile import changes_users, stands_on_dotnet, starts
from bot.files.audit.images.by_name import is_dotnet, major_of, user_of_image
from bot.files.audit.images.dockerfile import Dockerfile, dockerfile_at
from bot.files.audit.images.stock import StockImage, stock_image
from bot.files.audit.images.user import UserKind
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dockerfile.lines import Instruction
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS


@dataclass(frozen=True, slots=True)
class ImageTraits:
    """What is known of an image, false or empty where it is not.

    `is_known`: it stands on .NET, be it built here or Microsoft's, or is a stock image, and starts its own program;
    of all others, and of scripts that are started, it is not told here what they need. `is_dotnet`: a plain one of
    .NET; `is_early`: of .NET before 8, and not its SDK, so that it listens on port 80. `uses_home_of_root`: in what
    its Dockerfile writes. `changes_users`: it starts as root to change owners or users. `needs` is the capability
    that its program needs to start at all, `port_variable` tells such a program its port. `builds_as_it_starts`:
    the program is built first. `runs_more`: it holds a daemon beside its program, which needs rights of its own.
    `writes`: it shows that it writes files beside those of `/tmp`.
    """

    is_dotnet: bool = False
    starts_as_user: bool = False
    changes_users: bool = False
    needs: str = ""
    builds_as_it_starts: bool = False
    runs_more: bool = False
    port_variable: str = ""
    is_known: bool = False
    is_early: bool = False
    uses_home_of_root: bool = False
    builds_in: str = ""
    """The folder that its Dockerfile starts it in, where that is written out."""
    writes: bool = False


UNKNOWN_IMAGE = ImageTraits()
KERNEL_ELSEWHERE = (
    "set that on the nodes themselves, or by securityContext.sysctls of a pod where the kernel keeps it for each,"
    " and remove the container; else waive the check for it"
)
INSTALLED_FIRST = "have the image hold what the command installs as root; then"
_NO_ROOT = frozenset({UserKind.NUMBER, UserKind.NAME})
_DAEMON = re.compile(
    r"\b(?:apt|apt-get|apk|dnf|microdnf|tdnf|yum|zypper)\b[^;&|]*?\s(?:install|add)\b[^;&|]*?\s"
    r"(?:openssh(?:-server)?|sssd|cron|cronie|dcron|sudo|supervisor|systemd|dbus|rsyslog|nginx|vsftpd|samba|postfix)"
    r"(?=[\s=:;&|]|$)"
)
"""A daemon, or what becomes another user, that a package manager installs."""
_BUILDS = re.compile(r"\bdotnet[\s\"',]+(?:watch|run|test|build)(?![\w.-])")
_INSTALLS = re.compile(
    r"\b(?:apk\b[^;&|\n]*\sadd|(?:apt|apt-get|dnf|microdnf|tdnf|yum|zypper|pip3?)\b[^;&|\n]*\s(?:install|in))\s"
)
_SETS_KERNEL = re.compile(
    r"(?<![\w.-])sysctl\b[^\n;&|]{0,200}?[ \t]"
    r"(?:-[A-Za-z]*[wpf]\b|--(?:write|load|system)\b|[\"']?(?!-)[\w./${}-]{1,200}=)"
    r"|(?:>|\btee\b[^\n;&|]{0,200}?[ \t])[ \t]{0,20}[\"']?/proc/sys/"
)
"""Values that are written; what only reads them needs no rights."""
_SCRIPT = re.compile(
    r"\.(?:sh|bash)\b|(?:^|[\s\"'\[/])(?:(?:ba|da|a|z|k)?sh|init)(?=[\s\"',\]]|$)|entrypoint", re.IGNORECASE
)
_MAKES_FOLDERS = re.compile(
    r"\b(?:mkdir|chown|chgrp)\b|\bchmod[ \t]+(?!a?\+r?x\b|\d+[ \t]+\S+\.sh\b)|\binstall[ \t]+-d\b"
)
_OF_FILES = re.compile(
    r"Include=\"(?:[\w.]*Sqlite[\w.]*|LiteDB[\w.]*|Serilog\.Sinks\.(?:Rolling)?File|log4net|NLog[\w.]*)\"",
    re.IGNORECASE,
)
"""Packages whose programs mostly keep files beside themselves."""


FILLING = frozenset({"copy", "add", "run", "env", "workdir"})
_HOME_OF_ROOT = re.compile(r"(?<![\w/.~-])(?<!target=)/root(?=/|[\s\"',]|$)")


def using_home_of_root(file: Dockerfile, stage: BuildStage) -> Instruction | None:
    """The first instruction of a stage that uses `/root`, which no other user may enter; None where none does."""
    uses = (each for each in file.of(stage) if each.keyword in FILLING and _HOME_OF_ROOT.search(each.text))
    return next(uses, None)


def installs_first(command: str) -> bool:
    """Whether a command installs packages before it starts anything, for which it must be root and write."""
    return _INSTALLS.search(command) is not None


def sets_kernel(command: str) -> bool:
    """Whether a command sets what the kernel of its machine goes by, for which it must be root and privileged."""
    return _SETS_KERNEL.search(command) is not None


def builds_first(command: str) -> bool:
    """Whether a command builds the program that it runs (`dotnet watch`), and so writes among its sources."""
    return _BUILDS.search(command) is not None


def starts_script(start: str) -> bool:
    """Whether a shell or a script is started, of which it is not told here what it needs."""
    return _SCRIPT.search(start) is not None


def image_traits(repository: RepositoryTexts, image: str, built: Origin = (None, None)) -> ImageTraits:
    """What is known of an image by its name, or by the Dockerfile and stage that it is built from here."""
    path, target = built
    if path is None or path not in repository:
        dockerfile, stage_found = built_here(repository, image)
        path, target = (dockerfile, stage_found) if dockerfile is not None else built
    file = dockerfile_at(repository, path)
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if path is None:
        return _by_name(repository, image)
    if file is None or stage is None:
        return UNKNOWN_IMAGE
    return _by_dockerfile(repository, file, stage, target)


def _by_name(repository: RepositoryTexts, image: str) -> ImageTraits:
    stock = stock_image(image)
    is_of_project = is_published_by_project(repository, image)
    return ImageTraits(
        is_dotnet=is_of_project or (is_dotnet(image) and not _is_sdk(image)),
        starts_as_user=bool(image) and user_of_image(image).kind in _NO_ROOT,
        needs=stock.needs if stock is not None else "",
        port_variable=stock.port_variable if stock is not None else "",
        is_known=stock is not None or is_of_project or is_dotnet(image),
        is_early=_is_early(image),
        writes=_is_sdk(image) or (is_of_project and repository.kept(_keeps_files)),
    )


def _by_dockerfile(
    repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, target: str | None
) -> ImageTraits:
    user, base = user_of_stage(repository, file.path, target), file.chain(stage)[-1].image
    base_name = base.text if base is not None else ""
    stock, started = stock_image(base_name) or StockImage(), starts(file, stage)
    runs_more = _runs_more(file, stage)
    is_of_dotnet = stands_on_dotnet(file, stage) or _stands_on_own(repository, base_name, {file.path})
    is_other = any(map(starts_script, started)) if is_of_dotnet else stock.starts_as_root or bool(started)
    return ImageTraits(
        is_dotnet=stands_on_dotnet(file, stage) and not (_is_sdk(base_name) or runs_more),
        starts_as_user=user is not None and user.kind in _NO_ROOT,
        changes_users=changes_users(file, stage, repository),
        needs=stock.needs,
        builds_as_it_starts=any(map(builds_first, started)),
        runs_more=runs_more,
        port_variable=stock.port_variable,
        is_known=not is_other,
        is_early=_is_early(base_name),
        uses_home_of_root=using_home_of_root(file, stage) is not None,
        builds_in=_working_folder(file, stage),
        writes=runs_more or _is_sdk(base_name) or _makes_folders(file, stage) or repository.kept(_keeps_files),
    )


def _working_folder(file: Dockerfile, stage: BuildStage) -> str:
    """The absolute folder that a stage, or one below it, sets last; empty where none does."""
    for one in file.chain(stage):
        folders = [each.arguments.text.strip() for each in file.of(one) if each.keyword == "workdir"]
        if folders:
            return folders[-1].rstrip("/") if folders[-1].startswith("/") else ""
    return ""


def _stands_on_own(repository: RepositoryTexts, base: str, seen: Set[str]) -> bool:
    """Whether a base is built here too, and stands on .NET in the end."""
    path, target = built_here(repository, base) if base else (None, None)
    file = dockerfile_at(repository, path)
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if path is None or path in seen or file is None or stage is None:
        return False
    image = file.chain(stage)[-1].image
    name = image.text if image is not None else ""
    return stands_on_dotnet(file, stage) or _stands_on_own(repository, name, {*seen, path})


_SDK = re.compile(r"/sdk(?:[:@]|$)")


def _is_sdk(image: str) -> bool:
    """Whether an image is .NET's SDK, whose tools write in the home of their user and beside the sources."""
    return is_dotnet(image) and _SDK.search(image) is not None


def _is_early(image: str) -> bool:
    return is_dotnet(image) and not _is_sdk(image) and ("/dotnet/core/" in image or major_of(image) in range(1, 8))


def _runs_more(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether a stage or one below it installs what runs beside the program, and needs rights of its own."""
    return any(
        each.keyword == "run" and _DAEMON.search(each.arguments.text) is not None
        for one in file.chain(stage)
        for each in file.of(one)
    )


def _makes_folders(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether a stage or one below it makes folders or gives some away, which programs then write in."""
    own = [each for one in file.chain(stage) for each in file.of(one)]
    return any(
        each.keyword == "volume" or (each.keyword == "run" and _MAKES_FOLDERS.search(each.arguments.text))
        for each in own
    )


def _keeps_files(repository: RepositoryTexts) -> bool:
    """Whether a project here stands on a package that keeps files."""
    return any(
        path.endswith((*PROJECT_ENDINGS, ".props")) and _OF_FILES.search(repository.text(path))
        for path in repository.paths
        if repository.scope.is_judged(path)
    )
