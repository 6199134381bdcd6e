"""What the strings and variables of a Bake file come to, as far as it is known without running Bake."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from bot.files.formats.bake.hcl import Name, Opaque, Template, Value
from bot.files.formats.source.spanned import Spanned, joined

MOST_VARIANTS = 64
"""How many combinations of one target's matrix are read."""
DEEPEST_VARIABLE = 16
MOST_EVALUATED = 1024 * 1024
"""Characters that all strings of one file may expand to."""
_NOTHING = (Spanned("", ()), False)
_TEMPLATE_PART = re.compile(r"\$\$\{|%%\{|\$\{~?\s*(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)?)\s*~?\}|[$%]\{")


class TooMuch(Exception):
    """Raised where the values of a file expand to more than `MOST_EVALUATED` characters."""


class BakeEvaluation:
    """Evaluates the values of one file; `used` are the variables that were asked for."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._evaluated = 0
        """Characters so far."""

    def of(self, value: Value, variables: Mapping[str, Value], depth: int = 0) -> tuple[Spanned, bool]:
        """A value as text, and whether nothing in it was left as it was written."""
        match value:
            case Name() if value.name in variables and depth < DEEPEST_VARIABLE:
                self.used.add(value.name)
                return self.of(variables[value.name], variables, depth + 1)
            case Template():
                return self._fill_template(value.written, variables, depth)
            case Name():
                return Spanned(value.name, range(value.place, value.place + len(value.name))), False
            case Opaque():
                return Spanned(value.text, range(value.place, value.place + len(value.text))), False
        return Spanned("", ()), False

    def _fill_template(self, template: Spanned, variables: Mapping[str, Value], depth: int) -> tuple[Spanned, bool]:
        self._evaluated += len(template)
        if self._evaluated > MOST_EVALUATED:
            raise TooMuch
        parts: list[Spanned] = []
        whole = True
        done = 0
        for match in _TEMPLATE_PART.finditer(template.text):
            parts.append(template.part(done, match.start()))
            done = match.end()
            if match.group() in {"$${", "%%{"}:
                parts.append(template.part(match.start() + 1, match.end()))
                continue
            name = match["name"]
            self.used.add(name)
            is_evaluable = name in variables and depth < DEEPEST_VARIABLE
            value, is_known = self.of(variables[name], variables, depth + 1) if is_evaluable else _NOTHING
            whole = whole and is_known
            parts.append(value if is_known else template.part(match.start(), match.end()))
        return joined([*parts, template.part(done, len(template))]), whole


def variants(matrix: Value | None, variables: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """One set of variables for each combination of a matrix; without one, a single empty set."""
    axes = matrix if isinstance(matrix, dict) else {}
    values = [variables.get(value.name, value) if isinstance(value, Name) else value for value in axes.values()]
    lists = [value if isinstance(value, tuple) else (value,) for value in values]
    for combination in islice(product(*lists), MOST_VARIANTS):
        variant = dict(zip(axes, combination, strict=True))
        members = [(axis, value) for axis, value in variant.items() if isinstance(value, dict)]
        yield variant | {f"{axis}.{key}": inner for axis, value in members for key, inner in value.items()}
