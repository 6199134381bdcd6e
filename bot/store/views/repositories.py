"""Why one repository is as it is."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage
from bot.domain.wording.nearest import did_you_mean
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.mirrors import behind_of_homes
from bot.store.rows.bases.own_bases import IS_CONCERNED
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.ages import builds_of
from bot.store.rows.repositories.issues import issues, sections_of
from bot.store.rows.repositories.onboardings import onboarding_in
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import read_rebuilds
from bot.store.rows.rollouts.steps import read_steps
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.views.repositories.explanation import Explanation, IssueSaid, Transition


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
            usage_rows = await connection.execute(
                select(
                    usages.c.id, usages.c.usage, bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest
                )
                .outerjoin(bases, bases.c.id == usages.c.base_id)
                .where(usages.c.repository_id == row.id, IS_CONCERNED)
                .order_by(usages.c.id)
            )
            mine = await read_rebuilds(connection, rebuilds.c.repository_id == row.id)
            moves = await connection.execute(
                select(transitions)
                .where(transitions.c.rebuild_id.in_([rebuild.id for rebuild in mine]))
                .order_by(transitions.c.id)
            )
            return Explanation(
                repository,
                row.read_at,
                row.error,
                load(row.problems, tuple[SourceProblem, ...]),
                load(row.config, RepositoryConfig),
                tuple(readable(usage_rows, _usage, lambda item: f"usage {item.id}")),
                tuple(mine),
                tuple(
                    readable(
                        moves,
                        lambda move: Transition(move.rebuild_id, move.at, move.before, move.after, move.reason),
                        lambda move: f"transition {move.id}",
                    )
                ),
                builds=await builds_of(connection, row.id),
                onboarding=await onboarding_in(connection, row.id),
                issue=await _issue(connection, row.id),
                behind=(await behind_of_homes(connection, [row.id])).get(row.id, ()),
                steps=await read_steps(connection, mine),
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
