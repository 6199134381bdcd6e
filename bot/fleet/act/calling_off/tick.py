"""One tick: what a person has called off is ended, and its open pull request closed with the reason."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import rest_of, rested_by
from bot.domain.failure import Failure, Meaning
from bot.domain.forge.looks import OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequest, most_body
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.sight import told_gone
from bot.fleet.act.own_word import WordHeld
from bot.fleet.act.ports import ActOptions
from bot.fleet.act.pull_request.text.section import closed
from bot.fleet.act.pull_request.wishes import close, merge_no_more
from bot.fleet.act.waiting import is_final_after, refused_so_often
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue

_SOUGHT_FOR = timedelta(days=1)
"""A person has ended the rebuild: a pull request that is not shown for so long does not keep it from that."""


@dataclass(frozen=True, slots=True)
class CalledOff:
    """A rebuild that a person has called off and that has not ended, with the person's reason."""

    rebuild: Rebuild
    reason: str


class CallingOffStore(Protocol):
    """What calling off asks of the store; each method is one transaction."""

    @property
    def called_off(self) -> Queue[CalledOff]: ...

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None: ...


@dataclass(frozen=True, slots=True)
class CallingOffTally:
    """How many rebuilds were called off, and what hindered others, one line each."""

    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: CallingOffStore, forge: Forge, options: ActOptions, loop: Loop) -> CallingOffTally:
    """Ends all rebuilds that were called off; the tally counts them."""
    tally = await loop.run(_CallingOff(store, forge, options, loop))
    return CallingOffTally(tally.done, tuple(tally.problems))


class _CallingOff(ForgeWriting[CalledOff, Rebuild]):
    """Closes the open pull requests of what was called off, and ends it."""

    stage = "call off"

    def __init__(self, store: CallingOffStore, forge: Forge, options: ActOptions, loop: Loop) -> None:
        self._store = store
        super().__init__(forge, options.hosts.forge, loop)

    @property
    def queue(self) -> Queue[CalledOff]:
        return self._store.called_off

    def repository(self, item: CalledOff) -> Identity:
        return item.rebuild.identity

    async def attempt(self, item: CalledOff, lease: Lease) -> Rebuild:
        """Closes the rebuild's open pull requests, and returns the rebuild as it ends.

        A run that goes on is left alone: it builds what is as fresh as any. In a repository that is read-only the
        pull request stays as it is; under a name that the operator does not include, and where people have pointed
        it elsewhere, it stays open, and merges no more by the bot's word.
        """
        rebuild, word_held = item.rebuild, WordHeld(lease, self._clock)
        forge, looked_at = self._guarded(word_held), self._clock.now()
        if rebuild.action is not Action.PULL_REQUEST or rebuild.branch is None:
            return self._end_rebuild(item)
        look = await forge.look(rebuild.identity, rebuild.branch, ())
        word_held.hear(look.standing.identity.name, looked_at)
        open_ones = [each for each in look.own(rebuild.pull_request) if each.is_open]
        if open_ones and (objection := self._left_open(look.standing, open_ones[0])) is not None:
            await merge_no_more(look, open_ones, forge)
            return self._end_rebuild(item, objection)
        for request in open_ones:
            await close(
                look, request, closed(request.body, item.reason, most_body(look.standing.identity.forge)), forge
            )
        return self._end_rebuild(item)

    def _left_open(self, word: OwnWord, request: PullRequest) -> str | None:
        """Why the pull request is not closed; None where it is."""
        if word.read_only is not None:
            return f"#{request.number} stays open in a repository that is read-only"
        if not self._covers(word.identity):
            return f"#{request.number} stays open: {NOT_INCLUDED}"
        return request.elsewhere(word.default_branch)

    def _end_rebuild(self, item: CalledOff, but: str = "") -> Rebuild:
        reason = f"{item.reason}; {but}" if but else item.reason
        return item.rebuild.moved(RebuildState.CANCELLED, reason, at=self._clock.now())

    async def settle(self, item: CalledOff, result: Rebuild) -> None:
        await self._store.settle_rebuild(item.rebuild, result)

    async def failed(self, item: CalledOff, claimed: Claimed, failure: Failure, now: datetime) -> str:
        """What is refused for good ends it, and what was gone for a day: a grant that sees others does not show it.
        Any other failure delays it, however long.
        """
        before = item.rebuild
        failure = await told_gone(failure, before.identity, self._forge)
        is_gone = failure.meaning is Meaning.GONE
        rebuild = replace(before, refusals=refused_so_often(before.refusals, failure), hindered_by=failure.told)
        if rested_by(rebuild.refusals) > _SOUGHT_FOR if is_gone else is_final_after(rebuild.refusals, failure):
            reason = f"its pull request could not be closed: {failure.told}"
            after = self._end_rebuild(replace(item, rebuild=rebuild), reason)
        else:
            after = replace(rebuild, reason=failure.told, due_at=now + rest_of(failure, claimed.attempts))
        await self._store.settle_rebuild(before, after, succeeded=False)
        return f"{before.repository}: {failure}"
