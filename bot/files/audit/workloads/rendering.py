"""What building a kustomization gives: its objects, and the files that it was built from."""

from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace

from bot.files.audit.workloads.targets import ObjectIdentity
from bot.files.formats.source.nodes import Mapping, Scalar, mappings_under

_CONTAINERS = frozenset({"containers", "initContainers"})


@dataclass(frozen=True, slots=True, eq=False)
class RenderedObject:
    """One object as a kustomization has made it.

    `images` has, for each image that a container names, the entries of `images` that it went through, in order: a
    patch that names another one comes behind those of the base.
    """

    manifest: Mapping
    identity: ObjectIdentity
    images: Names[Scalar, tuple[Mapping, ...]] = field(default_factory=dict)
    hidden: str = ""
    """Why a setting may be changed all the same."""

    def with_images(self, entries: tuple[Mapping, ...]) -> "RenderedObject":
        """The object after the `images` of one kustomization."""
        nodes = [
            image
            for key, mapping in mappings_under(self.manifest)
            if key in _CONTAINERS and (image := mapping.scalar("image")) is not None
        ]
        return replace(self, images={node: (*self.images.get(node, ()), *entries) for node in nodes})


@dataclass(slots=True)
class Rendering:
    """What one kustomization that no other one takes comes to. `files` are all that it was made of."""

    folder: str
    root: str
    objects: list[RenderedObject] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)
    """Files of objects that run nothing; values of them may be put into others."""
    hidden: str = ""
