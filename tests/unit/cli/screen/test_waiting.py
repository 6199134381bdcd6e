"""Whoever waits for a command sees that it goes on."""

import ast
from collections.abc import Iterator
from pathlib import Path

COMMANDS = Path(__file__).parents[4] / "bot/cli"
TELL_AS_THEY_GO = {"ask_health", "pass_once", "planned_only", "run_step", "serve", "watch"}
"""What logs what it does, shows it anew, or is over within a second whatever happens."""


def silent_waits(node: ast.AST, *, has_bar: bool = False) -> Iterator[ast.Call]:
    """The calls of `asyncio.run` below `node` while which no bar is shown."""
    if isinstance(node, ast.With):
        has_bar = has_bar or any("progress_of" in ast.unparse(item.context_expr) for item in node.items)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "asyncio.run" and not has_bar:
        called = node.args[0].func if isinstance(node.args[0], ast.Call) else node.args[0]
        if ast.unparse(called) not in TELL_AS_THEY_GO:
            yield node
    for child in ast.iter_child_nodes(node):
        yield from silent_waits(child, has_bar=has_bar)


def test_every_command_that_may_take_a_while_shows_a_bar() -> None:
    silent = {
        f"{path.relative_to(COMMANDS)}:{call.lineno}"
        for path in COMMANDS.rglob("*.py")
        for call in silent_waits(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert silent == set()
