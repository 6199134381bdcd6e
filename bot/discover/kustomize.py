"""Kustomizations: the `images` that they put in the place of those in manifests.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
"""

import re
from collections.abc import Iterator

from bot.discover.nodes import Mapping, Node
from bot.discover.traced import Traced

_FILE = re.compile(r"(?:.*/)?kustomization\.ya?ml")
_KINDS = frozenset({"Kustomization", "Component"})


def is_named_as_one(path: str) -> bool:
    """Under that name, `kind` and `apiVersion` may be left out."""
    return _FILE.fullmatch(path) is not None


def is_one(path: str, document: Node) -> bool:
    if not isinstance(document, Mapping):
        return False
    kind = document.scalar("kind")
    return kind.value in _KINDS if kind is not None else is_named_as_one(path)


def images(document: Mapping) -> Iterator[Traced]:
    """What each entry with a new tag or a digest makes of its image."""
    for entry in document.sequence("images"):
        name = (entry.scalar("newName") or entry.scalar("name")) if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or name is None:
            continue
        tag, digest = entry.scalar("newTag"), entry.scalar("digest")
        written = name.traced.strip()
        for sign, part in ((":", tag), ("@", digest)):
            if part is not None and written.text and part.value.strip():
                written = written.joined(sign) + part.traced.strip()
        if tag is not None or digest is not None:
            yield written
