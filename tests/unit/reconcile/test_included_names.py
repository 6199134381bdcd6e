"""Under a name that the operator does not include nothing is written, whoever would write it."""

import ast
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import bot
from bot.domain.clock import ManualClock
from bot.domain.forge.branches import scratch_of
from bot.domain.forge.pull_requests import MergeRequirements
from bot.domain.host import Host
from bot.domain.repositories.finding import Finding, FindingSeverity, Outcome, Place
from bot.domain.repositories.issue import IssueSection, new_body
from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.domain.repositories.repository import blob_name
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.steps import StepJob, StepRun, StepState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, Step
from bot.domain.running.records import BuiltRun
from bot.domain.running.snapshot import RunningPlace
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.fleet.act.calling_off import tick as calling_off
from bot.fleet.act.calling_off.tick import CalledOff
from bot.fleet.act.code_scanning import tick as code_scanning
from bot.fleet.act.code_scanning.tick import DueScan, ScanLogs
from bot.fleet.act.issue import tick as issues
from bot.fleet.act.issue.tick import DueIssue
from bot.fleet.act.onboarding import deciding
from bot.fleet.act.onboarding import tick as onboarding
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions
from bot.fleet.act.ports import ActOptions
from bot.fleet.act.recording import tick as recording
from bot.fleet.act.recording.tick import DueRecords
from bot.fleet.act.retiring.retire import Traces, retire
from bot.fleet.act.steps import tick as steps
from bot.fleet.act.steps.tick import StepOptions
from bot.fleet.report.fleet_issue import tick as fleet_issue
from bot.fleet.report.fleet_issue.body import MARK, FleetNews
from bot.fleet.report.fleet_issue.tick import DueFleetIssue, FleetIssueOptions
from bot.fleet.wiring.auditing import AuditProposer
from bot.reconcile.forge_writing import BUILDER_WRITES, FORGE_WRITES
from bot.reconcile.loop import Loop
from sandbox.fleets.bare_repository import bare_files
from tests.fakes.forge import FakeForge
from tests.fakes.queue import FakeQueue
from tests.fakes.repository import BOT, SHA1, Commit, FakeRepository
from tests.unit.fleet.act.world import BRANCH, NOON, SHOP, WEEKLY, change, member, new_world, rebuild
from tests.unit.fleet.follow.world import OPEN
from tests.unit.fleet.report.fleet_issue.news import NEWS

DEPLOY = b"on: {workflow_dispatch: {}}\njobs: {}\n"
FAILED = IssueSection("failures", "Rebuilds that failed", "The build is red.", "the build is red")


@dataclass(slots=True)
class Setting:
    """The shop, and what has one stage take up what is due there."""

    forge: FakeForge
    shop: FakeRepository
    tick: Callable[[Loop], Awaitable[object]]

    async def run(self, *, is_included: bool) -> list[str]:
        """The writes of one tick, under the name that is included, or once the shop was moved away from there."""
        self.forge.calls.clear()
        if not is_included:
            self.shop.name = "elsewhere/shop"
        await self.tick(Loop(self.forge.clock, covers=lambda home: home.name.startswith("contoso/")))
        return self.forge.calls

    @property
    def shown(self) -> object:
        """All that the shop shows, but for what merges by itself."""
        requests = [
            replace(each, is_to_merge=False, is_to_merge_by_us=False) for each in self.shop.requests.values()
        ]
        written = (self.shop.issues, self.shop.inputs, self.shop.uploads, self.shop.reviewers)
        return repr((sorted(self.shop.branches.items()), requests, *written))


def new_shop(files: Mapping[str, bytes]) -> tuple[FakeForge, FakeRepository]:
    forge = FakeForge(ManualClock(NOON))
    return forge, forge.add(SHOP, files)


def by_the_bot(shop: FakeRepository, branch: str, message: str) -> None:
    """A commit of the bot on its branch."""
    head = shop.branches[shop.trunk]
    shop.branches[branch] = shop.add(Commit({"Dockerfile": b"FROM b"}, (head,), message, BOT, BOT))


# Who writes


async def a_rebuild() -> Setting:
    """It goes on with the pull request of the one before, whose branch moves."""
    world = new_world()
    world.options = ActOptions(policy=Policy((PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH)),)))
    world.shop.requirements = MergeRequirements(requires_checks=True, can_wait=True)
    world.add(rebuild())
    await world.tick()
    assert world.shop.requests[1].is_to_merge_by_us
    world.store.alter(1, rebuild=world.store[1].moved(RebuildState.SUPERSEDED, "a newer digest", at=NOON))
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))

    async def tick(loop: Loop) -> None:
        world.loop = loop
        await world.tick()

    return Setting(world.forge, world.shop, tick)


async def an_ignored_rebuild() -> Setting:
    setting = await a_rebuild()
    setting.shop.edit(1, labels=("freshness:ignore",))
    return setting


async def a_dispatch() -> Setting:
    world = new_world()
    world.add(rebuild(Action.DISPATCH), member(WEEKLY))

    async def tick(loop: Loop) -> None:
        world.loop = loop
        await world.tick()

    return Setting(world.forge, world.shop, tick)


@dataclass(slots=True)
class Rows:
    """The due rows of a stage, each of which is only put off."""

    queue: FakeQueue[Any]

    def __getattr__(self, name: str) -> Any:
        is_queue = name in ("to_start", "issues", "scans", "records", "called_off")
        return self.queue if is_queue else self._settle if name.startswith("settle") else _nothing

    async def _settle(self, *given: object, **named: object) -> None:
        self.queue.settle(1, NOON + timedelta(days=1))


async def _nothing(*given: object) -> set[int]:
    return set()


def due(item: object) -> Rows:
    queue: FakeQueue[Any] = FakeQueue()
    queue.add(item, NOON)
    return Rows(queue)


async def a_step() -> Setting:
    forge, shop = new_shop({".github/workflows/deploy.yml": DEPLOY})
    its_turn = "its turn has come"
    step = StepRun(1, 1, 0, Step("canary", "deploy.yml"), shop.identity, StepState.DUE, its_turn, NOON)
    rows = due(StepJob(replace(step, began_at=NOON), shop.identity))
    return Setting(forge, shop, lambda loop: steps.tick(rows, forge, forge, dispatchable, StepOptions(), loop))


async def a_first_word() -> Setting:
    forge, shop = new_shop({"README.md": b""})
    rows = due(DueIssue(1, shop.identity, (FAILED,), None, False, 1))
    return Setting(forge, shop, lambda loop: issues.tick(rows, forge, ActOptions(), loop))


async def a_last_word() -> Setting:
    forge, shop = new_shop({"README.md": b""})
    issue = await forge.open_issue(shop.identity, "Freshness", new_body([FAILED]), "freshness")
    rows = due(DueIssue(1, shop.identity, (), issue.number, True, 2))
    return Setting(forge, shop, lambda loop: issues.tick(rows, forge, ActOptions(), loop))


async def a_scan() -> Setting:
    forge, shop = new_shop({"Dockerfile": b"FROM a"})
    fails = Finding("pinned", Outcome.FAILS, Place("Dockerfile", 1, 1), "FROM a", "floats", FindingSeverity.LOW)
    files = {"Dockerfile": blob_name(b"FROM a", SHA1)}
    rows = due(DueScan(1, shop.identity, "main", files, (fails,)))

    async def patched(item: DueScan) -> Mapping[str, Any]:
        return {}

    logs = ScanLogs(lambda findings: {"found": len(findings)}, patched)
    return Setting(forge, shop, lambda loop: code_scanning.tick(rows, forge, logs, ActOptions(), loop))


async def what_runs() -> Setting:
    """A cluster runs what the shop has built."""
    forge, shop = new_shop({"README.md": b""})
    place = RunningPlace("shop", "Deployment", "web", "app")

    async def tick(loop: Loop) -> None:
        owner, _, name = shop.name.partition("/")
        runs = [BuiltRun(place, "ghcr.io/contoso/shop", f"sha256:{'a' * 64}", name, NOON)]
        rows = due(DueRecords(1, "east", "production", owner, {}, runs))
        await recording.tick(rows, forge, Host(""), loop)

    return Setting(forge, shop, tick)


async def what_was_called_off() -> Setting:
    forge, shop = new_shop({"README.md": b""})
    by_the_bot(shop, BRANCH, "Refresh")
    shop.requests[1] = replace(OPEN, branch=BRANCH, is_to_merge=True, is_to_merge_by_us=True)
    called_off = rebuild(state=RebuildState.OPEN, pull_request=1, repository_node=shop.node_id)
    rows = due(CalledOff(called_off, "cancelled by Ann"))
    return Setting(forge, shop, lambda loop: calling_off.tick(rows, forge, ActOptions(), loop))


@dataclass(slots=True)
class Onboardings:
    """The shop's onboarding as it was settled last, to be read as its default branch is."""

    shop: FakeRepository
    rows: FakeQueue[DueOnboarding]

    @property
    def onboardings(self) -> FakeQueue[DueOnboarding]:
        return self.rows

    async def enlist(self, repositories: object, checks: object, at_once: int) -> int:
        return 0

    async def contents(self, shas: object) -> Mapping[str, bytes]:
        texts = self.shop.commits[self.shop.branches["main"]].files.values()
        return {blob_name(text, SHA1): text for text in texts}

    async def settle_onboarding(
        self, item: DueOnboarding, after: Onboarding, due_at: datetime, *, succeeded: bool = True
    ) -> None:
        self.rows.settle(1, due_at, replace(item, onboarding=after))


async def a_first_onboarding() -> Setting:
    """A crashed attempt has left its scratch branch."""
    forge, shop = new_shop(bare_files())
    waiting = Onboarding(OnboardingState.WAITING, "asked for")
    rows: FakeQueue[DueOnboarding] = FakeQueue()
    rows.add(DueOnboarding(1, shop.identity, {}, waiting), NOON).attempts = 1
    shop.branches[scratch_of(deciding.BRANCH)] = shop.branches["main"]
    proposer = AuditProposer(frozenset({"base-pinned", "dispatchable"}))
    options = OnboardingOptions(checks=("base-pinned", "dispatchable"))
    store = Onboardings(shop, rows)

    async def tick(loop: Loop) -> None:
        tip = shop.commits[shop.branches["main"]].files
        rows[1] = replace(rows[1], files={path: blob_name(text, SHA1) for path, text in tip.items()})
        await onboarding.tick(store, forge, forge, proposer, options, loop)

    return Setting(forge, shop, tick)


async def an_open_onboarding() -> Setting:
    setting = await a_first_onboarding()
    await setting.tick(Loop(setting.forge.clock))
    assert isinstance(setting.forge.clock, ManualClock)
    setting.forge.clock.advance(timedelta(days=1))
    return setting


async def an_onboarding_that_is_declined() -> Setting:
    setting = await an_open_onboarding()
    setting.shop.edit(1, labels=("freshness:ignore",))
    return setting


async def an_onboarding_with_nothing_left() -> Setting:
    setting = await an_open_onboarding()
    lowered = b"FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
    texts = setting.shop.commits[setting.shop.branches["main"]].files
    setting.shop.commit_to("main", {**dict.fromkeys(texts), "Dockerfile": lowered})
    return setting


@dataclass(slots=True)
class FleetIssues:
    """The fleet's issue, which has other words than it is to have."""

    rows: FakeQueue[DueFleetIssue]

    def queue(self, repository: str) -> FakeQueue[DueFleetIssue]:
        return self.rows

    async def expect(self, repository: str) -> None:
        return None

    async def news(self) -> FleetNews:
        return NEWS

    async def heed(self, *given: object) -> bool:
        return False

    async def settle_fleet_issue(self, item: DueFleetIssue, kept: object, due_at: datetime) -> None:
        self.rows.settle(1, due_at)


def fleet_issue_in(forge: FakeForge, shop: FakeRepository, number: int | None) -> Setting:
    rows: FakeQueue[DueFleetIssue] = FakeQueue()
    rows.add(DueFleetIssue(1, SHOP, number, 0), NOON)
    options = FleetIssueOptions(SHOP)
    return Setting(forge, shop, lambda loop: fleet_issue.tick(FleetIssues(rows), forge, options, loop))


async def a_first_fleet_issue() -> Setting:
    return fleet_issue_in(*new_shop({"README.md": b""}), None)


async def another_fleet_issue() -> Setting:
    forge, shop = new_shop({"README.md": b""})
    issue = await forge.open_issue(shop.identity, "Fleet", f"old words\n{MARK}", "freshness")
    return fleet_issue_in(forge, shop, issue.number)


async def what_is_retired() -> Setting:
    forge, shop = new_shop({"README.md": b""})
    by_the_bot(shop, BRANCH, "Refresh\n\nFreshness-Base: aspnet:10.0@sha256:b\n")
    shop.requests[1] = replace(OPEN, branch=BRANCH, is_to_merge=True, is_to_merge_by_us=True)
    issue = await forge.open_issue(shop.identity, "Freshness", new_body([FAILED]), "freshness")
    traces = Traces(shop.identity, (BRANCH,), issue.number)
    return Setting(forge, shop, lambda loop: retire(traces, forge, "it goes", dry_run=False, covers=loop.covers))


CALLERS: Mapping[str, tuple[Callable[[], Awaitable[Setting]], ...]] = {
    "fleet/act/code_scanning/tick.py": (a_scan,),
    "fleet/act/dispatch/rebuilds.py": (a_dispatch,),
    "fleet/act/recording/tick.py": (what_runs,),
    "fleet/act/steps/tick.py": (a_step,),
    "fleet/act/issue/tick.py": (a_first_word, a_last_word),
    "fleet/act/onboarding/bringing.py": (a_first_onboarding, an_onboarding_with_nothing_left),
    "fleet/act/onboarding/deciding.py": (an_onboarding_that_is_declined,),
    "fleet/act/pull_request/bringing.py": (a_rebuild,),
    "fleet/act/pull_request/wishes.py": (a_rebuild, an_ignored_rebuild, what_was_called_off),
    "fleet/act/retiring/retire.py": (what_is_retired,),
    "fleet/report/fleet_issue/tick.py": (a_first_fleet_issue, another_fleet_issue),
}
"""All modules that have the forge or the builder write something, with what makes them do it."""
WRITES = {"forge": FORGE_WRITES, "builder": BUILDER_WRITES}
SETTINGS = sorted({each for some in CALLERS.values() for each in some}, key=lambda each: each.__name__)


def written_by(module: ast.Module) -> Iterator[str]:
    """The writes of the two ports that a module calls."""
    for node in ast.walk(module):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute):
            port = ast.unparse(called.value)
            writes = next((WRITES[each] for each in WRITES if port.endswith(each)), {})
            yield from {called.attr} & writes.keys()


@cache
def callers() -> dict[str, set[str]]:
    root = Path(bot.__file__).parent
    texts = {path.relative_to(root): path.read_text() for path in root.rglob("*.py")}
    found = {
        str(path): set(written_by(ast.parse(text)))
        for path, text in texts.items()
        if path.parts[0] != "clients"
        and any(f"{port}.{write}(" in text for port, writes in WRITES.items() for write in writes)
    }
    return {path: writes for path, writes in found.items() if writes}


def test_whoever_has_the_forge_write_something_is_tried_here() -> None:
    assert callers().keys() == CALLERS.keys()
    assert set().union(*callers().values()) == {*FORGE_WRITES, *BUILDER_WRITES}


@pytest.mark.parametrize("module", sorted(CALLERS))
async def test_under_a_name_that_is_included_it_is_written(module: str) -> None:
    written = set[str]()
    for setting in CALLERS[module]:
        written |= set(await (await setting()).run(is_included=True))
    assert callers()[module] - {"grant"} <= written


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.__name__)
async def test_under_another_name_nothing_is_written_and_only_a_merge_by_the_bots_word_taken_back(
    setting: Callable[[], Awaitable[Setting]],
) -> None:
    there = await setting()
    before, merging = there.shown, any(each.is_to_merge_by_us for each in there.shop.requests.values())
    written = await there.run(is_included=False)
    assert there.shown == before
    assert written == (["grant"] if merging else [])
    assert not any(each.is_to_merge for each in there.shop.requests.values())
