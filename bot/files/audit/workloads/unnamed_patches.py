"""Patches that no kustomization of the repository names: parts of objects that are put over others elsewhere."""

import re

from bot.files.audit.workloads.entries import word_of
from bot.files.formats.source.nodes import Mapping, Sequence

_NEED_SELECTOR = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_PATCH = re.compile(r"(?:^|[/._-])(?:patch|patches)(?=[/._-])", re.IGNORECASE)
_DIRECTIVES = frozenset({"$patch", "$retainKeys"})
_LISTS = ("containers", "initContainers")


def is_patch(manifest: Mapping, spec: Mapping, path: str) -> bool:
    """Whether a workload is only a part of one, which no cluster would take as it stands.

    None of its containers has an image, or it says how it is merged; or it selects no pods, and a whole word of its
    path says that it is a patch.
    """
    containers = [each for key in _LISTS for each in spec.sequence(key) if isinstance(each, Mapping)]
    if any(_DIRECTIVES & set(each.own) for each in (manifest.mapping("spec"), spec, *containers)):
        return True
    if containers and all(each.get("image") is None for each in containers):
        return True
    selects = isinstance(manifest.mapping("spec").get("selector"), Mapping | Sequence)
    return not selects and word_of(manifest, "kind") in _NEED_SELECTOR and _PATCH.search(path) is not None
