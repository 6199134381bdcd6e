"""What the bot may have left in repositories, for `retire`."""

from dataclasses import replace

from sqlalchemy import or_, select

from bot.domain.repositories.repository import Identity
from bot.fleet.act.onboarding.deciding import BRANCH
from bot.fleet.act.retiring.retire import Traces
from bot.store.engine.store import Store
from bot.store.rows.repositories.issues import issues
from bot.store.rows.repositories.onboardings import onboardings
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import fleet_issues


class LeavingStore(Store):
    """Reads what the bot may have left in repositories, and writes nothing."""

    async def traces(self) -> list[Traces]:
        """Of every repository in which the bot has used a branch or written an issue, by their names; the one with
        the fleet's issue need not be one of the fleet."""
        async with self._database.reading() as connection:
            used = await connection.execute(
                select(rebuilds.c.repository_id, rebuilds.c.branch)
                .where(rebuilds.c.branch.is_not(None), rebuilds.c.attempted_at.is_not(None))
                .distinct()
                .order_by(rebuilds.c.branch)
            )
            branches: dict[int, list[str]] = {}
            for row in used:
                branches.setdefault(row.repository_id, []).append(row.branch)
            request_rows = await connection.execute(
                select(rebuilds.c.repository_id, rebuilds.c.pull_request)
                .where(rebuilds.c.pull_request.is_not(None))
                .distinct()
                .order_by(rebuilds.c.pull_request)
            )
            pull_requests: dict[int, list[int]] = {}
            for row in request_rows:
                pull_requests.setdefault(row.repository_id, []).append(row.pull_request)
            onboarded = await connection.execute(
                select(onboardings.c.repository_id, onboardings.c.number).where(
                    or_(onboardings.c.number.is_not(None), onboardings.c.attempts > 0)
                )
            )
            for row in onboarded:
                branches.setdefault(row.repository_id, []).append(BRANCH)
                if row.number is not None:
                    pull_requests.setdefault(row.repository_id, []).append(row.number)
            issue_rows = await connection.execute(
                select(issues.c.repository_id, issues.c.number).where(issues.c.number.is_not(None))
            )
            numbers = {row.repository_id: row.number for row in issue_rows}
            homes = await connection.execute(
                select(repositories.c.id, *IDENTITY)
                .where(repositories.c.id.in_({*branches, *numbers}))
                .order_by(repositories.c.name)
            )
            traces_by_name = {
                row.name.lower(): Traces(
                    identity_of(row),
                    tuple(branches.get(row.id, ())),
                    numbers.get(row.id),
                    requests=tuple(pull_requests.get(row.id, ())),
                )
                for row in homes
            }
            fleets = await connection.execute(
                select(fleet_issues.c.repository, fleet_issues.c.number).where(fleet_issues.c.number.is_not(None))
            )
            for row in fleets:
                home = traces_by_name.get(row.repository.lower(), Traces(Identity(row.repository)))
                traces_by_name[row.repository.lower()] = replace(home, fleet_issue=row.number)
            return sorted(traces_by_name.values(), key=lambda each: each.repository.name)
