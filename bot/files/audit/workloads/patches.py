"""Patches of a kustomization: which objects each is for, and what it makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.entries import word_of
from bot.files.audit.workloads.rendering import RenderedObject, Rendering
from bot.files.audit.workloads.targets import is_named, is_target
from bot.files.formats.builds import below
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.yaml import read

DEEPEST_MERGE = 40
BEFORE_NAMES = ("patchesStrategicMerge", "patches")
AFTER_NAMES = ("patchesJson6902",)
"""The keys of patches by when Kustomize applies them: before a kustomization names its objects anew, or after."""
WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Rollout"}
    | {"DeploymentConfig", "ScaledJob"}
)
_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "hostAliases": "ip",
}


@dataclass(frozen=True, slots=True)
class Patch:
    """Either a strategic merge or a list of JSON 6902 operations, for the objects that the target names."""

    merge: Mapping | None
    operations: tuple[Mapping, ...]
    target: Mapping | None

    def applied(self, objects: list[RenderedObject], rendering: Rendering) -> list[RenderedObject]:
        """The objects after the patch. One that may be meant has what it lacks hidden, and where none is meant by a
        merge that needs one, all have."""
        fits = [self._fits(each) for each in objects]
        if self.target is None and True in fits:
            fits = [bool(each) for each in fits]
        elif self.target is None and not any(each is None for each in fits) and self._is_for_workload:
            rendering.hidden = rendering.hidden or f"{self._subject} fits no object of the kustomization"
        return [self._put_over(each, is_meant) for each, is_meant in zip(objects, fits, strict=True)]

    def _fits(self, rendered: RenderedObject) -> bool | None:
        if self.target is not None:
            return is_target(self.target, rendered.manifest, rendered.identity)
        return is_named(self.merge, rendered.manifest, rendered.identity) if self.merge is not None else False

    @property
    def _is_for_workload(self) -> bool:
        return self.merge is not None and word_of(self.merge, "kind") in WORKLOADS

    @property
    def _subject(self) -> str:
        merge = self.merge or self.target
        name = word_of(merge.mapping("metadata"), "name") or word_of(merge, "name") if merge is not None else ""
        return f"the patch for {name[:80]}" if name else "a patch"

    def _put_over(self, rendered: RenderedObject, is_meant: bool | None) -> RenderedObject:
        if is_meant is None:
            return replace(rendered, hidden=f"whether {self._subject} is for it is not decided here")
        return replace(rendered, manifest=self._changed(rendered.manifest)) if is_meant else rendered

    def _changed(self, manifest: Mapping) -> Mapping:
        if self.merge is not None:
            merged = _merge_mappings(manifest, self.merge, 0)
            return _named_as(merged, manifest) if merged.own else merged
        for operation in self.operations:
            manifest = _apply_operation(manifest, operation)
        return manifest


def patches_of(
    repository: RepositoryTexts, folder: str, root: Mapping, key: str, rendering: Rendering
) -> Iterator[Patch]:
    """Yields the patches under one key of a kustomization; either a text, or a mapping with its target."""
    for item in root.sequence(key):
        if isinstance(item, Scalar):
            yield from patches_in(repository, folder, item.value.strip(), None, rendering)
        elif isinstance(item, Mapping):
            yield from targeted_patches(repository, folder, item, rendering)


def targeted_patches(
    repository: RepositoryTexts, folder: str, item: Mapping, rendering: Rendering
) -> Iterator[Patch]:
    """Yields what a mapping patches by a file or a text, with its target."""
    target = item.get("target")
    patch = item.scalar("path") or item.scalar("patch") or item.scalar("jsonOp")
    if patch is not None:
        target_mapping = target if isinstance(target, Mapping) else None
        yield from patches_in(repository, folder, patch.value, target_mapping, rendering)


def patches_in(
    repository: RepositoryTexts, folder: str, patch_text: str, target: Mapping | None, rendering: Rendering
) -> Iterator[Patch]:
    """`patch_text` is the patch itself, or the file that it stands in."""
    path = below(folder, patch_text) if "\n" not in patch_text.strip() and "{" not in patch_text else None
    if path is not None and path in repository:
        rendering.files.add(path)
        documents = repository.documents(path)
        if repository.unreadable(path) is not None:
            rendering.hidden = f"the patch {patch_text[:80]} cannot be read"
    elif path is not None:
        rendering.hidden = f"the patch {patch_text[:80]} is no file of this repository"
        return
    else:
        try:
            documents = read(patch_text)
        except Unreadable:
            rendering.hidden = "a patch cannot be read"
            return
    for document in documents:
        if isinstance(document, Sequence):
            yield Patch(None, tuple(item for item in document.items if isinstance(item, Mapping)), target)
        elif isinstance(document, Mapping):
            yield Patch(document, (), target)


def _merge_mappings(base: Mapping, patch: Mapping, depth: int) -> Mapping:
    directive = patch.scalar("$patch")
    if directive is not None and directive.value == "delete":
        return Mapping(base.start)
    if (directive is not None and directive.value == "replace") or depth > DEEPEST_MERGE:
        return patch
    own = {key.value: (key, value) for key, value in base.entries()}
    for key, value in patch.entries():
        if key.value.startswith("$"):
            continue
        entry = own.get(key.value)
        if isinstance(value, Scalar) and value.is_null:
            own.pop(key.value, None)
        elif entry is None:
            own[key.value] = (key, value)
        elif isinstance(value, Mapping) and isinstance(entry[1], Mapping):
            own[key.value] = (entry[0], _merge_mappings(entry[1], value, depth + 1))
        elif isinstance(value, Sequence) and isinstance(entry[1], Sequence) and key.value in _KEYS:
            own[key.value] = (entry[0], _merge_lists(entry[1], value, _KEYS[key.value], depth + 1))
        else:
            own[key.value] = (key, value)
    return Mapping(base.start, own)


def _merge_lists(base: Sequence, patch: Sequence, key: str, depth: int) -> Sequence:
    items = list(base.items)
    for item in patch.items:
        if not isinstance(item, Mapping):
            continue
        name = word_of(item, key)
        index = next(
            (n for n, each in enumerate(items) if isinstance(each, Mapping) and word_of(each, key) == name), None
        )
        if index is None:
            items.append(item)
            continue
        base_item = items[index]
        merged = _merge_mappings(base_item, item, depth) if isinstance(base_item, Mapping) else item
        if merged.own:
            items[index] = merged
        else:
            del items[index]
    return Sequence(base.start, items)


def _apply_operation(manifest: Mapping, operation: Mapping) -> Mapping:
    """The object after one operation; as it was where the path leads nowhere."""
    action, path = word_of(operation, "op"), word_of(operation, "path")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not parts or len(parts) > DEEPEST_MERGE:
        return manifest
    value = operation.get("value")
    changed = _place_value(manifest, parts, value if action in {"add", "replace"} else None, action)
    return changed if isinstance(changed, Mapping) else manifest


def _place_value(node: Node, parts: list[str], value: Node | None, action: str) -> Node:
    """A copy of the node in which the value stands at the path, or nothing where it is removed."""
    head, inner_parts = parts[0], parts[1:]
    if isinstance(node, Mapping):
        own = {key.value: (key, each) for key, each in node.entries()}
        entry = own.get(head)
        if inner_parts and entry is not None:
            own[head] = (entry[0], _place_value(entry[1], inner_parts, value, action))
        elif not inner_parts and value is None and action == "remove":
            own.pop(head, None)
        elif not inner_parts and value is not None:
            key = entry[0] if entry is not None else _key(value, head)
            own[head] = (key, value)
        return Mapping(node.start, own)
    if isinstance(node, Sequence):
        items = list(node.items)
        index = len(items) if head == "-" else int(head) if head.isdecimal() and len(head) < 6 else -1
        if inner_parts and 0 <= index < len(items):
            items[index] = _place_value(items[index], inner_parts, value, action)
        elif not inner_parts and value is None and action == "remove" and 0 <= index < len(items):
            del items[index]
        elif not inner_parts and value is not None and 0 <= index <= len(items):
            if action == "replace" and index < len(items):
                items[index] = value
            else:
                items.insert(index, value)
        return Sequence(node.start, items)
    return node


def _key(value: Node, name: str) -> Scalar:
    """A key for a value that stands under none in its own text."""
    source = value.source if isinstance(value, Scalar) else ""
    start = value.start if isinstance(value, Scalar) else 0
    return Scalar(source, start, start, name)


def _named_as(merged: Mapping, manifest: Mapping) -> Mapping:
    """With the kind and name that it had: those of a patch only say what it is for, and stand elsewhere."""
    own = {key.value: (key, value) for key, value in merged.entries()}
    for key in ("apiVersion", "kind"):
        if key in manifest.own:
            own[key] = manifest.own[key]
    metadata, name = own.get("metadata"), manifest.mapping("metadata").own.get("name")
    if metadata is not None and isinstance(metadata[1], Mapping) and name is not None:
        inner = {key.value: (key, value) for key, value in metadata[1].entries()}
        own["metadata"] = (metadata[0], Mapping(metadata[1].start, {**inner, "name": name}))
    return Mapping(merged.start, own)
