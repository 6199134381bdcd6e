"""`onboard`: repositories are taken up on a person's word, or it is shown what their pull requests would change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.clients.http.client import Nobody
from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.repositories.onboarding import OnboardingState, Proposal
from bot.domain.rollouts.journal import Word
from bot.fleet.act.onboarding.bringing import commits_of
from bot.fleet.act.onboarding.rows import OnboardingsStore, OrderResult
from bot.fleet.act.onboarding.tick import proposal_source
from bot.fleet.wiring.auditing import proposer_of
from bot.fleet.wiring.forges import opened_forges
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Previewed:
    """What the next pull request of one repository would be; `why` where there would be none."""

    repository: str
    proposal: Proposal | None
    why: str = ""


async def take_up(settings: Settings, names: Sequence[str], word: Word, clock: Clock) -> list[OrderResult]:
    """Has the service bring these repositories along, whatever the settings say of them."""
    async with opened_stores(settings, clock) as stores:
        return await stores[OnboardingsStore].ask(names, word)


async def preview(
    settings: Settings, names: Sequence[str], clock: Clock, progress: Callable[[int, int | None], None]
) -> list[Previewed]:
    """What would be proposed for the texts that were read last; the builder is only asked where tags point to."""
    previews = []
    commits_by_tag: dict[ActionTag, ActionCommit | None] = {}
    async with opened_stores(settings, clock) as stores, opened_forges(settings, clock, Nobody()) as opened:
        for number, name in enumerate(dict.fromkeys(names), start=1):
            previews.append(await _previewed(settings, name, stores, opened.builder, clock, commits_by_tag))
            progress(number, len(names))
    return previews


async def _previewed(
    settings: Settings,
    name: str,
    stores: Stores,
    builder: Builder,
    clock: Clock,
    commits_by_tag: dict[ActionTag, ActionCommit | None],
) -> Previewed:
    due = await stores[OnboardingsStore].source(name)
    if due is None:
        return Previewed(name, None, "the fleet has no such repository that was read; write owner/name")
    if due.onboarding.state is OnboardingState.DECLINED:
        return Previewed(name, None, f"it has declined for good: {due.onboarding.reason}")
    proposer = proposer_of(settings)
    try:
        source = await proposal_source(stores[OnboardingsStore], due)
        actions = proposer.actions(source, clock.now())
        commits = await commits_of(due.repository, actions, builder, commits_by_tag)
    except Failure as failure:
        return Previewed(name, None, failure.told)
    proposal = proposer.propose(source, commits, (), clock.now())
    return Previewed(name, proposal, "" if proposal.commits else "nothing is left that can be done safely")
