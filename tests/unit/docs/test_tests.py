"""What holds of the tests themselves."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[2]


def imported(file: Path) -> list[str]:
    tree = ast.parse(file.read_text())
    froms = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return froms + [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]


def test_no_test_imports_another_test() -> None:
    """What several tests share stands in a module of its own, or in a `conftest`."""
    borrowed = {
        str(file.relative_to(TESTS)): module
        for file in sorted(TESTS.rglob("*.py"))
        for module in imported(file)
        if module.rpartition(".")[2].startswith("test_")
    }
    assert borrowed == {}
