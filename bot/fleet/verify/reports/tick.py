"""One tick: what scanners have left behind in ended runs is kept with the images that it is about."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.runs import Artifact
from bot.domain.wording.escaping import terminal
from bot.fleet.verify.reports.archive import LARGEST_ARCHIVE, ArtifactFile, report_files
from bot.fleet.verify.reports.ports import ArtifactOptions, Artifacts, ArtifactStore, EndedRuns, Gathered
from bot.images.scan_reports import ReportOrigin, ScanReport, scan_report
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff

_MOST_RUNS = 20
"""Of one rebuild: a monorepo has one for each part."""
_MOST_PROBLEMS = 10
_MOST_ATTEMPTS = 5
"""A forge that gives no answer is asked so often for the artifacts of one rebuild."""


class _Tally:
    def __init__(self) -> None:
        self.kept = 0
        self.problems: list[str] = []

    def note(self, where: str, what: object) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{where}: {what}")


async def tick(store: ArtifactStore, artifacts: Artifacts, options: ArtifactOptions, loop: Loop) -> Gathered:
    """Reads the artifacts of every rebuild whose runs have ended; nothing is asked for where no name is given."""
    if not options.is_on:
        return Gathered()
    await store.make_due()
    work = _Reports(store, artifacts, options)
    tally = await loop.run(work)
    return Gathered(work.kept, tuple(tally.problems))


class _Reports(Work[EndedRuns, Gathered]):
    stage = "reports"
    rests_by_backoff = True

    def __init__(self, store: ArtifactStore, artifacts: Artifacts, options: ArtifactOptions) -> None:
        self._store = store
        self._artifacts = artifacts
        self._options = options
        self.home = options.host or None
        self.kept = 0

    @property
    def queue(self) -> Queue[EndedRuns]:
        return self._store.ended

    async def attempt(self, item: EndedRuns, lease: Lease) -> Gathered:
        if item.read_before is not None and not await self._have_ended_again(item, item.read_before):
            return Gathered(is_news=False)
        found = _Tally()
        for run in item.runs[:_MOST_RUNS]:
            where = f"{item.repository.name} run {run}"
            listed = await self._artifacts.listed(item.repository, run)
            for artifact in self._chosen(filter(self._options.wants, listed), where, found):
                await lease.check()
                await self._take(item, artifact, f"{where}, {terminal(artifact.name)}", found)
        return Gathered(found.kept, tuple(found.problems))

    async def _have_ended_again(self, item: EndedRuns, since: datetime) -> bool:
        ended = [await self._artifacts.ended_at(item.repository, run) for run in item.runs[:_MOST_RUNS]]
        return any(at is not None and at > since for at in ended)

    def _chosen(self, listed: Iterable[Artifact], where: str, found: _Tally) -> Iterator[Artifact]:
        """The last of each name, as far as they can be had; the newest where they are more than are wanted."""
        by_age = sorted(listed, key=lambda each: each.id)
        last = sorted({each.name: each for each in by_age}.values(), key=lambda each: each.id)
        for artifact in last[-self._options.most :]:
            name = f"{where}, {terminal(artifact.name)}"
            if artifact.is_expired:
                found.note(name, "has expired")
            elif artifact.size > LARGEST_ARCHIVE:
                found.note(name, f"has {artifact.size:,} bytes, more than {LARGEST_ARCHIVE:,}")
            else:
                yield artifact
        if len(last) > self._options.most:
            found.note(
                where, f"{len(last)} artifacts have such names, and the newest {self._options.most} are read"
            )

    async def _take(self, item: EndedRuns, artifact: Artifact, where: str, found: _Tally) -> None:
        """Keeps all reports of an artifact. One that is gone, or no archive, is told and keeps no other from being
        read. Raises `Failure` where the forge gives no answer, or may not give this one."""
        try:
            data = await self._artifacts.fetched(item.repository, artifact, LARGEST_ARCHIVE)
            files = report_files(data, where)
            while (file := await asyncio.to_thread(next, files, None)) is not None:
                scan = await asyncio.to_thread(_scan, file, f"{where}/{file.name}", item.repository_id, found)
                if scan is not None:
                    await self._store.keep(scan)
                    found.kept += 1
        except Failure as failure:
            if failure.trouble not in (Trouble.MISSING, Trouble.MALFORMED):
                raise
            found.note(where, failure.told)

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


def _scan(file: ArtifactFile, place: str, repository: int, found: _Tally) -> ScanReport | None:
    """The report that a file is; None where it is none, which is told."""
    if file.problem is not None:
        found.note(place, file.problem)
        return None
    try:
        return scan_report(file.data, ReportOrigin.ARTIFACT, place, repository=repository)
    except Failure as failure:
        found.note(place, failure.told)
        return None
