"""One tick: what scanners have left behind in ended runs is kept with the images that it is about."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Protocol

from bot.domain.builder.runs import Artifact
from bot.domain.failure import Failure, Trouble
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity
from bot.domain.wording.escaping import terminal
from bot.fleet.verify.reports.archive import LARGEST_ARCHIVE, ArtifactFile, report_files
from bot.images.scan_reports import ReportOrigin, ScanReport, scan_report
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff


@dataclass(frozen=True, slots=True)
class ArtifactOptions:
    """`names` are globs over the names of artifacts that hold reports; without one nothing is asked for. `most` are
    read of one run, and `host` is where builds are shown."""

    names: tuple[str, ...] = ()
    most: int = 5
    host: Host = Host()  # noqa: RUF009 - frozen

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


_MOST_RUNS = 20
"""Of one rebuild: a monorepo has one for each part."""
_MOST_PROBLEMS = 10
_MOST_ATTEMPTS = 5
"""A forge that gives no answer is asked so often for the artifacts of one rebuild."""


class _ReportTally:
    def __init__(self) -> None:
        self.kept = 0
        self.problems: list[str] = []

    def note(self, place: str, problem: object) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{place}: {problem}")


async def tick(store: ArtifactStore, artifacts: Artifacts, options: ArtifactOptions, loop: Loop) -> Gathered:
    """Reads the artifacts of every rebuild whose runs have ended; nothing is asked for where no name is given."""
    if not options.is_on:
        return Gathered()
    await store.make_due()
    work = _ReportReads(store, artifacts, options)
    tally = await loop.run(work)
    return Gathered(work.kept, tuple(tally.problems))


class _ReportReads(Work[EndedRuns, Gathered]):
    stage = "reports"
    rests_by_backoff = True

    def __init__(self, store: ArtifactStore, artifacts: Artifacts, options: ArtifactOptions) -> None:
        self._store = store
        self._artifacts = artifacts
        self._options = options
        self.home = options.host.whole
        self.kept = 0

    @property
    def queue(self) -> Queue[EndedRuns]:
        return self._store.ended

    def host(self, item: EndedRuns) -> str:
        return self._options.host.of(item.repository)

    async def attempt(self, item: EndedRuns, lease: Lease) -> Gathered:
        if item.read_before is not None and not await self._have_ended_again(item, item.read_before):
            return Gathered(is_news=False)
        tally = _ReportTally()
        for run in item.runs[:_MOST_RUNS]:
            place = f"{item.repository.name} run {run}"
            artifacts = await self._artifacts.artifacts_of(item.repository, run)
            for artifact in self._choose_artifacts(filter(self._options.wants, artifacts), place, tally):
                await lease.check()
                await self._take_reports(item, artifact, f"{place}, {terminal(artifact.name)}", tally)
        return Gathered(tally.kept, tuple(tally.problems))

    async def _have_ended_again(self, item: EndedRuns, since: datetime) -> bool:
        end_times = [await self._artifacts.ended_at(item.repository, run) for run in item.runs[:_MOST_RUNS]]
        return any(moment is not None and moment > since for moment in end_times)

    def _choose_artifacts(
        self, artifacts: Iterable[Artifact], place: str, tally: _ReportTally
    ) -> Iterator[Artifact]:
        """The last of each name, as far as they can be had; the newest where they are more than are wanted."""
        by_age = sorted(artifacts, key=lambda each: each.id)
        last = sorted({each.name: each for each in by_age}.values(), key=lambda each: each.id)
        for artifact in last[-self._options.most :]:
            name = f"{place}, {terminal(artifact.name)}"
            if artifact.is_expired:
                tally.note(name, "has expired")
            elif artifact.size > LARGEST_ARCHIVE:
                tally.note(name, f"has {artifact.size:,} bytes, more than {LARGEST_ARCHIVE:,}")
            else:
                yield artifact
        if len(last) > self._options.most:
            tally.note(
                place, f"{len(last)} artifacts have such names, and the newest {self._options.most} are read"
            )

    async def _take_reports(self, item: EndedRuns, artifact: Artifact, place: str, tally: _ReportTally) -> None:
        """Keeps all reports of an artifact. One that is gone, or no archive, is told and keeps no other from being
        read. Raises `Failure` where the forge gives no answer, or may not give this one."""
        try:
            data = await self._artifacts.fetched(item.repository, artifact, LARGEST_ARCHIVE)
            files = report_files(data, place)
            while (file := await asyncio.to_thread(next, files, None)) is not None:
                scan = await asyncio.to_thread(_scan, file, f"{place}/{file.name}", item.repository_id, tally)
                if scan is not None:
                    await self._store.keep(scan)
                    tally.kept += 1
        except Failure as failure:
            if failure.trouble not in (Trouble.MISSING, Trouble.MALFORMED):
                raise
            tally.note(place, failure.told)

    async def settle(self, item: EndedRuns, result: Gathered) -> None:
        await self._store.settle_artifacts(item, result)
        self.kept += result.kept

    async def failed(self, item: EndedRuns, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        if failure.trouble is Trouble.DENIED:
            await self._store.refuse_artifacts(item, failure.told, now)
            return None
        if failure.trouble is Trouble.MISSING or claimed.attempts >= _MOST_ATTEMPTS:
            untold = Gathered(problems=(str(failure),), is_news=item.read_before is None)
            await self._store.settle_artifacts(item, untold)
            return f"{item.repository.name}: {failure}"
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return f"{item.repository.name}: {failure}"


def _scan(file: ArtifactFile, place: str, repository: int, tally: _ReportTally) -> ScanReport | None:
    """The report that a file is; None where it is none, which is told."""
    if file.problem is not None:
        tally.note(place, file.problem)
        return None
    try:
        return scan_report(file.data, ReportOrigin.ARTIFACT, place, repository=repository)
    except Failure as failure:
        tally.note(place, failure.told)
        return None
