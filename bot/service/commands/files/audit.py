"""`audit` on a local checkout, and on a repository of the fleet."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.audit.auditing import audit
from bot.audit.patches import patches
from bot.clients import folder
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.finding import Finding
from bot.formats.finding import LARGEST_FILE
from bot.formats.practices import tells_of_practices
from bot.service.wiring.opened_stores import opened_stores
from bot.settings import Settings

Progress = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w-]{0,99}/[\w.-]{1,100}")


def is_repository_name(text: str) -> bool:
    """Whether a text has the form of owner/name."""
    return _REPOSITORY.fullmatch(text) is not None and not text.endswith(("/.", "/.."))


@dataclass(frozen=True, slots=True)
class AuditedCheckout:
    """Findings, and the texts that they were made from, as far as these are at hand."""

    findings: tuple[Finding, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def patches(self) -> dict[Finding, str]:
        """What could be done about findings, as unified diffs."""
        return patches(self.files, self.findings)


def audited(root: Path, clock: Clock, progress: Progress) -> AuditedCheckout:
    """The findings of all files below `root`. Raises `Failure` where it is missing or cannot be read."""
    entries = [entry for entry in folder.entries(root) if entry.is_file and tells_of_practices(entry.path)]
    files: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        files[entry.path] = folder.read(root if root.is_file() else root / entry.path, LARGEST_FILE)
        progress(number, len(entries))
    return AuditedCheckout(audit(files, clock.now()), files)


async def audited_repository(settings: Settings, repository: str, clock: Clock) -> AuditedCheckout:
    """What the service found last in a repository of the fleet. Raises `Failure` where it has not judged it."""
    async with opened_stores(settings, clock) as stores:
        found = await stores.practices.audited(repository)
    if found is None:
        raise Failure(
            Trouble.MISSING,
            f"{repository} is neither a path here nor a repository of the fleet",
            advice="write it as the forge does, and see github.repositories in the settings",
        )
    if found.at is None:
        raise Failure(
            Trouble.MISSING,
            f"{repository} was not judged yet",
            advice="the service does so once it has read it",
        )
    return AuditedCheckout(found.findings)
