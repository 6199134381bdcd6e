"""The lines of a chart's template, rendered as far as its values tell; what they do not tell is hidden."""

import re
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass

from bot.files.audit.workloads.helm_conditions import is_true
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE, ChartValues
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.text import Lines

HIDDEN = "hidden-by-template-"
FROM_VALUES = "from-values-"
DEEPEST = 60
_ACTION = re.compile(r"\{\{(?P<whole>(?:[^}]++|\}(?!\}))*+)\}\}")
_COMMENT = re.compile(r"\{\{-?\s*/\*(?:[^*{]++|\*(?!/)|\{(?!\{-?\s*/\*))*+\*/\s*-?\}\}")
_INDENT = re.compile(r"\bn?indent\s+(?P<by>\d+)")
_LITERAL = re.compile(r"\"(?P<text>[^\"\\]*)\"")
_CONTEXT = "securityContext:"
_KEY = re.compile(r"([A-Za-z]\w*):")
_KEY_OF_LINE = re.compile(r"\s*(?:-\s+)?[\w./\"-]+:(?=\s)")
_KEY_BEFORE = re.compile(r"^(?P<key>\s*(?:-\s+)?[\w./\"-]+:)\s*$")


class OriginalPlaces(Lines):
    """The lines of the template that those of the rendered text came from."""

    def __init__(self, text: str, origins: list[int]) -> None:
        super().__init__(text)
        self._origins = origins

    def at(self, offset: int) -> int:
        line = super().at(offset)
        return self._origins[min(line, len(self._origins)) - 1] if self._origins else 1


def _inside(action: re.Match[str]) -> str:
    """What an action says, without the signs that take white space away around it."""
    return action["whole"].removeprefix("-").removesuffix("-").strip()


def _with_actions(text: str, by: Callable[[re.Match[str]], str]) -> str:
    """The text with something else for each of its actions."""
    end = _end_of_last(text)
    return _ACTION.sub(by, text[:end]) + text[end:]


def _end_of_last(text: str) -> int:
    """Where the last action ends: what is opened behind that is never closed, and need not be looked for."""
    return text.rfind("}}") + 2 if "}}" in text else 0


@dataclass(slots=True)
class _Block:
    """An `if`, `with` or `range` that is open: whether its lines count, and what the dot is in it."""

    counts: bool
    dot: Node | None
    has_counted: bool
    hides: bool = False
    """Whether only a rendering tells which of its branches counts: then marks stand for what may be there."""
    marked_at: int | None = None
    """The column of these marks."""
    empty: Node | None = None
    """What a `with` names, where that is empty by the values."""
    is_condition: bool = False
    """Whether it is an `if`."""
    is_not_given: bool = False
    """Whether it is a `range` around whole objects, over what the chart's own values do not name: what a helper
    makes there is made for whoever names some."""
    order: int = 0
    """How many were opened before it."""
    branch: int = 0
    """Which of its branches is open."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a value that is empty would stand if it were not: in or behind a line, from a column on.

    Without a value a condition leaves out what the template has there.
    """

    line: int
    column: int
    value: Node | None


class RenderedLines:
    """Takes the text of a template and gives the lines that it makes, each with the line that it comes from.

    What the values do not tell stands as a mark (`HIDDEN`, `HIDDEN_VALUE`): a reader says "unknown" of that.
    `taken` has the branch of each block that counts whatever the values say, by the order in which they are opened.
    """

    def __init__(self, values: Mapping, chart: Mapping | None = None, taken: Items[int] | None = None) -> None:
        self.lines: list[str] = []
        self.origins: list[int] = []
        self.branches: list[int] = []
        """How many each block has, in the order in which they are opened."""
        self._taken = taken
        self._values = ChartValues(values, chart)
        self._nodes: dict[str, Node] = {}
        self._blocks: list[_Block] = []
        self.gaps: list[Gap] = []
        """For security contexts, whose values people fill in later."""

    def take(self, text: str) -> None:
        text = _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
        # An action over several lines counts as one line.
        text = _with_actions(
            text, lambda match: " ".join(match.group().split("\n")) + "\0" * match.group().count("\n")
        )
        number = 0
        for line in text.split("\n"):
            number += 1
            self._line(line.replace("\0", "").rstrip("\r"), number)
            number += line.count("\0")

    def _line(self, line: str, number: int) -> None:
        actions = list(_ACTION.finditer(line, 0, _end_of_last(line)))
        outside = _with_actions(line, lambda _: "").strip()
        if actions and not outside:
            for action in actions:
                self._control(_inside(action), line, number)
            return
        if not all(block.counts for block in self._blocks):
            left_out = next(block for block in self._blocks if not block.counts)
            is_whole = line.strip() == _CONTEXT and left_out.empty is not None
            if is_whole or (left_out.is_condition and line.lstrip().startswith(_CONTEXT)):
                self.gaps.append(Gap(len(self.lines), line.index(_CONTEXT), left_out.empty))
            return
        if self._is_hidden(line, number):
            return
        if actions and (key := _KEY_BEFORE.match(line[: actions[-1].start()])) and len(actions) == 1:
            inside = _inside(actions[0])
            if _INDENT.search(inside) and ("toYaml" in inside or "include" in inside or "tpl" in inside):
                self._emit(key["key"], number)
                self._control(inside, line, number)
                return
        made = _with_actions(line, lambda match: self._values.inline(_inside(match), self._dot))
        if made.rstrip().endswith(":") and not line.rstrip().endswith(":") and (key := _KEY_OF_LINE.match(line)):
            # Names that are put together from empty values, such as `/:`, would be another mapping.
            made = f"{key[0]} {HIDDEN_VALUE}"
        self._emit(made, number)

    def _is_hidden(self, line: str, number: int) -> bool:
        """Whether a block hides the line; a mark that its key may be there takes its place."""
        block = next((each for each in self._blocks if each.hides), None)
        if block is None:
            return False
        text = line.lstrip()
        indent = len(line) - len(text)
        if text and not text.startswith("#") and block.marked_at in {None, indent}:
            key = _KEY.match(text)
            if text.startswith("- ") and block.marked_at is None:
                self._emit(f"{' ' * indent}- {HIDDEN}{number}", number)
            elif not text.startswith("- "):
                self._emit(f"{' ' * indent}{HIDDEN}{number}{f'-{key[1]}' if key else ''}: 1", number)
            block.marked_at = indent
        return True

    @property
    def _is_inside(self) -> bool:
        """Whether an object has begun: a condition around a whole one only says whether there is one."""
        for line in reversed(self.lines):
            if line.startswith("---"):
                return False
            if line.startswith(("kind:", "spec:", "apiVersion:")):
                return True
        return False

    def _emit(self, line: str, number: int) -> None:
        self._mark_as_item(line)
        self.lines.append(line)
        self.origins.append(number)

    def _mark_as_item(self, line: str) -> None:
        """What a helper puts in front of the items of a list are items, though it is the first of them."""
        text = line.lstrip()
        padding = line[: len(line) - len(text)]
        if not text.startswith("- "):
            return
        index = len(self.lines) - 1
        while index >= 0 and not self.lines[index].strip():
            index -= 1
        if index < 0:
            return
        mark = self.lines[index].removeprefix(padding)
        if mark.startswith(HIDDEN) and mark.endswith(": 1"):
            self.lines[index] = f"{padding}- {mark.removesuffix(': 1')}"

    def _control(self, inside: str, line: str, number: int) -> None:
        word, _, arguments = inside.partition(" ")
        match word:
            case "if" | "with" | "range":
                is_met, node = self._values.condition(arguments, self._dot)
                if self._taken is not None:
                    node = node if is_met else None
                    is_met = self._takes(len(self.branches), 0)
                dot = node if word == "with" else None if word == "range" else self._dot
                hides = is_met is None and word == "if" and self._is_inside
                empty = node if word == "with" and is_met is False else None
                block = _Block(is_met is not False, dot, is_met is not False, hides, empty=empty)
                block.is_condition = word == "if"
                block.is_not_given = word == "range" and is_met is False and node is None and not self._is_inside
                block.order = len(self.branches)
                self.branches.append(1)
                self._blocks.append(block)
            case "else":
                if self._blocks:
                    block = self._blocks[-1]
                    condition = arguments.removeprefix("if ")
                    is_met = self._values.condition(condition, self._dot)[0] if condition != arguments else True
                    block.branch += 1
                    if block.order >= 0:
                        self.branches[block.order] = block.branch + 1
                    if self._taken is not None:
                        block.counts = self._takes(block.order, block.branch)
                        return
                    block.counts = block.hides or (not block.has_counted and is_met is not False)
                    block.has_counted = block.has_counted or block.counts
            case "end":
                if self._blocks:
                    self._blocks.pop()
            case "define" | "block":
                self._blocks.append(_Block(False, None, True, order=-1))
            case _ if inside.startswith("$") and ":=" in inside:
                return
            case _:
                is_made = all(block.counts or block.is_not_given for block in self._blocks)
                if is_made and not self._is_hidden(line, number):
                    self._put(inside, line, number)

    def _takes(self, order: int, branch: int) -> bool:
        return self._taken is not None and order < len(self._taken) and self._taken[order] == branch

    @property
    def _dot(self) -> Node | None:
        return self._blocks[-1].dot if self._blocks else None

    def _put(self, inside: str, line: str, number: int) -> None:
        """A line that only an action makes: a part of the values, or what is hidden here."""
        indent = _INDENT.search(inside)
        column = int(indent["by"]) if indent else len(line) - len(line.lstrip())
        padding = " " * min(column, 200)
        parts = [part.strip() for part in inside.split("|")]
        if parts[0].startswith("toYaml "):
            is_known, node = self._values.named(parts[0].removeprefix("toYaml "), self._dot)
            extras = [part for part in parts[1:] if not part.startswith(("nindent", "indent", "trim"))]
            if is_known and not extras:
                if node is None or (isinstance(node, Scalar) and node.is_null) or not is_true(node):
                    if node is not None and self.lines and self.lines[-1].strip() == _CONTEXT:
                        self.gaps.append(Gap(len(self.lines), self.lines[-1].index(_CONTEXT), node))
                    return
                name = f"{FROM_VALUES}{len(self._nodes)}"
                self._nodes[name] = node
                self._emit(f"{padding}- {name}" if isinstance(node, Sequence) else f"{padding}{name}: 1", number)
                return
        if parts[0].startswith(("fail ", "required ", "print")) or inside.startswith("$"):
            return
        if (literal := _LITERAL.fullmatch(parts[0])) is not None:
            self._emit(f"{padding}{literal['text']}", number)
            return
        before = next(
            (
                each
                for each in reversed(self.lines)
                if each.strip() and not each.lstrip().startswith("#") and len(each) - len(each.lstrip()) <= column
            ),
            "",
        )
        is_item = before.lstrip().startswith("- ") and len(before) - len(before.lstrip()) == column
        name = f"{HIDDEN}{number}"
        self._emit(f"{padding}- {name}" if is_item else f"{padding}{name}: 1", number)

    def filled(self, node: Node, depth: int) -> Node:
        """The node with the parts of the values in their places."""
        if depth > DEEPEST:
            return node
        if isinstance(node, Sequence):
            items: list[Node] = []
            for item in node.items:
                part = self._nodes.get(item.value) if isinstance(item, Scalar) else None
                items += part.items if isinstance(part, Sequence) else [self.filled(item, depth + 1)]
            return Sequence(node.start, items)
        if isinstance(node, Mapping):
            only = self._nodes.get(next(iter(node.own))) if len(node.own) == 1 else None
            if isinstance(only, Mapping):
                return only
            own: dict[str, tuple[Scalar, Node]] = {}
            for key, value in node.entries():
                part = self._nodes.get(key.value)
                if part is None:
                    own[key.value] = (key, self.filled(value, depth + 1))
                elif isinstance(part, Mapping):
                    own |= {inner.value: (inner, each) for inner, each in part.entries()}
            if not own and node.own:
                return next(iter(self._nodes[key] for key in node.own if key in self._nodes), Mapping(node.start))
            return Mapping(node.start, own)
        return node
