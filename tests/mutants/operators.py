"""What is changed of a piece of code: the operators of mutmut, and those that drop one filter.

mutmut leaves out conditions that hold neither operator nor number, and never drops a part of one. Filters that no
test needs are the most frequent of what tests miss.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string, operator_swap_op

Operator = Callable[[Any], Iterable[cst.CSTNode]]
"""A node to each of what may stand in its place."""


def drop_part(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """`a and b and c` without one of its parts; what it is written in keeps its parentheses."""
    yield _in_place_of(node, node.left)
    if not (isinstance(node.left, cst.BooleanOperation) and type(node.left.operator) is type(node.operator)):
        yield _in_place_of(node, node.right)


def _in_place_of(node: cst.BooleanOperation, part: cst.BaseExpression) -> cst.CSTNode:
    return part if part.lpar else part.with_changes(lpar=node.lpar, rpar=node.rpar)


def drop_comprehension_filter(node: cst.CompFor) -> Iterator[cst.CSTNode]:
    for dropped in node.ifs:
        yield node.with_changes(ifs=[kept for kept in node.ifs if kept is not dropped])


def drop_case_guard(node: cst.MatchCase) -> Iterator[cst.CSTNode]:
    if node.guard is not None:
        yield node.with_changes(
            guard=None, whitespace_before_if=cst.SimpleWhitespace(""), whitespace_after_if=cst.SimpleWhitespace("")
        )


def drop_where(node: cst.Call) -> Iterator[cst.CSTNode]:
    """A statement of SQL without one condition of its `.where(…)`."""
    if m.matches(node.func, m.Attribute(attr=m.Name("where"))):
        for dropped in node.args:
            kept = [argument for argument in node.args if argument is not dropped]
            yield node.with_changes(args=kept) if kept else cst.ensure_type(node.func, cst.Attribute).value


def decide_branch(node: cst.If) -> Iterator[cst.CSTNode]:
    """An `if` that is always taken, and one that never is; its condition is still read."""
    asked = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    space = (
        {}
        if not isinstance(node.whitespace_before_test, cst.SimpleWhitespace)
        else {"whitespace_before_test": cst.SimpleWhitespace(" ")}
    )
    for operator, answer in ((cst.Or(), "True"), (cst.And(), "False")):
        yield node.with_changes(test=cst.BooleanOperation(asked, operator, cst.Name(answer)), **space)


def drop_keyword(node: cst.Call) -> Iterator[cst.CSTNode]:
    """A call without one argument that it names. The types refuse mutmut's other changes of arguments, which are
    half of all that it makes."""
    for changed in operator_arg_removal(node):
        dropped = [argument for argument in node.args if argument not in changed.args]
        if len(changed.args) < len(node.args) and all(argument.keyword for argument in dropped):
            yield changed


def first_string(node: cst.BaseString) -> Iterator[cst.CSTNode]:
    """One change of a text, not mutmut's three: what people read would be most of a sample."""
    return islice(iter(operator_string(node)), 1)


_WITH_OPERATOR = (
    cst.BinaryOperation,
    cst.UnaryOperation,
    cst.BooleanOperation,
    cst.ComparisonTarget,
    cst.AugAssign,
)
"""mutmut looks at every node for these, which takes most of the time."""

OPERATORS: Sequence[tuple[type, Operator]] = [
    *(
        pair
        for pair in mutation_operators
        if pair[1] not in (operator_arg_removal, operator_string, operator_swap_op)
    ),
    *((kind, operator_swap_op) for kind in _WITH_OPERATOR),
    (cst.Call, drop_keyword),
    (cst.BaseString, first_string),
    (cst.BooleanOperation, drop_part),
    (cst.CompFor, drop_comprehension_filter),
    (cst.MatchCase, drop_case_guard),
    (cst.Call, drop_where),
    (cst.If, decide_branch),
]
"""With the kind of node that each is given."""


@cache
def operators_of(kind: type[cst.CSTNode]) -> tuple[Operator, ...]:
    return tuple(operator for given, operator in OPERATORS if issubclass(kind, given))
