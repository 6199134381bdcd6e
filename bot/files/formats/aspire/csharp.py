"""C# text → what of it is needed here: chains of calls, and the strings given to them, each with its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import encode

MOST_CALLS = 20_000
"""Calls in one file; the rest is left out."""

_MOST_AROUND = 30
"""How far around a call the function is looked for that it is part of."""
_ACCESS = "member_access_expression"
_CONTENTS = frozenset({"string_literal_content", "raw_string_content", "string_content"})
_NESTED = frozenset(
    {
        "if_statement",
        "switch_statement",
        "switch_expression",
        "conditional_expression",
        "lambda_expression",
        "anonymous_method_expression",
        "for_statement",
        "foreach_statement",
        "while_statement",
        "do_statement",
        "try_statement",
        "local_function_statement",
        "method_declaration",
    }
)
"""What may run several times, once or never."""


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A value that the text does not tell; `written` is the expression in its place."""

    written: str


Value = Spanned | UnknownValue | None
"""None for `null`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method with its arguments; `place` is the offset of its name."""

    method: str
    positional: Sequence[Value]
    named: dict[str, Value]
    line: int
    place: int

    def argument(self, position: int, name: str) -> "Value | _Missing":
        if name in self.named:
            return self.named[name]
        return self.positional[position] if position < len(self.positional) else MISSING

    @property
    def count(self) -> int:
        return len(self.positional) + len(self.named)


class _Missing:
    """The call has no such argument."""


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Chain:
    """`receiver.First(…).Second(…)`, as one.

    `receiver` is the variable that it begins with, `assigned` the one that takes the result; `depth` counts the
    conditions, loops and functions around it. Where the receiver is the parameter of a function that a call is
    given, `lender` is the chain up to that call.
    """

    receiver: str | None
    calls: Sequence[Call]
    assigned: str | None
    depth: int
    lender: "Chain | None" = None


def chains(text: str) -> Iterator[Chain]:
    """Reads all chains of calls in the order of the text."""
    file = _File(text)
    for node, parent, depth in file.outermost_calls():
        yield file.chain(node, parent, depth)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_c_sharp.language()))


class _File:
    def __init__(self, text: str) -> None:
        data = encode(text)
        self._root = _parser().parse(data).root_node
        self._data = data
        self._characters: Sequence[int] = range(len(data) + 1) if len(data) == len(text) else _characters(text)
        self._constants: dict[str, list[Node]] | None = None

    def outermost_calls(self) -> Iterator[tuple[Node, Node | None, int]]:
        """Each call that no other one goes on from, with the node around it and the depth of conditions."""
        waiting: list[tuple[Node, Node | None, int, bool]] = [(self._root, None, 0, False)]
        call_count = 0
        while waiting:
            node, parent, depth, goes_on = waiting.pop()
            is_call = node.type == "invocation_expression"
            if is_call and not goes_on:
                call_count += 1
                if call_count > MOST_CALLS:
                    return
                yield node, parent, depth
            deeper = depth + (node.type in _NESTED)
            children = node.children
            for number in range(len(children) - 1, -1, -1):
                child = children[number]
                is_inner = number == 0 and (child.type == _ACCESS if is_call else goes_on and node.type == _ACCESS)
                waiting.append((child, node, deeper, is_inner))

    def chain(self, node: Node, parent: Node | None, depth: int, *, is_inner: bool = False) -> Chain:
        calls: list[Call] = []
        here: Node | None = node
        while here is not None and here.type == "invocation_expression":
            function = here.child_by_field_name("function")
            arguments = here.child_by_field_name("arguments")
            if function is None or arguments is None or function.type != _ACCESS:
                break
            name = function.child_by_field_name("name")
            calls.append(self._call(self._name(name), arguments, here if name is None else name))
            here = function.child_by_field_name("expression")
        receiver = self._text(here) if here is not None and here.type == "identifier" else None
        lending = None if receiver is None or is_inner else self._lending(node, receiver)
        lender = None if lending is None else self.chain(lending, None, depth, is_inner=True)
        return Chain(receiver, calls[::-1], self._assigned_name(node, parent), depth, lender)

    def _lending(self, node: Node, receiver: str) -> Node | None:
        """The call that is given a function whose only parameter is `receiver`, around a node."""
        here: Node | None = node
        for _ in range(_MOST_AROUND):
            here = here.parent if here is not None else None
            if here is None:
                return None
            if here.type == "lambda_expression" and self._only_parameter(here) == receiver:
                argument = here.parent
                call = argument.parent.parent if argument is not None and argument.parent is not None else None
                return call if call is not None and call.type == "invocation_expression" else None
        return None

    def _only_parameter(self, function: Node) -> str | None:
        """Of `c => …`, `(c) => …` and `(IResourceBuilder<X> c) => …`."""
        parameters = function.child_by_field_name("parameters")
        if parameters is None:
            return None
        if parameters.type == "parameter_list":
            if len(parameters.named_children) != 1:
                return None
            parameters = parameters.named_children[0].child_by_field_name("name")
        return self._text(parameters)

    def _call(self, method: str, arguments: Node, node: Node) -> Call:
        positional: list[Value] = []
        by_name: dict[str, Value] = {}
        for argument in arguments.named_children:
            if argument.type != "argument" or not argument.named_children:
                continue
            name = argument.child_by_field_name("name")
            value = self._value(argument.named_children[-1])
            if name is None:
                positional.append(value)
            else:
                by_name[self._text(name)] = value
        return Call(method, positional, by_name, node.start_point[0] + 1, self._characters[node.start_byte])

    def _assigned_name(self, node: Node, parent: Node | None) -> str | None:
        if parent is None:
            return None
        if parent.type in ("variable_declarator", "assignment_expression"):
            target = parent.child_by_field_name("name" if parent.type == "variable_declarator" else "left")
            is_whole = target is not None and target.type == "identifier" and target.start_byte < node.start_byte
            return self._text(target) if is_whole else None
        return None

    def _name(self, node: Node | None) -> str:
        if node is None:
            return ""
        return self._text(node.named_children[0] if node.type == "generic_name" else node)

    def _text(self, node: Node | None) -> str:
        return self._data[node.start_byte : node.end_byte].decode("utf-8", "replace") if node is not None else ""

    def _value(self, node: Node, *, may_look: bool = True) -> Value:
        """A string as written, or as the one constant of that name in the file."""
        if node.type == "null_literal":
            return None
        literal = self._literal(node)
        if literal is not None:
            return literal
        if may_look and node.type in ("identifier", "member_access_expression"):
            name = self._text(node if node.type == "identifier" else node.child_by_field_name("name"))
            constants = self._named_constants().get(name, [])
            if len(constants) == 1:
                value = self._value(constants[0], may_look=False)
                if isinstance(value, Spanned):
                    return value
        return UnknownValue(" ".join(self._text(node).split())[:60])

    def _literal(self, node: Node) -> Spanned | None:
        """None for what is no string, or one with escapes or values put in."""
        if node.type == "verbatim_string_literal":
            start, end = node.start_byte + 2, node.end_byte - 1
            return None if b'"' in self._data[start:end] else self._take_text(start, end)
        if node.type in ("string_literal", "raw_string_literal", "interpolated_string_expression"):
            inner = [child for child in node.named_children if child.type in _CONTENTS]
            others = [child for child in node.named_children if child.type in ("escape_sequence", "interpolation")]
            if others or len(inner) != 1 or b"\\" in self._data[inner[0].start_byte : inner[0].end_byte]:
                return None
            return self._take_text(inner[0].start_byte, inner[0].end_byte)
        return None

    def _take_text(self, start: int, end: int) -> Spanned:
        text = self._data[start:end].decode("utf-8", "surrogateescape")
        first = self._characters[start]
        return Spanned(text, range(first, first + len(text)))

    def _named_constants(self) -> dict[str, list[Node]]:
        """Every variable or field with the expression that it begins with; one that is assigned again has two."""
        if self._constants is None:
            self._constants = {}
            waiting = [self._root]
            while waiting:
                node = waiting.pop()
                if node.type == "variable_declarator" and len(node.named_children) > 1:
                    name = self._text(node.child_by_field_name("name"))
                    self._constants.setdefault(name, []).append(node.named_children[-1])
                elif node.type == "assignment_expression":
                    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                    if left is not None and right is not None:
                        self._constants.setdefault(self._text(left), []).append(right)
                waiting += node.named_children
        return self._constants


def _characters(text: str) -> Sequence[int]:
    """Maps each byte of the text to the character that it belongs to."""
    places: list[int] = []
    for number, character in enumerate(text):
        places += [number] * len(encode(character))
    return [*places, len(text)]
