"""MSBuild conditions, as far as a text alone decides them.

The grammar is the documented one (https://learn.microsoft.com/visualstudio/msbuild/msbuild-conditions). Answers are
three-valued: None where it takes the machine, the command line or a function of MSBuild's to know.
"""

import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from bot.files.formats.source.tokens import tokens_of

LONGEST_CONDITION = 4096
MOST_NESTED = 50

Expand = Callable[[str], str | None]
"""A text with `$(…)` in it → what it becomes, or None where that is not known."""

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>'[^']*')|(?P<operator>==|!=|<=|>=|<|>)|(?P<open>\()|(?P<close>\))|(?P<not>!)"
    r"|(?P<property>\$\([A-Za-z_][\w.-]*\))|(?P<word>[\w.:-]+))"
)
_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def condition_holds(condition: str, expand: Expand) -> bool | None:
    """Whether the condition holds; an empty one does. None where the text cannot tell, or cannot be read."""
    if not condition.strip():
        return True
    tokens = tokens_of(condition.rstrip(), _TOKEN) if len(condition) <= LONGEST_CONDITION else None
    if tokens is None:
        return None
    reader = _Reader(tokens, expand)
    try:
        answer = reader.either(0)
    except _NotReadable:
        return None
    return answer if reader.is_at_end else None


def both(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def negated(a: bool | None) -> bool | None:
    return None if a is None else not a


class Applies(NamedTuple):
    """Whether elements of a project count, `holds` being None where `condition` keeps us from knowing.

    `is_certain` says that the answer rests on nothing that a build may be given: a property that no text sets
    (taken for empty), or one that a text sets only where it is empty.
    """

    holds: bool | None = True
    condition: str = ""
    is_certain: bool = True

    @property
    def is_ruled_out(self) -> bool:
        return self.holds is False and self.is_certain

    def narrowed(self, own: bool | None, condition: str, *, is_certain: bool) -> "Applies":
        """The same within an element whose own condition comes to `own`."""
        if self.holds is False:
            return self
        why = self.condition if own is not None or self.holds is None else condition
        return Applies(both(self.holds, own), why, is_certain and (own is False or self.is_certain))


class _NotReadable(Exception):
    """The condition uses something that is not read here, such as `Exists('…')`."""


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], expand: Expand) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._position = 0
        self._expand = expand

    @property
    def is_at_end(self) -> bool:
        return self._tokens[self._position][0] == "end"

    def either(self, depth: int) -> bool | None:
        answer = self._all(depth)
        while self._takes_word("or"):
            answer = negated(both(negated(answer), negated(self._all(depth))))
        return answer

    def _all(self, depth: int) -> bool | None:
        answer = self._single(depth)
        while self._takes_word("and"):
            answer = both(answer, self._single(depth))
        return answer

    def _single(self, depth: int) -> bool | None:
        if depth > MOST_NESTED:
            raise _NotReadable
        kind, _ = self._tokens[self._position]
        if kind == "not":
            self._position += 1
            return negated(self._single(depth + 1))
        if kind == "open":
            self._position += 1
            answer = self.either(depth + 1)
            self._take("close")
            return answer
        left = self._operand()
        if self._tokens[self._position][0] != "operator":
            return {"true": True, "false": False}.get((left or "").lower()) if left is not None else None
        sign = self._take("operator")
        return _compare_sides(left, sign, self._operand())

    def _operand(self) -> str | None:
        kind, text = self._tokens[self._position]
        if kind not in ("quoted", "property", "word"):
            raise _NotReadable
        self._position += 1
        if kind == "word" and self._tokens[self._position][0] == "open":
            raise _NotReadable  # a function: Exists, HasTrailingSlash
        return self._expand(text.strip("'") if kind == "quoted" else text)

    def _take(self, kind: str) -> str:
        token_kind, text = self._tokens[self._position]
        if token_kind != kind:
            raise _NotReadable
        self._position += 1
        return text

    def _takes_word(self, word: str) -> bool:
        kind, text = self._tokens[self._position]
        if kind == "word" and text.lower() == word:
            self._position += 1
            return True
        return False


def _compare_sides(left: str | None, sign: str, right: str | None) -> bool | None:
    if left is None or right is None:
        return None
    if sign in ("==", "!="):
        return (left.lower() == right.lower()) == (sign == "==")
    numbers = _version(left), _version(right)
    if numbers[0] is None or numbers[1] is None:
        return None
    return bool(_COMPARISONS[sign](numbers[0], numbers[1]))


def _version(text: str) -> tuple[int, ...] | None:
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}", text):
        return None
    parts = tuple(int(part) for part in text.split("."))
    return parts + (0,) * (4 - len(parts))
