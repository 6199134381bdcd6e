"""What stands under the keys of an object: one word, or a list of them."""

import re
from collections.abc import Iterator

from bot.files.formats.source.nodes import Mapping, Scalar

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What Kustomize's own files are called."""
ELSEWHERE = re.compile(r"://|//|^git@|\?ref=|^[\w-]+\.[\w.-]+/[^/]+/|[${]")
"""How an entry looks that names another repository, or what a pipeline puts in."""


def entries(root: Mapping, *keys: str) -> Iterator[str]:
    """Yields the texts of the lists under these keys."""
    for key in keys:
        for item in root.sequence(key):
            if isinstance(item, Scalar):
                yield item.value.strip()


def word_of(mapping: Mapping, key: str) -> str:
    """Returns the text under a key, empty where there is none."""
    scalar = mapping.scalar(key)
    return scalar.value if scalar is not None else ""
