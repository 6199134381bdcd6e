"""Kustomizations → the objects that they come to, as far as security settings go: bases, overlays, components,
patches and transformers. Names, labels and generators change no such setting and are not applied; entries of
`images` are kept.

Source: the reference of kustomization files. Strategic merges know the lists of a pod by their merge keys.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.entries import KUSTOMIZATIONS, entries
from bot.files.audit.workloads.patches import AFTER_NAMES, BEFORE_NAMES, patches_of
from bot.files.audit.workloads.rendering import RenderedObject, Rendering
from bot.files.audit.workloads.replacements import replaced, replacements_of
from bot.files.audit.workloads.targets import identity_of
from bot.files.audit.workloads.transformers import transformed, transformers_of
from bot.files.formats.builds import below
from bot.files.formats.source.nodes import Mapping, Node

MOST_OBJECTS = 5_000
DEEPEST = 12
_RUNS = re.compile(r"containers|verifyImages|ClusterImagePolicy|ratify|\bpatch\b|securityContext", re.IGNORECASE)
_KIND = re.compile(r"^[\"']?kind[\"']?:\s*[\"']?(\w+)", re.MULTILINE)
_RUN_NOTHING = frozenset(
    {"CustomResourceDefinition", "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding"}
)


def may_hold_workloads(text: str) -> bool:
    """Whether reading a manifest is worth it: definitions of custom resources are long, and run nothing."""
    if not ("kind" in text and "apiVersion" in text) or _RUNS.search(text) is None:
        return False
    kinds = set(_KIND.findall(text))
    return not kinds or not kinds <= _RUN_NOTHING


def renderings(repository: RepositoryTexts) -> list[Rendering]:
    """Renders each kustomization that no other one of the repository takes. Never raises."""
    return repository.kept(_renderings)


def _renderings(repository: RepositoryTexts) -> list[Rendering]:
    folders = {}
    for path in repository.paths:
        if path.rpartition("/")[2] in KUSTOMIZATIONS and repository.scope.is_judged(path):
            root = repository.root(path)
            if root is not None:
                folders[posixpath.dirname(path)] = (path, root)
    taken = {
        target
        for folder, (_, root) in folders.items()
        for entry in entries(root, "resources", "bases", "components")
        if (target := below(folder, entry)) is not None and target != folder
    }
    all_renderings = []
    for folder, (path, root) in folders.items():
        if folder in taken or _is_component(root):
            continue
        rendering = Rendering(folder or ".", path)
        rendering.objects = _build_objects(repository, folder, path, root, rendering, 0, [])
        all_renderings.append(rendering)
    return all_renderings


def patch_files(repository: RepositoryTexts) -> set[str]:
    """Files that kustomizations name as patches: objects in them are parts of others."""
    return repository.kept(_patch_files)


def _patch_files(repository: RepositoryTexts) -> set[str]:
    patch_paths: set[str] = set()
    for path in repository.paths:
        root = repository.root(path) if path.rpartition("/")[2] in KUSTOMIZATIONS else None
        if root is None:
            continue
        patches = list(entries(root, "patchesStrategicMerge"))
        for key in ("patches", "patchesJson6902"):
            paths = (item.scalar("path") for item in root.sequence(key) if isinstance(item, Mapping))
            patches += [scalar.value for scalar in paths if scalar is not None]
        targets = (below(posixpath.dirname(path), each) for each in patches if "\n" not in each)
        patch_paths.update(target for target in targets if target is not None)
    return patch_paths


def _is_component(root: Mapping) -> bool:
    kind = root.scalar("kind")
    return kind is not None and kind.value == "Component"


def _build_objects(
    repository: RepositoryTexts,
    folder: str,
    path: str,
    root: Mapping,
    rendering: Rendering,
    depth: int,
    outer_objects: list[RenderedObject],
) -> list[RenderedObject]:
    """The objects of a kustomization; a component gets those of the one that takes it."""
    rendering.files.add(path)
    objects = list(outer_objects)
    for entry in entries(root, "resources", "bases"):
        objects += _take_entry(repository, folder, entry, rendering, depth, [])
    for entry in entries(root, "components"):
        objects = _take_entry(repository, folder, entry, rendering, depth, objects) or objects
    for key in BEFORE_NAMES:
        for patch in patches_of(repository, folder, root, key, rendering):
            objects = patch.applied(objects, rendering)
    objects = [replace(each, identity=each.identity.after(root)) for each in objects]
    for key in AFTER_NAMES:
        for patch in patches_of(repository, folder, root, key, rendering):
            objects = patch.applied(objects, rendering)
    images = tuple(each for each in root.sequence("images") if isinstance(each, Mapping))
    objects = [each.with_images(images) for each in objects if each.manifest.own]
    for replacement in replacements_of(repository, folder, root, rendering):
        objects = replaced(objects, replacement, _others(repository, rendering))
    for transformer in transformers_of(repository, folder, root, rendering):
        objects = transformed(repository, folder, transformer, objects, rendering, _others(repository, rendering))
    if root.get("helmCharts") is not None:
        rendering.hidden = "charts that the kustomization renders are not read"
    return objects[:MOST_OBJECTS]


def _others(repository: RepositoryTexts, rendering: Rendering) -> list[Mapping]:
    return [
        manifest
        for path in rendering.others
        for document in repository.documents(path)
        for manifest in _objects(document)
    ]


def _take_entry(
    repository: RepositoryTexts,
    folder: str,
    entry: str,
    rendering: Rendering,
    depth: int,
    outer_objects: list[RenderedObject],
) -> list[RenderedObject]:
    target = below(folder, entry)
    if target is None or "//" in entry or "github.com" in entry:
        rendering.hidden = f"{entry[:100]} is no file of this repository"
        return outer_objects
    if target in repository:
        rendering.files.add(target)
        if not may_hold_workloads(repository.text(target)):
            rendering.others.append(target)
            return outer_objects
        manifests = (each for document in repository.documents(target) for each in _objects(document))
        return [*outer_objects, *(RenderedObject(each, identity_of(each)) for each in manifests)]
    name = repository.first(target, *KUSTOMIZATIONS)
    root = repository.root(name) if name is not None else None
    if name is None or root is None or depth >= DEEPEST:
        rendering.hidden = f"{entry[:100]} is no file of this repository"
        return outer_objects
    return _build_objects(repository, target, name, root, rendering, depth + 1, outer_objects)


def _objects(document: Node) -> Iterator[Mapping]:
    if isinstance(document, Mapping) and document.get("kind") is not None:
        kind = document.scalar("kind")
        if kind is not None and kind.value.endswith("List"):
            yield from (item for item in document.sequence("items") if isinstance(item, Mapping))
        else:
            yield document
