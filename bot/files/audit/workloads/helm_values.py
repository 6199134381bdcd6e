"""The values of a chart: what the names in its templates mean, as far as the chart itself tells."""

import re

from bot.files.audit.workloads.helm_conditions import template_condition_holds
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

HIDDEN_VALUE = "hidden-value"
_PATH = re.compile(r"^\(?\$?\.Values\.(?P<path>[\w.-]+)\)?$")
_OF_CHART = re.compile(r"^\(?\$?\.Chart\.(?P<name>Name|Version|AppVersion)\)?$")
_DEFAULT = re.compile(r"^default\s+(?P<value>\"[^\"]*\"|[$\w.-]+)$")
_REQUIRED = re.compile(r"^required\s+(?:\"[^\"]*\"|`[^`]*`)\s+(?P<value>.+)$")
_NO_LITERAL = (".", "$")
"""What a default begins with that is a name."""
_FILLED_IN = re.compile(r"\$\{[\w.-]+\}|#\{[^}\n]+\}#?|^__\w+__$")
"""What a pipeline puts into values before the chart is rendered: `envsubst`, token replacement."""


class ChartValues:
    """`dot` is what `.` means where a name stands, None where that is not known; `chart` is its own file."""

    def __init__(self, values: Mapping, chart: Mapping | None = None) -> None:
        self._values = values
        self._chart = chart or Mapping(0)

    def condition(self, text: str, dot: Node | None) -> tuple[bool | None, Node | None]:
        """Whether it holds with the chart's values (None where that is not known), and what it names."""
        text = text.partition(":=")[2].strip() if ":=" in text else text.strip()
        is_known, node = self.named(text, dot)
        holds = template_condition_holds(text, lambda name: self.named(name, dot))
        return holds, node if is_known else None

    def named(self, text: str, dot: Node | None) -> tuple[bool, Node | None]:
        """Whether a name in a pipeline is known here, and what it is."""
        text = text.strip()
        if text == ".":
            return (dot is not None), dot
        path = _PATH.match(text)
        if path is not None:
            node = _below(self._values, path["path"])
            if isinstance(node, Scalar) and _FILLED_IN.search(node.value):
                return False, None
            # What a chart is given by the one above it, and does not name itself, is not told by its values.
            return node is not None or not path["path"].startswith("global."), node
        of_chart = _OF_CHART.match(text)
        if of_chart is not None:
            node = self._chart.scalar(of_chart["name"][0].lower() + of_chart["name"][1:])
            return node is not None, node
        if text.startswith(".") and isinstance(dot, Mapping):
            return True, _below(dot, text[1:])
        return False, None

    def inline(self, inside: str, dot: Node | None) -> str:
        """What an action within a line puts there; `HIDDEN_VALUE` where the values do not tell."""
        if (required := _REQUIRED.match(inside)) is not None:
            inside = required["value"].strip()
        parts = [part.strip() for part in inside.split("|")]
        is_known, node = self.named(parts[0], dot)
        if inside.startswith("default "):
            words = inside.split()
            if len(words) == 3:
                is_known, node = self.named(words[2], dot)
                parts = [words[2], f"default {words[1]}"]
        if not is_known:
            return HIDDEN_VALUE
        if isinstance(node, Scalar) and not node.is_null and "\n" not in node.value and '"' not in node.value:
            return node.value or self._first_default(parts[1:], dot)
        if node is None or isinstance(node, Scalar):
            return self._first_default(parts[1:], dot)
        return HIDDEN_VALUE

    def _first_default(self, parts: list[str], dot: Node | None) -> str:
        """The first of the defaults behind an empty value that is not empty itself; empty where there is none."""
        for part in parts:
            match = _DEFAULT.match(part)
            if match is None and part.startswith("default "):
                return HIDDEN_VALUE
            if match is not None and (default := self._default(match["value"], dot)):
                return default
        return ""

    def _default(self, written: str, dot: Node | None) -> str:
        """What stands in the place of an empty value: a literal, or what a name means."""
        if not written.startswith(_NO_LITERAL):
            return written.strip('"')
        is_known, node = self.named(written, dot)
        if not is_known or isinstance(node, (Mapping, Sequence)):
            return HIDDEN_VALUE
        return node.value if isinstance(node, Scalar) and not node.is_null else ""


def _below(node: Node | None, path: str) -> Node | None:
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node
