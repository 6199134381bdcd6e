"""Kustomizations: the `images` that they put in the place of those in manifests, and the same of who applies them.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/, `spec.images` of Flux's Kustomization
(https://fluxcd.io/flux/components/kustomize/kustomizations/#images), `kustomize.images` of Argo CD's applications
(`[OLD=]NEW:TAG`, https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/) and of a HelmRelease's post
renderers.
"""

from collections.abc import Iterator

from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.spanned import Spanned

UNDER = "kustomize"
"""The key under which applications of Argo CD and post renderers of Flux have a kustomization of their own."""
_KINDS = frozenset({"Kustomization", "Component"})
_FLUX = "kustomize.toolkit.fluxcd.io/"
_OWN_WORDS = ("newTag", "newName")
"""Nothing else has these, and a kustomization need not tell its kind."""

_TAKES = ("resources", "bases", "components")
"""What a kustomization puts together; where one has these, a digest alone tells an image too."""


def may_be_one(text: str) -> bool:
    return any(word in text for word in _OWN_WORDS) or ("digest" in text and any(word in text for word in _TAKES))


def images(document: Node) -> Iterator[Spanned]:
    """What each entry with a new tag or a digest makes of its image; none where this is no kustomization."""
    if not isinstance(document, Mapping):
        return
    api = document.scalar("apiVersion")
    owner = document.mapping("spec") if api is not None and api.value.startswith(_FLUX) else document
    entries = [entry for entry in owner.sequence("images") if isinstance(entry, Mapping)]
    if _is_one(document, entries):
        yield from _in_keys(entries)


def put_in(kustomization: Mapping) -> Iterator[tuple[Spanned, bool]]:
    """The images that a mapping under `kustomize` of another object puts in, and whether each was put together from
    several keys; one that only renames, or keeps the name by a `*`, tells no image."""
    entries = kustomization.sequence("images")
    for reference in _in_keys([entry for entry in entries if isinstance(entry, Mapping)]):
        yield reference, True
    for entry in entries:
        if isinstance(entry, Scalar) and not entry.is_null:
            image = _after_old_name(entry.spanned.strip())
            if "*" not in image.text and (":" in image.text.rpartition("/")[2] or "@" in image.text):
                yield image, False


def _after_old_name(replacement: Spanned) -> Spanned:
    return replacement.part(replacement.text.find("=") + 1, len(replacement))


def _in_keys(entries: list[Mapping]) -> Iterator[Spanned]:
    for entry in entries:
        name = entry.scalar("newName") or entry.scalar("name")
        parts = [(sign, entry.scalar(key)) for sign, key in ((":", "newTag"), ("@", "digest"))]
        suffixes = [(sign, part.spanned.strip()) for sign, part in parts if part is not None and part.value.strip()]
        if name is not None and name.value.strip() and suffixes:
            reference = name.spanned.strip()
            for sign, part in suffixes:
                reference = reference.joined(sign) + part
            yield reference


def _is_one(document: Mapping, entries: list[Mapping]) -> bool:
    kind = document.scalar("kind")
    if kind is not None:
        return kind.value in _KINDS
    takes = any(document.get(word) is not None for word in _TAKES)
    words = (*_OWN_WORDS, "digest") if takes else _OWN_WORDS
    return any(entry.get(word) is not None for entry in entries for word in words)
