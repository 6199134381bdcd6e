"""Conditions of templates, as far as the chart's own values tell: names, literals and the usual functions.

Source: Helm's chart template guide on flow control and on functions.
"""

import re
from collections.abc import Callable

from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

DEEPEST = 20
_TOKEN = re.compile(r'\(|\)|\||"(?:[^"\\]|\\.)*"|`[^`]*`|[^\s()|"`]+')
_LITERAL = re.compile(r"-?\d+(?:\.\d+)?|true|false|nil")
Look = Callable[[str], tuple[bool, Node | None]]
"""A name in a template → whether it is known, and what it is."""


def template_condition_holds(text: str, look: Look) -> bool | None:
    """Whether a condition holds; None where only a rendering tells. Never raises."""
    tokens = _TOKEN.findall(text)[:400]
    if not tokens or "|" in tokens or tokens.count("(") != tokens.count(")"):
        return None
    arguments, tokens_left = _arguments(tokens, 0)
    return None if tokens_left else _truth(arguments, look, 0)


_Tree = list["str | _Tree"]


def _arguments(tokens: list[str], depth: int) -> tuple[_Tree, list[str]]:
    """The words up to a closing parenthesis, each parenthesis as a list of its own, and what stands behind."""
    arguments: _Tree = []
    while tokens:
        word, tokens = tokens[0], tokens[1:]
        if word == ")":
            return arguments, tokens if depth else [word, *tokens]
        if word == "(":
            if depth >= DEEPEST:
                return arguments, [word]
            inner, tokens = _arguments(tokens, depth + 1)
            arguments.append(inner)
        else:
            arguments.append(word)
    return arguments, []


def _truth(words: "_Tree | str", look: Look, depth: int) -> bool | None:
    if isinstance(words, str):
        words = [words]
    if len(words) == 1:
        if isinstance(words[0], list):
            return _truth(words[0], look, depth + 1)
        is_known, value = _value(words[0], look)
        return is_true(value) if is_known else None
    if not words or not isinstance(words[0], str):
        return None
    function, *arguments = words
    match function:
        case "not" if len(arguments) == 1:
            inner = _truth(arguments[0], look, depth + 1)
            return None if inner is None else not inner
        case "and" | "or":
            deciding = function == "or"
            inner_ones = [_truth(each, look, depth + 1) for each in arguments]
            if deciding in inner_ones:
                return deciding
            return None if None in inner_ones else not deciding
        case "empty" if len(arguments) == 1:
            inner = _truth(arguments[0], look, depth + 1)
            return None if inner is None else not inner
        case "eq" | "ne" if len(arguments) >= 2:
            return _compare_values(arguments, look, wants_equal=function == "eq")
    return None


def _compare_values(arguments: _Tree, look: Look, *, wants_equal: bool) -> bool | None:
    texts = []
    for argument in arguments:
        word = argument[0] if isinstance(argument, list) and len(argument) == 1 else argument
        is_known, value = _value(word, look) if isinstance(word, str) else (False, None)
        if not is_known or isinstance(value, (Mapping, Sequence)):
            return None
        texts.append(value.value if isinstance(value, Scalar) and not value.is_null else None)
    is_equal = any(text == texts[0] for text in texts[1:])
    return is_equal is wants_equal


def _value(word: str, look: Look) -> tuple[bool, Node | None]:
    if word[:1] in {'"', "`"}:
        return True, Scalar("", 0, 0, word[1:-1])
    if _LITERAL.fullmatch(word):
        return True, None if word == "nil" else Scalar("", 0, 0, word)
    return look(word)


def is_true(node: Node | None) -> bool:
    """Whether a value counts as true in a template: nothing, zero and what is empty do not."""
    match node:
        case None:
            return False
        case Scalar():
            return not node.is_null and node.value.lower() not in {"", "false", "0"}
        case Sequence():
            return bool(node.items)
        case Mapping():
            return bool(node.own or node.merged)
