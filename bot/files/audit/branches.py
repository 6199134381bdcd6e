"""Under which condition a script comes to a command: in a branch, behind a test, or behind what ends the script.

Comparisons of texts are judged where both sides are written out or known; all others are left open. Source: the
manual of bash (`if`, `case`, lists, `[`, `[[`); of PowerShell only the braces behind `if` and `switch` are read.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

_COMPARES = re.compile(
    r"\[\[?\s+(?P<left>\"[^\"]*\"|'[^']*'|[^\s\"']+)\s+(?P<sign>==?|!=)\s+(?P<right>\"[^\"]*\"|'[^']*'|[^\s\"']+)\s+\]\]?"
)
_VARIABLE = re.compile(r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)\})")
_OPEN = re.compile(r"[$`]|\bGHEXPR\d+E\b")
_TESTS = ("[", "[[", "test")
_ENDS_WELL = re.compile(r"(?:^|[;&|\s])(?:exit|return)(?:\s+0)?\s*(?:$|[;}\n#])", re.MULTILINE)
_BRACES = re.compile(
    r"\"(?:`.|[^\"`\n])*\"|'[^'\n]*'|#[^\n]*|(?P<branch>\b(?:if|elseif|else|switch)\b[^{}\n]*)?\{|\}", re.IGNORECASE
)
_BRANCHES = frozenset({"elif_clause", "else_clause"})
_LONGEST = 100
_MOST_ENDS = 50


@dataclass(frozen=True, slots=True)
class ScriptBranch:
    """Whether a run comes to a command: None where only the run tells, by the condition `on`."""

    is_taken: bool | None = True
    on: str = ""


ALWAYS = ScriptBranch()


class Branches:
    """The branches of one script; `parents` are those of its syntax tree's nodes, `known` are variables."""

    def __init__(self, text: str, parents: Mapping[int, Any], known: Mapping[str, str]) -> None:
        self._text, self._parents, self._known = text, parents, known
        self._ends: list[tuple[int, ScriptBranch]] | None = None

    def of(self, node: Any) -> ScriptBranch:
        """What a command hangs on: the first that keeps it from running, or may."""
        first_open = ALWAYS
        for branch in self._around(node):
            if branch.is_taken is False:
                return branch
            if branch.is_taken is None and first_open is ALWAYS:
                first_open = branch
        return first_open

    def _around(self, node: Any) -> Iterator[ScriptBranch]:
        child, parent = node, self._parents.get(node.id)
        while parent is not None:
            match parent.type:
                case "if_statement" | "elif_clause":
                    if not _is_condition(child, parent):
                        yield self._judged(
                            _condition_of(parent), is_else=child.type in {"elif_clause", "else_clause"}
                        )
                case "case_item":
                    yield ScriptBranch(None, f"case {_short(self._slice(parent.children[0]))}")
                case "list" if child.id != parent.children[0].id:
                    left, sign = parent.children[0], parent.children[1].type
                    if sign == "||" or self._slice(left).lstrip("! (").split(" ", 1)[0] in _TESTS:
                        yield self._judged([left], is_else=sign == "||")
                case "program":
                    yield from self._ended_before(child, parent)
            child, parent = parent, self._parents.get(parent.id)

    def _ended_before(self, child: Any, program: Any) -> Iterator[ScriptBranch]:
        """What may have ended the script well before."""
        if self._ends is None:
            ends = ((each.start_byte, end) for each in program.children for end in self._end_in(each))
            self._ends = list(islice(ends, _MOST_ENDS))
        yield from (end for start, end in self._ends if start < child.start_byte)

    def _end_in(self, statement: Any) -> Iterator[ScriptBranch]:
        is_list = statement.type == "list"
        if not (is_list or statement.type == "if_statement") or not _ENDS_WELL.search(self._slice(statement)):
            return
        condition = statement.children[:1] if is_list else _condition_of(statement)
        judged = self._judged(condition, is_else=True)
        is_plain = not is_list and not _BRANCHES & {each.type for each in statement.children}
        yield judged if is_plain else ScriptBranch(None, judged.on)

    def _judged(self, condition: list[Any], *, is_else: bool) -> ScriptBranch:
        text = " ".join(self._slice(each) for each in condition).strip()
        on = _short(f"not {text}" if is_else else text)
        holds = self._truth(text)
        return ScriptBranch(None if holds is None else holds is not is_else, on)

    def _truth(self, text: str) -> bool | None:
        compared = _COMPARES.fullmatch(text)
        if compared is None:
            return None
        left, right = self._filled(compared["left"]), self._filled(compared["right"])
        if left is None or right is None:
            return None
        is_glob = text.startswith("[[") and compared["right"][:1] not in "\"'"
        is_same = fnmatchcase(left, right) if is_glob else left == right
        return is_same is (compared["sign"] != "!=")

    def _filled(self, word: str) -> str | None:
        plain = word.strip("\"'")
        filled = _VARIABLE.sub(lambda match: self._known.get(match["name"] or match["braced"], match[0]), plain)
        return None if _OPEN.search(filled) else filled

    def _slice(self, node: Any) -> str:
        return self._text[node.start_byte : node.end_byte]


def _is_condition(child: Any, parent: Any) -> bool:
    return any(each.id == child.id for each in _condition_of(parent))


def _condition_of(branch: Any) -> list[Any]:
    """What stands between `if` or `elif` and `then`."""
    nodes = []
    for each in branch.children:
        if each.type == "then":
            break
        if each.type not in {"if", "elif", ";", "\n"}:
            nodes.append(each)
    return nodes


class BraceBranches:
    """The same for a script of PowerShell, by the braces that are open."""

    def __init__(self, text: str) -> None:
        self._from: list[int] = []
        self._branches: list[ScriptBranch] = []
        opened: list[str] = []
        for token in _BRACES.finditer(text):
            if token.group().endswith("{") and token.group()[:1] not in "\"'#":
                opened.append((token["branch"] or "").strip())
            elif token.group() == "}" and opened:
                opened.pop()
            else:
                continue
            on = next((each for each in opened if each), "")
            self._from.append(token.end())
            self._branches.append(ScriptBranch(None, _short(on)) if on else ALWAYS)

    def at(self, offset: int) -> ScriptBranch:
        """What a command at that offset hangs on."""
        number = bisect_right(self._from, offset)
        return self._branches[number - 1] if number else ALWAYS


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
