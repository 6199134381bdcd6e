"""Advisories: their list, and one with what it set off, each as one page shows it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Advisory
from bot.store.engine.codec import load, readable
from bot.store.engine.store import Store
from bot.store.pages.ledger.kept import read_kept
from bot.store.pages.rows import (
    MOST_CHANGES,
    latest_changes,
    rebuild_page,
    states,
)
from bot.store.rows.bases.tables import advisories, changes
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.tables import rebuilds
from bot.upstream.feeds.combine import combine
from bot.views.bases.advisories import Advisories, AdvisoryPage, AdvisoryRow, FixState, states_of
from bot.views.images.ledger import places_in_words
from bot.views.paging import Cut, page_of


class AdvisoryPagesStore(Store):
    """Reads the pages of advisories, and writes nothing."""

    async def advisories(self, text: str, cut: Cut) -> Advisories:
        """Reads a page of the advisories whose CVE or title holds `text`."""
        conditions = [cast(advisories.c.advisory, String).icontains(text, autoescape=True)] if text else []
        cves = select(advisories.c.cve).where(*conditions).distinct()
        async with self._database.reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(cves.subquery()))
            number = func.length(advisories.c.cve)
            cve_rows = await connection.execute(
                select(advisories.c.cve)
                .where(*conditions)
                .group_by(advisories.c.cve)
                .order_by(
                    func.substr(advisories.c.cve, 1, 8).desc(), func.max(number).desc(), advisories.c.cve.desc()
                )
                .limit(cut.per_page)
                .offset(cut.offset)
            )
            by_cve = await _advisories(connection, list(cve_rows.scalars()))
        return Advisories(page_of(tuple(map(_advisory_row, by_cve.values())), int(total or 0), cut))

    async def advisory(self, cve: str, cut: Cut, fix: FixState | None = None) -> AdvisoryPage | None:
        """Reads an advisory with the changes that brought the fix, and the rebuilds of their rollouts in the
        repositories that use their bases, those alone in which it has come as far as `fix` where that is given."""
        async with self._database.reading() as connection:
            advisory = (await _advisories(connection, [cve])).get(cve)
            if advisory is None:
                return None
            brought = await connection.execute(
                select(changes.c.id, changes.c.base_id, changes.c.rollout_id).where(
                    changes.c.cause == Cause.DOTNET_SECURITY.value,
                    cast(changes.c.change, String).contains(f'"{cve}"', autoescape=True),
                )
            )
            rows = brought.all()
            users = select(usages.c.repository_id).where(usages.c.base_id.in_({row.base_id for row in rows}))
            conditions = (
                rebuilds.c.rollout_id.in_({row.rollout_id for row in rows if row.rollout_id is not None}),
                rebuilds.c.retried_as.is_(None),
                rebuilds.c.repository_id.in_(users),
            )
            counted = await states(connection, *conditions)
            fixes = {each: sum(counted.get(state, 0) for state in states_of(each)) for each in FixState}
            fix_conditions = () if fix is None else (rebuilds.c.state.in_(states_of(fix)),)
            total = sum(fixes.values()) if fix is None else fixes[fix]
            return AdvisoryPage(
                _advisory_row(advisory),
                tuple(dict.fromkeys(f"{proof.source}: {proof.locator}" for proof in advisory.evidence)),
                advisory.links,
                advisory.fixed_versions,
                tuple(sorted(advisory.families)),
                tuple(sorted(advisory.systems)),
                advisory.disagreements,
                await latest_changes(connection, MOST_CHANGES, changes.c.id.in_([row.id for row in rows])),
                counted,
                fixes,
                await rebuild_page(connection, cut, total, *conditions, *fix_conditions),
                await _images(connection, cve, self._clock.now()),
            )


async def _images(connection: AsyncConnection, cve: str, now: datetime) -> Mapping[str, int]:
    """Where the images are that wait for its fix, as last worked out for the list of all CVEs."""
    ledger = await read_kept(connection, now)
    row = next((row for row in ledger.rows if row.cve == cve), None) if ledger is not None else None
    return dict(places_in_words(row.places)) if row is not None else {}


async def _advisories(connection: AsyncConnection, cves: list[str]) -> Mapping[str, Advisory]:
    """Each combined from what its sources say, in the order in which they are asked for."""
    rows = await connection.execute(
        select(advisories.c.cve, advisories.c.source, advisories.c.advisory).where(advisories.c.cve.in_(cves))
    )
    statements: dict[str, list[Advisory]] = {}
    for advisory in readable(
        rows, lambda row: load(row.advisory, Advisory), lambda row: f"{row.cve} of {row.source}"
    ):
        statements.setdefault(advisory.cve, []).append(advisory)
    return {cve: combine(statements[cve]) for cve in cves if cve in statements}


def _advisory_row(advisory: Advisory) -> AdvisoryRow:
    severity = advisory.severity.value if advisory.severity else None
    return AdvisoryRow(advisory.cve, advisory.title, severity, advisory.score, advisory.published_at)
