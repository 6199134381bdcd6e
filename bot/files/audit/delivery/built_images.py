"""Who the images run as that the repository builds, by the Dockerfile that it builds them from: that of the push
that names them, of a Compose file, or of a script.
"""

from dataclasses import replace

from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.built_by_scripts import built_by_script
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.images.by_dockerfile import (
    Environment,
    environment_of,
    user_of,
)
from bot.files.audit.images.by_name import user_of_image
from bot.files.audit.images.dockerfile import Dockerfile, dockerfile_at
from bot.files.audit.images.user import User, UserKind, settled
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.compose import services
from bot.files.formats.dockerfile.stages import BuildStage

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


def user_of_stage(
    repository: RepositoryTexts,
    path: str,
    target: str | None,
    seen: frozenset[str] = frozenset(),
    command: str = "",
) -> User | None:
    """Who the image of a stage runs as, of the last one where none is named; None where that cannot be read.
    `command` is what its workload starts in place of the image's own."""
    file = dockerfile_at(repository, path) if path in repository else None
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if file is None or stage is None:
        return None
    return user_with_base(repository, file, stage, seen, command)


def user_with_base(
    repository: RepositoryTexts,
    file: Dockerfile,
    stage: BuildStage,
    seen: frozenset[str] = frozenset(),
    command: str = "",
) -> User:
    """Who the image of a stage runs as, where need be by the Dockerfile here that its base is built from."""
    of_base = _environment_below(repository, file, stage, seen)
    user = settled(user_of(file, stage, repository, of_base, command), repository.produced_from(file.path))
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
