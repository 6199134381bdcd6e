"""Which bases each image of a repository is built upon, as far as its files tell the images apart."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bot.domain.reference import Base
from bot.domain.repositories.usage import Role, Usage
from bot.fleet.plan.cascade.graph import Image

_OF_DOCKERFILES = (Role.BUILD_STAGE, Role.FINAL_STAGE, Role.COPIED_FROM, Role.MOUNTED_FROM)


@dataclass(frozen=True, slots=True)
class RepositoryImages:
    """The images of one repository with the bases of each. What nothing tells apart is one image without a name."""

    repository: int
    bases: Mapping[Image, frozenset[Base]] = field(default_factory=dict)

    def image_named(self, name: str) -> Image:
        """The image `registry/repository`, or the one that stands for it."""
        image = Image(self.repository, name)
        return image if image in self.bases else Image(self.repository)

    def upon(self, bases: Collection[Base]) -> frozenset[Image]:
        """The images that a rebuild for these bases is for; all of them where none names any."""
        images = frozenset(image for image, image_bases in self.bases.items() if not image_bases.isdisjoint(bases))
        return images or frozenset(self.bases) or frozenset({Image(self.repository)})


def parts_of(
    repository: int, built_from: Mapping[str, str], usages: Iterable[tuple[Base, Usage]]
) -> RepositoryImages:
    """Tells a repository's images apart. `built_from` are those that it produces, each with the file that it is
    built from, empty where that is not known; `usages` the bases that its files name.

    A Dockerfile or project belongs to the images that are built from it. What other files name, such as a workflow
    with build arguments, belongs to all.
    """
    files = {name: file for name, file in built_from.items() if file}
    known_files = set(files.values())
    bases: dict[Image, set[Base]] = {Image(repository, name): set() for name in files}
    shared_bases: set[Base] = set()
    for base, usage in usages:
        own_files = known_files.intersection(usage.paths)
        if not own_files and usage.role in _OF_DOCKERFILES:
            shared_bases.add(base)
            continue
        if len(files) < len(built_from):
            shared_bases.add(base)
        for name, file in files.items():
            if not own_files or file in own_files:
                bases[Image(repository, name)].add(base)
    if shared_bases or len(files) < len(built_from):
        bases[Image(repository)] = shared_bases
    return RepositoryImages(repository, {image: frozenset(image_bases) for image, image_bases in bases.items()})
