"""Why one repository is as it is."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage
from bot.domain.wording.misfits import did_you_mean
from bot.store.engine.codec import load, readable
from bot.store.engine.store import Store
from bot.store.rows.bases.bases import IS_CONCERNED
from bot.store.rows.bases.mirrors import behind_of_homes
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.ages import builds_of
from bot.store.rows.repositories.issues import issues, sections_of
from bot.store.rows.repositories.onboardings import onboarding_in
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import read_rebuilds
from bot.store.rows.rollouts.steps import read_steps
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.views.repositories.explanation import Decision, Explanation, IssueSaid


class RepositoryViewsStore(Store):
    """Reads what commands show of a repository, and writes nothing."""

    async def explain(self, repository: str) -> Explanation:
        """Reads what `explain` shows of one repository. Raises `Failure` where it is not known."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(repositories).where(repositories.c.name == repository))).first()
            if row is None:
                names = (await connection.execute(select(repositories.c.name))).scalars()
                otherwise = "write owner/name; see github.repositories in the settings"
                advice = did_you_mean(repository, names, otherwise)
                raise Failure(Trouble.MISSING, f"no repository {repository!r} is known", advice=advice)
            usage_rows = await connection.execute(usages_in(row.id).order_by(usages.c.id))
            mine = await read_rebuilds(connection, rebuilds.c.repository_id == row.id)
            decisions = decisions_on(rebuild.id for rebuild in mine).order_by(transitions.c.id)
            return Explanation(
                repository,
                row.read_at,
                row.error,
                load(row.problems, tuple[SourceProblem, ...]),
                load(row.config, RepositoryConfig),
                tuple(readable(usage_rows, _usage, lambda item: f"usage {item.id}")),
                tuple(mine),
                await read_decisions(connection, decisions),
                builds=await builds_of(connection, row.id),
                onboarding=await onboarding_in(connection, row.id),
                issue=await _issue(connection, row.id),
                behind=(await behind_of_homes(connection, [row.id])).get(row.id, ()),
                steps=await read_steps(connection, mine),
            )


def usages_in(repository: int) -> Select[Any]:
    """Selects the usages of a repository, each with the base that it follows and the digest which that shows."""
    base = bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest
    with_base = select(usages.c.id, usages.c.base_id, usages.c.usage, *base).outerjoin(
        bases, bases.c.id == usages.c.base_id
    )
    return with_base.where(usages.c.repository_id == repository, IS_CONCERNED)


def decisions_on(rebuild_ids: Iterable[int]) -> Select[Any]:
    """Selects what was decided on these rebuilds."""
    return select(transitions).where(transitions.c.rebuild_id.in_(list(rebuild_ids)))


async def read_decisions(connection: AsyncConnection, query: Select[Any]) -> tuple[Decision, ...]:
    """Reads what `decisions_on` selects."""
    rows = await connection.execute(query)
    return tuple(
        readable(
            rows,
            lambda row: Decision(row.rebuild_id, row.at, row.before, row.after, row.reason),
            lambda row: f"transition {row.id}",
        )
    )


async def _issue(connection: AsyncConnection, repository: int) -> IssueSaid | None:
    sections = await sections_of(connection, repository)
    if not sections:
        return None
    rows = await connection.execute(
        select(issues.c.url, issues.c.refused, issues.c.is_open).where(issues.c.repository_id == repository)
    )
    # What opens no issue by itself is said where none was ever opened.
    row = rows.one_or_none()
    return (
        IssueSaid(sections) if row is None else IssueSaid(sections, row.url if row.is_open else None, row.refused)
    )


def _usage(row: Any) -> tuple[Usage, Base | None, str | None]:
    base = base_of(row) if row.tag else None
    return load(row.usage, Usage), base, row.digest
