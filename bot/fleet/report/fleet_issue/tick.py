"""One tick: the fleet issue is read, what is ticked there is heeded once, and its words are brought up to date."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.forge.port import Forge
from bot.domain.host import Host
from bot.domain.repositories.issue import Issue
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.witness import Witness, read_witness
from bot.fleet.report.fleet_issue.body import MARK, TITLE, Box, FleetNews, body_of, ticked, wording_of
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, put_off_by_backoff

EVERY = timedelta(minutes=3)
"""How often the issue is looked at: so long a ticked box waits."""


@dataclass(frozen=True, slots=True)
class DueFleetIssue:
    """The claimed issue: `number` is None until it was opened, `wording` the number of its latest wording."""

    id: int
    repository: str
    number: int | None
    wording: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How the issue stands now."""

    number: int
    wording: int
    url: str


@dataclass(frozen=True, slots=True)
class FleetIssueOptions:
    """`ticks` where what is ticked is heeded, `page` where people see more; `host` as for `act`."""

    repository: str
    ticks: bool = True
    page: str | None = None
    label: str = "freshness"
    host: Host = Host()  # noqa: RUF009 - frozen


class FleetIssueStore(Protocol):
    """What the fleet's issue asks of the store; each method is one transaction."""

    def queue(self, repository: str) -> Queue[DueFleetIssue]: ...

    async def expect(self, repository: str) -> None:
        """Has the issue of this repository looked at from now on."""
        ...

    async def heed(self, item: DueFleetIssue, wording: int, box: Box, word: Word) -> bool:
        """Does what a box of a wording asks for, unless that was done; whether it was done now. Raises `Failure`
        where it makes no sense, and notes it as done."""
        ...

    async def news(self) -> FleetNews: ...

    async def settle_fleet_issue(self, item: DueFleetIssue, issue: Kept, due_at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class FleetIssueTally:
    """How many boxes were heeded, and what went wrong, one line each."""

    heeded: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: FleetIssueStore, forge: Forge, options: FleetIssueOptions, loop: Loop) -> FleetIssueTally:
    """Works where the issue is due."""
    await store.expect(options.repository)
    work = _FleetIssue(store, forge, options, loop)
    tally = await loop.run(work)
    return FleetIssueTally(work.heeded, (*work.problems, *tally.problems))


class _FleetIssue(ForgeWriting[DueFleetIssue, Kept]):
    """Heeds the ticked boxes of the fleet's issue, and keeps its text up to date."""

    stage = "fleet issue"

    def __init__(self, store: FleetIssueStore, forge: Forge, options: FleetIssueOptions, loop: Loop) -> None:
        self._store = store
        super().__init__(forge, options.host, loop)
        self._options = options
        self.heeded = 0
        self.problems: list[str] = []

    @property
    def queue(self) -> Queue[DueFleetIssue]:
        return self._store.queue(self._options.repository)

    def repository(self, item: DueFleetIssue) -> Identity:
        return Identity(item.repository)

    async def attempt(self, item: DueFleetIssue, lease: Lease) -> Kept:
        forge = self._guarded(lease, self._options.repository)
        home = Identity(item.repository)
        issue = await self._find_issue(item, home, forge)
        if issue is not None and not issue.is_open:
            return Kept(issue.number, item.wording, issue.url)
        if issue is not None and self._options.ticks:
            await self._heed(item, issue, lease)
        news = await self._store.news()
        if issue is None:
            body = self._word_body(news, item.wording + 1)
            opened_issue = await forge.open_issue(home, TITLE, body, self._options.label)
            return Kept(opened_issue.number, item.wording + 1, opened_issue.url)
        wording = max(wording_of(issue.body), item.wording)
        before = read_witness(issue.body)
        if self._word_body(news, wording, before).strip() == _without_line_ends(issue.body):
            return Kept(issue.number, wording, issue.url)
        body = self._word_body(news, wording + 1, before)
        await forge.change_issue(home, issue.number, body, is_open=True)
        return Kept(issue.number, wording + 1, issue.url)

    def _word_body(self, news: FleetNews, number: int, before: Witness | None = None) -> str:
        options = self._options
        return body_of(news, number, with_boxes=options.ticks, page=options.page, before=before)

    async def _find_issue(self, item: DueFleetIssue, home: Identity, forge: Forge) -> Issue | None:
        """The one that was written to before, or that a crashed attempt has left; None where it was deleted."""
        if item.number is None:
            return await forge.find_issue(home, self._options.label, MARK)
        return await forge.issue(home, item.number)

    async def _heed(self, item: DueFleetIssue, issue: Issue, lease: Lease) -> None:
        word = Word(f"{item.repository}#{issue.number}", "ticked in the fleet issue")
        for box in ticked(issue.body):
            await lease.check()
            try:
                self.heeded += await self._store.heed(item, wording_of(issue.body), box, word)
            except Failure as failure:
                self.problems.append(f"fleet issue: {box}: {failure}")

    async def settle(self, item: DueFleetIssue, result: Kept) -> None:
        await self._store.settle_fleet_issue(item, result, self._clock.now() + EVERY)

    async def failed(self, item: DueFleetIssue, claimed: Claimed, failure: Failure, now: datetime) -> str:
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return f"the fleet issue in {item.repository}: {failure}"


def _without_line_ends(body: str) -> str:
    """Browsers send other line ends."""
    return body.replace("\r\n", "\n").strip()
