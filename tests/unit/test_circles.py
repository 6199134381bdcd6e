"""No module needs another that needs it, as text, since to parse all of the code takes seconds."""

import re
from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_IMPORT = re.compile(
    r"^(?P<indent> *)(?:from (?P<source>bot[\w.]*) import (?P<names>\([^)]*\)|.*)|import (?P<module>bot[\w.]*))",
    re.MULTILINE,
)


def imports_of(texts: dict[str, str]) -> dict[str, set[str]]:
    """The modules that each module imports, wherever in it that stands: for types and late imports count.

    Left out is a package that loads its own modules late: whoever imports it imports no more than it.
    """
    imports: dict[str, set[str]] = {module: set() for module in texts}
    for module, text in texts.items():
        for found in _IMPORT.finditer(text):
            for target in _targets(found, texts.keys()) - {module}:
                if not (found["indent"] and target.startswith(f"{module}.")):
                    imports[module].add(target)
    return imports


def _targets(found: re.Match[str], modules: Collection[str]) -> set[str]:
    if found["module"]:
        return {found["module"]}
    source = found["source"]
    names = re.findall(r"(?:^|[(,])\s*(\w+)", re.sub(r"#.*", "", found["names"]))
    return {f"{source}.{name}" if f"{source}.{name}" in modules else source for name in names}


def circle_of(texts: dict[str, str]) -> list[str] | None:
    """The modules of one circle, each importing the one before it; None where there is none."""
    try:
        TopologicalSorter(imports_of(texts)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


@pytest.mark.parametrize("late", ["", "if TYPE_CHECKING:\n    ", "def f():\n    "])
def test_a_circle_is_seen_wherever_its_imports_stand(late: str) -> None:
    texts = {
        "bot.a": "from bot.b import (\n    B,\n    C,\n)\n",
        "bot.b": "import bot.p.c\n",
        "bot.p": "",
        "bot.p.c": f"{late}from bot import (  # why\n    x,\n    a as A,\n)\n",
    }
    assert set(circle_of(texts) or ()) == {"bot.a", "bot.b", "bot.p.c"}
    assert circle_of({**texts, "bot.p.c": "from bot.p import a\n"}) is None


def test_no_modules_import_each_other_in_a_circle() -> None:
    texts = {}
    for path in sorted((ROOT / "bot").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        texts[".".join(part for part in parts if part != "__init__")] = path.read_text(encoding="utf-8")
    assert len(texts) > 500
    assert circle_of(texts) is None
