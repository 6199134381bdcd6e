"""Kustomizations: the `images` that they put in the place of those in manifests.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
"""

from collections.abc import Iterator

from bot.formats.source.nodes import Mapping, Node
from bot.formats.source.spanned import Spanned

_KINDS = frozenset({"Kustomization", "Component"})
_OWN_WORDS = ("newTag", "newName")
"""Nothing else has these, and a kustomization need not tell its kind."""


def may_be_one(text: str) -> bool:
    return any(word in text for word in _OWN_WORDS)


def images(document: Node) -> Iterator[Spanned]:
    """What each entry with a new tag or a digest makes of its image; none where this is no kustomization."""
    if not isinstance(document, Mapping):
        return
    entries = [entry for entry in document.sequence("images") if isinstance(entry, Mapping)]
    if not _is_one(document, entries):
        return
    for entry in entries:
        name = entry.scalar("newName") or entry.scalar("name")
        parts = [(sign, entry.scalar(key)) for sign, key in ((":", "newTag"), ("@", "digest"))]
        given = [(sign, part.spanned.strip()) for sign, part in parts if part is not None and part.value.strip()]
        if name is not None and name.value.strip() and given:
            written = name.spanned.strip()
            for sign, part in given:
                written = written.joined(sign) + part
            yield written


def _is_one(document: Mapping, entries: list[Mapping]) -> bool:
    kind = document.scalar("kind")
    if kind is not None:
        return kind.value in _KINDS
    return any(entry.get(word) is not None for entry in entries for word in _OWN_WORDS)
