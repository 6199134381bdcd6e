"""One repository as its page shows it."""

from datetime import date
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, select

from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.pages.images.images import images_of
from bot.store.pages.rows import (
    MOST_ROWS,
    latest_rebuilds,
    line_url,
)
from bot.store.rows.bases.own_bases import IS_CONCERNED
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.ages import builds_of
from bot.store.rows.repositories.onboardings import onboarding_in
from bot.store.rows.repositories.standings import standings
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.views.fleet.fleet import Standing
from bot.views.repositories.repository import Decision, FileProblem, RepositoryPage, UsageRow

_MOST_USAGES = 100
_MOST_REBUILDS = 20
_MOST_DECISIONS = 80


class RepositoryPagesStore(Store):
    """Reads only."""

    async def repository(self, name: str, web: str) -> RepositoryPage | None:
        """`web` is where the forge shows repositories to people."""
        today = self._clock.now().date()
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
            place = _Place(web, row.name, row.default_branch, config, today)
            mine = usages.c.repository_id == row.id
            shown = await connection.execute(
                select(
                    usages.c.id, usages.c.usage, bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest
                )
                .outerjoin(bases, bases.c.id == usages.c.base_id)
                .where(mine, IS_CONCERNED)
                .order_by(usages.c.base_id.is_(None), usages.c.id)
                .limit(_MOST_USAGES)
            )
            built = await latest_rebuilds(connection, _MOST_REBUILDS, rebuilds.c.repository_id == row.id)
            steps = await connection.execute(
                select(transitions)
                .where(transitions.c.rebuild_id.in_([each.id for each in built]))
                .order_by(transitions.c.id.desc())
                .limit(_MOST_DECISIONS)
            )
            return RepositoryPage(
                row.name,
                f"{web}/{quote(row.name)}",
                Standing(row.standing) if row.standing else None,
                row.since,
                row.default_branch,
                row.read_at,
                row.error,
                config.enabled,
                tuple(readable(shown, place.usage, lambda each: f"usage {each.id}")),
                int(await connection.scalar(select(func.count()).where(mine)) or 0),
                tuple(map(place.problem, load(row.problems, tuple[SourceProblem, ...])[:MOST_ROWS])),
                built,
                int(await connection.scalar(select(func.count()).where(rebuilds.c.repository_id == row.id)) or 0),
                tuple(Decision(each.rebuild_id, each.at, each.before, each.after, each.reason) for each in steps),
                await builds_of(connection, row.id),
                await images_of(connection, row.id, MOST_ROWS, self._clock.now()),
                await onboarding_in(connection, row.id),
            )


class _Place:
    """Where a repository's files are shown."""

    def __init__(self, web: str, name: str, branch: str, config: RepositoryConfig, today: date) -> None:
        self._web = web
        self._name = name
        self._branch = branch
        self._config = config
        self._today = today

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
        )

    def problem(self, found: SourceProblem) -> FileProblem:
        return FileProblem(found.path, found.line, found.message, self._line(found.path, found.line))

    def _line(self, path: str, line: int) -> str:
        return line_url(self._web, self._name, self._branch, path, line)
