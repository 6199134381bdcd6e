"""One repository as its page shows it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.support import Support, support_of
from bot.domain.repositories.addresses import repository_url
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage
from bot.store.engine.codec import load, readable
from bot.store.engine.store import Store
from bot.store.pages.images.images import images_of
from bot.store.pages.rows import MOST_ROWS, latest_rebuilds, line_url
from bot.store.rows.bases.support import ends_of_support
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.ages import builds_of
from bot.store.rows.repositories.onboardings import onboarding_in
from bot.store.rows.repositories.repositories import standings
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.store.views.repositories import decisions_on, read_decisions, usages_in
from bot.views.bases.support import support_row
from bot.views.fleet.fleet import Standing
from bot.views.repositories.explanation import FileProblem, RepositoryPage, UsageRow

_MOST_USAGES = 100
_MOST_REBUILDS = 20
_MOST_DECISIONS = 80


class RepositoryPagesStore(Store):
    """Reads the page of a repository, and writes nothing."""

    async def repository(self, name: str, web: str) -> RepositoryPage | None:
        """Reads what a repository's page shows; `web` is where the forge shows repositories to people. None where
        no repository has this name."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(repositories, standings.c.standing, standings.c.since)
                    .outerjoin(standings, standings.c.repository_id == repositories.c.id)
                    .where(repositories.c.name == name)
                )
            ).first()
            if row is None:
                return None
            config = load(row.config, RepositoryConfig)
            used_here = bases.c.id.in_(select(usages.c.base_id).where(usages.c.repository_id == row.id))
            ends = await ends_of_support(connection, now.date(), used_here)
            place = _Place(web, row.name, row.default_branch, config, now.date(), ends)
            built = await latest_rebuilds(connection, _MOST_REBUILDS, rebuilds.c.repository_id == row.id)
            latest_decisions = decisions_on(each.id for each in built).order_by(transitions.c.id.desc())
            usage_count = select(func.count()).where(usages.c.repository_id == row.id)
            rebuild_count = select(func.count()).where(rebuilds.c.repository_id == row.id)
            return RepositoryPage(
                name=row.name,
                url=repository_url(web, row.name),
                standing=Standing(row.standing) if row.standing else None,
                since=row.since,
                branch=row.default_branch,
                read_at=row.read_at,
                error=row.error,
                is_enabled=config.enabled,
                usages=await _usages(connection, row.id, place),
                usage_count=int(await connection.scalar(usage_count) or 0),
                problems=tuple(map(place.problem, load(row.problems, tuple[SourceProblem, ...])[:MOST_ROWS])),
                rebuilds=built,
                rebuild_count=int(await connection.scalar(rebuild_count) or 0),
                decisions=await read_decisions(connection, latest_decisions.limit(_MOST_DECISIONS)),
                builds=await builds_of(connection, row.id),
                images=await images_of(connection, row.id, MOST_ROWS, now),
                onboarding=await onboarding_in(connection, row.id),
            )


async def _usages(connection: AsyncConnection, repository: int, place: "_Place") -> tuple[UsageRow, ...]:
    """The first usages of a repository, those of bases before all others."""
    rows = await connection.execute(
        usages_in(repository).order_by(usages.c.base_id.is_(None), usages.c.id).limit(_MOST_USAGES)
    )
    return tuple(readable(rows, place.usage, lambda each: f"usage {each.id}"))


class _Place:
    """Where a repository's files are shown."""

    def __init__(
        self,
        web: str,
        name: str,
        branch: str,
        config: RepositoryConfig,
        today: date,
        ends: Mapping[int, Support],
    ) -> None:
        self._web = web
        self._name = name
        self._branch = branch
        self._config = config
        self._today = today
        self._ends = ends

    def usage(self, row: Any) -> UsageRow:
        usage = load(row.usage, Usage)
        base = base_of(row) if row.tag else None
        pinned = usage.reference.digest
        left = self._config.ignored_by(usage.path, str(base or usage.reference.base), self._today)
        return UsageRow(
            usage.path,
            usage.line,
            str(usage.reference),
            usage.role.value,
            usage.stage,
            str(base) if base else None,
            None if base is None or pinned is None or row.digest is None else pinned == row.digest,
            str(left) if left else None,
            self._line(usage.path, usage.line),
            support_row(self._ends.get(row.base_id) or support_of(usage.reference, self._today), self._today),
        )

    def problem(self, source_problem: SourceProblem) -> FileProblem:
        return FileProblem(
            source_problem.path,
            source_problem.line,
            source_problem.message,
            self._line(source_problem.path, source_problem.line),
        )

    def _line(self, path: str, line: int) -> str:
        return line_url(self._web, self._name, self._branch, path, line)
