"""One tick: due rebuilds become pull requests and dispatches. One bad repository never stops the others."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.backoff import rest_at_age, rest_of
from bot.domain.builder.port import Builder
from bot.domain.failure import Failure
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import RepositoryArchived
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.fleet.act.dispatch.rebuilds import dispatch
from bot.fleet.act.own_word import OwnWords, WordHeld
from bot.fleet.act.ports import MERGES_END_BEFORE, ActOptions, ActStore, Job, Refresher
from bot.fleet.act.pull_request.proposal import only_left, only_stopped, open_or_update, unmerged
from bot.fleet.act.tools import PublishedTags, Registry, Tools, TrustEverybody, TrustGate, doubt_about
from bot.fleet.act.waiting import (
    ended_where_archived,
    is_final_after,
    not_of_the_fleet,
    not_published,
    paused,
    refused_so_often,
)
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue


@dataclass(frozen=True, slots=True)
class ActTally:
    """How many rebuilds were acted on, and what hindered others, one line each."""

    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: ActStore,
    forge: Forge,
    builder: Builder,
    registry: Registry,
    refresh: Refresher,
    options: ActOptions,
    loop: Loop,
    trust: TrustGate | None = None,
) -> ActTally:
    """Works until nothing is due, or until the forge asks for a pause.

    What is open is looked at once where the rules have changed since, and what merges by itself where a freeze is
    about to begin or has ended.
    """
    await store.notice_policy(_number_of(options.policy))
    now = loop.clock.now()
    holding = [
        freeze for freeze in options.policy.freezes if freeze.since - MERGES_END_BEFORE <= now < freeze.until
    ]
    await store.notice_freezes(_number_of(holding) if holding else 0)
    tally = await loop.run(_Jobs(store, forge, builder, PublishedTags(registry), refresh, options, loop, trust))
    await store.notice_delays()
    return ActTally(tally.done, tuple(tally.problems))


def _number_of(value: object) -> int:
    return int(hashlib.sha256(repr(value).encode()).hexdigest()[:15], 16)


class _Jobs(ForgeWriting[Job, Rebuild]):
    """Makes pull requests and dispatches of rebuilds, and brings those that are open up to date."""

    stage = "act"

    def __init__(
        self,
        store: ActStore,
        forge: Forge,
        builder: Builder,
        tags: PublishedTags,
        refresh: Refresher,
        options: ActOptions,
        loop: Loop,
        trust: TrustGate | None = None,
    ) -> None:
        self._store = store
        self._builder = builder
        super().__init__(forge, options.hosts.forge, loop)
        self._words = OwnWords(store, forge, loop.clock)
        self._tags = tags
        self._refresh = refresh
        self._options = options
        self._trust = trust or TrustEverybody()

    @property
    def queue(self) -> Queue[Job]:
        return self._store.jobs

    def repository(self, item: Job) -> Identity:
        return item.rebuild.identity

    def host(self, item: Job) -> str:
        """A dispatch waits for the builder, whose pause is none of the forge's."""
        is_dispatch = item.rebuild.action is Action.DISPATCH
        return self._options.hosts.builder.of(item.rebuild.build_home) if is_dispatch else super().host(item)

    def needs(self, item: Job) -> Sequence[str]:
        return (super().host(item),)

    async def attempt(self, item: Job, lease: Lease) -> Rebuild:
        word_held = WordHeld(lease, self._clock)
        forge, builder = self._guarded(word_held), self._guarded_builder(self._builder, word_held)
        tools = Tools(
            *(self._store, forge, builder, self._tags, self._words, self._refresh, self._options, self._clock),
            *(self._trust, word_held, self._covers),
        )
        return await act(replace(item, policy=self._options.policy), tools)

    async def settle(self, item: Job, result: Rebuild) -> None:
        await self._store.settle_rebuild(item.rebuild, result)

    async def failed(self, item: Job, claimed: Claimed, failure: Failure, now: datetime) -> str:
        """Puts the rebuild off with the reason, otherwise as it was stored; a refusal that stays ends it,
        where that has not ended already."""
        rebuild = item.rebuild
        if isinstance(failure, RepositoryArchived):
            is_open = rebuild.pull_request is not None
            ended_rebuild = await ended_where_archived(item, self._store, failure.told, now, is_open=is_open)
            if ended_rebuild is not None:
                await self._store.settle_rebuild(rebuild, ended_rebuild, succeeded=False)
                return f"{rebuild.repository}: {failure}"
        rest = rest_of(failure, rebuild.attempts)
        refusals = refused_so_often(rebuild.refusals, failure)
        rebuild = replace(rebuild, refusals=refusals, hindered_by=failure.told)
        is_final = is_final_after(rebuild.refusals, failure) and not rebuild.state.has_ended
        if is_final and rebuild.state is RebuildState.OPEN:
            # Its pull request stands and is followed; only its text is not what it could be.
            seldom = rest_at_age(rebuild.age(now), rest)
            followed_rebuild = replace(rebuild, text_version=rebuild.facts_version, due_at=now + seldom)
            await self._store.settle_rebuild(rebuild, followed_rebuild)
        elif is_final:
            end = RebuildState.SKIPPED if failure.lacks_a_right else RebuildState.FAILED
            if end is RebuildState.SKIPPED:
                await self._store.read_within_a_day(item.member.id)
            ended_rebuild = rebuild.moved(end, f"{failure.told} (tried {rebuild.attempts} times)", at=now)
            await self._store.settle_rebuild(rebuild, ended_rebuild, succeeded=False)
        else:
            paused_rebuild = paused(rebuild, failure.told, rest, now)
            await self._store.settle_rebuild(rebuild, paused_rebuild, succeeded=False)
        return f"{rebuild.repository}: {failure}"


async def act(job: Job, tools: Tools) -> Rebuild:
    """The rebuild in its next state. Raises `Failure`, and `LeaseLost` where it is not ours any more."""
    now = tools.clock.now()
    match job.rebuild.action:
        case Action.PULL_REQUEST if job.rebuild.state is RebuildState.SUPERSEDED:
            return await unmerged(job, tools)
        case Action.PULL_REQUEST if not job.is_listed:
            return await only_left(job, tools)
        case Action.DISPATCH if not job.is_listed:
            return await not_of_the_fleet(job, tools.store, tools.options, now)
        case Action.PULL_REQUEST if job.is_all_paused:
            return await only_stopped(job, tools)
        case Action.PULL_REQUEST | Action.DISPATCH if job.rebuild.state.awaits_action and (
            freeze := job.frozen(now)
        ):
            return paused(job.rebuild, f"frozen: {freeze.reason}", freeze.until - now, now)
        case Action.PULL_REQUEST | Action.DISPATCH if job.rebuild.state.awaits_action and (
            doubt := await doubt_about(job, tools.trust)
        ):
            return paused(job.rebuild, doubt, tools.options.follow_every, now)
        case Action.PULL_REQUEST:
            missing_tag = await tools.tags.missing(job)
            if missing_tag is not None:
                return not_published(job.rebuild, missing_tag, tools.options, now)
            return await open_or_update(job, tools)
        case Action.DISPATCH:
            return await dispatch(job, tools)
        case Action.NOTIFY:
            return job.rebuild.moved(RebuildState.SUCCEEDED, job.rebuild.reason, at=now)
