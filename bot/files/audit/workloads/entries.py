"""What stands under the keys of an object: one word, or a list of them."""

import re
from collections.abc import Iterator

from bot.files.formats.source.nodes import Mapping, Scalar

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What Kustomize's own files are called."""
ELSEWHERE = re.compile(r"://|//|^git@|\?ref=|^[\w-]+\.[\w.-]+/[^/]+/|[${]")
"""How an entry looks that names another repository, or what a pipeline puts in."""

_OF_OCTOPUS = re.compile(r"[ \t]*(?P<text>#\{[^}\n]{1,200}\}\S*)")


def entries(root: Mapping, *keys: str) -> Iterator[str]:
    """Yields the texts of the lists under these keys."""
    for key in keys:
        for item in root.sequence(key):
            if isinstance(item, Scalar):
                yield item.value.strip()


def word_of(mapping: Mapping, key: str) -> str:
    """Returns the text under a key, empty where there is none; `#{Name}` is one, which Octopus Deploy fills in
    before anything takes it for a comment."""
    scalar = mapping.get(key)
    if not isinstance(scalar, Scalar):
        return ""
    if not scalar.is_null:
        return scalar.value
    filled_in = _OF_OCTOPUS.match(scalar.source, scalar.end)
    return filled_in["text"] if filled_in is not None else ""
