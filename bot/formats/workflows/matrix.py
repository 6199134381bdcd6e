"""The variants of a job: what its `strategy.matrix` sets in each of them, as far as the workflow writes it out.

Source: https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
(`include` and `exclude`).
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from itertools import islice, product

from bot.formats.source.nodes import Mapping, Node, Scalar, Sequence, Style
from bot.formats.source.spanned import Spanned

MOST_VARIANTS = 64
"""Of one job; GitHub itself runs 256."""
DEEPEST_VALUE = 4
_USED = re.compile(r"\bmatrix\.(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)")
_READ = ("container", "services", "steps", "env", "defaults")
"""The parts of a job that are read for images and builds."""
_LIKE_A_NUMBER = re.compile(r"[-+.]?\d[\d_.]*(?:[eE][-+]?\d+)?|0[xo][\da-fA-F]+")
_SAME_AS_TEXT = re.compile(r"0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,8})\.\d{0,5}[1-9]")

Variant = Values[str, Node]


def variants(job: Mapping) -> tuple[Values[str, Spanned], ...]:
    """What `matrix.NAME` is in each variant, by `NAME`, with dots for members; one empty variant without a matrix.

    Only names that the job's containers and steps use count, so variants that differ in others are one.
    """
    matrix = job.mapping("strategy").mapping("matrix")
    used = _used(job) if matrix.own or matrix.merged else frozenset[str]()
    if not used:
        return ({},)
    found: dict[tuple[tuple[str, Spanned], ...], None] = {}
    for combination in islice(_combinations(matrix), MOST_VARIANTS * MOST_VARIANTS):
        told = ((name, value) for name, value in _leaves("", combination) if name in used)
        found.setdefault(tuple(told))
        if len(found) == MOST_VARIANTS:
            break
    return tuple(dict(each) for each in found) or ({},)


def _used(job: Mapping) -> frozenset[str]:
    found: set[str] = set()
    waiting: list[Node | None] = [job.get(key) for key in _READ]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            found.update(use["name"] for use in _USED.finditer(node.value))
        elif node is not None and id(node) not in seen:
            seen.add(id(node))
            waiting += [value for _, value in node.entries()] if isinstance(node, Mapping) else node.items
    return frozenset(found)


def _combinations(matrix: Mapping) -> Iterator[Variant]:
    """Each combination of the axes that no `exclude` takes out, with what each `include` adds.

    An `include` that fits none is a combination of its own.
    """
    axes = {key.value: node for key, node in matrix.entries() if key.value not in ("include", "exclude")}
    excluded = [dict(_members(node)) for node in matrix.sequence("exclude")]
    included = [dict(_members(node)) for node in matrix.sequence("include")]
    lists = [node.items if isinstance(node, Sequence) else [] for node in axes.values()]
    fitted: set[int] = set()
    for values in product(*lists) if axes else ():
        own: Variant = dict(zip(axes, values, strict=True))
        if any(each and _fits(each, own) and each.keys() <= own.keys() for each in excluded):
            continue
        added: dict[str, Node] = {}
        for number, each in enumerate(included):
            if _fits(each, own):
                fitted.add(number)
                added |= {name: node for name, node in each.items() if name not in own}
        yield {**own, **added}
    yield from (each for number, each in enumerate(included) if number not in fitted)


def _fits(some: Variant, own: Variant) -> bool:
    """Whether nothing that both name differs."""
    return all(_same(node, own[name]) for name, node in some.items() if name in own)


def _same(one: Node, other: Node) -> bool:
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return one.value == other.value
    return dict(_texts(one)) == dict(_texts(other))


def _texts(node: Node) -> Iterator[tuple[str, str]]:
    yield from ((name, value.text) for name, value in _leaves("", dict(_members(node))))


def _members(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Mapping):
        yield from ((key.value, value) for key, value in node.entries())


def _leaves(prefix: str, variant: Variant, depth: int = 0) -> Iterator[tuple[str, Spanned]]:
    for name, node in variant.items():
        if isinstance(node, Scalar):
            if (value := _value(node)) is not None:
                yield f"{prefix}{name}", value
        elif isinstance(node, Mapping) and depth < DEEPEST_VALUE:
            yield from _leaves(f"{prefix}{name}.", dict(_members(node)), depth + 1)


def _value(scalar: Scalar) -> Spanned | None:
    """None for an expression, and for a number that GitHub writes in another way: a plain 8.0 becomes 8."""
    if "${{" in scalar.value:
        return None
    is_number = scalar.style is Style.PLAIN and _LIKE_A_NUMBER.fullmatch(scalar.value) is not None
    return None if is_number and not _SAME_AS_TEXT.fullmatch(scalar.value) else scalar.spanned
