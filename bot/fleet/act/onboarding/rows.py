"""Onboardings: what `act.onboarding` reads and writes, and who is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.globs import names_repository
from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.onboarding import MendedPlace, Onboarding, OnboardingState
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.act.onboarding.ports import DueOnboarding
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump, load
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.rows.images.produced import produced_configs
from bot.store.rows.repositories.audits import audits, practices
from bot.store.rows.repositories.blobs import blobs_of
from bot.store.rows.repositories.onboardings import (
    IN_FLEET,
    IS_WORKED_ON,
    may_be_opened_again,
    onboarding_of,
    onboardings,
)
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import journal

_UNDER_WAY = [state.value for state in OnboardingState if state.is_under_way]
_ALWAYS_FAILS = 6
_BY_SETTINGS = "the settings ask for it"


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of a person's word for one repository; `why` where nothing is to come of it."""

    repository: str
    is_taken_up: bool
    why: str = ""


class OnboardingsStore(Store):
    """`bot.fleet.act.onboarding.ports.OnboardingStore` on the database."""

    async def enlist(self, repositories: Collection[str], checks: Collection[str], at_once: int) -> int:
        """Takes up audited repositories in which one of `checks` fails, until `at_once` are under way; how many.

        `repositories` are globs. Those that wait and match none of them any more are let go. What is done is taken
        up again once it was judged anew, and something fails then.
        """
        now = self._clock.now()
        async with self._database.reading() as connection:
            unnamed_ids = await _ids_no_longer_named(connection, repositories)
            room = at_once - await _under_way(connection)
            chosen = (
                await _ids_to_enlist(connection, repositories, checks, room) if repositories and room > 0 else []
            )
        if not unnamed_ids and not chosen:
            return 0
        async with self._database.transaction() as connection:
            if unnamed_ids:
                await connection.execute(
                    delete(onboardings).where(onboardings.c.id.in_(unnamed_ids), _IS_UNTOUCHED)
                )
            for repository in sorted(chosen):
                await _take_up(connection, repository, None, _BY_SETTINGS, now)
        return len(chosen)

    async def ask(self, names: Sequence[str], word: Word) -> list[OrderResult]:
        """Takes up repositories on a person's word, whatever the settings say; one that has declined stays so."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            results = []
            for name in sorted(set(names)):
                results.append(await _take_up_by_word(connection, name, word, now))
                if results[-1].is_taken_up:
                    values = {"at": now, "who": word.who, "is_claimed": word.is_claimed, "reason": word.reason}
                    await connection.execute(insert(journal).values(**values, what="onboard", subject=name))
        return results

    @property
    def onboardings(self) -> DueRows[DueOnboarding]:
        """Those that have not come to an end, and those that have declined lately."""
        return DueRows(
            *(self._database, self._worker, onboardings, self._read_onboarding),
            lambda row: f"onboarding {row['repository_id']}",
            where=[or_(IS_WORKED_ON, may_be_opened_again(self._clock.now()))],
            ends_with_where=True,
            rests=[IS_WORKED_ON, onboardings.c.state != OnboardingState.SET_ASIDE.value],
        )

    async def _read_onboarding(self, claimed: Claimed) -> DueOnboarding:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(onboardings).where(onboardings.c.id == claimed.id))).one()
            return await _due_onboarding(connection, row.repository_id, claimed.id, onboarding_of(row), row.error)

    async def source(self, name: str) -> DueOnboarding | None:
        """A repository as its onboarding would begin with it; None where none of that name was read."""
        async with self._database.reading() as connection:
            repository_id = await _id_of_listed(connection, name)
            audit_query = select(audits.c.id).where(audits.c.repository_id == repository_id)
            if repository_id is None or await connection.scalar(audit_query) is None:
                return None
            row = (
                await connection.execute(select(onboardings).where(onboardings.c.repository_id == repository_id))
            ).first()
            standing = onboarding_of(row) if row is not None else Onboarding(OnboardingState.WAITING, "")
            return await _due_onboarding(connection, repository_id, 0, standing, None)

    async def contents(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        async with self._database.reading() as connection:
            return await blobs_of(connection, shas)

    async def settle_onboarding(
        self, item: DueOnboarding, after: Onboarding, due_at: datetime, *, succeeded: bool = True
    ) -> None:
        values: dict[str, Any] = {
            "state": after.state.value,
            "reason": after.reason,
            "number": after.number,
            "url": after.url,
            "merged": after.merged,
            "left": after.left,
            "made_from": after.made_from,
            "proposed": dump(after.proposed, tuple[MendedPlace, ...]),
            "brought": dump(after.brought, tuple[MendedPlace, ...]),
            "declined": list(after.declined),
            "error": None,
        }
        before = item.onboarding
        if (before.state, before.number, before.merged) != (after.state, after.number, after.merged):
            values["changed_at"] = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(
                *(connection, onboardings, self._worker, item.id),
                due_at=due_at,
                succeeded=succeeded,
                values=values,
            )


_IS_UNTOUCHED = and_(
    onboardings.c.asked_by.is_(None),
    onboardings.c.number.is_(None),
    onboardings.c.state.in_([OnboardingState.WAITING.value, OnboardingState.SET_ASIDE.value]),
)
"""The settings alone have asked for it, and no pull request was opened."""


async def _ids_no_longer_named(connection: AsyncConnection, globs: Collection[str]) -> list[int]:
    rows = await connection.execute(
        select(onboardings.c.id, repositories.c.name)
        .join(repositories, repositories.c.id == onboardings.c.repository_id)
        .where(_IS_UNTOUCHED)
    )
    return [row.id for row in rows if not names_repository(globs, row.name)]


async def _under_way(connection: AsyncConnection) -> int:
    """How many hold a place: what has failed so often in a row holds none until it succeeds again."""
    query = (
        select(func.count())
        .select_from(onboardings)
        .where(onboardings.c.state.in_(_UNDER_WAY), onboardings.c.attempts < _ALWAYS_FAILS, IN_FLEET)
    )
    return int(await connection.scalar(query) or 0)


async def _ids_to_enlist(
    connection: AsyncConnection, globs: Collection[str], checks: Collection[str], most: int
) -> list[int]:
    fails = (
        select(practices.c.repository_id)
        .where(practices.c.practice.in_(sorted(checks)), practices.c.outcome == Outcome.FAILS.value)
        .distinct()
    )
    is_done = onboardings.c.state == OnboardingState.DONE.value
    is_news = audits.c.audited_at > onboardings.c.changed_at
    rows = await connection.execute(
        select(repositories.c.id, repositories.c.name)
        .join(audits, audits.c.repository_id == repositories.c.id)
        .outerjoin(onboardings, onboardings.c.repository_id == repositories.c.id)
        .where(
            repositories.c.listed.is_(True),
            repositories.c.id.in_(fails),
            or_(onboardings.c.id.is_(None), and_(is_done, is_news)),
        )
        .order_by(repositories.c.name)
    )
    return [row.id for row in rows if names_repository(globs, row.name)][:most]


async def _take_up(
    connection: AsyncConnection, repository: int, asked_by: str | None, reason: str, now: datetime
) -> None:
    """A new row, or one that is done waits again; one that is under way stays as it is."""
    values = {"state": OnboardingState.WAITING.value, "reason": reason, "due_at": now, "changed_at": now}
    row = insert_missing(connection, onboardings, repository_id=repository, asked_by=asked_by, **values)
    await connection.execute(row)
    is_again = and_(
        onboardings.c.repository_id == repository,
        onboardings.c.state.in_([OnboardingState.DONE.value, OnboardingState.SET_ASIDE.value]),
    )
    await connection.execute(update(onboardings).where(is_again).values(**values, asked_by=asked_by))


async def _take_up_by_word(connection: AsyncConnection, name: str, word: Word, now: datetime) -> OrderResult:
    repository_id = await _id_of_listed(connection, name)
    if repository_id is None:
        return OrderResult(name, False, "the fleet has no such repository; write owner/name")
    is_its_row = onboardings.c.repository_id == repository_id
    row = (await connection.execute(select(onboardings).where(is_its_row))).first()
    if row is not None and row.state == OnboardingState.DECLINED.value:
        return OrderResult(name, False, f"it has declined for good: {row.reason}")
    if row is not None and row.state in _UNDER_WAY:
        return OrderResult(name, False, f"it is under way: {row.reason}")
    await _take_up(connection, repository_id, word.who, f"{word.who} asks for it: {word.reason}", now)
    return OrderResult(name, True)


async def _id_of_listed(connection: AsyncConnection, name: str) -> int | None:
    query = select(repositories.c.id).where(
        func.lower(repositories.c.name) == name.lower(), repositories.c.listed.is_(True)
    )
    repository_id: int | None = await connection.scalar(query)
    return repository_id


async def _due_onboarding(
    connection: AsyncConnection, repository: int, row: int, standing: Onboarding, error: str | None
) -> DueOnboarding:
    """A repository with the files that the audit reads, and what else of the bot's is open there."""
    query = select(*IDENTITY, repositories.c.default_branch).where(repositories.c.id == repository)
    home = (await connection.execute(query)).one()
    files = await connection.scalar(select(audits.c.files).where(audits.c.repository_id == repository))
    is_open = and_(rebuilds.c.repository_id == repository, rebuilds.c.state == RebuildState.OPEN.value)
    open_elsewhere = await connection.scalar(select(func.count(func.distinct(rebuilds.c.branch))).where(is_open))
    configs = await produced_configs(connection, repository, home.name)
    return DueOnboarding(
        row,
        identity_of(home),
        load(files or {}, dict[str, str]),
        standing,
        configs,
        int(open_elsewhere or 0),
        error,
        home.default_branch,
    )
