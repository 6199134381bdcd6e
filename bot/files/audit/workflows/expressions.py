"""GitHub's expressions, evaluated as far as the texts tell.

Source: GitHub's page "Evaluate expressions in workflows and actions". A value is handed over as a text, with what
its context tells of its kind: the text `false` holds in a condition, and the boolean does not. What only a run
knows is None, and logic on it has three values.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.tokens import tokens_of

Values = Mapping[str, str]
"""What contexts hold, by dotted name in lower case: `inputs.push`, `matrix.image`, `env.image`.

`success()` and its like are what the functions of that name answer, where a run is taken to go one way.
"""

LONGEST_EXPRESSION = 4_000
MOST_ADDED = 8_000
"""By how many characters the values of expressions may make a text longer."""
DEEPEST_EXPRESSION = 40
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>&&|\|\||==|!=|<=|>=|[()!<>,])|(?P<word>[\w.*\[\]'-]+))", re.DOTALL
)
_NOT_TRUE = frozenset({"", "false", "0", "null"})
"""What does not hold as a condition, where it is no text."""
_STATUS = {"always": True, "success": None, "failure": None, "cancelled": None}


def filled(text: str, values: Values) -> str:
    """The text with each expression replaced by its value; those without a known one stay, spaced alike.

    So do those whose values would make the text longer by more than `MOST_ADDED`: values are made of values.
    """
    if "${{" not in text:
        return text
    room = MOST_ADDED

    def value(match: re.Match[str]) -> str:
        nonlocal room
        inside = match["inside"].strip()
        inside_value = evaluated(inside, values)
        if inside_value is None and "${{" in (handed := values.get(inside.lower(), "")):
            inside_value = handed
        if inside_value is None or (added := len(inside_value) - len(match.group())) > room:
            return f"${{{{ {' '.join(inside.split())} }}}}"
        room -= max(added, 0)
        return inside_value

    return EXPRESSION.sub(value, text)


def truth(text: str, values: Values) -> bool | None:
    """Whether a condition holds, with or without `${{ }}` around it; None where only a run knows.

    With more around an expression it is a text for GitHub, which holds.
    """
    condition = text.strip()
    whole = EXPRESSION.fullmatch(condition)
    if whole is not None and condition.count("${{") == 1:
        condition = whole["inside"]
    elif "${{" in condition:
        return True
    value = _valued(condition, values)
    return None if value is None else value.is_true


def evaluated(expression: str, values: Values) -> str | None:
    """The value of an expression as text; None where it is not known, or is no expression."""
    value = _valued(expression, values)
    return None if value is None else value.text


def _valued(expression: str, values: Values) -> "_Value | None":
    if len(expression) > LONGEST_EXPRESSION:
        return None
    tokens = tokens_of(expression.strip(), _TOKEN)
    if tokens is None:
        return None
    reader = _Reader(tokens, values)
    try:
        value = reader.either(0)
    except _NotRead:
        return None
    return value if reader.is_at_end else None


def input_condition(text: str) -> str:
    """The condition under which an action takes an input for true; empty where that is not told.

    Actions get texts, of which `false` is one that holds in a condition.
    """
    whole = EXPRESSION.fullmatch(text.strip())
    if whole is None or text.count("${{") != 1:
        return "" if "${{" in text else text
    return as_input_true(whole["inside"].strip())


def as_input_true(expression: str) -> str:
    """The condition under which an action takes the expression's value for true: what need not be a boolean is
    compared."""
    tokens = tokens_of(expression.strip(), _TOKEN) if len(expression) <= LONGEST_EXPRESSION else None
    if tokens is not None and _is_boolean(tokens, 0):
        return expression
    is_text = tokens is not None and len(tokens) == 1 and _TEXT.fullmatch(tokens[0][1]) is not None
    text = expression if is_text else f"format('{{0}}', {expression})"
    return f"{text} == 'true'"


_TEXT = re.compile(
    r"(?:(?:env|vars|secrets)|github\.event\.inputs|(?:steps|needs)\.[\w-]+\.outputs)\.[\w-]+", re.IGNORECASE
)
"""Contexts that hold texts alone; inputs and the matrix keep their kinds."""


def as_text(name: str) -> str:
    """The key that tells, beside the value of a context, that it is a text, though others of that context need not
    be."""
    return f"{name} as text"


_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
_BOOLEAN_FUNCTIONS = frozenset({*_STATUS, "contains", "startswith", "endswith"})


def _is_boolean(tokens: list[tuple[str, str]], depth: int) -> bool:
    """Whether an expression is true or false, whatever its contexts hold."""
    operands, open_brackets = [list[tuple[str, str]]()], 0
    for kind, text in tokens:
        open_brackets += (text == "(") - (text == ")") if kind == "sign" else 0
        if kind == "sign" and text in {"&&", "||"} and not open_brackets:
            operands.append([])
        else:
            operands[-1].append((kind, text))
    return all(_is_boolean_operand(each, depth) for each in operands)


def _is_boolean_operand(tokens: list[tuple[str, str]], depth: int) -> bool:
    if not tokens or depth > DEEPEST_EXPRESSION:
        return False
    open_brackets = 0
    for kind, text in tokens:
        open_brackets += (text == "(") - (text == ")") if kind == "sign" else 0
        if kind == "sign" and text in _COMPARISONS and not open_brackets:
            return True
    if tokens[0] == ("sign", "!"):
        return True
    if tokens[0] == ("sign", "("):
        return tokens[-1] == ("sign", ")") and _is_boolean(tokens[1:-1], depth + 1)
    kind, first = tokens[0][0], tokens[0][1].lower()
    if len(tokens) == 1:
        return kind == "word" and first in {"true", "false"}
    return kind == "word" and first in _BOOLEAN_FUNCTIONS


class _NotRead(Exception):
    """What follows is no expression, or a deeper one than people write."""


class _Kind(Enum):
    TEXT = "text"
    PLAIN = "boolean, number or null"
    OPEN = "not told"


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    kind: _Kind

    @property
    def is_true(self) -> bool:
        return self.text != "" if self.kind is _Kind.TEXT else self.text.lower() not in _NOT_TRUE

    @property
    def is_surely_true(self) -> bool:
        return self.kind is _Kind.PLAIN and self.text == "true"

    def equals(self, other: "_Value") -> bool:
        """As GitHub compares: texts in any case, and all else as numbers, of which null and an empty text are 0."""
        is_by_number = [each.kind is not _Kind.OPEN or not each.text for each in (self, other)]
        if _Kind.PLAIN in {self.kind, other.kind} and all(is_by_number):
            return self._number() == other._number()
        return self.text.lower() == other.text.lower()

    def _number(self) -> float:
        if self.kind is not _Kind.TEXT and self.text in {"true", "false"}:
            return float(self.text == "true")
        try:
            return float(self.text.strip() or "0")
        except ValueError:
            return math.nan


_TRUE, _FALSE = _Value("true", _Kind.PLAIN), _Value("false", _Kind.PLAIN)


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], values: Values) -> None:
        self._tokens = tokens
        self._values = values
        self._position = 0

    @property
    def is_at_end(self) -> bool:
        return self._position >= len(self._tokens)

    def _takes(self, sign: str) -> bool:
        if not self.is_at_end and self._tokens[self._position] == ("sign", sign):
            self._position += 1
            return True
        return False

    def either(self, depth: int) -> _Value | None:
        """`a || b`: the first that is true, else the last."""
        if depth > DEEPEST_EXPRESSION:
            raise _NotRead
        left = self._both(depth + 1)
        while self._takes("||"):
            right = self._both(depth + 1)
            if left is None:
                left = right if right is not None and right.is_surely_true else None
            elif not left.is_true:
                left = right
        return left

    def _both(self, depth: int) -> _Value | None:
        left = self._read_comparison(depth)
        while self._takes("&&"):
            right = self._read_comparison(depth)
            if left is None:
                left = right if right is not None and not right.is_true else None
            elif left.is_true:
                left = right
        return left

    def _read_comparison(self, depth: int) -> _Value | None:
        left = self._single(depth)
        for sign in ("==", "!=", "<=", ">=", "<", ">"):
            if self._takes(sign):
                right = self._single(depth)
                if left is None or right is None or sign not in {"==", "!="}:
                    return None
                return _word(left.equals(right) is (sign == "=="))
        return left

    def _single(self, depth: int) -> _Value | None:
        if self._takes("!"):
            value = self._single(depth)
            return None if value is None else _word(not value.is_true)
        if self._takes("("):
            value = self.either(depth + 1)
            if not self._takes(")"):
                raise _NotRead
            return value
        if self.is_at_end:
            raise _NotRead
        kind, text = self._tokens[self._position]
        self._position += 1
        if kind == "text":
            return _Value(text[1:-1].replace("''", "'"), _Kind.TEXT)
        if kind == "sign":
            raise _NotRead
        if self._takes("("):
            return self._read_call(text.lower(), depth)
        return self._looked_up(text)

    def _looked_up(self, text: str) -> _Value | None:
        name = text.lower()
        if name in {"true", "false"} or re.fullmatch(r"-?\d+(?:\.\d+)?", name):
            return _Value(name, _Kind.PLAIN)
        if name == "null":
            return _Value("", _Kind.PLAIN)
        key = re.sub(r"\['([\w-]+)'\]", r".\1", name)
        context_value = self._values.get(key)
        is_text = _TEXT.fullmatch(key) is not None or as_text(key) in self._values
        kind = _Kind.TEXT if is_text else _Kind.OPEN
        if context_value is None or "${{" not in context_value:
            return None if context_value is None else _Value(context_value, kind)
        # What a caller handed over is an expression itself, in which the same name stands for something else.
        whole = filled(context_value, {other: value for other, value in self._values.items() if "${{" not in value})
        return None if "${{" in whole else _Value(whole, kind)

    def _read_call(self, name: str, depth: int) -> _Value | None:
        arguments: list[_Value | None] = []
        if not self._takes(")"):
            arguments.append(self.either(depth + 1))
            while self._takes(","):
                arguments.append(self.either(depth + 1))
            if not self._takes(")"):
                raise _NotRead
        if name in _STATUS:
            word = self._values.get(f"{name}()") or ("true" if _STATUS[name] else None)
            return None if word is None else _Value(word, _Kind.PLAIN)
        texts = [value.text for value in arguments if value is not None]
        if len(texts) != len(arguments):
            return None
        if name == "format" and texts:
            arguments_told = texts[1:] + [""] * 10
            pieces = re.split(r"\{(\d)\}", texts[0])
            pieces[1::2] = [arguments_told[int(number)] for number in pieces[1::2]]
            is_short = sum(map(len, pieces)) <= sum(map(len, texts)) + MOST_ADDED
            return _Value("".join(pieces), _Kind.TEXT) if is_short else None
        if len(texts) != 2:
            return None
        first, second = (value.lower() for value in texts)
        match name:
            case "contains":
                return _word(second in first)
            case "startswith":
                return _word(first.startswith(second))
            case "endswith":
                return _word(first.endswith(second))
        return None


def _word(value: bool) -> _Value:
    return _TRUE if value else _FALSE
