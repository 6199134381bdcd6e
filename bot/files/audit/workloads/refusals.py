"""Why Kustomize refuses to build a kustomization, and which renderings stand on one that it refuses."""

from posixpath import dirname

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.entries import ELSEWHERE, KUSTOMIZATIONS
from bot.files.audit.workloads.generators import nothing_to_change
from bot.files.audit.workloads.rendering import Rendering
from bot.files.formats.builds import below
from bot.files.formats.source.nodes import Node, Scalar
from bot.files.formats.table import is_worth_reading

_TAKEN = ("resources", "bases", "components")
_ADVICE = "have what it takes hold one of that name and namespace, or leave `behavior` out"


def refusal_by_kustomize(repository: RepositoryTexts, path: str) -> tuple[Node, str] | None:
    """Why a kustomization of the right shape cannot be built, and where: a file that is not here, or a generator
    that changes what nothing makes. Behind a semicolon stands what to do."""
    if (missing := _missing(repository, path)) is not None:
        return missing
    if (refused := nothing_to_change(repository, path)) is None:
        return None
    item, what = refused
    return item, f"a generator changes {what}, which nothing that it takes has; {_ADVICE}"


def is_refused(repository: RepositoryTexts, rendering: Rendering) -> bool:
    """Whether Kustomize refuses any kustomization that a rendering is made of, so that nobody deploys it so."""
    refused = repository.kept(_refused)
    return any(path in refused for path in rendering.files)


def _refused(repository: RepositoryTexts) -> frozenset[str]:
    paths = (each for each in repository.paths if each.rpartition("/")[2] in KUSTOMIZATIONS)
    return frozenset(path for path in paths if refusal_by_kustomize(repository, path) is not None)


def _missing(repository: RepositoryTexts, path: str) -> tuple[Node, str] | None:
    """The first file or folder of the repository that a kustomization takes, and that is not there."""
    root = repository.root(path)
    nodes = [each for key in _TAKEN for each in root.sequence(key)] if root is not None else []
    for node in nodes:
        if not isinstance(node, Scalar) or ELSEWHERE.search(node.value) or "\n" in node.value:
            continue
        target = below(dirname(path), node.value.strip())
        if target is None or target in repository or repository.first(target, *KUSTOMIZATIONS) is not None:
            continue
        is_yaml = target.endswith((".yml", ".yaml")) or target.rpartition("/")[2] in KUSTOMIZATIONS
        if (is_yaml and is_worth_reading(target)) or "." not in target.rpartition("/")[2]:
            return node, f"it takes {node.value[:80]}, which is not here"
    return None
