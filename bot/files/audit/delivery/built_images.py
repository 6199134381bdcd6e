"""Who the images run as that the repository builds, by the Dockerfile that it builds them from: that of the push
that names them, of a Compose file, or of a script.
"""

import re
from collections.abc import Set
from dataclasses import dataclass, replace

from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.built_by_scripts import built_by_script
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.made_here import is_published_by_project
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.images.by_dockerfile import (
    Environment,
    changes_users,
    environment_of,
    stands_on_dotnet,
    starts,
    user_of,
)
from bot.files.audit.images.by_name import is_dotnet, user_of_image
from bot.files.audit.images.dockerfile import Dockerfile, dockerfile_at
from bot.files.audit.images.stock import StockImage, stock_image
from bot.files.audit.images.user import User, UserKind, settled
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.compose import services
from bot.files.formats.dockerfile.stages import BuildStage

_NO_ROOT = frozenset({UserKind.NUMBER, UserKind.NAME})
Origin = tuple[str | None, str | None]
"""A Dockerfile, and the stage of it where one is named."""


def user_of_built_image(repository: RepositoryTexts, image: str) -> User | None:
    """Who an image runs as: by what it is built from here, else by its name and what was seen of it."""
    path, target = built_here(repository, image)
    if path is not None:
        return user_of_stage(repository, path, target)
    return settled(user_of_image(image), repository.produced_as(image)) if image else None


def built_here(repository: RepositoryTexts, image: str) -> Origin:
    """The Dockerfile and stage that an image is built from here, by the push that names it, a Compose file or a
    script; None where none does. Of a name that a run completes only the very same words tell."""
    name = repository_of(image)
    pushed = repository.kept(_pushes_by_name).get(name)
    if pushed is not None:
        return pushed[1], pushed[0].step.input("target") or None
    return _built_by_others(repository, image, name)


def built_locally(repository: RepositoryTexts, image: str) -> str | None:
    """The Dockerfile that Compose or a script here builds an image from, where no push brings it to a registry."""
    name = repository_of(image)
    is_pushed = name in repository.kept(_pushes_by_name)
    return None if is_pushed else _built_by_others(repository, image, name)[0]


def _built_by_others(repository: RepositoryTexts, image: str, name: str) -> Origin:
    """What Compose files and scripts build under a name."""
    by_words, by_name = repository.kept(_built_by_compose)
    if image in by_words:
        return by_words[image]
    if not name or "$" in name:
        return None, None
    origins = by_name.get(name, frozenset())
    return next(iter(origins)) if len(origins) == 1 else (built_by_script(repository, name), None)


def _pushes_by_name(repository: RepositoryTexts) -> dict[str, tuple[Push, str]]:
    pushes: dict[str, tuple[Push, str]] = {}
    for push in deliveries(repository).pushes:
        path = dockerfile_of(push)
        for name in push.names if path is not None else ():
            pushes.setdefault(repository_of(name), (push, path or ""))
    return pushes


@dataclass(frozen=True, slots=True)
class ImageTraits:
    """What advice on an image may build on: that it is a plain one of .NET, that it starts as another user than
    root, or that it starts as root to change owners or users, the capability that its program needs to start at
    all, the variable that tells such a program its port, that what it starts builds the program first, and that it
    holds a daemon beside its program, which needs rights of its own. `is_known` of one that stands on .NET, be it
    built here or Microsoft's, and of a stock image: of others it is not told here what they need, and most is false
    or empty.
    """

    is_dotnet: bool
    starts_as_user: bool
    changes_users: bool
    needs: str = ""
    builds_as_it_starts: bool = False
    runs_more: bool = False
    port_variable: str = ""
    is_known: bool = False


UNKNOWN_IMAGE = ImageTraits(False, False, False)

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
INSTALLED_FIRST = "have the image hold what the command installs as root; then"


def installs_first(command: str) -> bool:
    """Whether a command installs packages before it starts anything, for which it must be root and write."""
    return _INSTALLS.search(command) is not None


def builds_first(command: str) -> bool:
    """Whether a command builds the program that it runs (`dotnet watch`), and so writes among its sources."""
    return _BUILDS.search(command) is not None


def image_traits(repository: RepositoryTexts, image: str, built: Origin = (None, None)) -> ImageTraits:
    """What is known of an image by its name, or by the Dockerfile and stage that it is built from here."""
    path, target = built
    if path is None or path not in repository:
        dockerfile, stage_found = built_here(repository, image)
        path, target = (dockerfile, stage_found) if dockerfile is not None else built
    file = dockerfile_at(repository, path)
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if path is None or file is None or stage is None:
        is_named_user = bool(image) and path is None and user_of_image(image).kind in _NO_ROOT
        stock = stock_image(image) if path is None else None
        is_of_dotnet = path is None and (is_dotnet(image) or is_published_by_project(repository, image))
        is_known = stock is not None or is_of_dotnet
        needs, port = (stock.needs, stock.port_variable) if stock is not None else ("", "")
        is_plain = is_of_dotnet and not _is_sdk(image)
        return ImageTraits(is_plain, is_named_user, False, needs, port_variable=port, is_known=is_known)
    user = user_of_stage(repository, path, target)
    is_user = user is not None and user.kind in _NO_ROOT
    base = file.chain(stage)[-1].image
    base_name = base.text if base is not None else ""
    stock = stock_image(base_name) or StockImage()
    builds = any(map(builds_first, starts(file, stage)))
    changes = changes_users(file, stage, repository)
    runs_more = _runs_more(file, stage)
    is_plain = stands_on_dotnet(file, stage) and not (_is_sdk(base_name) or runs_more)
    is_as_made = not (stock.starts_as_root or starts(file, stage))
    is_known = is_as_made or stands_on_dotnet(file, stage) or _stands_on_own(repository, base_name, {path})
    return ImageTraits(is_plain, is_user, changes, stock.needs, builds, runs_more, stock.port_variable, is_known)


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


def _built_by_compose(repository: RepositoryTexts) -> tuple[dict[str, Origin], dict[str, frozenset[Origin]]]:
    """What Compose files build, by the words that they call an image by, and by its name without the tag."""
    by_words: dict[str, Origin] = {}
    by_name: dict[str, frozenset[Origin]] = {}
    for service in services(repository):
        path, target = service.dockerfile() if service.image else (None, None)
        if path is not None and path in repository:
            by_words.setdefault(service.image, (path, target))
            name = repository_of(service.image)
            by_name[name] = by_name.get(name, frozenset()) | {(path, target)}
    return by_words, by_name


def _is_sdk(image: str) -> bool:
    """Whether an image is .NET's SDK, whose tools write in the home of their user and beside the sources."""
    return is_dotnet(image) and "/dotnet/sdk" in image


def _runs_more(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether a stage or one below it installs what runs beside the program, and needs rights of its own."""
    return any(
        each.keyword == "run" and _DAEMON.search(each.arguments.text) is not None
        for one in file.chain(stage)
        for each in file.of(one)
    )


def user_of_stage(
    repository: RepositoryTexts, path: str, target: str | None, seen: frozenset[str] = frozenset()
) -> User | None:
    """Who the image of a stage runs as, of the last one where none is named; None where that cannot be read."""
    file = dockerfile_at(repository, path) if path in repository else None
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if file is None or stage is None:
        return None
    return user_with_base(repository, file, stage, seen)


def user_with_base(
    repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, seen: frozenset[str] = frozenset()
) -> User:
    """Who the image of a stage runs as, where need be by the Dockerfile here that its base is built from."""
    of_base = _environment_below(repository, file, stage, seen)
    user = settled(user_of(file, stage, repository, of_base), repository.produced_from(file.path))
    image = file.chain(stage)[-1].image
    if user.kind is not UserKind.UNKNOWN or user.where.keyword != "from" or image is None:
        return user
    path, target = built_here(repository, image.text)
    if path is None or path in seen or path == file.path:
        return user
    base = user_of_stage(repository, path, target, seen | {file.path})
    if base is None or base.kind in {UserKind.UNKNOWN, UserKind.NOT_ASKED}:
        return user
    return replace(base, where=user.where, why=f"{base.why} (in {path}, which makes its base)")


def _environment_below(
    repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, seen: frozenset[str]
) -> Environment:
    """What the base of a stage sets, where that is built here too."""
    image = file.chain(stage)[-1].image
    path, target = built_here(repository, image.text) if image is not None else (None, None)
    below = dockerfile_at(repository, path)
    if path is None or below is None or path in seen | {file.path}:
        return {}
    base = below.stage(target) if target else below.final
    if base is None:
        return {}
    return environment_of(below, base, _environment_below(repository, below, base, seen | {file.path}))
