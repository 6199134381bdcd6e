"""What files say and what images show are wings of their own: others know of each what it names as public."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WINGS = ("files", "images")
SNIPPETS = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"))


def modules_imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for name in node.names:
                place = ROOT / f"{node.module}.{name.name}".replace(".", "/")
                is_module = place.is_dir() or place.with_suffix(".py").exists()
                yield f"{node.module}.{name.name}" if is_module else node.module


def known_outside(wing: str) -> set[str]:
    """The modules of a wing that anything outside of it imports."""
    outside = [path for path in (ROOT / "bot").rglob("*.py") if not path.is_relative_to(ROOT / "bot" / wing)]
    modules = {module for path in outside for module in modules_imported_by(path)}
    return {module for module in modules if module.startswith(f"bot.{wing}.")}


@pytest.mark.parametrize("wing", WINGS)
def test_others_import_of_a_wing_what_it_names_as_public(wing: str) -> None:
    assert known_outside(wing) == importlib.import_module(f"bot.{wing}").PUBLIC


def test_each_wing_is_shown_as_a_library() -> None:
    assert [wing for wing in WINGS if not any(f"from bot.{wing}." in snippet for snippet in SNIPPETS)] == []


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_what_the_architecture_shows_runs(snippet: str) -> None:
    exec(compile(snippet, "docs/architecture.md", "exec"), {})
