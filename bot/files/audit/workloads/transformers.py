"""Transformers that a kustomization names by itself: files, folders of them and texts, applied after all else.

Source: Kustomize's reference of builtin plugins. Those that change names, labels or numbers change nothing that is
asked; what any other one does is not read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.entries import KUSTOMIZATIONS, entries, word_of
from bot.files.audit.workloads.patches import Patch, patches_in, targeted_patches
from bot.files.audit.workloads.rendering import RenderedObject, Rendering
from bot.files.audit.workloads.replacements import replaced, replacements_of
from bot.files.formats.builds import below
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node
from bot.files.formats.source.yaml import read

_TARGETED = frozenset({"PatchTransformer", "PatchJson6902Transformer"})
_CHANGE_NO_SETTING = frozenset(
    {"LabelTransformer", "AnnotationsTransformer", "NamespaceTransformer", "ReplicaCountTransformer"}
    | {"PrefixTransformer", "SuffixTransformer", "PrefixSuffixTransformer"}
    | {"HashTransformer", "SortOrderTransformer"}
)
_DEEPEST = 5


def transformers_of(
    repository: RepositoryTexts, folder: str, root: Mapping, rendering: Rendering
) -> Iterator[Mapping]:
    """Yields the transformers of a kustomization; where some are not here, they may change anything."""
    for entry in entries(root, "transformers"):
        yield from _read(repository, folder, entry, rendering, 0)


def transformed(
    repository: RepositoryTexts,
    folder: str,
    transformer: Mapping,
    objects: list[RenderedObject],
    rendering: Rendering,
    sources: Iterable[Mapping],
) -> list[RenderedObject]:
    """The objects after one transformer; its paths are those of the kustomization in `folder`."""
    kind = word_of(transformer, "kind")
    if kind in _TARGETED or kind == "PatchStrategicMergeTransformer":
        for patch in _patches_of(repository, folder, transformer, rendering):
            objects = patch.applied(objects, rendering)
    elif kind == "ImageTagTransformer":
        images = (transformer.mapping("imageTag"),)
        objects = [replace(each, images=each.with_images(images).images) for each in objects]
    elif kind == "ReplacementTransformer":
        for replacement in replacements_of(repository, folder, transformer, rendering):
            objects = replaced(objects, replacement, sources)
    elif kind not in _CHANGE_NO_SETTING:
        rendering.hidden = f"what the transformer {kind[:80]} does is not read"
    return objects


def _patches_of(
    repository: RepositoryTexts, folder: str, transformer: Mapping, rendering: Rendering
) -> Iterator[Patch]:
    if word_of(transformer, "kind") in _TARGETED:
        yield from targeted_patches(repository, folder, transformer, rendering)
        return
    for patch in (*entries(transformer, "paths"), word_of(transformer, "patches")):
        if patch:
            yield from patches_in(repository, folder, patch, None, rendering)


def _read(
    repository: RepositoryTexts, folder: str, entry: str, rendering: Rendering, depth: int
) -> Iterator[Mapping]:
    """The transformers behind an entry: a file, a folder with a kustomization of some, or a text."""
    path = below(folder, entry) if "\n" not in entry and "://" not in entry else None
    if path is not None and path in repository:
        rendering.files.add(path)
        yield from _mappings(repository.documents(path))
        return
    name = repository.first(path, *KUSTOMIZATIONS) if path is not None else None
    root = repository.root(name) if name is not None else None
    if root is not None and path is not None and depth < _DEEPEST:
        for inner in entries(root, "resources", "transformers"):
            yield from _read(repository, path, inner, rendering, depth + 1)
        return
    try:
        transformers = list(_mappings(read(entry))) if "\n" in entry else []
    except Unreadable:
        transformers = []
    if not transformers:
        first_line = entry.partition("\n")[0]
        rendering.hidden = f"the transformer {first_line[:80]} is not read"
    yield from transformers


def _mappings(documents: Iterable[Node]) -> Iterator[Mapping]:
    return (each for each in documents if isinstance(each, Mapping))
