"""One tick: repositories whose files, produced image or rules changed are judged again; the others cost nothing."""

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.globs import names_repository
from bot.domain.images.seen_config import SeenConfig
from bot.domain.repositories.finding import Finding, JudgedRepository
from bot.domain.repositories.repository import GITHUB, WORKFLOWS, Identity
from bot.domain.repositories.surroundings import EnvironmentProtection, Surroundings, surroundings_of
from bot.files.audit.version import VERSION
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff

_UNTIL_REREAD = timedelta(days=30)
"""A safeguard; what changes makes a repository due at once."""
_UNTIL_ASKED_AGAIN = timedelta(days=1)
"""A repository that names environments: what these ask changes at the builder alone."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """`never_waived` names the checks that no repository may waive. `opens_issues`: failing practices alone are
    reason enough for a repository's issue. `code_scanning`: globs of repositories whose findings are uploaded;
    `admission`: of those whose clusters admit verified images alone."""

    never_waived: Collection[str] = ()
    opens_issues: bool = False
    code_scanning: Collection[str] = ()
    admission: Collection[str] = ()

    def uploads(self, repository: str) -> bool:
        """Whether the findings of a repository are wished for in code scanning."""
        return names_repository(self.code_scanning, repository)

    @property
    def mark(self) -> str:
        """Changes with all that an audit depends on besides the repository."""
        wishes = (str(self.opens_issues), *sorted(self.never_waived), "", *sorted(self.code_scanning))
        wishes += ("", *sorted(self.admission)) if self.admission else ()
        parts = (_release(), str(VERSION), *wishes)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _release() -> str:
    """Read from the installed package's files, which takes as long as an audit does."""
    return version("freshness-bot")


@dataclass(frozen=True, slots=True)
class DueAudit:
    """A claimed repository: `files` are those that discovery has read, by path, as git names their contents.

    `before` is what was found last, None where that was never; `mark` tells under which rules. `default_branch` is
    what the forge calls it.
    """

    id: int
    repository: int
    name: str
    files: Mapping[str, str]
    produced: tuple[SeenConfig, ...] = ()
    before: tuple[Finding, ...] | None = None
    mark: str | None = None
    error: str | None = None
    node_id: str | None = None
    forge: str = GITHUB
    default_branch: str = ""


class AuditStore(Protocol):
    """What auditing the fleet asks of the store; each method is one transaction."""

    async def expect(self, mark: str) -> None:
        """Makes all repositories due that were judged under another mark; costs nothing while it stays the same."""
        ...

    @property
    def audits(self) -> Queue[DueAudit]: ...

    async def contents(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        """What discovery has kept of these files."""
        ...

    async def save(self, item: DueAudit, judged: JudgedRepository, options: AuditOptions, due_at: datetime) -> None:
        """Keeps the findings with what has moved, and what the repository's issue says of them."""
        ...

    async def count_day(self, *, is_news: bool) -> None:
        """Keeps how many repositories stand how today, where something changed or nobody counted today."""
        ...


@dataclass(slots=True)
class AuditTally:
    """How many repositories were audited, and what hindered others, one line each."""

    audited: int = 0
    problems: list[str] = field(default_factory=list)


class AsksEnvironments(Protocol):
    """What builds repositories, as auditing asks it."""

    async def environments(self, repository: Identity) -> Mapping[str, EnvironmentProtection]:
        """What each environment asks of deployments, by name in lower case."""
        ...


async def tick(
    store: AuditStore, options: AuditOptions, loop: Loop, builder: AsksEnvironments | None = None
) -> AuditTally:
    """Judges until nothing is due; without a builder what environments ask is unknown."""
    await store.expect(options.mark)
    tally = await loop.run(_Audits(store, options, loop, builder))
    await store.count_day(is_news=tally.done > 0)
    return AuditTally(tally.done, tally.problems)


class _Audits(Work[DueAudit, JudgedRepository]):
    """One after the other: judging is plain computation."""

    stage = "audit"
    batch = 20
    at_once = 1
    strikes = None

    def __init__(
        self, store: AuditStore, options: AuditOptions, loop: Loop, builder: AsksEnvironments | None
    ) -> None:
        self._store = store
        self._builder = builder
        self._options = options
        self._clock = loop.clock
        self._asked: set[int] = set()
        """Rows for which the builder was asked, which tells nobody of a change there."""

    @property
    def queue(self) -> Queue[DueAudit]:
        return self._store.audits

    async def attempt(self, item: DueAudit, lease: Lease) -> JudgedRepository:
        bodies = await self._store.contents(sorted(set(item.files.values())))
        missing = sum(sha not in bodies for sha in item.files.values())
        if missing:
            raise Failure(
                Trouble.MISSING,
                f"{missing} of its files are not kept any more",
                where=item.name,
                advice="the next reading of the repository brings them back",
            )
        texts = {path: bodies[sha] for path, sha in item.files.items()}
        environments = await self._environments(item, texts)
        surroundings = surroundings_of(item.name, self._options.admission, environments, item.default_branch)
        # A thread keeps the event loop free for the other stages.
        return await asyncio.to_thread(self._judge, item, texts, surroundings)

    def _judge(self, item: DueAudit, texts: Mapping[str, bytes], surroundings: Surroundings) -> JudgedRepository:
        """Loads the rules with the first repository that is judged."""
        from bot.files.audit.auditing import judge_repository
        from bot.files.audit.repository import RepositoryTexts

        repository = RepositoryTexts(texts, item.name, item.produced, surroundings=surroundings)
        return judge_repository(repository, self._clock.now(), self._options.never_waived)

    async def _environments(
        self, item: DueAudit, texts: Mapping[str, bytes]
    ) -> Mapping[str, EnvironmentProtection] | None:
        """What the environments ask that workflows name; None where nobody may tell, or none is named.

        A builder that is in trouble puts the audit off: what was found before stays.
        """
        workflows = (text for path, text in texts.items() if path.startswith(WORKFLOWS))
        if self._builder is None or not any(b"environment:" in text for text in workflows):
            return None
        self._asked.add(item.id)
        try:
            return await self._builder.environments(Identity(item.name, item.node_id, item.forge))
        except Failure as failure:
            if failure.trouble not in (Trouble.DENIED, Trouble.MISSING):
                raise
            return None

    async def settle(self, item: DueAudit, result: JudgedRepository) -> None:
        due_at = self._clock.now() + _UNTIL_REREAD
        if item.id in self._asked:
            self._asked.discard(item.id)
            due_at = self._clock.now() + _UNTIL_ASKED_AGAIN
        if result.until is not None:
            due_at = min(due_at, datetime.combine(result.until + timedelta(days=1), time(), UTC))
        await self._store.save(item, result, self._options, due_at)

    async def failed(self, item: DueAudit, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return str(failure) if item.error != str(failure) else None
