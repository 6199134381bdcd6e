"""Puts the fleet together and writes it into the tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Table, func, insert, select, update

from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.reference import Base
from bot.store.engine.codec import dump
from bot.store.engine.database import Database
from bot.store.rows.bases.tables import (
    advisories,
    bases,
    changes,
    documents,
    incidents,
    notices,
    observations,
    releases,
)
from bot.store.rows.images.images import deployments, images
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.audits import audits, practice_days, practice_weeks
from bot.store.rows.repositories.audits import practices as practices_table
from bot.store.rows.repositories.repositories import standing_days
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.budgets import budgets, spendings
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import quarantines, rebuilds, rollout_waves, transitions
from bot.store.rows.rollouts.tables import rollouts as rollout_rows
from bot.store.rows.tables import journal
from sandbox.stored_fleet import practices, rollouts, surroundings
from sandbox.stored_fleet import repositories as r
from sandbox.stored_fleet.inside import Inside
from sandbox.stored_fleet.publications import (
    BASES,
    ROLLOUTS,
    Publication,
    change,
    digest,
    layers,
    opened,
    publications,
)

_AT_ONCE = 2_000
QUARANTINED = Base("mcr.microsoft.com", "dotnet/aspnet", "8.0-alpine")


@dataclass
class StoredFleet:
    """`usages` is the average for each repository.

    `mark` is put into every text that people or forges can write, to see where it comes out.
    """

    database: Database
    now: datetime
    repositories: int = 5_000
    usages: int = 12
    mark: str = ""

    async def write(self) -> None:
        """Writes all rows, as if the bot had looked after this fleet for months."""
        samples = r.samples(self.repositories, self.usages, self.mark)
        used = {base for sample in samples for base in sample.bases}
        ids = {base: number for number, base in enumerate((b for b in BASES if b in used), 1)}
        shown = {base: publications(base, self.now) for base in ids}
        await self._write(bases, (self._base(base, id_, shown[base]) for base, id_ in ids.items()))
        await self._write(repositories, (r.repository_row(each, self.now, self.mark) for each in samples))
        await self._write_rollouts(ids, shown)
        is_done = await self._write_rebuilds(samples, shown)
        await self._write_repositories(samples, ids, shown, is_done)
        await self._write_surroundings(ids)
        await Inside(self.database, self.now, self.mark).write()
        today = self.now.date()
        await self._write(audits, practices.judged_rows(self.repositories, self.now))
        await self._write(practices_table, practices.outcome_rows(self.repositories))
        await self._write(practice_days, practices.day_rows(self.repositories, today))
        await self._write(practice_weeks, practices.week_rows(self.repositories, today))

    async def _write_rollouts(self, ids: dict[Base, int], shown: dict[Base, list[Publication]]) -> None:
        numbers = range(1, ROLLOUTS + 2)
        await self._write(rollout_rows, map(self._rollout, numbers))
        await self._write(rollout_waves, (row for n in numbers for row in rollouts.wave_rows(n, self.now)))
        observed: list[dict[str, Any]] = []
        moves: list[dict[str, Any]] = []
        for base, all_ in shown.items():
            for place, each in enumerate(all_):
                observed.append(self._observation(len(observed) + 1, ids[base], each, is_first=not place))
            first = len(observed) - len(all_) + 1
            for place, (before, after) in enumerate(pairwise(all_)):
                moves.append(self._change(ids[base], first + place, before, after))
        await self._write(observations, observed)
        await self._write(changes, moves)
        newest = select(func.max(observations.c.id)).where(observations.c.base_id == bases.c.id)
        async with self.database.transaction() as connection:
            await connection.execute(update(bases).values(observation_id=newest.scalar_subquery()))

    async def _write_rebuilds(
        self, samples: list[r.Sample], shown: dict[Base, list[Publication]]
    ) -> dict[int, bool]:
        """Whether the latest rebuild of each repository has succeeded, by its id."""
        is_done: dict[int, bool] = {}
        for number in range(1, ROLLOUTS + 2):
            moved = {
                after.base: (before.digest, after.digest)
                for all_ in shown.values()
                for before, after in pairwise(all_)
                if after.rollout == number
            }
            told = list(rollouts.rebuilds(number, samples, moved, self.now, self.mark))
            is_done |= {each.rebuild["repository_id"]: each.state == "succeeded" for each in told}
            await self._write(rebuilds, (each.rebuild for each in told))
            await self._write(transitions, (row for each in told for row in each.transitions))
            await self._write(steps, (row for each in told for row in each.steps))
        return is_done

    async def _write_repositories(
        self,
        samples: list[r.Sample],
        ids: dict[Base, int],
        shown: dict[Base, list[Publication]],
        is_done: dict[int, bool],
    ) -> None:
        newest = {base: all_[-1].digest for base, all_ in shown.items()}
        before = {base: all_[-2].digest for base, all_ in shown.items()}
        pins = {each.number: newest if is_done.get(each.number, True) else before for each in samples}
        await self._write(
            usages, (row for each in samples for row in r.usage_rows(each, pins[each.number], ids, self.mark))
        )
        await self._write(
            images,
            (
                row
                for each in samples
                for row in r.image_rows(each, shown, is_done.get(each.number, True), self.now, self.mark)
            ),
        )
        await self._write(deployments, (row for each in samples for row in r.deployment_rows(each, self.now)))
        await self._write(
            workflow_builds,
            (surroundings.workflow_rows(each.number, self.now, self.mark) for each in samples if each.services),
        )

    async def _write_surroundings(self, ids: dict[Base, int]) -> None:
        kept, spent = surroundings.budget_rows(self.now)
        quarantined = ids.get(QUARANTINED)
        rows: tuple[tuple[Table, Iterable[dict[str, Any]]], ...] = (
            (advisories, surroundings.advisory_rows(self.now, self.mark)),
            (releases, surroundings.release_rows(self.now)),
            (documents, surroundings.document_rows(self.now, self.mark)),
            (incidents, surroundings.incident_rows(self.now, self.mark)),
            (notices, surroundings.notice_rows(ids, self.now, self.mark)),
            (journal, surroundings.journal_rows(self.now, self.mark)),
            (standing_days, surroundings.day_rows(self.repositories, self.now)),
            (budgets, kept),
            (spendings, spent),
            (quarantines, () if quarantined is None else [self._quarantine(quarantined)]),
        )
        for table, some in rows:
            await self._write(table, some)

    async def _write(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        waiting = list(rows)
        for start in range(0, len(waiting), _AT_ONCE):
            async with self.database.transaction() as connection:
                await connection.execute(insert(table), waiting[start : start + _AT_ONCE])

    def _base(self, base: Base, id_: int, shown: list[Publication]) -> dict[str, Any]:
        return {
            "id": id_,
            "registry": base.registry,
            "repository": base.repository,
            "tag": base.tag,
            "digest": shown[-1].digest,
            "version": shown[-1].version,
            "moved_at": shown[-1].at,
            "used": True,
            "due_at": self.now + timedelta(minutes=id_),
            "error": f"answers 503 since three looks{self.mark}" if id_ == 5 else None,
        }

    def _rollout(self, number: int) -> dict[str, Any]:
        at = opened(number, self.now)
        return {"id": number, "opened_at": at, "ended_at": at + timedelta(hours=61) if number <= ROLLOUTS else None}

    def _observation(self, id_: int, base: int, shown: Publication, *, is_first: bool) -> dict[str, Any]:
        platforms = tuple(
            PlatformImage(platform, digest(f"{shown.digest} {platform}"), layers=layers(shown, platform))
            for platform in ("linux/amd64", "linux/arm64")
        )
        seen = Observation(shown.at, shown.base, shown.digest, shown.version, shown.at.isoformat(), platforms)
        return {
            "id": id_,
            "base_id": base,
            "previous_id": None if is_first else id_ - 1,
            "at": shown.at,
            "digest": shown.digest,
            "sight": "moved",
            "observation": dump(seen, Observation),
            "assessed": True,
        }

    def _change(self, base: int, observation: int, before: Publication, after: Publication) -> dict[str, Any]:
        found = change(before, after, self.mark)
        return {
            "base_id": base,
            "from_observation": observation,
            "to_observation": observation + 1,
            "at": after.at,
            "change": dump(found, Change),
            "cause": found.cause.value,
            "assessed_at": after.at,
            "feeds_revision": 1,
            "planned": True,
            "rollout_id": after.rollout,
        }

    def _quarantine(self, base: int) -> dict[str, Any]:
        return {
            "base_id": base,
            "digest": publications(QUARANTINED, self.now)[-1].digest,
            "since": self.now - timedelta(hours=3),
            "who": f"alice{self.mark}",
            "reason": f"musl's resolver breaks split DNS{self.mark}",
        }
