"""A source's mutants: what it says with one piece changed.

Left out is what no test of behaviour can tell or the types hold: annotations, decorators, `assert` (it tells mypy
what is known), ports, and names and variables of types.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from tests.mutants.operators import operators_of

_LEFT_OUT = (cst.Annotation, cst.Decorator, cst.Assert, cst.Import, cst.ImportFrom)
_LEFT_OUT_WHERE = (
    m.Assign(value=m.Call(func=m.Name("TypeVar") | m.Name("NewType") | m.Name("ParamSpec")))
    | m.ClassDef(
        bases=[m.ZeroOrMore(), m.Arg(m.Name("Protocol") | m.Subscript(m.Name("Protocol"))), m.ZeroOrMore()]
    )
    | m.Assign(
        targets=[m.AssignTarget(m.Name(m.MatchRegex(r"[A-Z][a-z]\w*")))],
        value=m.Subscript() | m.BinaryOperation(operator=m.BitOr()),
    )
    | m.Expr(m.SimpleString() | m.ConcatenatedString())
)


@dataclass(frozen=True)
class Key:
    """What tells a mutant from all others; it stays when lines move. Alike lines of one function share one."""

    path: str
    function: str
    was: str
    becomes: str

    @property
    def difference(self) -> str:
        lines = [
            *(f"  - {line}" for line in self.was.splitlines()),
            *(f"  + {line}" for line in self.becomes.splitlines()),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Mutant:
    """One change, and where it is.

    `function` is the qualified name of the outermost function that holds it, empty for what runs on import. `first`
    to `last` are the lines of its statement, whose tests may tell it. `number` counts those of one function.
    """

    path: str
    function: str
    operator: str
    first: int
    last: int
    number: int
    original: cst.CSTNode
    changed: cst.CSTNode

    def rank(self, seed: int) -> str:
        """The place in a sample, by chance. It stays what it is when other functions change."""
        return hashlib.sha256(f"{seed} {self.path} {self.function} {self.number}".encode()).hexdigest()


@dataclass(frozen=True)
class Written:
    """A mutant with the whole text of its file."""

    mutant: Mutant
    key: Key
    line: int
    text: str


class Source:
    """One file and its mutants, in the order of its text."""

    def __init__(self, path: str, text: str) -> None:
        self.text = text
        wrapper = MetadataWrapper(cst.parse_module(text))
        self._module = wrapper.module
        visitor = _Mutating(path)
        wrapper.visit(visitor)
        self.mutants = visitor.mutants

    def written(self, mutant: Mutant) -> Written:
        changed = self._module.deep_replace(mutant.original, mutant.changed)
        text = changed.code if isinstance(changed, cst.Module) else self.text
        line, was, becomes = _difference(self.text, text)
        return Written(mutant, Key(mutant.path, mutant.function, was, becomes), line, text)


class _Mutating(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: str) -> None:
        super().__init__()
        self.mutants: list[Mutant] = []
        self._path = path
        self._scopes: list[cst.ClassDef | cst.FunctionDef] = []
        self._statements: list[tuple[int, int]] = []
        self._count: dict[str, int] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_out(node):
            return False
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement | cst.MatchCase):
            self._statements.append(self._lines(node))
        self.mutants += self._mutants(node)
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._scopes.append(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if _is_left_out(original_node):
            return
        if isinstance(original_node, cst.SimpleStatementLine | cst.BaseCompoundStatement | cst.MatchCase):
            self._statements.pop()
        if isinstance(original_node, cst.ClassDef | cst.FunctionDef):
            self._scopes.pop()

    def _mutants(self, node: cst.CSTNode) -> Iterator[Mutant]:
        for operator in operators_of(type(node)):
            for changed in operator(node):
                function = self._function()
                number = self._count[function] = self._count.get(function, 0) + 1
                first, last = self._statements[-1] if self._statements else (1, 1)
                yield Mutant(self._path, function, operator.__name__, first, last, number, node, changed)

    def _function(self) -> str:
        names = []
        for scope in self._scopes:
            names.append(scope.name.value)
            if isinstance(scope, cst.FunctionDef):
                return ".".join(names)
        return ""

    def _lines(self, statement: cst.CSTNode) -> tuple[int, int]:
        """All lines of a simple statement, those of the head alone where others stand in it."""
        place: Any = self.get_metadata(PositionProvider, statement)
        body = getattr(statement, "body", None)
        if isinstance(body, cst.IndentedBlock) and body.body:
            inner: CodeRange = self.get_metadata(PositionProvider, body.body[0])
            return place.start.line, max(place.start.line, inner.start.line - 1)
        if isinstance(statement, cst.Match):
            return place.start.line, place.start.line
        return place.start.line, place.end.line


def _is_left_out(node: cst.CSTNode) -> bool:
    return isinstance(node, _LEFT_OUT) or (
        isinstance(node, cst.Assign | cst.ClassDef | cst.Expr) and m.matches(node, _LEFT_OUT_WHERE)
    )


def _difference(original: str, changed: str) -> tuple[int, str, str]:
    """The first line that differs, counted from one, and all lines that do, as they were and as they become."""
    before, after = original.splitlines(), changed.splitlines()
    blocks = [block for block in SequenceMatcher(None, before, after, False).get_opcodes() if block[0] != "equal"]
    if not blocks:
        return 1, "", ""
    was = [line.strip() for _, start, end, _, _ in blocks for line in before[start:end]]
    becomes = [line.strip() for _, _, _, start, end in blocks for line in after[start:end]]
    return blocks[0][1] + 1, "\n".join(was), "\n".join(becomes)
