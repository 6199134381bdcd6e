"""`audit` on a local checkout."""

from collections.abc import Callable
from pathlib import Path

from bot.audit.auditing import audit, is_read
from bot.clients import folder
from bot.domain.clock import Clock
from bot.domain.repositories.finding import Finding
from bot.formats.finding import LARGEST_FILE

Progress = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""


def audited(root: Path, clock: Clock, progress: Progress) -> tuple[Finding, ...]:
    """The findings of all files below `root`. Raises `Failure` where it is missing or cannot be read."""
    entries = [entry for entry in folder.entries(root) if entry.is_file and is_read(entry.path)]
    files: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        files[entry.path] = folder.read(root if root.is_file() else root / entry.path, LARGEST_FILE)
        progress(number, len(entries))
    return audit(files, clock.now())
