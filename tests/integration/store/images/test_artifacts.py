"""Ended runs whose artifacts are looked through, as rows, and images that wait for it at the gate."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import Counts, Gated, GateOutcome, GateRule, MatchedRule
from bot.domain.repositories.repository import Repository
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.terms import Step
from bot.fleet.verify.gating.judging import Gating
from bot.fleet.verify.gating.ports import GateOptions
from bot.fleet.verify.reports.tick import EndedRuns, Gathered
from bot.images.scan_reports import ReportOrigin, ScanReport
from bot.images.scanners.report import Report
from bot.store.engine.codec import dump
from bot.store.engine.writing import upsert
from bot.store.rows.bases.tables import incidents
from bot.store.rows.images.scan_reports import artifact_reads
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import FIXED, publish, running

OPTIONS = GateOptions(
    (MatchedRule(("*",), GateRule()),), platforms=frozenset({"linux/amd64"}), reads_artifacts=True
)


async def rebuilt(stores: Stores, *runs: int, state: RebuildState = RebuildState.PROVING) -> None:
    """A rebuild of contoso/shop whose runs have ended."""
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        added = await connection.execute(insert(rollouts).values(opened_at=now).returning(rollouts.c.id))
        values = {"targets": [], "replacements": [], "wave": "rest", "planned_at": now, "due_at": now}
        await connection.execute(
            insert(rebuilds).values(
                rollout_id=added.scalar_one(),
                repository_id=1,
                action=Action.DISPATCH.value,
                state=state.value,
                reason="built",
                built_by=list(runs),
                ended_at=now if state.has_ended else None,
                **values,
            )
        )


async def due(stores: Stores) -> list[EndedRuns]:
    await stores.artifacts.make_due()
    return await stores.taken(stores.artifacts.ended)


async def judged(stores: Stores) -> Gated:
    gated = await Gating(stores.gating, OPTIONS, stores.clock).gated(await stores.images.images_of("contoso/shop"))
    assert gated is not None
    return gated


async def test_a_rebuild_whose_runs_have_ended_is_looked_through_once(stores: Stores) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, 30_000_000_001, 30_000_000_002)
    [item] = await due(stores)
    assert (item.repository.name, item.repository_id, item.runs) == (
        "contoso/shop",
        1,
        (30_000_000_001, 30_000_000_002),
    )
    await stores.artifacts.settle_artifacts(item, Gathered(1, ("trivy: has expired",)))
    stores.clock.advance(HOUR)
    assert await due(stores) == []


@pytest.mark.parametrize(
    ("state", "age"),
    [(RebuildState.BUILDING, timedelta(0)), (RebuildState.SUCCEEDED, timedelta(days=3))],
    ids=["builds", "old"],
)
async def test_what_is_still_built_or_ended_long_ago_is_left_alone(
    stores: Stores, state: RebuildState, age: timedelta
) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, 1, state=state)
    stores.clock.advance(age)
    assert await due(stores) == []


async def stepped(stores: Stores, run: int, state: StepState, elsewhere: str | None = None) -> None:
    """A step of the first rebuild."""
    now = stores.clock.now()
    values = {"reason": "", "due_at": now, "ended_at": now if state.has_ended else None}
    step = Step("scan", "scan.yml", elsewhere)
    row = {"rebuild_id": 1, "place": 0, "step": dump(step, Step), "start": "dispatch", "run": run, **values}
    async with stores.database.transaction() as connection:
        await connection.execute(insert(steps).values(**row, elsewhere=elsewhere, state=state.value))


async def built(stores: Stores, run: int, ended_at: datetime, repository: int = 1) -> None:
    """A run of the workflow that rebuilds contoso/shop, or another `repository`, was seen to have ended last."""
    values = {"ended_run": run, "ended_at": ended_at}
    async with stores.database.transaction() as connection:
        row = upsert(
            connection,
            workflow_builds,
            ["repository_id", "workflow"],
            repository_id=repository,
            workflow="build.yml",
            builds={},
            due_at=ended_at,
            **values,
        )
        await connection.execute(row)


@pytest.mark.parametrize("elsewhere", [None, "contoso/deploy"])
async def test_the_run_of_a_step_that_has_ended_is_looked_through_for_what_was_rebuilt(
    stores: Stores, elsewhere: str | None
) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, state=RebuildState.STEPPING)
    [item] = await due(stores)
    await stores.artifacts.settle_artifacts(item, Gathered())
    await stepped(stores, 7, StepState.RUNNING, elsewhere)
    assert await due(stores) == []
    async with stores.database.transaction() as connection:
        ended = {"state": StepState.FAILED.value, "ended_at": stores.clock.now()}
        await connection.execute(update(steps).values(**ended))
    [item] = await due(stores)
    assert (item.repository.name, item.repository_id, item.runs) == (elsewhere or "contoso/shop", 1, (7,))
    await stores.artifacts.settle_artifacts(item, Gathered())
    assert await due(stores) == []


async def test_the_gate_waits_for_the_report_of_a_step_before_the_next_one(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await rebuilt(stores, state=RebuildState.STEPPING)
    [item] = await due(stores)
    await stores.artifacts.settle_artifacts(item, Gathered())
    await stepped(stores, 7, StepState.SUCCEEDED)
    assert (await judged(stores)).is_pending
    [item] = await due(stores)
    await stores.artifacts.settle_artifacts(item, Gathered())
    assert (await judged(stores)).outcome is GateOutcome.PASSED


async def test_logs_name_what_the_runs_are_of(stores: Stores) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, 6, state=RebuildState.STEPPING)
    await stepped(stores, 7, StepState.SUCCEEDED)
    await built(stores, 8, stores.clock.now())
    await stores.artifacts.make_due()
    claims = await stores.artifacts.ended.claim(stores.clock.now(), 10)
    assert sorted(each.name for each in claims) == [
        "artifacts of rebuild 1",
        "artifacts of run 8",
        "artifacts of step 1",
    ]


async def test_a_step_that_ended_days_ago_is_read_while_its_rebuild_goes_on(stores: Stores) -> None:
    """As where the look is switched on meanwhile: the gate would wait for ever."""
    await running(stores, FIXED)
    await publish(stores)
    await rebuilt(stores, state=RebuildState.STEPPING)
    await stepped(stores, 7, StepState.SUCCEEDED)
    stores.clock.advance(timedelta(days=3))
    assert [item.runs for item in await due(stores)] == [(), (7,)]


async def test_a_build_outside_of_rebuilds_is_looked_through_and_once_more_after_a_later_attempt(
    stores: Stores,
) -> None:
    await running(stores, FIXED)
    for _ in range(2):
        await built(stores, 30_000_000_009, stores.clock.now())
        [item] = await due(stores)
        assert (item.repository.name, item.repository_id, item.runs) == ("contoso/shop", 1, (30_000_000_009,))
        await stores.artifacts.settle_artifacts(item, Gathered())
        stores.clock.advance(HOUR)
        assert await due(stores) == []


async def test_a_run_is_left_to_the_rebuild_that_knows_it_until_it_ends_in_a_later_attempt(stores: Stores) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, 7, state=RebuildState.FAILED)
    await built(stores, 7, stores.clock.now())
    [item] = await due(stores)
    assert item.runs == (7,)
    stores.clock.advance(HOUR)
    await stores.artifacts.settle_artifacts(item, Gathered())
    assert await due(stores) == []
    stores.clock.advance(HOUR)
    await built(stores, 7, stores.clock.now())
    [item] = await due(stores)
    assert item.runs == (7,)


async def test_builds_that_ended_long_ago_are_left_alone(stores: Stores) -> None:
    await running(stores, FIXED)
    await built(stores, 7, stores.clock.now() - timedelta(days=3))
    assert await due(stores) == []


async def test_the_gate_waits_until_artifacts_were_looked_through(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await rebuilt(stores, 1)
    gated = await judged(stores)
    assert (gated.outcome, gated.is_pending) == (GateOutcome.UNKNOWN, True)
    assert "not looked through for reports yet" in gated.told
    [item] = await due(stores)
    await stores.artifacts.settle_artifacts(item, Gathered())
    assert (await judged(stores)).outcome is GateOutcome.PASSED


async def test_an_owner_whose_artifacts_may_not_be_read_is_told_once_and_its_end_too(stores: Stores) -> None:
    await running(stores, FIXED)
    for _ in range(2):
        await rebuilt(stores, 1)
        [item] = await due(stores)
        await stores.artifacts.refuse_artifacts(item, "HTTP 403", stores.clock.now())
        stores.clock.advance(HOUR)
    async with stores.database.reading() as connection:
        [told] = (await connection.execute(select(incidents.c.detail, incidents.c.cleared_at))).all()
    assert "the App needs actions: read" in told.detail
    assert told.cleared_at is None
    await rebuilt(stores, 1)
    [item] = await due(stores)
    await stores.artifacts.settle_artifacts(item, Gathered())
    async with stores.database.reading() as connection:
        assert await connection.scalar(select(incidents.c.cleared_at)) is not None


async def test_a_report_names_its_image_as_engines_do_and_counts_for_its_own_repository(stores: Stores) -> None:
    """What was scanned before its push has no digest of a registry yet."""
    await running(stores, FIXED)
    stores.clock.advance(HOUR)
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/other", "main"))
    await publish(stores)
    assert (await judged(stores)).outcome is GateOutcome.PASSED
    async with stores.database.transaction() as connection:
        of_image = inventories.c.digest == digest("d")
        await connection.execute(update(inventories).where(of_image).values(config_digest=digest("7")))
    found = DetectedVulnerability("CVE-2026-7", "app", "1", "2", Rating.CRITICAL, True)
    said = Report((found,), image_id=digest("7"))
    options = replace(OPTIONS, rules=(MatchedRule(("*",), GateRule(counts=Counts.ALL)),))
    for repository, outcome in ((2, GateOutcome.PASSED), (1, GateOutcome.BLOCKED)):
        scan = ScanReport(f"sha256:{repository}", ReportOrigin.ARTIFACT, "report.json", said, repository)
        await stores.artifacts.keep(scan)
        gated = await Gating(stores.gating, options, stores.clock).gated(
            await stores.images.images_of("contoso/shop")
        )
        assert gated is not None
        assert gated.outcome is outcome


async def test_what_was_not_looked_through_yet_is_found_among_rollouts_of_the_last_days(stores: Stores) -> None:
    """It is looked for every few seconds, among all rebuilds that ever were."""
    if stores.database.engine.dialect.name != "sqlite":
        return
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.append((statement, parameters))

    async with stores.database.reading() as connection:
        readers = connection.engine.sync_engine if hasattr(connection.engine, "sync_engine") else connection.engine
    event.listen(readers, "before_cursor_execute", note)
    try:
        await stores.artifacts.make_due()
    finally:
        event.remove(readers, "before_cursor_execute", note)
    asked = [each for each in sent if each[0].startswith("SELECT") and "FROM rebuilds" in each[0]]
    assert asked
    for statement, parameters in asked:
        async with stores.database.reading() as connection:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
        assert plan[0].detail.startswith("SEARCH rebuilds USING INDEX ix_rebuilds_rollout_id_")


async def test_that_a_run_of_others_was_looked_through_is_forgotten_after_a_week(stores: Stores) -> None:
    """A repository is pushed to some thousand times a year."""
    await running(stores, FIXED)
    await built(stores, 7, stores.clock.now())
    [item] = await due(stores)
    await stores.artifacts.settle_artifacts(item, Gathered())
    for days, kept in ((7, 1), (2, 0)):
        stores.clock.advance(timedelta(days=days))
        task = await stores.retention.claim_forgetting()
        assert task is not None
        await stores.retention.forget(task, timedelta(days=400))
        assert await stores.count(artifact_reads) == kept
    assert await due(stores) == []


async def test_the_run_of_a_step_that_failed_is_looked_at_again_every_hour_for_two_days(stores: Stores) -> None:
    """A person runs it once more, and its rebuild has ended: nobody else follows it."""
    await running(stores, FIXED)
    await rebuilt(stores, state=RebuildState.FAILED)
    await stepped(stores, 7, StepState.FAILED)
    for item in await due(stores):
        await stores.artifacts.settle_artifacts(item, Gathered(0, ("trivy: has expired",)))
    read_at = stores.clock.now()
    stores.clock.advance(HOUR)
    assert await due(stores) == []
    stores.clock.advance(HOUR)
    [again] = await due(stores)
    assert (again.runs, again.read_before) == ((7,), read_at)
    await stores.artifacts.settle_artifacts(again, Gathered(is_news=False))
    async with stores.database.reading() as connection:
        told = await connection.execute(select(artifact_reads.c.problems).order_by(artifact_reads.c.id.desc()))
        assert told.scalars().first() == "trivy: has expired"
    stores.clock.advance(timedelta(days=2))
    assert await due(stores) == []


async def test_the_run_of_a_step_counts_as_read_when_it_was_not_when_somebody_looked(stores: Stores) -> None:
    """One that is run again at a look may end in the next second, or by a clock that is slow even before it."""
    await running(stores, FIXED)
    await rebuilt(stores, state=RebuildState.FAILED)
    await stepped(stores, 7, StepState.FAILED)
    for item in await due(stores):
        await stores.artifacts.settle_artifacts(item, Gathered())
    read_at = stores.clock.now()
    for is_news in (False, True, False):
        stores.clock.advance(2 * HOUR)
        [again] = await due(stores)
        assert again.read_before == read_at
        await stores.artifacts.settle_artifacts(again, Gathered(is_news=is_news))
        read_at = stores.clock.now() if is_news else read_at


async def test_the_run_of_a_step_that_succeeded_is_looked_through_once(stores: Stores) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, state=RebuildState.SUCCEEDED)
    await stepped(stores, 7, StepState.SUCCEEDED)
    for item in await due(stores):
        await stores.artifacts.settle_artifacts(item, Gathered())
    stores.clock.advance(2 * HOUR)
    assert await due(stores) == []


async def test_the_run_of_a_step_that_failed_is_not_asked_for_every_hour_where_it_may_not_be_read(
    stores: Stores,
) -> None:
    await running(stores, FIXED)
    await rebuilt(stores, state=RebuildState.FAILED)
    await stepped(stores, 7, StepState.FAILED)
    for item in await due(stores):
        await stores.artifacts.refuse_artifacts(item, "HTTP 403", stores.clock.now())
    stores.clock.advance(2 * HOUR)
    assert await due(stores) == []


async def test_a_refusal_counts_no_more_once_the_same_run_was_read(stores: Stores) -> None:
    """Else it would keep open what another repository of the owner tells as mended."""
    await running(stores, FIXED)
    stores.clock.advance(HOUR)
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/other", "main"))
    for repository in (1, 2):
        await built(stores, 7, stores.clock.now(), repository)
        [item] = await due(stores)
        await stores.artifacts.refuse_artifacts(item, "HTTP 403", stores.clock.now())
        stores.clock.advance(HOUR)
        await built(stores, 7, stores.clock.now(), repository)
        [item] = await due(stores)
        await stores.artifacts.settle_artifacts(item, Gathered())
        stores.clock.advance(HOUR)
    assert None not in await stores.column(incidents, "cleared_at")
