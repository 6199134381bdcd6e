"""HCL text → the blocks and attributes of a Bake file, strings with places.

python-hcl2 parses and keeps positions in its tree; what Bake evaluates, it does not. Only what can be read without
evaluating functions is kept: literal strings, heredocs, numbers, names of variables, lists and objects. Every other
expression stays `Opaque`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.spanned import Spanned, joined
from bot.files.formats.source.text import BOM

LARGEST_TEXT = 128 * 1024
"""Characters, of any file."""
MOST_TOKENS = 24_000
"""Words and signs; the parser is Python and reads some 25,000 a second. Ordinary files have one in four."""
DEEPEST_NESTING = 60

_TOKEN = re.compile(r"\"[^\"$\\\n]*\"|\w+|\S")
_TOKENS_OF_STRING = 3
_MEMBER = re.compile(r"[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^\n])")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Template:
    """A string, with its `${…}` and `%{…}` still in it."""

    written: Spanned


@dataclass(frozen=True, slots=True)
class Name:
    """A variable's name used as an expression, or `name.member`."""

    name: str
    place: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression that is not evaluated, as it was written."""

    text: str
    place: int


Value = Template | Name | Opaque | tuple["Value", ...] | dict[str, "Value"]
"""A list is a tuple, an object a dict."""


@dataclass(frozen=True, slots=True)
class HclBlock:
    """One block: `target "api" { … }` has the kind `target` and the label `api`."""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, Value]


def read(source: str) -> list[HclBlock]:
    """The blocks of the file; its own attributes are those of a block without a kind. Raises `Unreadable`."""
    if len(source) > LARGEST_TEXT:
        raise Unreadable(1, f"the file has more than {LARGEST_TEXT:,} characters and is not read")
    if _count_tokens(source) > MOST_TOKENS:
        raise Unreadable(1, f"the file has more than {MOST_TOKENS:,} words and signs and is not read")
    text = source.removeprefix(BOM)
    try:
        tree: Tree[Any] = hcl2.parses_to_tree(f"{_without_strip_markers(text)}\n")
    except UnexpectedInput as error:
        line = error.line if isinstance(error.line, int) and error.line > 0 else 1
        raise Unreadable(line, "the file is not valid HCL here") from error
    except (LarkError, RecursionError) as error:
        raise Unreadable(1, "the file is not valid HCL") from error
    return _Reader(source, len(source) - len(text)).blocks(tree)


def _count_tokens(text: str) -> int:
    """About how many tokens the parser makes of a text: a plain string has its quotes and what is between them."""
    return sum(_TOKENS_OF_STRING if token[0] == '"' else 1 for token in _TOKEN.findall(text))


def _without_strip_markers(text: str) -> str:
    """`${~ x ~}`, which the parser does not know, with every character in its place."""
    return text.replace("${~", "${ ").replace("~}", " }")


class _Reader:
    def __init__(self, source: str, shift: int) -> None:
        self.source = source
        self.shift = shift

    def blocks(self, tree: Tree[Any]) -> list[HclBlock]:
        (body,) = _trees(tree)
        blocks = [HclBlock("", (), self._attributes(body))]
        for child in _trees(body):
            if child.data == "block":
                *head, inner = (part for part in _trees(child) if part.data != "new_line_or_comment")
                names = [self._label(part) for part in head]
                blocks.append(HclBlock(names[0], tuple(names[1:]), self._attributes(inner)))
        return blocks

    def _attributes(self, body: Tree[Any]) -> dict[str, Value]:
        attributes: dict[str, Value] = {}
        for child in _trees(body):
            if child.data == "attribute":
                name, value = _trees(child)
                attributes[self._label(name)] = self.value(value, 0)
        return attributes

    def value(self, tree: Tree[Any], depth: int) -> Value:
        inner = [part for part in tree.children if not _is_blank(part)]
        if tree.data == "expr_term" and len(inner) == 1 and isinstance(inner[0], Tree):
            return self.value(inner[0], depth)
        if depth < DEEPEST_NESTING:
            match tree.data:
                case "string":
                    return Template(self._string(tree))
                case "heredoc_template" | "heredoc_template_trim":
                    return Template(self._heredoc(tree))
                case "int_lit" | "float_lit":
                    return Template(self._source_of(tree))
                case "identifier":
                    return Name(self._label(tree), self._place(tree))
                case "get_attr_expr_term" if _MEMBER.fullmatch(self._source_of(tree).text):
                    return Name(self._source_of(tree).text, self._place(tree))
                case "tuple":
                    return tuple(self.value(part, depth + 1) for part in _trees(tree) if not _is_blank(part))
                case "object":
                    return dict(self._entries(tree, depth))
        return Opaque(self._source_of(tree).text, self._place(tree))

    def _entries(self, tree: Tree[Any], depth: int) -> Iterator[tuple[str, Value]]:
        for element in _trees(tree):
            if element.data == "object_elem":
                key, value = _trees(element)
                name = self._source_of(key).text.strip().strip('"')
                yield name, self.value(value, depth + 1)

    def _string(self, tree: Tree[Any]) -> Spanned:
        """The text between the quotes, escapes decoded."""
        text = self._source_of(tree)
        text = text.part(1, len(text) - 1)
        parts: list[Spanned] = []
        done = 0
        for escape in _ESCAPE.finditer(text.text):
            parts.append(text.part(done, escape.start()))
            parts.append(Spanned(_decode_escape(escape.group()), (~text.place(escape.start()),)))
            done = escape.end()
        return joined([*parts, text.part(done, len(text))])

    def _heredoc(self, tree: Tree[Any]) -> Spanned:
        """The lines between the markers; `<<-` takes away the indentation that all lines share."""
        text = self._source_of(tree)
        start = text.text.index("\n") + 1
        end = text.text.rstrip().rfind("\n") + 1
        body = text.part(start, max(start, end))
        if tree.data == "heredoc_template":
            return body
        lines = list(re.finditer(r"[^\n]*\n", body.text))
        shared = min((_indentation(line.group()) for line in lines if line.group().strip()), default=0)
        return joined(
            [body.part(min(line.start() + shared, line.end() - 1), line.end()) for line in lines] or [body]
        )

    def _label(self, tree: Tree[Any]) -> str:
        return self._source_of(tree).text.strip().strip('"')

    def _source_of(self, tree: Tree[Any]) -> Spanned:
        end = min(int(tree.meta.end_pos) + self.shift, len(self.source)) if not tree.meta.empty else 0
        place = min(self._place(tree), end)
        return Spanned(self.source[place:end], range(place, end))

    def _place(self, tree: Tree[Any]) -> int:
        return 0 if tree.meta.empty else int(tree.meta.start_pos) + self.shift


def _trees(tree: Tree[Any]) -> list[Tree[Any]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _is_blank(part: Tree[Any] | Token) -> bool:
    return isinstance(part, Tree) and part.data == "new_line_or_comment"


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _decode_escape(escape: str) -> str:
    kind = escape[1]
    if kind in "uU" and len(escape) > 2:
        code = int(escape[2:], 16)
        return chr(code) if code < 0x110000 else "\ufffd"
    return _SIMPLE_ESCAPES.get(kind, kind)
