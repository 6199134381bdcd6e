"""The issues of repositories: what `act.issue` reads and writes."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.repositories.issue import worth_an_issue
from bot.domain.repositories.repository import owner_of
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.domain.rollouts.timing.age import AgeStanding
from bot.fleet.act.issue.sections import DEAD_SCHEDULES, FAILURES, IssueFailure, dead_schedules, failures
from bot.fleet.act.issue.tick import DueIssue, ToldIssue
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load, readable
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.issues import issues, say, sections_by_name, sections_of, unsay
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import was_tried_again
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.rollouts.tables import rebuilds

_FOR_PEOPLE = [standing.value for standing in AgeStanding if standing.needs_person]
_MENDING = (RebuildState.SUCCEEDED, RebuildState.BUILT, RebuildState.MERGED)


class IssuesStore(Store):
    """`bot.fleet.act.issue.tick.IssueStore` on the database."""

    @property
    def issues(self) -> DueRows[DueIssue]:
        """Those that do not say yet what there is to say; none while the bot is paused as a whole."""
        untold = [issues.c.wanted > issues.c.told, ~ALL_PAUSED]
        return DueRows(
            *(self._database, self._worker, issues, self._read_issue, lambda row: f"issue {row['id']}"),
            where=untold,
            ends_with_where=True,
        )

    async def _read_issue(self, claimed: Claimed) -> DueIssue:
        row = claimed.row
        async with self._database.reading() as connection:
            home_query = select(*IDENTITY).where(repositories.c.id == row["repository_id"])
            home = (await connection.execute(home_query)).one()
            sections = worth_an_issue(await sections_of(connection, row["repository_id"]))
        identity = identity_of(home)
        return DueIssue(row["id"], identity, sections, row["number"], row["is_open"], row["wanted"])

    async def gather(self) -> int:
        """Has in each repository's issue which of its rebuilds have failed, until a later one has not, and which of
        its workflows a person must see to."""
        now, count = self._clock.now(), 0
        async with self._database.reading() as connection:
            sections = [
                *(
                    (home, failures(entries))
                    for home, entries in (await _failures_by_repository(connection)).items()
                ),
                *(
                    (home, dead_schedules(entries))
                    for home, entries in (await _dead_workflows_by_repository(connection)).items()
                ),
            ]
            before = await sections_by_name(connection, (FAILURES, DEAD_SCHEDULES))
        ended_sections = before.keys() - {(home, section.name) for home, section in sections}
        new_sections = [
            (home, section) for home, section in sections if before.get((home, section.name)) != section
        ]
        if not new_sections and not ended_sections:
            return 0
        async with self._database.transaction() as connection:
            for home, section in sorted(new_sections, key=lambda each: (each[0], each[1].name)):
                count += await say(connection, home, section, now)
            for home, name in sorted(ended_sections):
                count += await unsay(connection, home, name, now)
        return count

    async def settle_issue(self, item: DueIssue, outcome: ToldIssue) -> None:
        """What was said meanwhile stays due, and so does what could not be said yet."""
        async with self._database.transaction() as connection:
            values = {
                "number": outcome.number,
                "is_open": outcome.is_open,
                **({"told": item.wanted} if outcome.again_after is None else {}),
                "refused": None,
                "error": None,
                **({"url": outcome.url} if outcome.url else {}),
            }
            now = self._clock.now()
            due_at = now + (outcome.again_after or timedelta())
            await settle(connection, issues, self._worker, item.id, due_at=due_at, values=values)
            await tell_incidents(connection, [], [_subject(item)], now)

    async def refuse_issue(self, item: DueIssue, reason: str, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            await settle(
                connection,
                issues,
                self._worker,
                item.id,
                due_at=due_at,
                succeeded=False,
                values={"refused": reason},
            )
            now, owner = self._clock.now(), item.repository.name.partition("/")[0]
            text = (
                f"issues cannot be written at {owner} ({reason}); `freshness-bot explain` shows what they would say"
            )
            await tell_incidents(connection, [Incident(_subject(item), now, text)], [], now)


@cache
def _last_failures() -> Select[Any]:
    """Rebuilds that nothing has mended since, newest first; also those that were to be tried again, and could not
    be."""
    later = rebuilds.alias()
    is_mended = exists(
        select(later.c.id).where(
            later.c.repository_id == rebuilds.c.repository_id,
            later.c.id > rebuilds.c.id,
            later.c.state.in_(_MENDING),
            later.c.action != Action.NOTIFY.value,
        )
    )
    return (
        select(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.targets, rebuilds.c.reason, rebuilds.c.url)
        .join(repositories, and_(repositories.c.id == rebuilds.c.repository_id, repositories.c.listed))
        .where(rebuilds.c.state == RebuildState.FAILED, ~was_tried_again(), ~is_mended)
        .order_by(rebuilds.c.id.desc())
    )


async def _failures_by_repository(connection: AsyncConnection) -> dict[int, list[IssueFailure]]:
    """Reads for each repository what failed last; also what was to be tried again, and could not be."""
    rows = await connection.execute(_last_failures())
    failures_by_home: dict[int, list[IssueFailure]] = {}
    for home, failure in readable(
        rows,
        lambda row: (row.repository_id, IssueFailure(_bases(row.targets), row.reason, row.url)),
        lambda row: f"rebuild {row.id}",
    ):
        failures_by_home.setdefault(home, []).append(failure)
    return failures_by_home


async def _dead_workflows_by_repository(connection: AsyncConnection) -> dict[int, list[tuple[str, str]]]:
    """Reads for each repository the workflows whose weekly guarantee needs a person, with why."""
    table = workflow_builds.c
    rows = await connection.execute(
        select(table.repository_id, table.workflow, table.said)
        .join(repositories, and_(repositories.c.id == table.repository_id, repositories.c.listed))
        .where(table.max_age_seconds.is_not(None), table.standing.in_(_FOR_PEOPLE), table.said.is_not(None))
        .order_by(table.repository_id, table.workflow)
    )
    workflows_by_home: dict[int, list[tuple[str, str]]] = {}
    for row in rows:
        workflows_by_home.setdefault(row.repository_id, []).append((row.workflow, row.said))
    return workflows_by_home


def _subject(item: DueIssue) -> str:
    """Names one incident for each owner, since the right is given for all of its repositories."""
    return f"issues:{owner_of(item.repository.name)}"


def _bases(targets: object) -> tuple[str, ...]:
    return tuple(target.base.short for target in load(targets, tuple[Target, ...]))
