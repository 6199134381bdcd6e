"""A kustomization's replacements: a value of one object, put into fields of others.

Source: the reference of `replacements`. Their selectors name no expressions; of the options `create` counts; a path
may go through lists by number, by `[key=value]` and by `*`. Delimiters, which change a part of a value, are passed
over.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.entries import word_of
from bot.files.audit.workloads.rendering import RenderedObject, Rendering
from bot.files.audit.workloads.targets import identity_of, is_selected
from bot.files.formats.builds import below
from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.nodes import Sequence as List

DEEPEST = 40
_PART = re.compile(r"\[[^\]]*\]|(?:[^.\[\]\\]|\\.)+")
_SELECTED = re.compile(r"\[([^=\]]+)=([^\]]*)\]")


def replacements_of(
    repository: RepositoryTexts, folder: str, root: Mapping, rendering: Rendering
) -> Iterator[Mapping]:
    """Yields the replacements of a kustomization, those in files of their own too."""
    for item in root.sequence("replacements"):
        path = item.scalar("path") if isinstance(item, Mapping) else None
        if path is None:
            yield from [item] if isinstance(item, Mapping) else []
            continue
        target = below(folder, path.value)
        if target is None or target not in repository:
            rendering.hidden = f"the replacements {path.value[:80]} are no file of this repository"
            continue
        rendering.files.add(target)
        for document in repository.documents(target):
            items = document.items if isinstance(document, List) else [document]
            yield from (each for each in items if isinstance(each, Mapping))


def replaced(
    objects: Sequence[RenderedObject], replacement: Mapping, sources: Iterable[Mapping]
) -> list[RenderedObject]:
    """The objects after one replacement; as they were where its source is not there. `sources` are looked through
    for it behind the objects."""
    others = (RenderedObject(each, identity_of(each)) for each in sources)
    value = _value(replacement.mapping("source"), [*objects, *others])
    if value is None:
        return list(objects)
    new_objects = list(objects)
    for target in replacement.sequence("targets"):
        if not isinstance(target, Mapping) or target.mapping("options").get("delimiter") is not None:
            continue
        creates = word_of(target.mapping("options"), "create") == "true"
        rejected = [each for each in target.sequence("reject") if isinstance(each, Mapping)]
        paths = [path.value for path in target.sequence("fieldPaths") if isinstance(path, Scalar)]
        for number, target_object in enumerate(new_objects):
            if not _fits(target.mapping("select"), target_object) or any(
                _fits(other, target_object) for other in rejected
            ):
                continue
            for path in paths:
                changed = _set(new_objects[number].manifest, parts_of(path), value, creates)
                if isinstance(changed, Mapping):
                    new_objects[number] = replace(new_objects[number], manifest=changed)
    return new_objects


def parts_of(path: str) -> list[str]:
    """`spec.containers.[name=api].image` by its parts."""
    return [part.replace("\\", "") if part[:1] != "[" else part for part in _PART.findall(path)][:DEEPEST]


def _value(source: Mapping, objects: Sequence[RenderedObject]) -> Scalar | None:
    path = word_of(source, "fieldPath") or "metadata.name"
    for candidate in objects:
        if _fits(source, candidate):
            node: Node | None = candidate.manifest
            for part in parts_of(path):
                node = node.get(part) if isinstance(node, Mapping) else None
            return node if isinstance(node, Scalar) else None
    return None


def _fits(selector: Mapping, rendered: RenderedObject) -> bool:
    return is_selected(selector, rendered.manifest, rendered.identity)


def _set(node: Node, parts: list[str], value: Scalar, creates: bool) -> Node:
    """A copy of the node with the value where the parts lead; the node itself where they lead nowhere."""
    if not parts:
        return value
    head, inner_parts = parts[0], parts[1:]
    if isinstance(node, Mapping):
        member = next((entry for entry in node.entries() if entry[0].value == head), None)
        if member is None and not creates:
            return node
        own = {key.value: (key, each) for key, each in node.entries()}
        key = member[0] if member is not None else _like(value, head)
        inner = (
            member[1]
            if member is not None
            else (List(0) if inner_parts and inner_parts[0][:1] == "[" else Mapping(0))
        )
        own[head] = (key, _set(inner, inner_parts, value, creates))
        return Mapping(node.start, own)
    if isinstance(node, List):
        return _set_in_list(node, head, inner_parts, value, creates)
    return node


def _set_in_list(node: List, head: str, inner_parts: list[str], value: Scalar, creates: bool) -> Node:
    items = list(node.items)
    selected = _SELECTED.fullmatch(head)
    places = [
        number
        for number, item in enumerate(items)
        if head == "*"
        or (head.isdecimal() and int(head[:6]) == number)
        or (selected and isinstance(item, Mapping) and word_of(item, selected[1]) == selected[2])
    ]
    for place in places:
        items[place] = _set(items[place], inner_parts, value, creates)
    if not places and selected and creates:
        made = Mapping(node.start, {selected[1]: (_like(value, selected[1]), _like(value, selected[2]))})
        items.append(_set(made, inner_parts, value, creates))
    return List(node.start, items)


def _like(value: Scalar, text: str) -> Scalar:
    """A word that no text has, in the place of the value."""
    return Scalar(value.source, value.start, value.start, text)
