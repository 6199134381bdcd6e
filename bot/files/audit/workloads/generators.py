"""Generators of kustomizations that change a ConfigMap or Secret of what the kustomization takes.

Source: Kustomize's reference of `configMapGenerator`, and its code: what `merge` or `replace` names must be there,
by its first name and namespace or those that a kustomization below has given it; else nothing is built.
"""

from collections.abc import Iterator
from posixpath import dirname

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.entries import KUSTOMIZATIONS, entries, word_of
from bot.files.audit.workloads.objects import objects
from bot.files.formats.builds import below
from bot.files.formats.source.nodes import Mapping

_KINDS = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_CHANGES = frozenset({"merge", "replace"})
_BRINGS_MORE = (
    "namePrefix",
    "nameSuffix",
    "helmCharts",
    "helmChartInflationGenerator",
    "generators",
    "transformers",
)
"""Keys by which what a kustomization comes to has other objects, or other names, than its files say."""
_DEEPEST = 12
_Identity = tuple[str, str, str]
"""Kind, namespace and name; the namespace is empty for the default one."""


class _NotTold(Exception):
    """What a kustomization takes is not all here."""


def nothing_to_change(repository: RepositoryTexts, path: str) -> tuple[Mapping, str] | None:
    """The first generator of a kustomization that changes what is not there, for which it is refused, and what that
    is; None where there is none, or where not all that it takes is told by files here."""
    root = repository.root(path)
    if root is None or word_of(root, "kind") == "Component":
        return None
    try:
        there = set(_taken(repository, path, root, 0)) if any(map(_changes, _items(root))) else set()
    except _NotTold:
        return None
    for kind, item in _items(root):
        identity = _identity(kind, item)
        if _changes((kind, item)) and identity not in there:
            return item, f"the {kind} {identity[2][:80]}"
        there.add(identity)
    return None


def _items(root: Mapping) -> Iterator[tuple[str, Mapping]]:
    """The generators of a kustomization, in the order in which they run, each with the kind that it makes."""
    for key, kind in _KINDS.items():
        yield from ((kind, item) for item in root.sequence(key) if isinstance(item, Mapping))


def _changes(item: tuple[str, Mapping]) -> bool:
    return word_of(item[1], "behavior") in _CHANGES


def _identity(kind: str, names: Mapping) -> _Identity:
    namespace = word_of(names, "namespace")
    return kind, "" if namespace == "default" else namespace, word_of(names, "name")


def _taken(repository: RepositoryTexts, path: str, root: Mapping, depth: int) -> Iterator[_Identity]:
    """The identities of what a kustomization takes."""
    for entry in entries(root, "resources", "bases", "components"):
        target = below(dirname(path), entry) if "://" not in entry and "//" not in entry else None
        if target is not None and target in repository:
            if repository.unreadable(target) is not None:
                raise _NotTold
            resources = objects(repository.documents(target))
            yield from (_identity(word_of(each, "kind"), each.mapping("metadata")) for each in resources)
            continue
        name = repository.first(target, *KUSTOMIZATIONS) if target is not None else None
        base = repository.root(name) if name is not None else None
        if name is None or base is None or depth > _DEEPEST:
            raise _NotTold
        yield from _built(repository, name, base, depth + 1)


def _built(repository: RepositoryTexts, path: str, root: Mapping, depth: int) -> Iterator[_Identity]:
    """The identities of what a kustomization comes to, and those that these had before."""
    if any(root.get(key) is not None for key in _BRINGS_MORE):
        raise _NotTold
    namespace = word_of(root, "namespace")
    for kind, before, name in (
        *_taken(repository, path, root, depth),
        *(_identity(kind, item) for kind, item in _items(root)),
    ):
        yield kind, before, name
        if namespace:
            yield kind, "" if namespace == "default" else namespace, name
