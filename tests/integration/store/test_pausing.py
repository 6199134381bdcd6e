"""A pause acts before the next write of whatever is being written."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages

import pytest

import bot.fleet
from bot.domain.host import Host
from bot.domain.repositories.issue import IssueSection
from bot.domain.repositories.onboarding import SAFE_CHECKS
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.fleet.act.code_scanning import tick as code_scanning
from bot.fleet.act.issue import tick as issues
from bot.fleet.act.onboarding import tick as onboarding
from bot.fleet.act.onboarding.ports import OnboardingOptions
from bot.fleet.act.ports import ActOptions
from bot.fleet.act.recording import tick as recording
from bot.fleet.act.recording.rows import RecordingStore
from bot.fleet.act.steps import tick as steps
from bot.fleet.act.steps.tick import StepOptions
from bot.fleet.audit.tick import AuditOptions
from bot.fleet.wiring.auditing import AuditProposer, scan_logs
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.guarded import Budget, Turn
from bot.reconcile.loop import Loop
from bot.store.orders.orders import OrdersStore
from bot.store.rows.repositories.issues import say
from sandbox.fleets.bare_repository import bare_files
from tests.fakes.forge import FakeForge
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.holding import running
from tests.integration.store.judged import read
from tests.integration.store.running.snapshots import EUROPE, WEB, runs_in, tells
from tests.integration.store.stepping import built

ANN = Word("Ann", "not before we looked")
DEPLOY = b"on: {workflow_dispatch: {}}\njobs: {}\n"
SAID = IssueSection("posture", "Nothing rebuilds this", "It is disabled.", "it is disabled")


@dataclass(slots=True)
class Turns:
    """Gives each write its turn after a second, in which a person may pause the bot."""

    stores: Stores
    pauses: bool

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        return Turn(self.stores.clock.now() + timedelta(seconds=1))

    async def stop(self, account: str, asked: timedelta | None) -> timedelta:
        return timedelta(0)

    async def sleep(self, seconds: float) -> None:
        if self.pauses:
            await self.stores[OrdersStore].pause(None, ANN)


Tick = Callable[[Loop], Awaitable[object]]


async def onboardings(stores: Stores) -> tuple[FakeForge, Tick]:
    forge = FakeForge(stores.clock)
    for name in ("contoso/cart", "contoso/shop"):
        forge.add(name, bare_files())
    await read(stores, forge)
    options = OnboardingOptions(repositories=("contoso/*",))
    proposer = AuditProposer(frozenset(SAFE_CHECKS))
    return forge, lambda loop: onboarding.tick(stores.onboardings, forge, forge, proposer, options, loop)


async def scans(stores: Stores) -> tuple[FakeForge, Tick]:
    forge = FakeForge(stores.clock)
    forge.add("contoso/shop", {"Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"})
    await read(stores, forge, AuditOptions(code_scanning=("contoso/*",)))
    logs = scan_logs(stores.onboardings, (), stores.clock)
    return forge, lambda loop: code_scanning.tick(stores.code_scanning, forge, logs, ActOptions(), loop)


async def words(stores: Stores) -> tuple[FakeForge, Tick]:
    await stores.fill(repositories=2)
    forge = FakeForge(stores.clock)
    for number in (1, 2):
        forge.add(f"contoso/shop-000{number - 1}", {"README.md": b""})
        async with stores.database.transaction() as connection:
            await say(connection, number, SAID, stores.clock.now())
    return forge, lambda loop: issues.tick(stores.issues, forge, ActOptions(), loop)


async def due_steps(stores: Stores) -> tuple[FakeForge, Tick]:
    await built(stores, 2)
    forge = FakeForge(stores.clock)
    for number in (0, 1):
        forge.add(f"contoso/shop-000{number}", {".github/workflows/deploy.yml": DEPLOY})
    return forge, lambda loop: steps.tick(stores.steps, forge, forge, dispatchable, StepOptions(), loop)


async def records(stores: Stores) -> tuple[FakeForge, Tick]:
    sources = [EUROPE, replace(EUROPE, name="asia")]
    await stores.running.follow(sources)
    await running(stores)
    for source in sources:
        await tells(stores, *runs_in(WEB, "e"), source=source.name)
    forge = FakeForge(stores.clock)
    return forge, lambda loop: recording.tick(stores[RecordingStore], forge, Host(), loop)


WRITTEN = {
    "onboarding": onboardings,
    "code scanning": scans,
    "issues": words,
    "start steps": due_steps,
    "recording": records,
}


def test_every_stage_that_writes_is_stopped_by_a_pause_or_does_what_people_asked_for_meanwhile() -> None:
    """What is called off is closed although all is paused, and the fleet's issue tells of the pause and takes
    words; for rebuilds see `rollouts/test_act.py`."""
    for module in walk_packages(bot.fleet.__path__, "bot.fleet."):
        import_module(module.name)
    stages = {each.stage for each in ForgeWriting.__subclasses__() if each.__module__.startswith("bot.")}
    assert stages == {*WRITTEN, "act", "call off", "fleet issue"}


@ON_BOTH
@pytest.mark.parametrize("stage", WRITTEN)
@pytest.mark.parametrize("is_paused", [False, True])
async def test_a_pause_while_a_write_waits_for_its_turn_keeps_it_and_the_rest_of_the_batch(
    stores: Stores, stage: str, is_paused: bool
) -> None:
    forge, tick = await WRITTEN[stage](stores)
    turns = Turns(stores, is_paused)
    await tick(Loop(stores.clock, budget=Budget(turns, stores.clock, sleep=turns.sleep)))
    assert (forge.calls == []) is is_paused
    await stores.orders.resume(None, ANN)
    stores.clock.advance(HOUR)
    await tick(Loop(stores.clock))
    assert forge.calls != []
