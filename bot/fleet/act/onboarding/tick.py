"""One tick: repositories are taken up, and their pull requests brought to what the audit proposes."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.port import Builder
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.port import Forge
from bot.domain.repositories.onboarding import OnboardingState
from bot.domain.repositories.repository import Identity
from bot.fleet.act.onboarding.bringing import bring, clear
from bot.fleet.act.onboarding.deciding import SELDOM, Brought, OnboardingTools
from bot.fleet.act.onboarding.ports import (
    DueOnboarding,
    OnboardingOptions,
    OnboardingStore,
    ProposalSource,
    Proposer,
)
from bot.fleet.act.own_word import WordHeld
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, put_off_by_backoff


@dataclass(frozen=True, slots=True)
class OnboardingTally:
    """How many proposals were worked on, how many repositories were taken up, and what hindered others."""

    done: int = 0
    enlisted: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: OnboardingStore,
    forge: Forge,
    builder: Builder,
    proposer: Proposer,
    options: OnboardingOptions,
    loop: Loop,
) -> OnboardingTally:
    """Takes repositories up, and brings all proposals that are due; the tally counts both."""
    enlisted = await store.enlist(options.repositories, options.checks, options.at_once)
    tally = await loop.run(_Onboardings(store, forge, builder, proposer, options, loop))
    return OnboardingTally(tally.done, enlisted, tuple(tally.problems))


async def proposal_source(store: OnboardingStore, item: DueOnboarding) -> ProposalSource:
    """The texts of a repository; raises `Failure` where discovery has not kept them all."""
    bodies = await store.contents(sorted(set(item.files.values())))
    missing_count = sum(sha not in bodies for sha in item.files.values())
    if missing_count:
        raise Failure(
            Trouble.MISSING,
            f"{missing_count} of its files are not kept any more",
            where=item.repository.name,
            advice="the next reading of the repository brings them back",
        )
    texts = {path: bodies[sha] for path, sha in item.files.items()}
    declined = item.onboarding.declined
    return ProposalSource(item.repository.name, texts, item.produced, declined, item.default_branch)


class _Onboardings(ForgeWriting[DueOnboarding, Brought]):
    """Brings the onboarding pull requests of repositories to what the audit proposes."""

    stage = "onboarding"

    def __init__(
        self,
        store: OnboardingStore,
        forge: Forge,
        builder: Builder,
        proposer: Proposer,
        options: OnboardingOptions,
        loop: Loop,
    ) -> None:
        super().__init__(forge, options.host, loop)
        self._builder = builder
        self._store = store
        self._proposer = proposer
        self._options = options
        self._commits: dict[ActionTag, ActionCommit | None] = {}

    @property
    def queue(self) -> Queue[DueOnboarding]:
        return self._store.onboardings

    def repository(self, item: DueOnboarding) -> Identity:
        return item.repository

    async def attempt(self, item: DueOnboarding, lease: Lease) -> Brought:
        word_held = WordHeld(lease, self._clock)
        forge = self._guarded(word_held)
        tools = OnboardingTools(
            *(forge, self._builder, self._proposer, self._options, self._clock),
            *(self._commits, word_held, self._covers),
        )
        source = await proposal_source(self._store, item)
        if lease.claimed.attempts > 1:
            await clear(item.repository, tools)
        return await bring(item, source, tools)

    async def settle(self, item: DueOnboarding, result: Brought) -> None:
        await self._store.settle_onboarding(item, result.onboarding, self._clock.now() + result.rest)

    async def failed(self, item: DueOnboarding, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """Where the forge refuses before a pull request is open, its turn goes to another, and it comes back."""
        onboarding, reason = item.onboarding, str(failure)
        is_waiting = (
            onboarding.state in (OnboardingState.WAITING, OnboardingState.SET_ASIDE) and onboarding.number is None
        )
        if is_waiting and failure.meaning is Meaning.REFUSED:
            refused_onboarding = replace(onboarding, state=OnboardingState.SET_ASIDE, reason=reason)
            await self._store.settle_onboarding(item, refused_onboarding, now + SELDOM, succeeded=False)
        else:
            await put_off_by_backoff(self.queue, claimed, failure, now)
        return reason if reason not in (item.error, onboarding.reason) else None
