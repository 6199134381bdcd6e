"""Which image a container of a manifest is deployed with, and by what its name pins it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.finding import Place
from bot.files.audit.delivery.gates import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.helm_rendering import HIDDEN
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.judging import place_of
from bot.files.audit.workloads.kubernetes import Container, containers
from bot.files.audit.workloads.kustomize import NAMES
from bot.files.audit.workloads.rendering import word_of
from bot.files.formats.source.nodes import Mapping

_SET_IMAGE = re.compile(
    r"\bset\s+image\b|\bimages?\s+set\b|\byq\b[^\n]*\bimage|\bsed\b[^\n]*\bimage", re.IGNORECASE
)
_FILLED_IN = re.compile(r"\$|\{\{|__|<|#\{|%\w+%|\bREPLACE|\bTAG_?NAME\b|\bIMAGE_?TAG\b")


class NamedBy(StrEnum):
    """What a deployed image's name follows; `UNKNOWN` where only a deployment tells."""

    DIGEST = "digest"
    TAG = "tag"
    LATEST = "latest"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ImageOfContainer:
    """A container with its image as it is deployed, which a kustomization may have changed."""

    container: Container
    place: Place
    name: str
    pin: NamedBy
    why: str = ""


def deployed_images(repository: RepositoryTexts) -> list[ImageOfContainer]:
    """The images of all containers of manifests, kustomizations and charts, in order."""
    return repository.kept(_deployed_images)


def _deployed_images(repository: RepositoryTexts) -> list[ImageOfContainer]:
    return [_of_container(repository, each) for each in containers(repository)]


def _of_container(repository: RepositoryTexts, container: Container) -> ImageOfContainer:
    node = container.own.get("image")
    place = place_of(repository, node, container.place)
    written = container.image.strip()
    if not written or HIDDEN_VALUE in written or HIDDEN in written or _FILLED_IN.search(written):
        return ImageOfContainer(container, place, written, NamedBy.UNKNOWN, "its image is filled in elsewhere")
    name, pin = written, _pin_of(written)
    if container.pod.variant:
        name, pin = _changed(repository, written, pin)
    if pin is NamedBy.LATEST and not name.endswith(":latest") and repository.kept(_may_set_images):
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, "a workflow or script may set its tag")
    return ImageOfContainer(
        container, place, name, pin, "it is no image reference" if pin is NamedBy.UNKNOWN else ""
    )


def _pin_of(name: str) -> NamedBy:
    try:
        reference = Reference.parse(name.lower())  # a name in capitals stands for one, and has a tag all the same
    except InvalidReference:
        return NamedBy.UNKNOWN
    if reference.digest is not None:
        return NamedBy.DIGEST
    return NamedBy.LATEST if reference.tag in {None, "latest"} else NamedBy.TAG


def _changed(repository: RepositoryTexts, written: str, pin: NamedBy) -> tuple[str, NamedBy]:
    """The name after the `images` of kustomizations; of several that name it, by what pins it least."""
    entries = repository.kept(_image_entries).get(repository_of(written), ())
    names = [_with_entry(written, entry) for entry in entries]
    pairs = [(name, _pin_of(name)) for name in names] or [(written, pin)]
    order = (NamedBy.LATEST, NamedBy.TAG, NamedBy.UNKNOWN, NamedBy.DIGEST)
    return min(pairs, key=lambda pair: order.index(pair[1]))


def _with_entry(written: str, entry: Mapping) -> str:
    name = word_of(entry, "newName") or repository_of(written)
    if digest := word_of(entry, "digest"):
        return f"{name}@{digest}"
    tag = word_of(entry, "newTag")
    return f"{name}:{tag}" if tag else f"{name}{written[len(repository_of(written)) :]}"


def _image_entries(repository: RepositoryTexts) -> dict[str, tuple[Mapping, ...]]:
    entries: dict[str, tuple[Mapping, ...]] = {}
    for path in repository.paths:
        root = repository.root(path) if path.rpartition("/")[2] in NAMES else None
        for entry in root.sequence("images") if root is not None else ():
            if isinstance(entry, Mapping) and (name := word_of(entry, "name")):
                entries[name] = (*entries.get(name, ()), entry)
    return entries


def _may_set_images(repository: RepositoryTexts) -> bool:
    """Whether a workflow or script names images anew when it deploys."""
    endings = (".yml", ".yaml", ".sh", ".ps1", "Makefile", "justfile", ".mk")
    return any(
        _SET_IMAGE.search(repository.text(path)) is not None for path in repository.paths if path.endswith(endings)
    )
