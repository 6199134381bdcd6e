"""How far work that takes a while has come."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_of(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Shows a bar on standard error while the work goes on; nothing where that is no terminal.

    What is given is told how much is done, and of how much, where that is known.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
