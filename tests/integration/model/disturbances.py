"""What people and the world do besides, some of it while the bot is at work."""

from abc import abstractmethod
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bot.domain.bases.change import Cause
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.reference import Base
from bot.domain.rollouts.journal import HOLD
from bot.domain.rollouts.rebuild import RebuildState
from tests.fakes.repository import FakeRepository
from tests.integration.model.disturbed import Act, Fault
from tests.integration.model.fleet import INCLUDED, LEASE, NAMES, OWNERS, Fleet
from tests.integration.model.said import BRANCHES, UNREADABLE
from tests.integration.store.filling import ASPNET, SDK

ORDERS = ("pause", "freeze", "freeze soon", "quarantine")
DEEDS = (
    *("merge", "close", "reopen", "push_to_the_branch", "push_to_the_trunk", "opt_out", "write_what_may_be_a_no"),
    *("rename", "archive", "hold_by_a_label", "point_elsewhere", "switch_the_default_branch", "branch_off_ours"),
    *("open_one_from_our_branch", "leave_out", "rename_to_what_is_not_included", "hold_by_an_order"),
)
"""What a person may do with a repository at any moment."""
NEXT_TRUNK = {"main": "trunk", "trunk": "main"}
bases = st.sampled_from([ASPNET, SDK])
workers = st.integers(0, 1)
repositories = st.integers(0, 2)
owners = st.sampled_from(OWNERS)
faults = st.sampled_from(Fault)
answers = st.integers(0, 9)
"""After how many answers somebody acts."""


class Disturbances(RuleBasedStateMachine):
    """Half of a walk: its fleet is made, and its laws are asked, in the other."""

    fleet: Fleet
    persons: dict[tuple[str, str], str]
    """The last commit that a person has pushed to a branch."""
    reopened: dict[tuple[str, int], datetime]
    """The pull requests that people have opened again, by repository, and when they last did."""

    @abstractmethod
    def run(self, work: Coroutine[Any, Any, Any]) -> Any: ...

    @abstractmethod
    def home(self, number: int) -> FakeRepository: ...

    @abstractmethod
    def a_patch_is_planned(self, base: Base, worker: int) -> None: ...

    # While the bot works

    @rule(deed=st.sampled_from(DEEDS), number=repositories, after=answers, worker=workers)
    def somebody_does_something_in_the_middle_of_a_pass(
        self, deed: str, number: int, after: int, worker: int
    ) -> None:
        self.meanwhile(after, partial(self.do, deed, number), worker)

    @rule(order=st.sampled_from(ORDERS), base=bases, after=answers, worker=workers)
    def somebody_orders_something_in_the_middle_of_a_pass(
        self, order: str, base: Base, after: int, worker: int
    ) -> None:
        self.meanwhile(after, partial(self.fleet.hold, order, base), worker)

    @rule(deed=st.sampled_from(DEEDS), number=repositories, after=answers, base=bases, worker=workers)
    def somebody_does_something_while_a_batch_begins(
        self, deed: str, number: int, after: int, base: Base, worker: int
    ) -> None:
        self.let_begin(base, worker)
        self.meanwhile(after, partial(self.do, deed, number), worker, "act")

    @rule(order=st.sampled_from(ORDERS), held=bases, after=answers, base=bases, worker=workers)
    def somebody_orders_something_while_a_batch_begins(
        self, order: str, held: Base, after: int, base: Base, worker: int
    ) -> None:
        self.let_begin(base, worker)
        self.meanwhile(after, partial(self.fleet.hold, order, held), worker, "act")

    def let_begin(self, base: Base, worker: int) -> None:
        self.a_patch_is_planned(base, worker)
        self.fleet.clock.advance(timedelta(minutes=25))
        self.run(self.fleet.plan(worker))

    def meanwhile(self, after: int, act: Act, worker: int, stage: str = "everything") -> None:
        """A pass in which somebody acts once the bot has been answered so often, and does not know the last."""
        self.fleet.reached.interrupt(after, act)
        self.run(getattr(self.fleet, stage)(worker))
        self.fleet.reached.interrupt_no_more()

    async def do(self, deed: str, number: int) -> None:
        if deed == "hold_by_an_order":
            await self.fleet.keep_back(self.home(number))
        elif deed == "rename":
            self.home(number).name = f"{NAMES[number]}-7"
        else:
            getattr(self, deed)(number)

    # People

    @rule(number=repositories, which=st.sampled_from(UNREADABLE))
    def write_what_nobody_can_read(self, number: int, which: bytes) -> None:
        self.fleet.config(self.home(number), which)

    def write_what_may_be_a_no(self, number: int) -> None:
        self.fleet.config(self.home(number), UNREADABLE[number % len(UNREADABLE)])

    @rule(number=repositories)
    def hold_by_a_label(self, number: int) -> None:
        for request in self.ours(number):
            self.home(number).edit(request.number, labels=(*request.labels, HOLD))

    @rule(number=repositories)
    def take_the_label_off(self, number: int) -> None:
        for request in self.ours(number):
            labels = tuple(label for label in request.labels if label != HOLD)
            self.home(number).edit(request.number, labels=labels)

    @rule(number=repositories)
    def hold_by_an_order(self, number: int) -> None:
        self.run(self.fleet.keep_back(self.home(number)))

    @rule(number=repositories)
    def point_elsewhere(self, number: int) -> None:
        home = self.home(number)
        home.branches.setdefault("release", home.branches[home.trunk])
        for request in self.ours(number):
            home.edit(request.number, base="release")

    @rule(number=repositories)
    def point_back(self, number: int) -> None:
        for request in self.ours(number):
            self.home(number).edit(request.number, base=self.home(number).trunk)

    @rule(number=repositories)
    def switch_the_default_branch(self, number: int) -> None:
        """Requests go on to the one before."""
        home = self.home(number)
        name = NEXT_TRUNK[home.trunk]
        home.branches[name] = home.branches[home.trunk]
        home.trunk = name

    @rule(number=repositories)
    def reopen(self, number: int) -> None:
        """The last one that was closed unmerged; none from a branch from which one is open already."""
        home = self.home(number)
        closed = [each for each in home.requests.values() if not each.is_open and not each.is_merged]
        open_from = {each.branch for each in home.requests.values() if each.is_open}
        for request in closed[-1:]:
            if request.branch not in open_from and request.branch in home.branches:
                home.edit(request.number, is_open=True)
                self.reopened[home.id, request.number] = self.fleet.clock.now()

    @rule(number=repositories)
    def branch_off_ours(self, number: int) -> None:
        """A person's branch that begins with the bot's commit, and a pull request with the bot's own text."""
        home = self.home(number)
        for request in self.ours(number):
            name = f"ann/{request.number}"
            if name not in home.branches:
                home.branches[name] = self.persons[home.id, name] = home.branches[request.branch]
                self.open_as_a_person(home, name, request)

    @rule(number=repositories)
    def open_one_from_our_branch(self, number: int) -> None:
        home = self.home(number)
        open_from = {each.branch for each in home.requests.values() if each.is_open}
        for branch in sorted(home.branches):
            if branch.startswith(BRANCHES) and branch not in open_from:
                self.open_as_a_person(home, branch, next(iter(home.requests.values())))

    def open_as_a_person(self, home: FakeRepository, branch: str, like: PullRequest) -> None:
        number = len(home.requests) + 1
        home.requests[number] = replace(
            like,
            number=number,
            node_id=f"PR_{home.id}_{number}",
            branch=branch,
            head=home.branches[branch],
            base=home.trunk,
            labels=(),
            is_open=True,
            is_merged=False,
            merge_commit=None,
            is_own=False,
            is_to_merge=False,
            is_to_merge_by_us=False,
        )

    def ours(self, number: int) -> list[PullRequest]:
        return [request for request in self.fleet.open_requests(self.home(number)) if request.is_own]

    @rule(number=repositories)
    def leave_out(self, number: int) -> None:
        """The operator's settings lose a name."""
        selection = self.fleet.selection
        kept = tuple(name for name in selection.include if name != INCLUDED[number])
        self.fleet.selection = replace(selection, include=kept or INCLUDED)

    @rule()
    def include_all(self) -> None:
        self.fleet.selection = replace(self.fleet.selection, include=INCLUDED)

    @rule(number=repositories)
    def rename_to_what_is_not_included(self, number: int) -> None:
        owner, _, name = NAMES[number].partition("/")
        self.home(number).name = f"{owner}/attic-{name}"

    # The world

    @rule(owner=owners, fault=faults)
    def an_owner_is_not_answered_for(self, owner: str, fault: Fault) -> None:
        self.fleet.reached.faults[owner] = fault

    @rule(fault=st.sampled_from([Fault.LOST_CREDENTIALS, Fault.BLIND, Fault.UNTYPED]))
    def nobody_is_answered_for(self, fault: Fault) -> None:
        self.fleet.reached.faults = dict.fromkeys(OWNERS, fault)

    @rule(owner=owners, fault=faults, worker=workers)
    def a_fault_lasts_for_half_a_day(self, owner: str, fault: Fault, worker: int) -> None:
        self.fleet.reached.faults[owner] = fault
        for _ in range(4):
            self.fleet.clock.advance(timedelta(hours=3))
            self.run(self.fleet.everything(worker))

    @rule(owner=owners, fault=faults, base=bases, worker=workers)
    def trouble_with_one_owner_stops_nobody_else(self, owner: str, fault: Fault, base: Base, worker: int) -> None:
        """Within three passes all is taken up that is due with others, where they are not in trouble too."""
        self.run(self.fleet.publish(base, Cause.OS_UPDATE))
        self.fleet.reached.faults[owner] = fault
        began = self.fleet.clock.now()
        for _ in range(3 + len(self.fleet.forge.meanwhile)):
            self.fleet.clock.advance(timedelta(minutes=25))
            self.run(self.fleet.everything(worker))
        if self.fleet.is_slow or set(self.fleet.reached.faults) == set(OWNERS):
            return
        elsewhere = {home.id for home in self.fleet.forge.homes if home.name.partition("/")[0] != owner}
        late = [
            row["id"]
            for row in self.run(self.fleet.rebuilds())
            if row["forge_id"] in elsewhere
            and not RebuildState(row["state"]).has_ended
            and row["due_at"] < began - LEASE
            and self.may_go_on(row)
        ]
        assert late == []

    @rule(seconds=st.sampled_from([1, 25, 50]))
    def the_forge_is_slow(self, seconds: int) -> None:
        self.fleet.forge.takes = timedelta(seconds=seconds)

    @rule(worker=workers)
    def the_clock_is_a_year_ahead_for_a_pass(self, worker: int) -> None:
        self.run(self.fleet.with_a_wrong_clock(worker, timedelta(days=365)))

    def may_go_on(self, row: Any) -> bool:
        is_kept = row["held_because"] is not None or row["quarantine_id"] is not None
        return row["released_at"] is not None and not is_kept and not self.fleet.forge.is_paused

    def quiet(self, homes: Iterable[FakeRepository]) -> None:
        """Nothing of all this is left, and people let everything go on."""
        self.fleet.reached.faults.clear()
        self.fleet.reached.interrupt_no_more()
        self.fleet.forge.takes = timedelta()
        self.include_all()
        for number, home in enumerate(homes):
            home.name = NAMES[number]
            self.take_the_label_off(number)
            self.point_back(number)
            for request in self.fleet.open_requests(home):
                if not request.is_own:
                    home.close(request.number)
