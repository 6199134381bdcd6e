"""Variables and parameters of a pipeline, as far as the file itself writes their values out.

Source: https://learn.microsoft.com/azure/devops/pipelines/process/variables and …/template-parameters: `$(name)` is
put in before a task runs, `${{ variables.name }}` and `${{ parameters.name }}` when the pipeline is put together.
"""

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.shell.syntax import LONGEST_SCRIPT
from bot.files.formats.source.expressions import INSIDE
from bot.files.formats.source.nodes import Mapping as YamlMapping
from bot.files.formats.source.nodes import Node, Scalar, Sequence, mappings_under
from bot.files.formats.source.spanned import Spanned, joined

DEEPEST = 5
MOST_VARIANTS = 64
"""Of one job."""
_USE = re.compile(
    r"\$\((?P<macro>[A-Za-z_][\w.-]*)\)"
    rf"|\$\{{\{{{INSIDE}\}}\}}"
    r"|\$\[(?P<runtime>(?:[^\[\]]|\[[^\[\]]*\])*)\]"
)
_CONDITION = "${{"
_NAMED = re.compile(r"\s*(?P<of>variables|parameters)(?:\.(?P<name>[\w.-]+)|\['(?P<quoted>[\w.-]+)'\])\s*")
_ROOTS = frozenset(
    {
        "build.sourcesdirectory",
        "system.defaultworkingdirectory",
        "build.repository.localpath",
        "pipeline.workspace/s",
    }
)
"""Where the repository is checked out, unless a pipeline checks out several."""


@dataclass(slots=True)
class _Room:
    """What variables may still put into one text: a few that double one another would fill memory."""

    left: int = LONGEST_SCRIPT


class Values:
    """What `variables` and the defaults of `parameters` say; a name with several values counts as unknown."""

    def __init__(self, documents: list[Node]) -> None:
        self._values: MutableMapping[tuple[str, str], Spanned | None] = {}
        self._variants: dict[int, tuple[YamlMapping, tuple[Values, ...]]] = {}
        """By the identity of a matrix, which several jobs may share: each is read once."""
        for document in documents:
            for key, mapping in mappings_under(document):
                for of in ("variables", "parameters"):
                    if mapping.get(of) is not None and not (of == "parameters" and mapping.get("template")):
                        for name, value in _list_declared(mapping.get(of)):
                            self._note(of, name, value)
                if key == "variables" and mapping.scalar("template") is not None:
                    self._values.setdefault(("variables", "*"), None)

    def variants(self, job: YamlMapping) -> "tuple[Values, ...]":
        """Returns the values in each variant of a job: `strategy.matrix` sets variables of its own in each."""
        matrix = job.mapping("strategy").mapping("matrix")
        entry = self._variants.get(id(matrix))
        if entry is None:
            sets = [dict(_list_declared(variant)) for _, variant in islice(matrix.entries(), MOST_VARIANTS)]
            entry = (matrix, tuple(map(self._with, sets)) or (self,))
            if sets:
                self._variants[id(matrix)] = entry
        return entry[1]

    def _with(self, variables: Mapping[str, Spanned]) -> "Values":
        other = Values([])
        own: dict[tuple[str, str], Spanned | None] = {
            ("variables", name.lower()): value for name, value in variables.items()
        }
        other._values = ChainMap(own, self._values)
        return other

    def _note(self, of: str, name: str, value: Spanned) -> None:
        key = (of, name.lower())
        earlier = self._values.get(key, value)
        self._values[key] = value if earlier is not None and earlier.text == value.text else None

    def evaluated(self, text: Spanned, *, in_shell: bool = False) -> Spanned:
        """Returns the text with what is known put in and `UNKNOWN` for the rest; `$(…)` that no variable has is the
        shell's own."""
        return self._evaluate_text(text, in_shell, 0, _Room())

    def _evaluate_text(self, text: Spanned, in_shell: bool, depth: int, room: "_Room") -> Spanned:
        if "$" not in text.text:
            return text
        parts: list[Spanned] = []
        done = 0
        for match in _USE.finditer(text.text):
            of, name = _variable_of(match)
            if in_shell and match["runtime"] is not None:
                continue
            near = (~text.place(match.start()),)
            value = self._values.get((of, name.lower())) if name else None
            if value is None and name.lower() in _ROOTS:
                filled = Spanned(".", near)
            elif value is not None and depth < DEEPEST:
                filled = self._evaluate_text(value, in_shell, depth + 1, room)
            elif in_shell and match["macro"] is not None:
                continue
            else:
                filled = Spanned(UNKNOWN, near)
            room.left -= len(filled) + 1
            if room.left < 0:
                return Spanned(UNKNOWN, near)
            parts += (text.part(done, match.start()), filled)
            done = match.end()
        return joined([*parts, text.part(done, len(text))])

    @cached_property
    def environment(self) -> Mapping[str, Spanned]:
        """Variables as a shell sees them, as far as they are written out: in capitals, with underscores."""
        return {name: value for name, value in self.every.items() if value.text != UNKNOWN}

    @cached_property
    def every(self) -> Mapping[str, Spanned]:
        """All variables as a shell sees them, `UNKNOWN` where the value is not written out."""
        return {
            re.sub(r"[^A-Z0-9_]", "_", name.upper()): (
                value if value is not None and "$" not in value.text else Spanned.from_elsewhere(UNKNOWN)
            )
            for (of, name), value in self._values.items()
            if of == "variables" and name != "*"
        }


def _variable_of(match: re.Match[str]) -> tuple[str, str]:
    if match["macro"] is not None:
        return "variables", match["macro"]
    access = _NAMED.fullmatch(match["inside"] or match["runtime"] or "")
    return (access["of"], access["name"] or access["quoted"]) if access else ("", "")


def _list_declared(node: Node | None, depth: int = 0) -> Iterator[tuple[str, Spanned]]:
    """`name: value` each, or a list with `name` and `value` or `default` each, both also below conditions."""
    if depth > DEEPEST:
        return
    if isinstance(node, YamlMapping):
        for key, value in node.entries():
            if isinstance(value, Scalar):
                yield key.value, value.spanned
            elif key.value.startswith(_CONDITION):
                yield from _list_declared(value, depth + 1)
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, YamlMapping) and any(key.value.startswith(_CONDITION) for key, _ in item.entries()):
                yield from _list_declared(item, depth + 1)
            elif isinstance(item, YamlMapping) and (name := item.scalar("name")) is not None:
                setting = item.scalar("value") or item.scalar("default")
                if setting is not None:
                    yield name.value, setting.spanned
