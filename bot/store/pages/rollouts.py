"""Rollouts: their list, and one with its rebuilds, each as one page shows it."""

from sqlalchemy import func, select

from bot.domain.rollouts.rebuild import ENDED
from bot.domain.rollouts.timing.waiting import RolloutOptions
from bot.store.engine.store import Store
from bot.store.pages.rows import (
    MOST_CHANGES,
    latest_changes,
    rebuild_page,
    states,
)
from bot.store.rows.bases.tables import changes
from bot.store.rows.rollouts.rebuilds import is_current
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.rollouts.wave_counts import IS_IN_PART
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.paging import Cut, Page, page_of
from bot.views.rollouts.rollout import ALL_REBUILDS, RolloutPage, RolloutSummary, WantedRebuilds, rollout_summary


class RolloutPagesStore(Store):
    """Reads the pages of rollouts, and writes nothing."""

    async def rollouts(self, options: RolloutOptions, cut: Cut) -> Page[RolloutSummary]:
        """Reads one page of the list of rollouts, the newest first."""
        async with self._database.reading() as connection:
            total = int(await connection.scalar(select(func.count()).select_from(rollouts)) or 0)
        views = RolloutViewsStore(self._database, self._worker, self._clock)
        now = self._clock.now()
        progress_rows = await views.progress(options, now, limit=cut.per_page, offset=cut.offset, has_waves=False)
        return page_of(tuple(rollout_summary(each, ENDED) for each in progress_rows), total, cut)

    async def open_rollouts(self, options: RolloutOptions, most: int) -> tuple[RolloutSummary, ...]:
        """Reads the rollouts that have not ended, the newest first."""
        views = RolloutViewsStore(self._database, self._worker, self._clock)
        progress_rows = await views.progress(options, self._clock.now(), limit=most, is_open=True, has_waves=False)
        return tuple(rollout_summary(each, ENDED) for each in progress_rows)

    async def rollout(
        self, number: int, options: RolloutOptions, cut: Cut, wanted: WantedRebuilds = ALL_REBUILDS
    ) -> RolloutPage | None:
        """Reads a rollout with one page of its rebuilds, of those that are wanted."""
        views = RolloutViewsStore(self._database, self._worker, self._clock)
        progress_rows = await views.progress(options, self._clock.now(), number=number)
        if not progress_rows:
            return None
        conditions = [rebuilds.c.rollout_id == number, is_current()]
        conditions += [rebuilds.c.state == wanted.state.value] if wanted.state is not None else []
        conditions += [rebuilds.c.wave == wanted.wave] if wanted.wave else []
        conditions += [rebuilds.c.distance == wanted.distance] if wanted.distance is not None else []
        conditions += [IS_IN_PART[wanted.part]] if wanted.part is not None else []
        mine = changes.c.rollout_id == number
        async with self._database.reading() as connection:
            return RolloutPage(
                progress_rows[0],
                await latest_changes(connection, MOST_CHANGES, mine),
                int(await connection.scalar(select(func.count()).where(mine)) or 0),
                await rebuild_page(
                    connection, cut, sum((await states(connection, *conditions)).values()), *conditions
                ),
            )
