"""The layers of an image laid over each other.

A layer that brings `lib/apk/db/installed` where `lib` is a link to `usr/lib` in a layer below writes through that
link, as unpackers do that resolve the folders of a path within the root. Where it brings `lib` itself as a folder,
that takes the link's place, and both databases are in the image.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from bot.images.packages.databases import dotnet, places
from bot.images.packages.layers.layer import MARK, LayerContents, mark_of

_MOST_FOLDERS = 200_000
_MOST_PROBLEMS = 10


def overlay(layers: Sequence[LayerContents]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files of the image that the layers make, and the problems of all. The topmost layer comes first."""
    layers = _through_links(layers)
    files: dict[str, bytes] = {}
    gone: set[str] = set()
    removed: set[str] = set()
    opaque: set[str] = set()
    folders, problems = _folders_of(layers)
    for number, layer in enumerate(layers):
        hard_links = {path for path in layer.hard_links if path not in files and not _is_hidden(path, gone, opaque)}
        linked, unread = _behind_hard_links(hard_links, layers[number:])
        problems += unread
        for path, content in (layer.files | linked).items():
            if path in files or _is_hidden(path, gone, opaque):
                continue
            if dotnet.framework(path) is None:
                files[path] = content
            elif not _is_emptied(path, content, removed, opaque):
                files[path] = b""
        removed |= layer.removed
        gone |= layer.removed | layer.replaced | _covered(layer, folders)
        opaque |= layer.opaque
        problems += layer.problems
    return files, tuple(problems)


def _behind_hard_links(paths: Iterable[str], layers: Sequence[LayerContents]) -> tuple[dict[str, bytes], list[str]]:
    """What the hard links at these paths of the first of the layers have, and a line for each that has nothing."""
    contents: dict[str, bytes] = {}
    problems: list[str] = []
    for path in sorted(paths):
        target = layers[0].hard_links[path]
        content = _content_at(target, layers[1:])
        if content is not None:
            contents[path] = content
        elif len(problems) < _MOST_PROBLEMS:
            fault = f"is a hard link to {target[:80]!r}, which no layer below has; it is not read"
            problems.append(f"image: {path} {fault}")
    return contents, problems


def _content_at(path: str, layers: Sequence[LayerContents]) -> bytes | None:
    """What the uppermost of the layers that has anything at that path shows there; None for what is not read."""
    for number, layer in enumerate(layers):
        if path in layer.files:
            return layer.files[path]
        if path in layer.hard_links:
            return _content_at(layer.hard_links[path], layers[number + 1 :])
        if _is_hidden(path, layer.removed | layer.replaced, layer.opaque) or _has_mark(layer, path):
            return None
    return None


def _folders_of(layers: Sequence[LayerContents]) -> tuple[dict[bytes, str], list[str]]:
    """The files of all layers and the folders that lead to them, by their marks."""
    folders: dict[bytes, str] = {}
    seen_folders = {""}
    for layer in layers:
        for path in (*layer.files, *layer.hard_links):
            folder = path
            while folder not in seen_folders:
                seen_folders.add(folder)
                folders[mark_of(folder)] = folder
                folder = folder.rpartition("/")[0]
            if len(folders) > _MOST_FOLDERS:
                fault = f"more than {_MOST_FOLDERS} folders lead to what tells its packages"
                return folders, [f"image: {fault}; a file in the place of another one is not noticed"]
    return folders, []


def _covered(layer: LayerContents, folders: Mapping[bytes, str]) -> set[str]:
    """Gives the folders of other layers in whose place this layer has a regular file."""
    marks = (layer.marks[start : start + MARK] for start in range(0, len(layer.marks), MARK))
    return {folders[mark] for mark in marks if mark in folders}


def _is_hidden(path: str, gone: AbstractSet[str], opaque: AbstractSet[str]) -> bool:
    while path:
        if path in gone or path in opaque:
            return True
        path = path.rpartition("/")[0]
    return "" in opaque


def _is_emptied(path: str, content: bytes, removed: AbstractSet[str], opaque: AbstractSet[str]) -> bool:
    """Whether a shared framework's folder stays without any of the files that a layer put there."""
    names = content.decode().split("\n") if content and removed else [""]
    return all(name and _is_hidden(f"{path}/{name}", removed, opaque) for name in names)


def _through_links(layers: Sequence[LayerContents]) -> list[LayerContents]:
    """The layers with what they bring where the links lead that it is written through; the topmost comes first.

    What a layer takes away lies below it: for that its own links do not count.
    """
    links: dict[str, str] = {}
    resolved: list[LayerContents] = []
    for layer in reversed(layers):
        below = {
            link: led for link, led in links.items() if not (_is_gone(link, layer) or _is_replaced(link, layer))
        }
        links = below | {link: led for link, led in layer.links.items() if not _has_other(link, layer)}
        resolved.append(_through(below, links, layer) if links else layer)
    return resolved[::-1]


def _is_gone(link: str, layer: LayerContents) -> bool:
    """Whether the layer takes away a link of a lower one: by itself, or with a folder on the way to it."""
    folder = link.rpartition("/")[0]
    above = _is_hidden(folder, layer.removed | layer.replaced, layer.opaque) if folder else "" in layer.opaque
    return above or link in layer.removed


def _is_replaced(link: str, layer: LayerContents) -> bool:
    """Whether the layer has something else in the place of a link of a lower one."""
    return link in layer.replaced or _has_other(link, layer)


def _has_other(link: str, layer: LayerContents) -> bool:
    """Whether the layer has a file or a folder of that name."""
    return _has_mark(layer, link) or _has_mark(layer, f"{link}/")


def _through(below: Mapping[str, str], links: Mapping[str, str], layer: LayerContents) -> LayerContents:
    unread = {_led(path, links) for path in places.FIXED if _has_mark(layer, path)}
    return replace(
        layer,
        files={_led(path, links): content for path, content in layer.files.items()},
        removed=frozenset(_led(path, below) for path in layer.removed),
        opaque=frozenset(_led(f"{path}/", below).rstrip("/") for path in layer.opaque),
        replaced=frozenset(_led(path, links) for path in layer.replaced) | unread,
        hard_links={_led(path, links): _led(target, links) for path, target in layer.hard_links.items()},
    )


def _led(path: str, links: Mapping[str, str]) -> str:
    """Where a path leads whose folders may be links, which may lead to one another."""
    for _ in links:
        link = next((link for link in links if path.startswith(f"{link}/")), None)
        if link is None:
            break
        path = links[link] + path.removeprefix(link)
    return path


def _has_mark(layer: LayerContents, path: str) -> bool:
    mark = mark_of(path)
    offset = layer.marks.find(mark)
    while offset > 0 and offset % MARK:
        offset = layer.marks.find(mark, offset + 1)
    return offset >= 0
