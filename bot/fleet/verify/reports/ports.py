"""What the look for reports among artifacts needs of the forge and of the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Protocol

from bot.domain.forge.runs import Artifact
from bot.domain.repositories.repository import Identity
from bot.images.scan_reports import ScanReport
from bot.reconcile.work import Queue


@dataclass(frozen=True, slots=True)
class ArtifactOptions:
    """`names` are globs over the names of artifacts that hold reports; without one nothing is asked for. `most` are
    read of one run, and `host` is where the forge is."""

    names: tuple[str, ...] = ()
    most: int = 5
    host: str = ""

    @property
    def is_on(self) -> bool:
        return bool(self.names)

    def wants(self, artifact: Artifact) -> bool:
        """Tells by an artifact's name whether reports are in it."""
        return any(fnmatchcase(artifact.name, glob) for glob in self.names)


@dataclass(frozen=True, slots=True)
class EndedRuns:
    """A rebuild whose runs have ended, or a step of one; `repository_id` is the row of its repository.

    `read_before` is when the same runs were looked through: they are once more where they have ended again since.
    """

    id: int
    repository: Identity
    repository_id: int
    runs: tuple[int, ...]
    read_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """How many reports were kept of some runs, and what could not be read, a line each.

    `is_news` is False where the runs have not ended again since they were looked through, or nobody can tell.
    """

    kept: int = 0
    problems: tuple[str, ...] = ()
    is_news: bool = True


class Artifacts(Protocol):
    """What the forge keeps of runs. Each method raises `Failure`."""

    async def ended_at(self, repository: Identity, run: int) -> datetime | None:
        """When the last attempt of a run ended; None while one is under way."""
        ...

    async def artifacts_of(self, repository: Identity, run: int) -> Sequence[Artifact]: ...

    async def fetched(self, repository: Identity, artifact: Artifact, most: int) -> bytes:
        """The archive of an artifact, of at most so many bytes."""
        ...


class ArtifactStore(Protocol):
    """Each method is one transaction."""

    @property
    def ended(self) -> Queue[EndedRuns]: ...

    async def make_due(self) -> None:
        """A row for each rebuild of the last days whose runs have ended, due at once. Those of steps that failed
        are due again every hour."""
        ...

    async def keep(self, scan: ScanReport) -> None: ...

    async def settle_artifacts(self, item: EndedRuns, gathered: Gathered) -> None:
        """Ends the claim on runs whose artifacts were looked through."""
        ...

    async def refuse_artifacts(self, item: EndedRuns, reason: str, now: datetime) -> None:
        """The forge shows no artifacts there, which is told once for each owner."""
        ...
