"""The variants of a job: what its `strategy.matrix` and the defaults of inputs set in each of them, as far as the
workflow writes it out.

Sources: https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
(`include` and `exclude`), and GitHub's workflow and metadata syntax (`on.workflow_dispatch.inputs`,
`on.workflow_call.inputs`, `inputs` of an action).
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from itertools import islice, product

from bot.files.formats.source.nodes import Mapping, Node, Scalar, ScalarStyle, Sequence
from bot.files.formats.source.spanned import Spanned

MOST_VARIANTS = 64
"""Of one job; GitHub itself runs 256."""
DEEPEST_VALUE = 4
_USED = re.compile(r"\b(?P<name>(?:matrix|inputs)\.[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)")
_READ = ("container", "services", "steps", "env", "defaults")
"""The parts of a job that are read for images and builds."""
_AROUND = ("env", "defaults")
"""The parts of a workflow that its jobs inherit."""
_LIKE_A_NUMBER = re.compile(r"[-+.]?\d[\d_.]*(?:[eE][-+]?\d+)?|0[xo][\da-fA-F]+")
_SAME_AS_TEXT = re.compile(r"0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,8})\.\d{0,5}[1-9]")

_TRIGGERS = ("workflow_dispatch", "workflow_call")

Variant = Values[str, Node]


class Variants:
    """Tells the variants of a workflow's jobs, or the one of an action's steps."""

    def __init__(self, document: Mapping) -> None:
        triggers = document.mapping("on")
        takers = [triggers.mapping(name).mapping("inputs") for name in _TRIGGERS] + [document.mapping("inputs")]
        sets = [dict(_defaults(taker)) for taker in takers]
        self._inputs = [each for each in sets if each] or [{}]
        self._used_around = _collect_used_names(document, _AROUND)

    def of(self, job: Mapping) -> tuple[Values[str, Spanned], ...]:
        """What `matrix.NAME` and `inputs.NAME` are in each variant, with dots for members; one empty variant where
        nothing sets any.

        An input has its default, for each trigger that takes inputs. Only names that the job's containers and
        steps use count, so variants that differ in others are one.
        """
        used = self._used_around | _collect_used_names(job, _READ)
        if not used:
            return ({},)
        of_matrix = _of_matrix(job.mapping("strategy").mapping("matrix"), used)
        variants: dict[tuple[tuple[str, Spanned], ...], None] = {}
        for inputs in self._inputs:
            own = tuple((name, value) for name, value in inputs.items() if name in used)
            variants |= dict.fromkeys((*own, *variant) for variant in of_matrix)
        return tuple(dict(each) for each in islice(variants, MOST_VARIANTS))


def _defaults(inputs: Mapping) -> Iterator[tuple[str, Spanned]]:
    """Without those of switches: whoever calls the workflow is there to turn them."""
    for name, about in inputs.entries():
        default = about.scalar("default") if isinstance(about, Mapping) else None
        value = _value(default) if default is not None else None
        if value is not None and value.text.lower() not in ("true", "false"):
            yield f"inputs.{name.value}", value


def _of_matrix(matrix: Mapping, used: frozenset[str]) -> list[tuple[tuple[str, Spanned], ...]]:
    variants: dict[tuple[tuple[str, Spanned], ...], None] = {}
    for combination in islice(_combinations(matrix), MOST_VARIANTS * MOST_VARIANTS):
        variants.setdefault(tuple((name, value) for name, value in _leaves("matrix.", combination) if name in used))
        if len(variants) == MOST_VARIANTS:
            break
    return list(variants) or [()]


def _collect_used_names(around: Mapping, keys: tuple[str, ...]) -> frozenset[str]:
    names: set[str] = set()
    waiting: list[Node | None] = [around.get(key) for key in keys]
    node_ids: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            names.update(use["name"] for use in _USED.finditer(node.value))
        elif node is not None and id(node) not in node_ids:
            node_ids.add(id(node))
            waiting += [value for _, value in node.entries()] if isinstance(node, Mapping) else node.items
    return frozenset(names)


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
        if any(inclusion and _fits(inclusion, own) and inclusion.keys() <= own.keys() for inclusion in excluded):
            continue
        added: dict[str, Node] = {}
        for number, inclusion in enumerate(included):
            if _fits(inclusion, own):
                fitted.add(number)
                added |= {name: node for name, node in inclusion.items() if name not in own}
        yield {**own, **added}
    yield from (inclusion for number, inclusion in enumerate(included) if number not in fitted)


def _fits(inclusion: Variant, own: Variant) -> bool:
    """Whether nothing that both name differs."""
    return all(_same(node, own[name]) for name, node in inclusion.items() if name in own)


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
    is_number = scalar.style is ScalarStyle.PLAIN and _LIKE_A_NUMBER.fullmatch(scalar.value) is not None
    return None if is_number and not _SAME_AS_TEXT.fullmatch(scalar.value) else scalar.spanned
