"""`audit` on a local checkout."""

import re
from pathlib import Path
from typing import Any

from bot.clients.folders import checkout
from bot.clients.zizmor import zizmor_log
from bot.commands.progress import Progress
from bot.domain.clock import Clock
from bot.domain.repositories.surroundings import Surroundings
from bot.files.audit.audited import AuditedCheckout
from bot.files.audit.auditing import judge_repository
from bot.files.audit.patches import Texts
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.finding import LARGEST_FILE
from bot.files.formats.practices import tells_of_practices

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w-]{0,99}/[\w.-]{1,100}")


def is_repository_name(text: str) -> bool:
    """Whether a text has the form of owner/name."""
    return _REPOSITORY.fullmatch(text) is not None and not text.endswith(("/.", "/.."))


async def joined_log(root: Path) -> dict[str, Any]:
    """What zizmor says of a checkout, as a SARIF log. Raises `Failure` where it is not installed."""
    return await zizmor_log(root)


def audited(root: Path, clock: Clock, progress: Progress, *, leaves_out: bool = True) -> AuditedCheckout:
    """The findings of all files below `root`, with those of tests and samples unless it `leaves_out` these.

    Raises `Failure` where it is missing or cannot be read.
    """
    entries = [entry for entry in checkout.entries(root) if entry.is_file and tells_of_practices(entry.path)]
    files: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        files[entry.path] = checkout.read(root if root.is_file() else root / entry.path, LARGEST_FILE)
        progress(number, len(entries))
    around = Surroundings(default_branch=checkout.default_branch(root))
    texts = Texts(RepositoryTexts(files, leaves_out=leaves_out, surroundings=around), files, clock.now())
    return AuditedCheckout(judge_repository(texts.repository, texts.now).findings, texts)
