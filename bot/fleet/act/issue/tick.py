"""One tick: what the bot has to say in a repository is brought into its one issue, or the issue is closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import OwnWord
from bot.domain.forge.port import Forge
from bot.domain.repositories.issue import TITLE, Issue, IssueSection, new_body, with_sections
from bot.domain.repositories.repository import Identity
from bot.fleet.act.own_word import WordHeld, config_of
from bot.fleet.act.ports import ActOptions
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, put_off_by_backoff

_ASKED_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueIssue:
    """A claimed issue that does not say yet what there is to say. `number` is None until there was one."""

    id: int
    repository: Identity
    sections: tuple[IssueSection, ...]
    number: int | None
    is_open: bool
    wanted: int


@dataclass(frozen=True, slots=True)
class ToldIssue:
    """How the issue stands now; `number` is None where there is none and nothing to say.

    `again_after` tells when to try again where nothing could be said, None where it was.
    """

    number: int | None
    is_open: bool
    url: str | None = None
    again_after: timedelta | None = None


class IssueStore(Protocol):
    """What the repositories' issues ask of the store; each method is one transaction."""

    @property
    def issues(self) -> Queue[DueIssue]: ...

    async def gather(self) -> int:
        """Takes up which rebuilds have failed or were mended; how many issues have other words since."""
        ...

    async def settle_issue(self, item: DueIssue, outcome: ToldIssue) -> None: ...

    async def refuse_issue(self, item: DueIssue, reason: str, due_at: datetime) -> None:
        """The forge takes no issue there: what is said goes to the maintainers' channel instead."""
        ...


@dataclass(frozen=True, slots=True)
class IssueTally:
    """How many issues were brought up to date, and what hindered others, one line each."""

    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: IssueStore, forge: Forge, options: ActOptions, loop: Loop) -> IssueTally:
    """Brings all issues that are due to what is to be said there; the tally counts them."""
    await store.gather()
    tally = await loop.run(_Issues(store, forge, options, loop))
    return IssueTally(tally.done, tuple(tally.problems))


class _Issues(ForgeWriting[DueIssue, ToldIssue]):
    """Opens, changes and closes the issues of repositories, as their sections want it."""

    stage = "issues"

    def __init__(self, store: IssueStore, forge: Forge, options: ActOptions, loop: Loop) -> None:
        self._store = store
        super().__init__(forge, options.hosts.forge, loop)
        self._options = options

    @property
    def queue(self) -> Queue[DueIssue]:
        return self._store.issues

    def repository(self, item: DueIssue) -> Identity:
        return item.repository

    async def attempt(self, item: DueIssue, lease: Lease) -> ToldIssue:
        word_held = WordHeld(lease, self._clock)
        forge = self._guarded(word_held)
        word_held.hear(item.repository.name, self._clock.now())
        standing = (await forge.standings([item.repository])).get(item.repository)
        if standing is None or standing.read_only is not None or not self._is_wanted(standing):
            return ToldIssue(item.number, item.is_open, again_after=_ASKED_AGAIN_AFTER)
        home = standing.identity
        issue = await self._find_issue(item, home, forge)
        if issue is None:
            if not item.sections:
                return ToldIssue(None, False)
            new_issue = await forge.open_issue(home, TITLE, new_body(item.sections), self._options.label)
            return ToldIssue(new_issue.number, True, new_issue.url)
        body = with_sections(issue.body, item.sections)
        is_open = bool(item.sections)
        if (body, is_open) != (issue.body, issue.is_open) and (is_open or issue.is_open):
            await forge.change_issue(home, issue.number, body, is_open=is_open)
        return ToldIssue(issue.number, is_open, issue.url)

    async def _find_issue(self, item: DueIssue, home: Identity, forge: Forge) -> Issue | None:
        """The one that was written to before, or that a crashed attempt has left; None where it was deleted."""
        if item.number is None:
            return await forge.find_issue(home, self._options.label) if item.sections else None
        return await forge.issue(home, item.number)

    def _is_wanted(self, standing: OwnWord) -> bool:
        """Whether the repository takes an issue: one that has opted out, or bears a name that the operator does not
        include, is written nothing to."""
        return self._covers(standing.identity) and config_of(standing, self._clock.now()).enabled

    async def settle(self, item: DueIssue, result: ToldIssue) -> None:
        await self._store.settle_issue(item, result)

    async def failed(self, item: DueIssue, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        if failure.trouble is Trouble.MISSING or failure.lacks_a_right:  # it has no issues, or the right is missing
            await self._store.refuse_issue(item, failure.told, now + _ASKED_AGAIN_AFTER)
            return None
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return f"{item.repository}: {failure}"
