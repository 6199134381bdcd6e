"""One tick: what the audit found is uploaded to the code scanning of repositories, where that is wished."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.repository import Identity
from bot.fleet.act.own_word import WordHeld, config_of
from bot.fleet.act.ports import ActOptions
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, put_off_by_backoff

Sarif = Callable[[Sequence[Finding]], Mapping[str, Any]]
"""Makes a SARIF log of findings: `views.repositories.findings`, wired in by the service."""
Patching = Callable[["DueScan"], Awaitable[Mapping[str, Any] | None]]
"""Makes the log that is uploaded: the same with what could be done; None where not all texts are kept for that."""
_ASKED_AGAIN_AFTER = timedelta(days=7)
_UNTIL_LOOKED_AGAIN = timedelta(days=30)
"""A safeguard; each audit makes a repository due at once."""
_UNTIL_READ = timedelta(minutes=10)
_UNTIL_TAKEN_IN = timedelta(minutes=2)
_MOST_TOLD = 300


@dataclass(frozen=True, slots=True)
class DueScan:
    """A claimed repository: `findings` were made from `files`, by path as git names their contents.

    `uploaded` stands for what code scanning has already, None where that is nothing, and `upload` names the upload
    of it while nobody knows yet whether it was taken in.
    """

    id: int
    repository: Identity
    branch: str
    files: Mapping[str, str]
    findings: tuple[Finding, ...]
    uploaded: str | None = None
    upload: str | None = None


@dataclass(frozen=True, slots=True)
class UploadedFindings:
    """What code scanning has now, the upload that is still to be taken in, and when it is looked at again."""

    uploaded: str | None
    rest: timedelta = _UNTIL_LOOKED_AGAIN
    upload: str | None = None


class NotTakenIn(Failure):
    """The forge has accepted an upload and found later that it cannot show it."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__(
            Trouble.MALFORMED,
            f"code scanning could not take the findings in ({'; '.join(errors)[:_MOST_TOLD]})",
            advice="they are uploaded again in a week, or when they change",
        )


class ScanStore(Protocol):
    """What the uploads of findings ask of the store; each method is one transaction."""

    @property
    def scans(self) -> Queue[DueScan]:
        """Repositories that were audited, and whose findings are wished for in code scanning."""
        ...

    async def settle_scan(self, item: DueScan, result: UploadedFindings, due_at: datetime) -> None: ...

    async def refuse_scan(self, item: DueScan, reason: str, due_at: datetime) -> None:
        """The forge takes no findings there, which is told once for each owner."""
        ...

    async def forget_upload(self, item: DueScan, reason: str, due_at: datetime) -> None:
        """The forge did not take in what was uploaded, so that it has nothing of it."""
        ...


@dataclass(frozen=True, slots=True)
class ScanTally:
    """How many repositories were done, and what hindered others, one line each."""

    done: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanLogs:
    """How logs are made: `plain` tells whether anything has changed, and `patched` is what is uploaded then."""

    plain: Sarif
    patched: Patching


async def tick(store: ScanStore, forge: Forge, logs: ScanLogs, options: ActOptions, loop: Loop) -> ScanTally:
    """Uploads the findings of all repositories that are due; the tally counts these."""
    tally = await loop.run(_ScanUploads(store, forge, logs, options, loop))
    return ScanTally(tally.done, tuple(tally.problems))


class _ScanUploads(ForgeWriting[DueScan, UploadedFindings]):
    """Uploads what differs from the last upload; where nothing was ever found, nothing is uploaded."""

    stage = "code scanning"

    def __init__(self, store: ScanStore, forge: Forge, logs: ScanLogs, options: ActOptions, loop: Loop) -> None:
        self._store = store
        self._logs = logs
        super().__init__(forge, options.hosts.forge, loop)

    @property
    def queue(self) -> Queue[DueScan]:
        return self._store.scans

    def repository(self, item: DueScan) -> Identity:
        return item.repository

    async def attempt(self, item: DueScan, lease: Lease) -> UploadedFindings:
        reported_findings = [each for each in item.findings if each.outcome in {Outcome.FAILS, Outcome.WAIVED}]
        mark = hashlib.sha256(_text(self._logs.plain(item.findings))).hexdigest()[:32]
        if mark == item.uploaded and item.upload is not None:
            return await self._taken_in(item, item.upload)
        if mark == item.uploaded or (not reported_findings and item.uploaded is None):
            return UploadedFindings(item.uploaded)
        word_held = WordHeld(lease, self._clock)
        forge = self._guarded(word_held)
        word_held.hear(item.repository.name, self._clock.now())
        paths = sorted({each.place.path for each in reported_findings if each.place.path in item.files})
        look = await forge.look(item.repository, item.branch, paths)
        branch = look.standing.default_branch
        if look.trunk is None or branch is None or not self._is_wanted(look):
            return UploadedFindings(item.uploaded, timedelta(days=1), item.upload)
        blobs = {path: file.sha for path, file in look.trunk.files.items()}
        if any(blobs.get(path) != item.files[path] for path in paths):
            # discovery reads it again, and the audit after it
            return UploadedFindings(item.uploaded, _UNTIL_READ, item.upload)
        log = await self._logs.patched(item)
        if log is None:
            return UploadedFindings(item.uploaded, _UNTIL_READ, item.upload)
        upload = await forge.upload_findings(look.standing.identity, look.trunk.sha, branch, _text(log))
        return UploadedFindings(mark, _UNTIL_TAKEN_IN, upload)

    async def _taken_in(self, item: DueScan, upload: str) -> UploadedFindings:
        """Raises `NotTakenIn`. An upload that the forge knows no more is asked about no more."""
        try:
            receipt = await self._forge.taken_in(item.repository, upload)
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                raise
            return UploadedFindings(item.uploaded)
        if receipt.errors:
            raise NotTakenIn(receipt.errors)
        return (
            UploadedFindings(item.uploaded, _UNTIL_TAKEN_IN, upload)
            if receipt.is_pending
            else UploadedFindings(item.uploaded)
        )

    def _is_wanted(self, look: BranchLook) -> bool:
        word = look.standing
        is_taken = word.read_only is None and self._covers(word.identity)
        return is_taken and config_of(word, self._clock.now()).enabled

    async def settle(self, item: DueScan, result: UploadedFindings) -> None:
        await self._store.settle_scan(item, result, self._clock.now() + result.rest)

    async def failed(self, item: DueScan, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        if isinstance(failure, NotTakenIn):
            await self._store.forget_upload(item, failure.told, now + _ASKED_AGAIN_AFTER)
            return f"{item.repository.name}: {failure}"
        if failure.trouble is Trouble.MISSING or failure.lacks_a_right:  # not switched on or licensed, or no right
            await self._store.refuse_scan(item, failure.told, now + _ASKED_AGAIN_AFTER)
            return None
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return f"{item.repository}: {failure}"


def _text(log: Mapping[str, Any]) -> bytes:
    return json.dumps(log, sort_keys=True).encode()
