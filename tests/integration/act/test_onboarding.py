"""Onboarding's pull request that people close and open again, asked of GitHub as the sandbox plays it."""

from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.domain.repositories.repository import Identity, blob_name
from bot.fleet.act.onboarding.bringing import bring
from bot.fleet.act.onboarding.deciding import Brought, OnboardingTools
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions, ProposalSource
from bot.fleet.act.own_word import WordHeld
from bot.fleet.wiring.auditing import AuditProposer
from sandbox.fleets.bare_repository import bare_files
from sandbox.world import World as Sandbox
from tests.fakes.repository import SHA1
from tests.integration.act.rebuilds import asked
from tests.unit.fleet.act.onboarding.world import Always
from tests.unit.fleet.act.world import World

OPTIONS = OnboardingOptions(checks=("base-pinned",))


async def brought(world: World, home: Identity, known: Onboarding) -> Onboarding:
    """One attempt."""
    texts = bare_files()
    shas = {path: blob_name(text, SHA1) for path, text in texts.items()}
    due = DueOnboarding(1, home, shas, known)
    held = WordHeld(Always(), world.clock)
    proposer = AuditProposer(frozenset(OPTIONS.checks))
    tools = OnboardingTools(world.forge, world.forge, proposer, OPTIONS, world.clock, {}, held)
    after: Brought = await bring(due, ProposalSource(home.name, texts), tools)
    return after.onboarding


async def test_it_is_followed_again_which_one_look_tells(shared_world: Sandbox, world: World) -> None:
    github = shared_world.github
    files = {path: text.decode() for path, text in bare_files().items()}
    name = await github.create_repository("declines", files)
    home = Identity(name, (await github.ask("GET", f"/repos/{name}"))["node_id"])
    known = await brought(world, home, Onboarding(OnboardingState.WAITING, "asked for"))
    number = known.number or 0
    await github.close(name, number)

    async def looked() -> Onboarding:
        shared_world.traffic.forget()
        after = await brought(world, home, known)
        assert len(asked(shared_world)) == 1
        return after

    for _ in range(2):
        known = await looked()
        assert known.state is OnboardingState.DECLINED
    await github.reopen(name, number)
    known = await looked()
    assert (known.state, known.number) == (OnboardingState.OPEN, number)
