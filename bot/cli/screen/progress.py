"""How far work that takes a while has come."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_A_WHILE = 1.0
"""Seconds: what is done before needs no bar."""


@contextmanager
def progress_of(label: str, *, after: float = _A_WHILE) -> Iterator[Callable[[int, int | None], None]]:
    """Shows a bar on standard error while work goes on that takes longer than `after` seconds; nothing where that
    is no terminal.

    What is given is told how much is done, and of how much, where that is known.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from threading import Timer

    from rich.console import Console
    from rich.progress import Progress as Bar

    bar = Bar(console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=None)
    begin = Timer(after, bar.start)
    begin.daemon = True
    begin.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        begin.cancel()
        begin.join()
        bar.stop()
