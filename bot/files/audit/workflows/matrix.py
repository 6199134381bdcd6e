"""The combinations of a matrix that is written out."""

from collections.abc import Mapping as Dict
from itertools import product

from bot.files.audit.workflows.expressions import filled
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

MOST_VARIANTS = 32


def variants_of(job: Mapping, values: Dict[str, str]) -> list[dict[str, str]]:
    """The values of each combination of a matrix that is written out; one empty one where there is none."""
    matrix = job.mapping("strategy").mapping("matrix")
    axes: list[list[dict[str, str]]] = []
    for key, node in matrix.entries():
        if key.value in {"include", "exclude"}:
            continue
        if not isinstance(node, Sequence):
            return [{}]
        axes.append([_flat(f"matrix.{key.value}", item, values) for item in node.items])
    variants: list[dict[str, str]] = []
    for combination in product(*axes) if axes else ():
        variants.append({name: each for part in combination for name, each in part.items()})
        if len(variants) >= MOST_VARIANTS:
            break
    for included in matrix.sequence("include"):
        extra = _flat("matrix", included, values)
        fitting = [
            variant
            for variant in variants
            if axes and all(variant.get(key, value) == value for key, value in extra.items())
        ]
        if fitting:
            for variant in fitting:
                variant.update(extra)
        elif len(variants) < MOST_VARIANTS:
            variants.append(extra)
    return variants or [{}]


def _flat(name: str, node: Node, values: Dict[str, str]) -> dict[str, str]:
    """The scalars at and under a node by their dotted names."""
    values_by_name: dict[str, str] = {}
    waiting = [(name, node, 0)]
    while waiting:
        key, here, depth = waiting.pop()
        if isinstance(here, Scalar):
            values_by_name[key.lower()] = filled(here.value, values)
        elif isinstance(here, Mapping) and depth < 4:
            waiting += [(f"{key}.{inner.value}", each, depth + 1) for inner, each in here.entries()]
    return values_by_name
