"""Charts → the objects that their templates come to with the chart's own values, as far as the usual idioms go.

What is understood: `.Values.a.b` in a line, `toYaml … | nindent N`, `with`, `if` on values, and `range` once. What
helpers give (`include`) is not: such places are marked, so that a setting that is absent there is unknown, not
missing. Source: Helm's chart template guide.
"""

import posixpath
import re
from dataclasses import dataclass, field

from bot.audit.repository import Repository, is_for_production
from bot.formats.source.collector import Unreadable
from bot.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.formats.source.text import Lines
from bot.formats.source.yaml import read

HIDDEN = "hidden-by-template-"
HIDDEN_VALUE = "hidden-value"
_VALUES = "from-values-"
MOST_TEMPLATES = 200
MOST_LINES = 5_000
DEEPEST = 60
_ACTION = re.compile(r"\{\{-?\s*(?P<inside>.*?)\s*-?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_PATH = re.compile(r"^\(?\$?\.Values\.(?P<path>[\w.-]+)\)?$")
_INDENT = re.compile(r"\bn?indent\s+(?P<by>\d+)")
_DEFAULT = re.compile(r"^default\s+(?P<value>\"[^\"]*\"|[\w.-]+)$")
_KEY_BEFORE = re.compile(r"^(?P<key>\s*(?:-\s+)?[\w./\"-]+:)\s*$")


@dataclass(slots=True)
class Chart:
    """Objects come with the path of their template. `hidden` says why a whole template is not understood."""

    folder: str
    name: str
    objects: list[tuple[str, Mapping]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    hidden: str = ""


def charts(repository: Repository) -> list[Chart]:
    """All charts with templates, in the order of their folders. Never raises."""
    return repository.kept(_charts)


def _charts(repository: Repository) -> list[Chart]:
    found = []
    for path in repository.paths:
        if path.rpartition("/")[2] != "Chart.yaml" or not is_for_production(path):
            continue
        folder = posixpath.dirname(path)
        values_path = repository.first(folder, "values.yaml", "values.yml")
        values = repository.root(values_path) if values_path is not None else None
        chart = Chart(folder, posixpath.basename(folder) or "of the repository")
        templates = [
            each
            for each in repository.below(posixpath.join(folder, "templates"))
            if each.endswith((".yaml", ".yml")) and "/tests/" not in each
        ]
        for template in templates[:MOST_TEMPLATES]:
            _read(repository, template, values or Mapping(0), chart)
        found.append(chart)
    return found


def _read(repository: Repository, path: str, values: Mapping, chart: Chart) -> None:
    text = repository.text(path)
    if "kind:" not in text or text.count("\n") > MOST_LINES:
        return
    rendered = _Rendered(values)
    rendered.take(text)
    made = "\n".join(rendered.lines) + "\n"
    repository.adopt(made, path, _Origins(made, rendered.origins))
    try:
        documents = read(made)
    except Unreadable:
        chart.unread.append(path)
        return
    for document in documents:
        whole = rendered.filled(document, 0)
        if isinstance(whole, Mapping) and whole.get("kind") is not None:
            chart.objects.append((path, whole))


class _Origins(Lines):
    """The lines of the template that those of the rendered text came from."""

    def __init__(self, text: str, origins: list[int]) -> None:
        super().__init__(text)
        self._origins = origins

    def at(self, offset: int) -> int:
        line = super().at(offset)
        return self._origins[min(line, len(self._origins)) - 1] if self._origins else 1


@dataclass(slots=True)
class _Block:
    """An `if`, `with` or `range` that is open: whether its lines count, and what the dot is in it."""

    counts: bool
    dot: Node | None
    has_counted: bool
    is_range: bool = False


class _Rendered:
    def __init__(self, values: Mapping) -> None:
        self.lines: list[str] = []
        self.origins: list[int] = []
        self._values = values
        self._nodes: dict[str, Node] = {}
        self._blocks: list[_Block] = []

    def take(self, text: str) -> None:
        text = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)
        # An action over several lines counts as one line.
        text = _ACTION.sub(
            lambda found: " ".join(found.group().split("\n")) + "\0" * found.group().count("\n"), text
        )
        number = 0
        for line in text.split("\n"):
            number += 1
            self._line(line.replace("\0", "").rstrip("\r"), number)
            number += line.count("\0")

    def _line(self, line: str, number: int) -> None:
        actions = list(_ACTION.finditer(line))
        outside = _ACTION.sub("", line).strip()
        if actions and not outside:
            for action in actions:
                self._control(action["inside"], line, number)
            return
        if not all(block.counts for block in self._blocks):
            return
        if actions and (key := _KEY_BEFORE.match(line[: actions[-1].start()])) and len(actions) == 1:
            inside = actions[0]["inside"]
            if _INDENT.search(inside) and ("toYaml" in inside or "include" in inside or "tpl" in inside):
                self._emit(key["key"], number)
                self._control(inside, line, number)
                return
        self._emit(_ACTION.sub(lambda found: self._inline(found["inside"]), line), number)

    def _emit(self, line: str, number: int) -> None:
        self.lines.append(line)
        self.origins.append(number)

    def _control(self, inside: str, line: str, number: int) -> None:
        word, _, rest = inside.partition(" ")
        match word:
            case "if" | "with" | "range":
                holds, node = self._condition(rest)
                self._blocks.append(
                    _Block(holds is not False, node if word == "with" else self._dot, holds is not False)
                )
                self._blocks[-1].is_range = word == "range"
            case "else":
                if self._blocks:
                    block = self._blocks[-1]
                    holds = self._condition(rest.partition(" ")[2])[0] if rest.startswith("if ") else True
                    block.counts = not block.has_counted and holds is not False
                    block.has_counted = block.has_counted or block.counts
            case "end":
                if self._blocks:
                    self._blocks.pop()
            case "define" | "block":
                self._blocks.append(_Block(False, None, True))
            case _ if inside.startswith("$") and ":=" in inside:
                return
            case _:
                if all(block.counts for block in self._blocks):
                    self._put(inside, line, number)

    @property
    def _dot(self) -> Node | None:
        return self._blocks[-1].dot if self._blocks else None

    def _condition(self, text: str) -> tuple[bool | None, Node | None]:
        """Whether it holds with the chart's values (None where that is not known), and what it names."""
        text = text.strip()
        is_negated = text.startswith("not ")
        if is_negated:
            text = text[4:].strip()
        path = _PATH.match(text)
        if path is None:
            return None, None
        node = self._value(path["path"])
        holds = _is_true(node)
        return (not holds if is_negated else holds), node

    def _value(self, path: str) -> Node | None:
        node: Node | None = self._values
        for part in path.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        return node

    def _named(self, text: str) -> tuple[bool, Node | None]:
        """Whether a name in a pipeline is known here, and what it is."""
        text = text.strip()
        if text == ".":
            return (self._dot is not None), self._dot
        path = _PATH.match(text)
        if path is not None:
            return True, self._value(path["path"])
        if text.startswith(".") and isinstance(self._dot, Mapping):
            node: Node | None = self._dot
            for part in text[1:].split("."):
                node = node.get(part) if isinstance(node, Mapping) else None
            return True, node
        return False, None

    def _put(self, inside: str, line: str, number: int) -> None:
        """A line that only an action makes: a part of the values, or what is hidden here."""
        indent = _INDENT.search(inside)
        column = int(indent["by"]) if indent else len(line) - len(line.lstrip())
        padding = " " * min(column, 200)
        parts = [part.strip() for part in inside.split("|")]
        if parts[0].startswith("toYaml "):
            is_known, node = self._named(parts[0].removeprefix("toYaml "))
            extras = [part for part in parts[1:] if not part.startswith(("nindent", "indent", "trim"))]
            if is_known and not extras:
                if node is None or (isinstance(node, Scalar) and node.is_null) or not _is_true(node):
                    return
                name = f"{_VALUES}{len(self._nodes)}"
                self._nodes[name] = node
                self._emit(f"{padding}- {name}" if isinstance(node, Sequence) else f"{padding}{name}: 1", number)
                return
        if parts[0].startswith(("fail ", "required ", "print")) or inside.startswith("$"):
            return
        before = next(
            (each for each in reversed(self.lines) if each.strip() and not each.lstrip().startswith("#")), ""
        )
        is_item = before.lstrip().startswith("- ") and len(before) - len(before.lstrip()) == column
        name = f"{HIDDEN}{number}"
        self._emit(f"{padding}- {name}" if is_item else f"{padding}{name}: 1", number)

    def _inline(self, inside: str) -> str:
        parts = [part.strip() for part in inside.split("|")]
        is_known, node = self._named(parts[0])
        if inside.startswith("default "):
            words = inside.split()
            if len(words) == 3:
                is_known, node = self._named(words[2])
                parts = [words[2], f"default {words[1]}"]
        default = next((found["value"].strip('"') for part in parts[1:] if (found := _DEFAULT.match(part))), None)
        if not is_known:
            return HIDDEN_VALUE
        if isinstance(node, Scalar) and not node.is_null and "\n" not in node.value and '"' not in node.value:
            return node.value if node.value or default is None else default
        if node is None or isinstance(node, Scalar):
            return default if default is not None else ""
        return HIDDEN_VALUE

    def filled(self, node: Node, depth: int) -> Node:
        """The node with the parts of the values in their places."""
        if depth > DEEPEST:
            return node
        if isinstance(node, Sequence):
            items: list[Node] = []
            for item in node.items:
                held = self._nodes.get(item.value) if isinstance(item, Scalar) else None
                items += held.items if isinstance(held, Sequence) else [self.filled(item, depth + 1)]
            return Sequence(node.start, items)
        if isinstance(node, Mapping):
            own: dict[str, tuple[Scalar, Node]] = {}
            for key, value in node.entries():
                held = self._nodes.get(key.value)
                if held is None:
                    own[key.value] = (key, self.filled(value, depth + 1))
                elif isinstance(held, Mapping):
                    own |= {inner.value: (inner, each) for inner, each in held.entries()}
            if not own and node.own:
                return next(iter(self._nodes[key] for key in node.own if key in self._nodes), Mapping(node.start))
            return Mapping(node.start, own)
        return node


def _is_true(node: Node | None) -> bool:
    match node:
        case None:
            return False
        case Scalar():
            return not node.is_null and node.value.lower() not in {"", "false", "0"}
        case Sequence():
            return bool(node.items)
        case Mapping():
            return bool(node.own or node.merged)
