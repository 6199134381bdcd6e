"""Processes that a test starts, which end with it whatever happens."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def started(*commands: Sequence[str], **options: Any) -> Iterator[list[subprocess.Popen[Any]]]:
    """All of them at once; `options` are those of `Popen`. What still runs at the end is killed."""
    with ExitStack() as stack:
        processes = []
        for command in commands:
            process = stack.enter_context(subprocess.Popen(command, **options))
            stack.callback(process.kill)
            processes.append(process)
        yield processes
