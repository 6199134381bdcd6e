"""What holds of the tests themselves."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[2]


IMPORT = re.compile(r"^\s*(?:from|import) ([\w.]+)", re.MULTILINE)
"""One module a line, as ruff has it; to parse all tests for it took ten times as long."""


def imported(file: Path) -> list[str]:
    return IMPORT.findall(file.read_text())


def test_no_test_imports_another_test() -> None:
    """What several tests share stands in a module of its own, or in a `conftest`."""
    borrowed = {
        str(file.relative_to(TESTS)): module
        for file in sorted(TESTS.rglob("*.py"))
        for module in imported(file)
        if module.rpartition(".")[2].startswith("test_")
    }
    assert borrowed == {}


OF_SEVERAL_WORKERS = ("stores.other(", "LeaseLost", "stores.budgets", "stores.quarantine.", "orders.quarantine(")
"""Where another worker takes part, or a lease is lost; and what all replicas decide together."""


def of_several_workers(file: Path) -> list[str]:
    """The tests of a file about what several workers do that do not say on which databases they are run."""
    tests = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.AsyncFunctionDef)]
    return [
        test.name
        for test in tests
        if test.name.startswith("test_")
        and any(sign in text for text in (ast.unparse(test),) for sign in OF_SEVERAL_WORKERS)
        and not any(sign in ast.unparse(each) for each in test.decorator_list for sign in ("ON_BOTH", "engine"))
    ]


def test_what_replicas_do_to_each_other_is_shown_on_both_databases() -> None:
    """Elsewhere PostgreSQL repeats what SQLite has shown, at a release; here each has a way of its own."""
    folder = TESTS / "integration" / "store"
    on_both = {folder / "engine" / "queue", folder / "contracts"}
    files = [file for file in sorted(folder.rglob("test_*.py")) if file.parent not in on_both]
    assert {file.name: tests for file in files if (tests := of_several_workers(file))} == {}
