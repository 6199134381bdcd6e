"""Whatever upstream, people, the network and two workers do in whatever order, the laws of the house hold.

Each walk is a run of a small fleet on a real store; hypothesis chooses the steps, and shortens what breaks a law to
the fewest that do.
"""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import RowMapping, select

from bot.domain.bases.change import Cause
from bot.domain.reference import Base
from bot.domain.repositories.repository import owner_of
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import ENDED, RebuildState, Target
from bot.domain.rollouts.reopening import LOOKED_AT_FOR
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.timing.age import AgeStanding
from bot.store.engine.codec import load
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.tables import repositories as repositories_table
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from tests.fakes.repository import CONFIG, FakeRepository
from tests.integration.model.clusters import publish_cve
from tests.integration.model.disturbances import DEEDS, ORDERS, Disturbances
from tests.integration.model.disturbed import Fault, trouble_of
from tests.integration.model.facts import ended_without_a_fact
from tests.integration.model.fleet import (
    AT_ONCE,
    IN_WAVES,
    LEASE,
    MAX_AGE,
    NAMES,
    OWNERS,
    SOAK,
    STAGES,
    STEP_FILES,
    THROTTLED,
    UNREACHABLE,
    WAIT_AT_MOST,
    WORKFLOW_FILE,
    Fleet,
    Killed,
    digest,
    everything_ends,
)
from tests.integration.model.said import BRANCHES, OPT_OUT
from tests.integration.model.what_runs import RunningPlaces
from tests.integration.store.filling import ASPNET, SDK
from tests.migrated import new_sqlite

WITHOUT_EFFECT = ("superseded", "skipped", "cancelled", "failed")
STEPS = 75
SHARES = 4
AT_LEAST = 10
"""Walks at a time: hypothesis begins with the shortest."""
RESTS_END_WITHIN = 14
"""Passes two hours apart after which all that rested for a day has been tried, and what it opened was looked at."""
SEEN_WITHIN = 6
"""Passes after which everything that came back is seen: a quarantined digest that did is held once more."""
WRITTEN: list[int] = []
"""How many writes the forge saw on each walk: a walk on which nothing happens shows nothing."""
TAKEN: list[int] = []
"""How many steps each walk took."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
WRITES = ("prepare", "carry_out", "dispatch", "grant")
bases = st.sampled_from([ASPNET, SDK])
workers = st.integers(0, 1)
repositories = st.integers(0, len(NAMES) - 1)
places = st.integers(0, 9)


class Walk(Disturbances, RunningPlaces):
    @initialize(policy=st.sampled_from([AT_ONCE, IN_WAVES]))
    def begin(self, policy: Policy) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="freshness-walk-"))
        self.loop = asyncio.new_event_loop()
        self.fleet = self.run(Fleet.begin(self.new_store(), policy))
        self.run(self.fleet.publish(ASPNET, Cause.DOTNET_RELEASE))
        self.run(self.fleet.plan(0))
        self.brought: dict[tuple[str, str, str], str] = {}
        self.persons = {}
        self.steps = 0
        self.released: set[int] = set()
        self.ended: set[int] = set()
        self.reopened = {}
        self.shown: tuple[int, Sequence[RowMapping]] = (-1, ())

    def new_store(self) -> str:
        """The URL of one with its tables and nothing in them."""
        return new_sqlite(self.folder / "walk.db")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def home(self, number: int) -> FakeRepository:
        return self.fleet.forge.homes[number]

    # Upstream

    @rule(base=bases, cause=st.sampled_from([Cause.DOTNET_RELEASE, Cause.OS_UPDATE, Cause.LAYERS_ONLY]))
    def publish(self, base: Base, cause: Cause) -> None:
        self.run(self.fleet.publish(base, cause))

    @rule(base=bases, place=places)
    def publish_what_was_there_before(self, base: Base, place: int) -> None:
        self.run(self.fleet.publish(base, Cause.LAYERS_ONLY, again=place))

    # Workers

    @rule(worker=workers)
    def discover(self, worker: int) -> None:
        self.run(self.fleet.discover(worker))

    @rule(worker=workers)
    def plan(self, worker: int) -> None:
        self.run(self.fleet.plan(worker))

    @rule(worker=workers)
    def act(self, worker: int) -> None:
        self.run(self.fleet.act(worker))

    @rule(worker=workers)
    def follow(self, worker: int) -> None:
        self.run(self.fleet.follow(worker))

    @rule(worker=workers)
    def everything(self, worker: int) -> None:
        self.run(self.fleet.everything(worker))

    @rule(base=bases, worker=workers)
    def a_patch_is_planned(self, base: Base, worker: int) -> None:
        self.run(self.fleet.publish(base, Cause.OS_UPDATE))
        self.run(self.fleet.discover(worker))
        self.run(self.fleet.plan(worker))

    @rule(base=bases, worker=workers, what=st.sampled_from(["pause", "freeze", "quarantine"]))
    def what_was_just_let_begin_is_held(self, base: Base, worker: int, what: str) -> None:
        self.a_patch_is_planned(base, worker)
        self.fleet.clock.advance(timedelta(minutes=25))
        self.run(self.fleet.plan(worker))
        self.run(self.fleet.hold(what, base))
        self.run(self.fleet.act(worker))

    @rule(worker=workers)
    def a_first_wave_comes_through(self, worker: int) -> None:
        """Build and steps succeed; the wave is then to soak."""
        self.a_patch_is_planned(ASPNET, worker)
        self.fleet.clock.advance(timedelta(minutes=25))
        for _ in range(6):
            self.run(self.fleet.everything(worker))
            self.runs_conclude("success")
            self.fleet.clock.advance(timedelta(minutes=6))

    @rule(worker=workers)
    def what_has_settled_is_acted_upon(self, worker: int) -> None:
        self.fleet.clock.advance(timedelta(minutes=25))
        self.run(self.fleet.act(worker))

    @rule(worker=workers)
    def what_is_open_is_looked_at(self, worker: int) -> None:
        self.fleet.clock.advance(timedelta(minutes=6))
        self.run(self.fleet.follow(worker))

    @rule(minutes=st.sampled_from([1, 6, 25, 61, 60 * 8, 60 * 24 * 3]))
    def time_passes(self, minutes: int) -> None:
        self.fleet.clock.advance(timedelta(minutes=minutes))

    @rule(seconds=st.sampled_from([1, 20, 90]))
    def the_clock_is_put_back(self, seconds: int) -> None:
        """As NTP does where it was fast."""
        self.fleet.clock.advance(-timedelta(seconds=seconds))

    @rule(first=st.sampled_from(STAGES), second=st.sampled_from(STAGES))
    def both_workers_are_busy_at_once(self, first: str, second: str) -> None:
        """Each goes on wherever the other waits for the store."""
        self.run(self.fleet.at_once(first, second))

    # Trouble

    @rule(call=st.sampled_from(WRITES))
    def an_answer_will_be_lost(self, call: str) -> None:
        self.fleet.forge.after[call] = UNREACHABLE

    @rule(
        call=st.sampled_from(("look", "standings", "follow_requests", "follow_runs", *WRITES)),
        failure=st.sampled_from([UNREACHABLE, THROTTLED]),
    )
    def a_call_begins_to_fail(self, call: str, failure: Any) -> None:
        self.fleet.forge.failing[call] = failure

    @rule()
    def all_works_again(self) -> None:
        self.fleet.forge.failing.clear()
        self.fleet.forge.after.clear()
        self.fleet.forge.takes = timedelta()
        self.fleet.reached.faults.clear()

    @rule(call=st.sampled_from(("look", *WRITES)))
    def the_process_will_be_killed_before(self, call: str) -> None:
        def kill() -> None:
            raise Killed

        self.fleet.forge.meanwhile[call] = kill

    # People

    @rule(number=repositories)
    def merge(self, number: int) -> None:
        home = self.home(number)
        for request in self.fleet.open_requests(home):
            home.merge(request.number)

    @rule(number=repositories)
    def close(self, number: int) -> None:
        for request in self.fleet.open_requests(self.home(number)):
            self.home(number).close(request.number)

    @rule(number=repositories)
    def open_again(self, number: int) -> None:
        """The pull request that was closed last, as far as the forge lets people."""
        home = self.home(number)
        closed = [request.number for request in home.requests.values() if not request.is_open]
        if closed:
            home.reopen(max(closed))

    @rule(number=repositories, worker=workers, wait=st.sampled_from([6, 25, 60 * 8]))
    def what_was_closed_is_opened_again(self, number: int, worker: int, wait: int) -> None:
        """The bot has seen it closed, and then sees it open."""
        for people in (self.close, self.open_again):
            people(number)
            self.fleet.clock.advance(timedelta(minutes=wait))
            self.run(self.fleet.follow(worker))
        self.run(self.fleet.everything(worker))

    @rule(number=repositories)
    def push_to_the_branch(self, number: int) -> None:
        home = self.home(number)
        for request in self.fleet.open_requests(home):
            sha = home.commit_to(request.branch, {"README.md": f"{self.fleet.clock.now()}".encode()})
            self.persons[home.id, request.branch] = sha

    @rule(number=repositories)
    def push_to_the_trunk(self, number: int) -> None:
        home = self.home(number)
        text = home.content(home.trunk)
        home.commit_to(home.trunk, {"Dockerfile": (text + "RUN true\n").encode()})

    @rule(number=repositories)
    def opt_out(self, number: int) -> None:
        self.fleet.config(self.home(number), OPT_OUT)

    @rule(number=repositories)
    def opt_in(self, number: int) -> None:
        self.fleet.config(self.home(number), None)

    @rule(number=repositories, suffix=places)
    def rename(self, number: int, suffix: int) -> None:
        self.home(number).name = f"{NAMES[number]}-{suffix}"

    @rule(number=repositories)
    def archive(self, number: int) -> None:
        self.home(number).is_archived = True

    @rule(number=repositories)
    def unarchive(self, number: int) -> None:
        self.home(number).is_archived = False

    @rule(number=repositories)
    def checks_turn_green(self, number: int) -> None:
        """What was set to merge by itself does."""
        home = self.home(number)
        home.is_green = True
        for request in self.fleet.open_requests(home):
            if request.is_to_merge:
                home.merge(request.number)

    @rule(base=bases, worker=workers)
    def what_was_set_to_merge_is_stopped_by_a_quarantine(self, base: Base, worker: int) -> None:
        """Within two passes that come to their end: each kill that is still to come may break one off."""
        self.run(self.fleet.hold("quarantine", base))
        is_disturbed = self.fleet.is_slow or bool(self.fleet.reached.faults)
        for _ in range(2 + len(self.fleet.forge.meanwhile)):
            self.fleet.clock.advance(timedelta(minutes=25))
            self.run(self.fleet.everything(worker))
        if is_disturbed or self.fleet.forge.is_paused:
            return
        for home in self.homes():
            for request in self.fleet.open_requests(home):
                is_set = request.is_to_merge_by_us and self.may_be_written(home)
                assert not (is_set and self.fleet.forge.held_in(home, home.content(request.branch))), home.name

    @rule(number=repositories)
    def checks_turn_red(self, number: int) -> None:
        self.home(number).is_green = False

    @rule(base=bases, what=st.sampled_from(ORDERS))
    def somebody_holds_things_back(self, base: Base, what: str) -> None:
        self.run(self.fleet.hold(what, base))

    @rule()
    def somebody_lets_all_go_on(self) -> None:
        self.run(self.fleet.let_all_go_on())

    @rule(conclusion=st.sampled_from(["success", "failure", "cancelled"]))
    def runs_conclude_somehow(self, conclusion: str) -> None:
        self.runs_conclude(conclusion)

    def runs_conclude(self, conclusion: str) -> None:
        for place, home in enumerate(self.fleet.forge.homes):
            for number, run in home.runs.items():
                if not run.has_concluded:
                    home.conclude(number, conclusion)
                    if conclusion == "success":
                        self.fleet.has_built(place)

    @rule(number=repositories, conclusion=st.sampled_from(["success", "failure"]))
    def somebody_builds(self, number: int, conclusion: str) -> None:
        home = self.home(number)
        for file in (WORKFLOW_FILE, *home.pipelines):
            if home.has_workflow(file):
                home.ran(file, "push", self.fleet.clock.now(), conclusion)
        if conclusion == "success":
            self.fleet.has_built(number)

    # Laws

    @invariant()
    def no_write_begins_against_a_word_or_without_a_look(self) -> None:
        if hasattr(self, "fleet"):
            self.steps += 1
            assert self.fleet.forge.broken == []

    @invariant()
    def a_base_has_one_open_pull_request_in_a_repository(self) -> None:
        for home in self.homes():
            for base in (ASPNET, SDK):
                open_ones = [
                    request.number
                    for request in self.fleet.open_requests(home)
                    if request.is_own
                    and (home.id, request.number) not in self.reopened
                    and self.brings(home, request.branch, base) not in (None, self.brings(home, home.trunk, base))
                ]
                assert len(open_ones) <= 1, (home.name, base.short, open_ones)

    @invariant()
    def no_branch_is_moved_backwards(self) -> None:
        for home in self.homes():
            for branch in home.branches:
                if not branch.startswith(BRANCHES):
                    continue
                for base in (ASPNET, SDK):
                    name = self.brings(home, branch, base)
                    order = -1 if name is None else self.fleet.order(base, name)
                    before = self.brought.get((home.id, branch, str(base)))
                    known = -1 if before is None else self.fleet.order(base, before)
                    assert order >= known or name == self.brings(home, home.trunk, base), (home.name, branch)
                    if name is not None:
                        self.brought[home.id, branch, str(base)] = name

    @invariant()
    def what_people_pushed_stays(self) -> None:
        for home in self.homes():
            for request in self.fleet.open_requests(home):
                pushed = self.persons.get((home.id, request.branch))
                assert pushed is None or pushed in self.ancestors(home, request.branch), home.name

    @invariant()
    def no_wave_starts_early(self) -> None:
        if hasattr(self, "fleet") and len(self.fleet.policy.waves) > 1:
            assert self.early() == []

    @invariant()
    def only_facts_and_people_end_a_rebuild(self) -> None:
        if hasattr(self, "fleet"):
            assert ended_without_a_fact(self.rows(), self.ended, self.fleet.forge) == []

    @invariant()
    def an_owners_trouble_is_nobody_elses(self) -> None:
        homes = {home.id: owner_of(home.name) for home in self.homes()}
        told = [
            dict(row)
            for row in self.rows()
            if any(trouble_of(owner) in row["reason"] for owner in OWNERS if owner != homes[row["forge_id"]])
        ]
        assert told == []

    @invariant()
    def what_is_held_does_not_begin(self) -> None:
        held = [row for row in self.rows() if row["held_because"] is not None]
        begun = [
            dict(row)
            for row in held
            if not (RebuildState(row["state"]).awaits_action or RebuildState(row["state"]).has_ended)
        ]
        assert begun == []

    @invariant()
    def what_people_own_is_theirs(self) -> None:
        """Their branches stand where they have left them."""
        for home in self.homes():
            own = {branch: sha for branch, sha in home.branches.items() if branch.startswith("ann/")}
            assert own == {branch: self.persons[home.id, branch] for branch in own}, home.name

    def rows(self) -> Sequence[RowMapping]:
        """The rebuilds as the last step has left them."""
        if hasattr(self, "fleet") and self.shown[0] != self.steps:
            self.shown = (self.steps, self.run(self.fleet.rebuilds()))
        return self.shown[1] if hasattr(self, "fleet") else ()

    def early(self) -> list[dict[str, Any]]:
        """What has begun in the last wave since this was asked last, although the first one of its rollout had not
        soaked, it had not waited as long as anybody waits, and nobody had asked for it."""
        rows = self.rows()
        found = []
        for row in rows:
            at = row["released_at"]
            if row["wave"] != "rest" or at is None or row["id"] in self.released:
                continue
            goes_on = any(continues(other, row) for other in rows if other["id"] in self.released)
            self.released.add(row["id"])
            if goes_on:
                continue
            before = [other for other in rows if other["wave"] == "canary" and holds_wave(other, row)]
            is_through = all(other["ended_at"] is not None and other["ended_at"] + SOAK <= at for other in before)
            has_waited = (row["waits_since"] or row["planned_at"]) + SOAK + WAIT_AT_MOST <= at
            is_overdue = row["overdue_at"] is not None and row["overdue_at"] <= at
            if not (is_through or has_waited or is_overdue or row["at_request"]):
                found.append(dict(row))
        return found

    def may_be_written(self, home: FakeRepository) -> bool:
        return not home.is_archived and CONFIG not in home.commits[home.branches[home.trunk]].files

    def homes(self) -> Iterator[FakeRepository]:
        yield from self.fleet.forge.homes if hasattr(self, "fleet") else ()

    def brings(self, home: FakeRepository, branch: str, base: Base) -> str | None:
        """The digest that a branch names for a base, in its reference or in the marker line above it."""
        lines = home.content(branch).splitlines()
        for at, line in enumerate(lines):
            if f"{base.name}:{base.tag}" in line:
                named = DIGEST.findall(line) or DIGEST.findall(lines[at - 1] if at else "")
                return named[0] if named else None
        return None

    def ancestors(self, home: FakeRepository, branch: str) -> set[str]:
        found: set[str] = set()
        waiting = [home.branches[branch]]
        while waiting:
            sha = waiting.pop()
            if sha not in found:
                found.add(sha)
                waiting += home.commits[sha].parents
        return found

    # The end

    def teardown(self) -> None:
        if not hasattr(self, "fleet"):
            return
        try:
            self.run(self.settle())
            WRITTEN.append(len(self.fleet.forge.calls))
            TAKEN.append(self.steps)
        finally:
            self.run(self.fleet.database.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    async def settle(self) -> None:
        """Once nothing disturbs any more, every rebuild ends or says why it waits, and none is forgotten."""
        fleet = self.fleet
        self.quiet(fleet.forge.homes)
        await fleet.let_all_go_on()
        fleet.forge.failing.clear()
        fleet.forge.after.clear()
        fleet.forge.meanwhile.clear()
        for home in fleet.forge.homes:
            home.is_archived = False
            fleet.config(home, None)
        for number in range(RESTS_END_WITHIN):
            fleet.clock.advance(timedelta(hours=2))
            await fleet.everything(number % 2)
            if number < SEEN_WITHIN:
                await fleet.see()  # a base that nobody used for a while was not watched
                await fleet.let_all_go_on()
        await self.nothing_is_due_and_forgotten()
        await self.nothing_is_too_old_without_a_reason()
        await self.what_the_rule_wants_merged_is_set_to_merge()
        await self.what_was_opened_again_is_followed()
        everything_ends(fleet)
        fleet.clusters.heal()
        await publish_cve(fleet.workers[0])
        for _ in range(12):
            fleet.clock.advance(timedelta(hours=2))
            await fleet.everything(0)
        assert await fleet.clusters.wrong(fleet.workers[1]) == []
        assert await fleet.clusters.unknown(fleet.workers[1]) == []
        await self.nothing_is_too_old_without_a_reason()
        await self.nobody_is_left_without_what_moved()
        await self.what_is_done_went_through_its_steps()
        for_their_age = select(rollouts.c.id).where(rollouts.c.occasion == Occasion.AGE.value)
        async with fleet.database.transaction() as connection:
            ages = set((await connection.execute(for_their_age)).scalars())
            rows = (await connection.execute(rebuilds.select())).mappings().all()
        assert [row for row in rows if not row["reason"]] == []
        left = [
            (row["id"], row["state"], row["reason"])
            for row in rows
            if not RebuildState(row["state"]).has_ended and row["rollout_id"] not in ages
        ]
        for home in fleet.forge.homes:
            left = [each for each in left if each[1] != RebuildState.OPEN.value or not fleet.open_requests(home)]
        assert left == []

    async def nobody_is_left_without_what_moved(self) -> None:
        """Of what a base shows in the end, nobody's last rebuild was skipped, but of a repository that pins it:
        whatever kept it from being tried is over."""
        last: dict[tuple[str, Base], tuple[str, str]] = {}
        shown = {base: self.fleet.newest[base][-1] for base in (ASPNET, SDK)}
        columns = repositories_table.c.forge_id, rebuilds.c.targets, rebuilds.c.state, rebuilds.c.reason
        is_its = repositories_table.c.id == rebuilds.c.repository_id
        query = select(*columns).join(repositories_table, is_its).order_by(rebuilds.c.id)
        async with self.fleet.database.reading() as connection:
            for row in await connection.execute(query):
                for target in load(row.targets, tuple[Target, ...]):
                    if target.to_digest == digest(shown[target.base]):
                        last[row.forge_id, target.base] = row.state, row.reason
        homes = {home.id: home for home in self.fleet.forge.homes}
        left = {
            (id_, base): told
            for (id_, base), told in last.items()
            if told[0] == RebuildState.SKIPPED
            and self.brings(homes[id_], homes[id_].trunk, base) != digest(shown[base])
        }
        assert left == {}

    async def what_was_opened_again_is_followed(self) -> None:
        """A pull request that people have opened again has a rebuild that goes on, or a later one of its branch.

        One that was closed long before is theirs.
        """
        rows = await self.fleet.rebuilds()
        for home in self.homes():
            again = [each for each in self.fleet.open_requests(home) if (home.id, each.number) in self.reopened]
            for request in again:
                own = [row for row in rows if (row["forge_id"], row["branch"]) == (home.id, request.branch)]
                first = next((row["id"] for row in own if row["pull_request"] == request.number), None)
                its_own = [row for row in own if first is not None and row["id"] >= first]
                looked_at_since = self.reopened[home.id, request.number] - LOOKED_AT_FOR
                is_looked_at = any(row["ended_at"] is None or row["ended_at"] > looked_at_since for row in its_own)
                going_on = [row["state"] for row in its_own]
                is_followed = bool(set(going_on) - set(WITHOUT_EFFECT))
                assert is_followed or not is_looked_at, (home.name, request.number, going_on)

    async def what_the_rule_wants_merged_is_set_to_merge(self) -> None:
        """The pull request of each rebuild that waits for its merge; one that an opt-out left open is nobody's."""
        if self.fleet.policy.waves == AT_ONCE.waves:
            return
        waiting = select(rebuilds.c.pull_request).where(rebuilds.c.state == RebuildState.OPEN.value)
        for home in self.homes():
            async with self.fleet.database.reading() as connection:
                own = waiting.join(repositories_table).where(repositories_table.c.forge_id == home.id)
                numbers = set((await connection.execute(own)).scalars())
            requests = [request for request in self.fleet.open_requests(home) if request.number in numbers]
            left = [request.number for request in requests if not request.is_to_merge]
            assert left == [], (home.name, left)

    async def what_is_done_went_through_its_steps(self) -> None:
        """A rebuild with steps has ended well where each of them has, and has failed where one of them has."""
        async with self.fleet.database.reading() as connection:
            done = {row.id: row for row in await connection.execute(select(rebuilds).where(rebuilds.c.steps > 0))}
            rows = (await connection.execute(select(steps).order_by(steps.c.place))).all()
        for number, rebuild in done.items():
            states = [StepState(row.state) for row in rows if row.rebuild_id == number]
            if rebuild.state in (RebuildState.SUCCEEDED.value, RebuildState.BUILT.value):
                assert set(states) == {StepState.SUCCEEDED}, (number, states)
            if StepState.FAILED in states:
                assert rebuild.state == RebuildState.FAILED.value, (number, rebuild.state)
                assert set(states[states.index(StepState.FAILED) + 1 :]) <= {StepState.PLANNED}, (number, states)

    async def nothing_is_too_old_without_a_reason(self) -> None:
        """Each workflow that last succeeded too long ago is being rebuilt, or it is said why it is not."""
        now = self.fleet.clock.now()
        async with self.fleet.database.transaction() as connection:
            rows = (await connection.execute(workflow_builds.select())).mappings().all()
            going_on = select(rebuilds.c.repository_id, rebuilds.c.reason).where(rebuilds.c.state.not_in(ENDED))
            open_ones = {row.repository_id: row.reason for row in await connection.execute(going_on)}
        assert {row["max_age_seconds"] for row in rows} <= {int(MAX_AGE.total_seconds())}
        for row in rows:
            is_old = row["last_success"] is None or row["last_success"] + MAX_AGE < now
            is_known = row["judged"] and row["said"]
            is_stuck = is_known and AgeStanding(row["standing"]).cannot_be_rebuilt
            will_be_tried = row["plan_at"] is not None and row["plan_at"] > now
            assert not is_old or is_stuck or will_be_tried or open_ones.get(row["repository_id"]), dict(row)

    async def nothing_is_due_and_forgotten(self) -> None:
        now = self.fleet.clock.now()
        async with self.fleet.database.transaction() as connection:
            rows = (await connection.execute(rebuilds.select())).mappings().all()
        late = [
            (row["id"], row["state"], row["due_at"])
            for row in rows
            if not RebuildState(row["state"]).has_ended
            and now - row["due_at"] > LEASE
            and row["lease_owner"] is None
        ]
        assert late == []


def continues(earlier: RowMapping, row: RowMapping) -> bool:
    """Whether a rebuild goes on in the place of an earlier one, with which it has begun."""
    same = ("rollout_id", "forge_id", "branch", "pull_request")
    is_later = earlier["id"] < row["id"] and row["branch"] is not None
    return is_later and all(earlier[name] == row[name] for name in same)


def holds_wave(earlier: RowMapping, row: RowMapping) -> bool:
    """Whether a rebuild of an earlier wave has to end before that of a later one: none that nobody goes on with."""
    is_left = earlier["state"] in (RebuildState.SUPERSEDED.value, RebuildState.SKIPPED.value)
    is_kept = earlier["held_because"] is not None or earlier["quarantine_id"] is not None
    return earlier["rollout_id"] == row["rollout_id"] and not is_left and not is_kept


def set_to_merge(taken: Walk) -> None:
    """So far the walk has come: an open pull request merges once its checks are green."""
    assert any(request.is_to_merge_by_us for home in taken.homes() for request in taken.fleet.open_requests(home))


def nothing_is_set_to_merge(taken: Walk) -> None:
    assert not any(request.is_to_merge for home in taken.homes() for request in taken.fleet.open_requests(home))


def a_step_is_under_way(taken: Walk) -> None:
    """So far the walk has come: the first step was started, and has not ended."""
    home = taken.home(1)
    assert [run for run, file in home.started.items() if file == STEP_FILES[0] and not home.runs[run].has_concluded]


def nothing_has_failed(taken: Walk) -> None:
    assert [row["reason"] for row in taken.rows() if row["state"] == RebuildState.FAILED] == []


def was_killed_twice(taken: Walk) -> None:
    """So far the walk has come: each of two kills met a worker."""
    assert taken.fleet.killed == 2


LAWS: tuple[Callable[[Walk], None], ...] = (
    Walk.no_write_begins_against_a_word_or_without_a_look,
    Walk.a_base_has_one_open_pull_request_in_a_repository,
    Walk.no_branch_is_moved_backwards,
    Walk.what_people_pushed_stays,
    Walk.no_wave_starts_early,
    Walk.only_facts_and_people_end_a_rebuild,
    Walk.an_owners_trouble_is_nobody_elses,
    Walk.what_is_held_does_not_begin,
    Walk.what_people_own_is_theirs,
)


def directed(*ways: Callable[[Walk], None], policy: Policy = IN_WAVES) -> None:
    """One walk on which each of `ways` is gone in turn, with the laws asked after each."""
    taken = Walk()
    try:
        taken.begin(policy)
        for way in ways:
            way(taken)
            for law in LAWS:
                law(taken)
    finally:
        taken.teardown()


def walk(examples: int, walk_taken: type[Walk] = Walk) -> None:
    """Takes other walks each time, also where `CI` is set: hypothesis would take the same again there."""
    run_state_machine_as_test(
        walk_taken,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.long
def test_the_laws_hold_on_short_walks() -> None:
    walk(4)
    assert sum(WRITTEN) >= 3 * len(WRITTEN)


@pytest.mark.long
@pytest.mark.second_database
def test_the_laws_hold_on_postgresql_where_workers_write_at_once(
    postgres_databases: Callable[[str | None], str], postgres_template: str
) -> None:
    """SQLite takes one writer after the other."""

    class OnPostgres(Walk):
        def new_store(self) -> str:
            return postgres_databases(postgres_template)

    walk(4, OnPostgres)


def is_open_again(taken: Walk) -> None:
    """So far the walk has come: a pull request that was closed is followed again."""
    assert taken.run(taken.fleet.reopened()) > 0


@pytest.mark.long
def test_the_laws_hold_where_people_open_again_what_they_have_closed_and_the_base_moves_on() -> None:
    directed(
        lambda walk: walk.a_first_wave_comes_through(0),
        lambda walk: walk.time_passes(60 * 24 * 3),
        lambda walk: walk.everything(0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        *(lambda walk, number=number: walk.what_was_closed_is_opened_again(number, 0, 25) for number in range(3)),
        is_open_again,
        lambda walk: walk.close(0),
        lambda walk: walk.everything(1),
        lambda walk: walk.a_patch_is_planned(ASPNET, 1),
        lambda walk: walk.open_again(0),
        lambda walk: walk.what_has_settled_is_acted_upon(1),
        lambda walk: walk.what_was_closed_is_opened_again(0, 1, 25),
        lambda walk: walk.everything(1),
    )


def every_open_request_is_followed(taken: Walk) -> None:
    """Each of the bot's has a rebuild that has not ended."""
    going_on = {(row["forge_id"], row["pull_request"]) for row in taken.rows() if row["ended_at"] is None}
    for number, home in enumerate(taken.homes()):
        assert {(home.id, request.number) for request in taken.ours(number)} <= going_on, home.name


@pytest.mark.long
def test_an_open_pull_request_is_followed_where_its_base_goes_back_before_a_newer_digest_is_brought() -> None:
    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        lambda walk: walk.everything(0),
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.publish_what_was_there_before(ASPNET, 0),
        lambda walk: walk.everything(0),
        every_open_request_is_followed,
        policy=AT_ONCE,
    )


@pytest.mark.long
def test_a_pull_request_is_followed_again_that_was_closed_before_a_newer_digest_was_brought() -> None:
    """The walk ends with it, also where the repository has opted out meanwhile."""

    def way(walk: Walk) -> None:
        walk.close(2)
        walk.opt_out(2)
        walk.what_has_settled_is_acted_upon(0)
        walk.time_passes(61)
        walk.everything(0)
        walk.reopen(2)
        assert walk.reopened
        walk.opt_in(2)

    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        way,
        policy=AT_ONCE,
    )


@pytest.mark.long
def test_a_pull_request_that_was_merged_into_the_default_branch_of_before_is_not_taken_up_without_end() -> None:
    """The walk ends with it."""

    def one_was_cancelled(walk: Walk) -> None:
        told = [row["reason"] for row in walk.rows() if "was merged into main and not into trunk" in row["reason"]]
        assert len(told) == 1

    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        lambda walk: walk.switch_the_default_branch(0),
        lambda walk: walk.merge(0),
        *(lambda walk: walk.time_passes(60 * 2), lambda walk: walk.everything(0)) * 3,
        one_was_cancelled,
        policy=AT_ONCE,
    )


@pytest.mark.long
def test_the_laws_hold_where_steps_follow_a_build_that_fails_and_one_that_succeeds() -> None:
    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        lambda walk: walk.everything(0),
        lambda walk: walk.runs_conclude("failure"),
        lambda walk: walk.what_is_open_is_looked_at(0),
        lambda walk: walk.a_first_wave_comes_through(1),
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(1),
        lambda walk: walk.everything(0),
        lambda walk: walk.runs_conclude("success"),
        lambda walk: walk.what_is_open_is_looked_at(0),
        lambda walk: walk.everything(0),
        a_step_is_under_way,
        lambda walk: walk.runs_conclude("failure"),
        lambda walk: walk.what_is_open_is_looked_at(1),
        lambda walk: walk.everything(1),
    )


@pytest.mark.long
def test_the_laws_hold_where_steps_meet_a_freeze_a_pause_a_lost_answer_and_a_word_against_them() -> None:
    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        lambda walk: walk.runs_conclude("success"),
        lambda walk: walk.what_is_open_is_looked_at(0),
        lambda walk: walk.somebody_holds_things_back(SDK, "freeze"),
        lambda walk: walk.act(0),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.somebody_holds_things_back(SDK, "pause"),
        lambda walk: walk.act(0),
        lambda walk: walk.somebody_lets_all_go_on(),
        lambda walk: walk.an_answer_will_be_lost("dispatch"),
        lambda walk: walk.act(0),
        lambda walk: walk.all_works_again(),
        lambda walk: walk.what_has_settled_is_acted_upon(1),
        lambda walk: walk.time_passes(61),
        lambda walk: walk.act(0),
        a_step_is_under_way,
        lambda walk: walk.runs_conclude("success"),
        lambda walk: walk.what_is_open_is_looked_at(0),
        lambda walk: walk.opt_out(1),
        lambda walk: walk.what_has_settled_is_acted_upon(1),
    )


@pytest.mark.long
def test_the_laws_hold_where_pull_requests_are_set_to_merge_and_their_digest_is_quarantined() -> None:
    directed(
        lambda walk: walk.a_first_wave_comes_through(0),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.everything(0),
        lambda walk: walk.time_passes(61),
        lambda walk: walk.everything(1),
        set_to_merge,
        lambda walk: walk.what_was_set_to_merge_is_stopped_by_a_quarantine(ASPNET, 0),
        lambda walk: walk.what_was_set_to_merge_is_stopped_by_a_quarantine(SDK, 1),
        lambda walk: walk.checks_turn_green(0),
        lambda walk: walk.somebody_lets_all_go_on(),
        lambda walk: walk.everything(0),
        lambda walk: walk.checks_turn_green(2),
    )


@pytest.mark.long
@pytest.mark.parametrize("word", ["pause", "freeze", "quarantine"])
def test_what_was_set_to_merge_and_is_gone_on_with_later_merges_no_more_where_a_word_keeps_that(word: str) -> None:
    directed(
        lambda walk: walk.a_first_wave_comes_through(0),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.everything(0),
        lambda walk: walk.time_passes(61),
        lambda walk: walk.everything(1),
        set_to_merge,
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.act(0),
        set_to_merge,
        lambda walk: walk.somebody_holds_things_back(ASPNET, word),
        lambda walk: walk.act(1),
        nothing_is_set_to_merge,
        lambda walk: walk.somebody_lets_all_go_on(),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.everything(0),
        lambda walk: walk.checks_turn_green(0),
    )


@pytest.mark.long
def test_what_was_set_to_merge_is_set_again_once_its_repository_is_of_the_fleet_again() -> None:
    """The walk ends with it."""
    directed(
        lambda walk: walk.a_first_wave_comes_through(0),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.everything(0),
        lambda walk: walk.time_passes(61),
        lambda walk: walk.everything(1),
        set_to_merge,
        *(lambda walk, number=number: walk.leave_out(number) for number in (0, 2)),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.everything(0),
        nothing_is_set_to_merge,
    )


@pytest.mark.long
def test_what_had_waited_long_is_planned_again_where_its_repository_was_left_out_for_a_moment() -> None:
    """No listing ever saw the repository go."""

    def is_proposed(walk: Walk) -> None:
        assert walk.fleet.open_requests(walk.home(0))

    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.somebody_holds_things_back(ASPNET, "pause"),
        *(lambda walk: walk.time_passes(60 * 24 * 3) for _ in range(3)),
        lambda walk: walk.somebody_lets_all_go_on(),
        lambda walk: walk.leave_out(0),
        lambda walk: walk.act(0),
        lambda walk: walk.include_all(),
        lambda walk: walk.everything(0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        is_proposed,
        policy=AT_ONCE,
    )


@pytest.mark.long
def test_the_laws_hold_where_two_passes_that_stop_a_merge_are_killed() -> None:
    directed(
        lambda walk: walk.a_first_wave_comes_through(0),
        lambda walk: walk.time_passes(60 * 8),
        lambda walk: walk.everything(0),
        lambda walk: walk.time_passes(61),
        lambda walk: walk.everything(1),
        set_to_merge,
        lambda walk: walk.the_process_will_be_killed_before("look"),
        lambda walk: walk.the_process_will_be_killed_before("grant"),
        lambda walk: walk.what_was_set_to_merge_is_stopped_by_a_quarantine(ASPNET, 1),
        was_killed_twice,
    )


@pytest.mark.long
def test_the_laws_hold_where_nothing_is_answered_for_half_a_day_while_a_step_is_to_start() -> None:
    directed(
        lambda walk: walk.a_patch_is_planned(ASPNET, 0),
        lambda walk: walk.what_has_settled_is_acted_upon(0),
        lambda walk: walk.runs_conclude("success"),
        lambda walk: walk.what_is_open_is_looked_at(0),
        lambda walk: walk.a_fault_lasts_for_half_a_day("contoso", Fault.BAD_GATEWAY, 0),
        lambda walk: walk.all_works_again(),
        lambda walk: walk.time_passes(61),
        lambda walk: walk.everything(0),
        a_step_is_under_way,
        lambda walk: walk.what_is_open_is_looked_at(0),
        nothing_has_failed,
    )


@pytest.mark.long
@pytest.mark.parametrize("order", ORDERS)
def test_what_is_ordered_in_the_middle_of_a_batch_holds_from_its_next_write_on(order: str) -> None:
    def ordered(after: int, walk: Walk) -> None:
        walk.somebody_orders_something_while_a_batch_begins(order, ASPNET, after, ASPNET, 0)
        walk.somebody_lets_all_go_on()

    directed(*(partial(ordered, after) for after in range(8)), policy=AT_ONCE)


@pytest.mark.long
def test_the_laws_hold_whatever_a_person_does_in_the_middle_of_a_batch() -> None:
    def done(after: int, deed: str, walk: Walk) -> None:
        """The next patch meets it too; then it is taken back."""
        walk.somebody_does_something_while_a_batch_begins(deed, 0, after % 8, ASPNET, 0)
        walk.time_passes(61)
        walk.let_begin(ASPNET, 0)
        walk.act(0)
        walk.quiet(walk.fleet.forge.homes)
        walk.opt_in(0)
        walk.unarchive(0)
        walk.somebody_lets_all_go_on()

    ways = (partial(done, after, deed) for after, deed in enumerate(DEEDS))
    directed(*ways, policy=AT_ONCE)


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_the_laws_hold_for_ten_thousand_steps(share: int) -> None:
    """In shares of as many steps, each with its own: all workers have something to do until the end."""
    begun = sum(TAKEN)
    while (left := begun + 10_000 // SHARES - sum(TAKEN)) > 0:
        walk(max(AT_LEAST, left // STEPS))
