"""Who the images run as that the repository builds, by the Dockerfile of the push that names them."""

import re
from dataclasses import dataclass

from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.images.by_dockerfile import changes_users, stands_on_dotnet, starts, user_of
from bot.files.audit.images.by_name import is_dotnet, user_of_image
from bot.files.audit.images.dockerfile import dockerfile_at
from bot.files.audit.images.stock import stock_image
from bot.files.audit.images.user import User, UserKind, settled
from bot.files.audit.repository import RepositoryTexts

_NO_ROOT = frozenset({UserKind.NUMBER, UserKind.NAME})


def user_of_built_image(repository: RepositoryTexts, image: str) -> User | None:
    """Who an image runs as: by the push here that names it, else by its name and what was seen of it."""
    found = _push_of(repository, image)
    if found is not None:
        push, path = found
        return user_of_stage(repository, path, push.step.input("target") or None)
    return settled(user_of_image(image), repository.produced_as(image)) if image else None


def dockerfile_of_image(repository: RepositoryTexts, image: str) -> str | None:
    """The Dockerfile here that an image is built from, by the push that names it; None where none does."""
    found = _push_of(repository, image)
    return found[1] if found is not None and found[1] in repository else None


def _push_of(repository: RepositoryTexts, image: str) -> tuple[Push, str] | None:
    """The first push that names the image, and the Dockerfile that it builds."""
    return repository.kept(_pushes_by_name).get(repository_of(image))


def _pushes_by_name(repository: RepositoryTexts) -> dict[str, tuple[Push, str]]:
    pushes: dict[str, tuple[Push, str]] = {}
    for push in deliveries(repository).pushes:
        path = dockerfile_of(push)
        for name in push.names if path is not None else ():
            pushes.setdefault(repository_of(name), (push, path or ""))
    return pushes


@dataclass(frozen=True, slots=True)
class ImageTraits:
    """What advice on an image may build on: that its base is .NET's, that it starts as another user than root, or
    that it starts as root to change owners or users, the capability that its program needs to start at all, and
    that what it starts builds the program first. All are false or empty of an image that is not known here."""

    is_dotnet: bool
    starts_as_user: bool
    changes_users: bool
    needs: str = ""
    builds_as_it_starts: bool = False


_BUILDS = re.compile(r"\bdotnet[\s\"',]+(?:watch|run|test|build)(?![\w.-])")


def builds_first(command: str) -> bool:
    """Whether a command builds the program that it runs (`dotnet watch`), and so writes among its sources."""
    return _BUILDS.search(command) is not None


def image_traits(
    repository: RepositoryTexts, image: str, built: tuple[str | None, str | None] = (None, None)
) -> ImageTraits:
    """What is known of an image by its name, or by the Dockerfile and stage that it is built from here."""
    path, target = built
    found = _push_of(repository, image)
    if (path is None or path not in repository) and found is not None:
        path, target = found[1], found[0].step.input("target") or None
    file = dockerfile_at(repository, path)
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if path is None or file is None or stage is None:
        is_named_user = bool(image) and path is None and user_of_image(image).kind in _NO_ROOT
        needs = _needs(image) if path is None else ""
        return ImageTraits(path is None and is_dotnet(image), is_named_user, False, needs)
    user = user_of_stage(repository, path, target)
    is_user = user is not None and user.kind in _NO_ROOT
    base = file.chain(stage)[-1].image
    needs = _needs(base.text) if base is not None else ""
    builds = any(map(builds_first, starts(file, stage)))
    changes = changes_users(file, stage, repository)
    return ImageTraits(stands_on_dotnet(file, stage), is_user, changes, needs, builds)


def _needs(image: str) -> str:
    stock = stock_image(image)
    return stock.needs if stock is not None else ""


def user_of_stage(repository: RepositoryTexts, path: str, target: str | None) -> User | None:
    """Who the image of a stage runs as, of the last one where none is named; None where that cannot be read."""
    file = dockerfile_at(repository, path) if path in repository else None
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if file is None or stage is None:
        return None
    return settled(user_of(file, stage, repository), repository.produced_from(path))
