"""Who the images run as that the repository builds, by the Dockerfile of the push that names them."""

from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.gates import repository_of
from bot.files.audit.images.by_dockerfile import user_of
from bot.files.audit.images.by_name import user_of_image
from bot.files.audit.images.dockerfile import dockerfile_at
from bot.files.audit.images.user import User, settled
from bot.files.audit.repository import RepositoryTexts


def user_of_built_image(repository: RepositoryTexts, image: str) -> User | None:
    """Who an image runs as: by the push here that names it, else by its name and what was seen of it."""
    name = repository_of(image)
    for push in deliveries(repository).pushes:
        path = dockerfile_of(push)
        if path is not None and name in {repository_of(each) for each in push.names}:
            return user_of_stage(repository, path, push.step.input("target") or None)
    return settled(user_of_image(image), repository.produced_as(image)) if image else None


def user_of_stage(repository: RepositoryTexts, path: str, target: str | None) -> User | None:
    """Who the image of a stage runs as, of the last one where none is named; None where that cannot be read."""
    file = dockerfile_at(repository, path) if path in repository else None
    stage = (file.stage(target) if target else file.final) if file is not None else None
    if file is None or stage is None:
        return None
    return settled(user_of(file, stage, repository), repository.produced_from(path))
