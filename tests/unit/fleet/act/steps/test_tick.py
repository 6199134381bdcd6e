"""Steps are started once, in their time, and only where everything that they need is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Severity
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import NOTHING_WISHED, Wishes
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import Gated, GateMode, GateOutcome
from bot.domain.repositories.builds import ACTIVE, WorkflowShown
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.steps import StepJob, StepRun, StepState
from bot.domain.rollouts.terms import Step
from bot.domain.rollouts.timing.windows import Freeze
from bot.files.formats.azure_pipelines.startable import startable
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.fleet.act.steps.tick import StepOptions, StepStartTally, tick
from bot.reconcile.guarded import Covers, covers_all
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.hooks import ToldRows
from tests.fakes.queue import FakeQueue, Row
from tests.fakes.repository import CONFIG, FakeRepository
from tests.unit.fleet.act.world import NOON, SHOP

DEPLOY = b"on: {workflow_dispatch: {inputs: {correlation: {}, digest: {required: true}}}}\njobs: {}\n"
PATH = ".github/workflows/deploy.yml"


class Store:
    """One step, and the intents that were stored on its way."""

    def __init__(self, job: StepJob) -> None:
        self.to_start: FakeQueue[StepJob] = FakeQueue(is_wanted=_is_due, shown=_shown)
        self.to_start.add(job, job.step.due_at)
        self.saved: list[StepRun] = []

    @property
    def job(self) -> StepJob:
        return self.to_start[1]

    @job.setter
    def job(self, job: StepJob) -> None:
        self.to_start[1] = job

    async def save_step(self, step: StepRun) -> None:
        self.to_start.check(1)
        self.saved.append(step)
        self.job = replace(self.job, step=step)

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        known = self.job.step
        if not succeeded:
            told: dict[str, Any] = {"state": after.state, "reason": after.reason, "deadline": after.deadline}
            told |= {"refusals": after.refusals, "refused": after.refused}
            after = replace(known, due_at=after.due_at, **told)
        self.to_start.settle(1, after.due_at, replace(self.job, step=after))
        self.to_start.rows[1].attempts = 0 if succeeded else known.attempts

    async def runs_taken(self, home: Identity) -> set[int]:
        return set()

    async def due_for_dispatch(self, limit: int) -> list[Identity]:
        return []


def _is_due(row: Row[StepJob]) -> bool:
    return isinstance(row.item, StepJob) and row.item.step.state is StepState.DUE


def _shown(job: StepJob, row: Row[StepJob]) -> StepJob:
    return replace(job, step=replace(job.step, attempts=row.attempts))


@dataclass(slots=True)
class World:
    clock: ManualClock
    forge: FakeForge
    shop: FakeRepository
    store: Store
    options: StepOptions = field(default_factory=StepOptions)
    covers: Covers = covers_all

    async def tick(self, after: timedelta = timedelta(0)) -> StepRun:
        self.clock.advance(after)
        await tick(
            self.store, self.forge, self.forge, dispatchable, self.options, Loop(self.clock, covers=self.covers)
        )
        return self.store.job.step

    def knows(self, **known: str) -> None:
        self.store.job = replace(self.store.job, known_values=known)


@pytest.fixture
def world() -> World:
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    shop = forge.add(SHOP, {PATH: DEPLOY})
    step = StepRun(
        *(1, 1, 0, Step("canary", "deploy.yml"), shop.identity, StepState.DUE, "its turn has come", NOON),
        began_at=NOON,
    )
    return World(clock, forge, shop, Store(StepJob(step, shop.identity, known_values={"digest": "sha256:abc"})))


async def test_a_step_is_started_with_its_intent_stored_before(world: World) -> None:
    after = await world.tick()
    assert (after.state, after.run, after.deadline) == (StepState.STARTED, 100, NOON + timedelta(hours=2))
    [saved] = world.store.saved
    assert (saved.state, saved.attempted_at, saved.run) == (StepState.DUE, NOON, None)
    assert world.shop.inputs == [{"correlation": saved.correlation, "digest": "sha256:abc"}]


@dataclass(frozen=True, slots=True)
class Says:
    """A gate that says the same of everything."""

    gate: Gated | None

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None:
        return self.gate

    def unseen(self, images: Sequence[ProducedImage], why: str) -> Gated | None:
        return self.gate


async def at_the_gate(world: World, gate: Gated | None, after: timedelta = timedelta(0)) -> StepRun:
    world.clock.advance(after)
    await tick(world.store, world.forge, world.forge, dispatchable, world.options, Loop(world.clock), Says(gate))
    return world.store.job.step


async def test_a_step_is_not_started_where_the_gate_blocks_by_now(world: World) -> None:
    found = DetectedVulnerability("CVE-2026-1", "zlib1g", "1.3", "1.4", Rating.HIGH, True)
    after = await at_the_gate(world, Gated(GateMode.BLOCK, GateOutcome.BLOCKED, (found,)))
    assert (after.state, world.forge.calls) == (StepState.FAILED, [])
    assert after.reason == ("not started: the gate holds it back: CVE-2026-1 (HIGH) in zlib1g 1.3, fixed in 1.4")


async def test_what_the_gate_cannot_tell_is_waited_for_until_the_step_s_time_is_over(world: World) -> None:
    unknown = Gated(GateMode.BLOCK, GateOutcome.UNKNOWN, gaps=("old data",))
    waiting = await at_the_gate(world, unknown)
    assert (waiting.state, waiting.reason) == (StepState.DUE, "the gate cannot tell: old data")
    after = await at_the_gate(world, unknown, timedelta(hours=3))
    assert (after.state, world.forge.calls) == (StepState.FAILED, [])


async def test_a_gate_that_has_nothing_to_say_starts_a_step(world: World) -> None:
    assert (await at_the_gate(world, None)).state is StepState.STARTED


async def test_where_no_image_is_known_the_gate_is_told_so(world: World) -> None:
    told: list[str] = []

    class Asked(Says):
        def unseen(self, images: Sequence[ProducedImage], why: str) -> Gated | None:
            told.append(why)
            return None

    world.store.job = replace(world.store.job, images=())
    await tick(world.store, world.forge, world.forge, dispatchable, world.options, Loop(world.clock), Asked(None))
    assert told == ["no image of this repository is known"]


async def test_telling_starts_a_step_all_the_same(world: World) -> None:
    after = await at_the_gate(world, Gated(GateMode.TELL, GateOutcome.UNKNOWN, gaps=("old data",)))
    assert after.state is StepState.STARTED


async def test_a_lost_answer_is_looked_for_and_nothing_is_started_twice(world: World) -> None:
    world.forge.after["dispatch"] = Failure(Trouble.UNREACHABLE, "lost")
    assert (await world.tick()).state is StepState.DUE
    after = await world.tick(timedelta(minutes=2))
    assert (after.state, after.run, world.forge.calls) == (StepState.STARTED, 100, ["dispatch"])


async def test_a_refused_request_has_started_nothing_and_fails_after_three(world: World) -> None:
    world.forge.failing["dispatch"] = Failure(Trouble.CONFLICT, "Cannot trigger a disabled workflow")
    for _ in range(3):
        after = await world.tick(timedelta(minutes=10))
    assert (after.state, after.attempted_at) == (StepState.FAILED, None)
    assert after.reason == "not started: Cannot trigger a disabled workflow (tried 3 times)"


async def test_only_refusals_count_towards_the_failure_of_a_step(world: World) -> None:
    world.forge.failing["look"] = Failure(Trouble.UNREACHABLE, "HTTP 502", status=502)
    for _ in range(2):
        await world.tick(timedelta(minutes=10))
    world.forge.failing = {"dispatch": Failure(Trouble.CONFLICT, "Cannot trigger a disabled workflow")}
    for _ in range(2):
        assert (await world.tick(timedelta(minutes=10))).state is StepState.DUE
    assert (await world.tick(timedelta(minutes=10))).state is StepState.FAILED


async def test_missing_rights_are_waited_for_until_its_time_is_over(world: World) -> None:
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "Resource not accessible by integration")
    await world.tick()
    for _ in range(5):
        assert (await world.tick(timedelta(minutes=20))).state is StepState.DUE
    after = await world.tick(timedelta(minutes=30))
    assert after.state is StepState.FAILED
    assert after.reason.startswith("not through within 2 h: Resource not accessible")


async def test_a_forge_that_does_not_answer_for_a_day_ends_no_step(world: World) -> None:
    world.forge.failing["dispatch"] = Failure(Trouble.UNREACHABLE, "HTTP 503", status=503)
    end = world.clock.now() + timedelta(days=1)
    while world.clock.now() < end:
        world.clock.move_to(max(world.clock.now(), (await world.tick()).due_at))
        assert world.store.job.step.state is StepState.DUE
    world.forge.failing.clear()
    after = await world.tick()
    assert after.state is StepState.STARTED
    assert after.deadline is not None
    assert after.deadline > world.clock.now() + timedelta(hours=1)


async def test_time_in_which_it_was_due_and_nothing_was_answered_is_not_a_steps_own(world: World) -> None:
    world.forge.failing["look"] = Failure(Trouble.UNREACHABLE, "HTTP 502")
    for _ in range(20):
        assert (await world.tick(timedelta(hours=1))).state is StepState.DUE
    world.forge.failing.clear()
    after = await world.tick(timedelta(minutes=30))
    assert after.state is StepState.STARTED
    assert after.deadline is not None
    assert after.deadline > world.clock.now() + timedelta(hours=1)


async def test_nothing_is_started_in_a_freeze_and_its_time_has_not_begun(world: World) -> None:
    world.options = replace(world.options, freezes=(Freeze(NOON, NOON + timedelta(days=3), "end of year"),))
    after = await world.tick()
    assert (after.state, after.reason, after.deadline) == (StepState.DUE, "frozen: end of year", None)
    assert after.due_at == NOON + timedelta(days=1), "that a freeze holds is found again each day"
    assert (await world.tick(timedelta(days=3))).state is StepState.STARTED


async def test_what_nobody_will_ever_know_fails_at_once(world: World) -> None:
    world.knows()
    after = await world.tick()
    assert (after.state, world.forge.calls) == (StepState.FAILED, [])
    assert after.reason == "not started: deploy.yml needs digest, which is not known"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"enabled: false\n", "the repository opted out in .github/freshness.yaml"),
        (b"action: notify\n", "the repository asks to be told only"),
    ],
)
async def test_a_repositorys_own_word_ends_it(world: World, text: bytes, told: str) -> None:
    world.shop.commit_to("main", {CONFIG: text})
    after = await world.tick()
    assert (after.state, after.reason, world.forge.calls) == (StepState.CANCELLED, told, [])


@pytest.mark.parametrize("text", [b"enabled: [\n", b"enabled: perhaps\n", b"enabled: true\0\n"])
async def test_a_word_that_cannot_be_understood_is_waited_for(world: World, text: bytes) -> None:
    """It may be a no, so nothing is started; it is none that would end the rebuild."""
    world.shop.commit_to("main", {CONFIG: text})
    after = await world.tick()
    assert (after.state, world.forge.calls) == (StepState.DUE, [])
    assert "cannot be" in after.reason or "not understood" in after.reason
    world.shop.commit_to("main", {CONFIG: b"enabled: true\n"})
    assert (await world.tick(timedelta(minutes=6))).state is StepState.STARTED


async def test_the_word_of_the_rebuilt_repository_counts_where_the_workflow_is_elsewhere(world: World) -> None:
    deploying = world.forge.add("contoso/deploy", {PATH: DEPLOY})
    step = replace(world.store.job.step, home=Identity("contoso/deploy", deploying.node_id))
    world.store.job = replace(world.store.job, step=step)
    world.shop.commit_to("main", {CONFIG: b"enabled: false\n"})
    assert (await world.tick()).state is StepState.CANCELLED


async def test_the_word_of_the_repository_that_the_workflow_is_in_counts_too(world: World) -> None:
    deploying = world.forge.add("contoso/deploy", {PATH: DEPLOY, CONFIG: b"enabled: false\n"})
    step = replace(world.store.job.step, home=Identity("contoso/deploy", deploying.node_id))
    world.store.job = replace(world.store.job, step=step)
    after = await world.tick()
    assert (after.state, after.reason) == (
        StepState.CANCELLED,
        "contoso/deploy opted out in .github/freshness.yaml",
    )


@pytest.mark.parametrize("files", [{PATH: None}, {PATH: b"on: push\n"}], ids=["missing", "no trigger"])
async def test_a_workflow_that_cannot_be_dispatched_fails(world: World, files: Mapping[str, bytes | None]) -> None:
    world.shop.commit_to("main", files)
    after = await world.tick()
    assert after.state is StepState.FAILED
    assert after.reason == "not started: deploy.yml is missing in contoso/shop, or has no workflow_dispatch trigger"


async def test_the_run_of_an_earlier_request_is_looked_for_at_growing_rests_before_another_is_sent(
    world: World,
) -> None:
    asked = {"attempted_at": NOON - timedelta(minutes=5), "correlation": "freshness-1", "dispatches": 1}
    world.store.job = replace(world.store.job, step=replace(world.store.job.step, **asked))  # type: ignore[arg-type]
    after = await world.tick()
    assert (after.state, after.reason) == (StepState.DUE, "an earlier dispatch may still appear")
    assert (after.due_at, world.forge.calls) == (NOON + timedelta(minutes=5), [])


async def test_an_archived_repository_is_waited_for(world: World) -> None:
    world.shop.is_archived = True
    assert (await world.tick()).reason == "contoso/shop is archived"
    world.shop.is_archived = False
    assert (await world.tick(timedelta(minutes=6))).state is StepState.STARTED


async def test_a_newer_build_takes_over(world: World) -> None:
    world.store.job = replace(world.store.job, overtaken_by=9)
    after = await world.tick()
    assert (after.state, world.forge.calls) == (StepState.SUPERSEDED, [])


async def test_a_step_is_followed_by_the_run_that_it_started(world: World) -> None:
    after = await world.tick()
    assert (after.url, after.node_id, after.reason) == ("https://forge/run", "CS_100", "deploy.yml was started")
    assert after.due_at == NOON + world.options.follow_every


async def test_a_run_that_is_not_shown_yet_is_followed_by_its_number(world: World) -> None:
    world.forge.failing["run"] = Failure(Trouble.UNREACHABLE, "no answer")
    after = await world.tick()
    assert (after.state, after.run, after.node_id) == (StepState.STARTED, 100, None)
    assert after.due_at == NOON + world.options.follow_every


async def test_a_newer_build_that_takes_over_is_named(world: World) -> None:
    world.store.job = replace(world.store.job, overtaken_by=9)
    assert (await world.tick()).reason == "rebuild 9 is newer and built too"


async def test_all_that_is_not_known_is_named(world: World) -> None:
    text = b"on: {workflow_dispatch: {inputs: {a: {required: true}, b: {required: true}}}}\njobs: {}\n"
    world.shop.commit_to("main", {PATH: text})
    assert (await world.tick()).reason == "not started: deploy.yml needs a and b, which is not known"


async def test_a_step_of_a_repository_that_the_operator_does_not_include_any_more_waits_and_says_so(
    world: World,
) -> None:
    world.shop.name = "elsewhere/shop"
    world.covers = lambda home: home.name.startswith("contoso/")
    after = await world.tick()
    told = "elsewhere/shop: the settings do not include a repository of this name"
    assert (after.state, after.reason, world.forge.calls) == (StepState.DUE, told, [])


async def test_a_step_in_a_repository_that_a_rule_names_is_started_there_as_long_as_it_is_called_so(
    world: World,
) -> None:
    other = world.forge.add("deploys/production", {PATH: DEPLOY})
    step = replace(
        world.store.job.step, step=Step("canary", "deploy.yml", "Deploys/Production"), home=other.identity
    )
    world.store.job = replace(world.store.job, step=step)
    world.covers = lambda home: home.name.startswith("contoso/")
    other.name = "deploys/renamed"
    assert (await world.tick()).reason == "deploys/renamed: the settings do not include a repository of this name"
    other.name = "deploys/production"
    assert (await world.tick(timedelta(hours=1))).state is StepState.STARTED


async def test_metrics_have_it_under_its_name(world: World) -> None:
    told = ToldRows()
    await tick(world.store, world.forge, world.forge, dispatchable, world.options, Loop(world.clock, told))
    assert told.stages == ["start steps"]


async def test_a_forge_that_tells_no_run_is_not_asked_for_it_at_once(world: World) -> None:
    world.forge.tells_run = False
    after = await world.tick()
    assert (after.state, after.run) == (StepState.STARTED, None)
    assert "run" not in [call for call, _ in world.forge.asked]


async def test_the_gate_is_asked_about_the_images_of_the_rebuild(world: World) -> None:
    asked: list[Sequence[ProducedImage]] = []

    class Asked(Says):
        async def gated(self, images: Sequence[ProducedImage]) -> Gated | None:
            asked.append(images)
            return None

    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.SETTINGS)
    image = ProducedImage(1, 7, "contoso/shop", claim, found_tag="latest", digest="sha256:abc", seen_at=NOON)
    world.store.job = replace(world.store.job, images=(image,))
    await tick(world.store, world.forge, world.forge, dispatchable, world.options, Loop(world.clock), Asked(None))
    assert asked == [(image,)]


async def test_what_was_asked_for_already_passes_no_gate_again(world: World) -> None:
    world.forge.after["dispatch"] = Failure(Trouble.UNREACHABLE, "lost")
    await world.tick()
    unknown = Gated(GateMode.BLOCK, GateOutcome.UNKNOWN, gaps=("old data",))
    assert (await at_the_gate(world, unknown, timedelta(minutes=2))).state is StepState.STARTED


@pytest.mark.parametrize(
    ("lasts", "looked_at_after"), [(timedelta(hours=1), timedelta(hours=1)), (timedelta(days=3), timedelta(days=1))]
)
async def test_a_step_in_a_freeze_is_looked_at_again_at_its_end_and_once_a_day(
    world: World, lasts: timedelta, looked_at_after: timedelta
) -> None:
    world.options = replace(world.options, freezes=(Freeze(NOON, NOON + lasts, "end of year"),))
    assert (await world.tick()).due_at == NOON + looked_at_after


async def test_a_workflow_with_letters_that_are_none_is_started_all_the_same(world: World) -> None:
    world.shop.commit_to("main", {PATH: DEPLOY + b"# caf\xe9\n"})
    assert (await world.tick()).state is StepState.STARTED


async def told(world: World) -> StepStartTally:
    return await tick(world.store, world.forge, world.forge, dispatchable, world.options, Loop(world.clock))


async def test_how_many_steps_were_started_is_told(world: World) -> None:
    assert await told(world) == StepStartTally(1, ())


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.UNREACHABLE], ids=str)
async def test_what_keeps_a_step_from_being_started_is_told_and_it_is_tried_again_soon(
    world: World, trouble: Trouble
) -> None:
    world.forge.failing["look"] = Failure(trouble, "not now")
    assert await told(world) == StepStartTally(0, (f"{SHOP}: step canary: not now",))
    step = world.store.job.step
    assert (step.state, step.reason, step.due_at) == (StepState.DUE, "not now", NOON + timedelta(seconds=30))


@pytest.mark.parametrize("why", ["the gate", "archived", "unread", "outside"])
async def test_what_waits_for_the_gate_or_for_people_is_looked_at_again_after_a_while(
    world: World, why: str
) -> None:
    unknown = Gated(GateMode.BLOCK, GateOutcome.UNKNOWN, gaps=("old data",))
    world.shop.is_archived = why == "archived"
    world.covers = lambda name: why != "outside"
    if why == "unread":
        world.shop.commit_to("main", {CONFIG: b"enabled: [\n"})
    after = await (at_the_gate(world, unknown) if why == "the gate" else world.tick())
    assert (after.state, after.due_at) == (StepState.DUE, NOON + world.options.follow_every)


async def test_a_fix_that_is_severe_enough_passes_a_freeze(world: World) -> None:
    freeze = Freeze(NOON, NOON + timedelta(days=3), "end of year", Severity.CRITICAL)
    world.options = replace(world.options, freezes=(freeze,))
    world.store.job = replace(world.store.job, severity=Severity.CRITICAL)
    assert (await world.tick()).state is StepState.STARTED


@pytest.mark.parametrize(
    "why", ["a right", "its file", "what its file needs", "a setting", "unread", "archived", "outside"]
)
async def test_a_step_that_was_refused_until_its_end_says_so(world: World, why: str) -> None:
    if why in ("a right", "a setting"):
        trouble = Trouble.DENIED if why == "a right" else Trouble.CONFLICT
        world.forge.failing["dispatch"] = Failure(trouble, "no")
    if why == "its file":
        world.shop.commit_to("main", {PATH: b"on: push\njobs: {}\n"})
    if why == "unread":
        world.shop.commit_to("main", {CONFIG: b"enabled: [\n"})
    if why == "what its file needs":
        world.knows()
    world.shop.is_archived = why == "archived"
    world.covers = (lambda name: False) if why == "outside" else covers_all
    for _ in range(4):
        after = await world.tick(timedelta(hours=1))
    assert (after.state, after.refused) == (StepState.FAILED, True)


async def test_what_the_gate_has_blocked_was_not_refused_by_the_forge(world: World) -> None:
    found = DetectedVulnerability("CVE-2026-1", "zlib1g", "1.3", "1.4", Rating.HIGH, True)
    assert not (await at_the_gate(world, Gated(GateMode.BLOCK, GateOutcome.BLOCKED, (found,)))).refused


async def test_a_refusal_that_is_over_is_forgotten(world: World) -> None:
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "no")
    assert (await world.tick()).refused
    world.forge.failing["dispatch"] = Failure(Trouble.UNREACHABLE, "HTTP 502")
    assert not (await world.tick(timedelta(minutes=10))).refused


def elsewhere(world: World, name: str = "contoso/deploy") -> FakeRepository:
    """The repository that the workflow is in from now on, which no rule names."""
    deploying = world.forge.add(name, {PATH: DEPLOY})
    world.store.job = replace(world.store.job, step=replace(world.store.job.step, home=deploying.identity))
    return deploying


@pytest.mark.parametrize("outside", ["shop", "deploy"])
async def test_a_step_elsewhere_waits_until_both_repositories_are_included(world: World, outside: str) -> None:
    elsewhere(world)
    world.covers = lambda home: not home.name.endswith(outside)
    told = f"contoso/{outside}: the settings do not include a repository of this name"
    assert (await world.tick()).reason == told
    world.covers = covers_all
    assert (await world.tick(timedelta(hours=1))).state is StepState.STARTED


async def test_a_step_in_the_rebuilt_repository_costs_one_look(world: World) -> None:
    await world.tick()
    assert [call for call, _ in world.forge.asked] == ["look", "dispatch", "run"]


async def test_a_right_that_is_missing_after_a_long_outage_is_waited_for_as_any(world: World) -> None:
    world.store.to_start.rows[1].attempts = 100
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "Resource not accessible by integration")
    assert (await world.tick()).state is StepState.DUE


async def test_a_repository_without_commits_has_no_workflow_to_start(world: World) -> None:
    world.shop.branches.clear()
    after = await world.tick()
    assert (after.state, after.reason) == (
        StepState.FAILED,
        "not started: deploy.yml is missing in contoso/shop, or has no workflow_dispatch trigger",
    )


class WithoutTexts(FakeForge):
    """A forge that shows files, and none of their texts."""

    async def look(
        self, repository: Identity, branch: str, paths: Sequence[str], wishes: Wishes = NOTHING_WISHED
    ) -> BranchLook:
        found = await super().look(repository, branch, paths, wishes)
        assert found.trunk is not None
        files = {path: replace(file, content=None) for path, file in found.trunk.files.items()}
        return replace(found, trunk=replace(found.trunk, files=files))


async def test_a_workflow_whose_text_is_not_shown_is_not_started_and_not_taken_for_missing(world: World) -> None:
    world.forge = WithoutTexts(world.clock, world.forge.homes)
    after = await world.tick()
    assert (after.state, after.reason) == (
        StepState.DUE,
        "the forge does not show the text of deploy.yml in contoso/shop",
    )
    assert world.forge.calls == []


PIPELINE = "azure-pipelines: contoso/shop/12"


class Pipelines(FakeForge):
    """Shows a pipeline with its file; nothing where it has none."""

    path: str | None = "deploy/pipeline.yml"

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        return None if self.path is None else WorkflowShown("P_1", ACTIVE, self.path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("deploy/pipeline.yml", f"not started: {PIPELINE} needs environment, which is not known"),
        ("gone.yml", f"not started: {PIPELINE} is missing in contoso/shop, or builds another repository"),
        (None, f"not started: {PIPELINE} is missing in contoso/shop, or builds another repository"),
    ],
)
async def test_a_pipeline_is_started_only_with_all_that_its_file_requires(path: str | None, reason: str) -> None:
    clock = ManualClock(NOON)
    forge = Pipelines(clock)
    forge.path = path
    shop = forge.add(SHOP, {"deploy/pipeline.yml": b"parameters: [{name: environment, type: string}]\n"})
    step = StepRun(1, 1, 0, Step("canary", PIPELINE), shop.identity, StepState.DUE, "its turn has come", NOON)
    store = Store(StepJob(step, shop.identity))
    await tick(store, forge, forge, startable, StepOptions(), Loop(clock))
    after = store.job.step
    assert (after.state, after.reason.replace(shop.identity.name, "contoso/shop")) == (StepState.FAILED, reason)
