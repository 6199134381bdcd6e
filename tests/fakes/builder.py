"""What builds in dictionaries: what the port promises, and what people do there meanwhile.

`tests/integration/forges` holds it against GitHub as the sandbox plays it, by the same tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.runs import Artifact, BuildRun, FailedJob, FollowedRuns, MergedCommit, Run
from bot.domain.clock import Clock, ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import RepositoryArchived, RepositoryMoved
from bot.domain.repositories.builds import ACTIVE, LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.surroundings import EnvironmentProtection
from tests.fakes.failures import alike
from tests.fakes.repository import FakeRepository

MOST_LATEST = 20
"""Runs of one workflow in a look at many."""


@dataclass(slots=True)
class FakeBuilder:
    """`calls` are the writes that were done, `asked` every request with its time; each takes `takes`.

    `failing` names the call that raises before its effect, `after` once it has happened; `meanwhile` runs just
    before a call, as what others do then.
    """

    clock: Clock
    homes: list[FakeRepository] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    failing: dict[str, Failure] = field(default_factory=dict)
    after: dict[str, Failure] = field(default_factory=dict)
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    """Node ids that may not be seen together with others; runs may be asked for alone."""
    tells_run: bool = True
    runs_show_after: timedelta = timedelta(0)
    takes: timedelta = timedelta(0)
    sees_all: bool = True
    """Whether the grant still sees what is beside that which it does not show."""

    # The port

    async def sees_others(self, repository: Identity) -> bool:
        return self.sees_all

    async def serving(self, repository: Identity) -> Self:
        return self

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        self._ask("dispatch")
        home = self._write(repository)
        if not home.has_workflow(workflow) and any(each.has_workflow(workflow) for each in self.homes):
            raise Failure(Trouble.MISSING, "not found", where=home.name, status=404)
        if ref != home.trunk:
            raise Failure(Trouble.CONFLICT, f"No ref found for: {ref}", status=422)
        if workflow in home.states:
            what = "Cannot trigger a 'workflow_dispatch' on a disabled workflow"
            raise Failure(Trouble.CONFLICT, what, status=422)
        number = 100 + sum(len(each.runs) for each in self.homes)
        title = f"rebuild {inputs.get('correlation', '')}".strip()
        home.inputs.append(inputs)
        home.started[number] = workflow
        home.runs[number] = Run(
            *(number, "https://forge/run", "queued", None, self.clock.now(), title, f"CS_{number}"),
            commit=home.branches.get(ref),
            branch=ref,
            event="workflow_dispatch",
        )
        self._done("dispatch")
        return number if self.tells_run else None

    async def dispatched_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        self._ask("dispatched_runs")
        found = self._runs_since(self._read(repository), workflow, branch, since)
        return [run for run in found if run.event == "workflow_dispatch"]

    async def started_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        self._ask("started_runs")
        return self._runs_since(self._read(repository), workflow, branch, since)

    async def run(self, repository: Identity, run: int) -> Run:
        self._ask("run")
        found = self._read(repository).runs.get(run)
        if found is None:
            raise Failure(Trouble.MISSING, "not found", where=repository.name, status=404)
        return found

    async def artifacts(self, repository: Identity, run: int) -> list[Artifact]:
        self._ask("artifacts")
        home = self._read(repository)
        if run not in home.runs:
            raise Failure(Trouble.MISSING, "not found", where=repository.name, status=404)
        return sorted(home.artifacts.get(run, ()), key=lambda each: -each.id)

    async def first_failure(self, repository: Identity, run: int) -> FailedJob | None:
        self._ask("first_failure")
        return self._read(repository).failures.get(run)

    async def artifact_address(self, repository: Identity, artifact: int) -> str:
        self._ask("artifact_address")
        home = self._read(repository)
        kept = [each for some in home.artifacts.values() for each in some if each.id == artifact]
        if not kept or kept[0].is_expired:
            raise Failure(Trouble.MISSING, "Artifact has expired", where=repository.name, status=410)
        return f"https://archives/{artifact}"

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        self._ask("workflow")
        home = self._read(repository)
        shown = WorkflowShown(f"W_{home.id}_{file}", home.states.get(file, ACTIVE))
        return shown if home.has_workflow(file) else None

    async def latest_runs(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        self._ask("latest_runs")
        known = {f"W_{home.id}": home for home in self.homes if not home.is_gone}
        found = {}
        for node_id in workflows:
            home_id, _, file = node_id[2:].partition("_")
            home = known.get(f"W_{home_id}")
            if home is not None and home.has_workflow(file):
                runs = home.runs_of(file)
                latest = tuple(runs[:MOST_LATEST])
                found[node_id] = LatestRuns(home.states.get(file, ACTIVE), latest, len(runs) <= MOST_LATEST)
        return found

    async def past_runs(self, repository: Identity, workflow: str, branch: str) -> tuple[PastRun, ...]:
        self._ask("past_runs")
        runs = [run for run in self._read(repository).runs_of(workflow) if run.branch == branch]
        succeeded = [run for run in runs if run.has_succeeded]
        scheduled = [run for run in runs if run.event == "schedule"]
        return tuple(dict.fromkeys((*runs[:MOST_LATEST], *succeeded[:1], *scheduled[:4])))

    async def follow_runs(self, runs: Sequence[str]) -> FollowedRuns:
        self._ask("follow_runs")
        homes = [home for home in self.homes if not home.is_gone]
        known = {item.node_id: item.state for home in homes for item in home.runs.values()}
        shown = {node: known[node] for node in runs if node in known.keys() - self.unseen}
        return FollowedRuns(shown, self._denied(runs))

    async def builds(
        self, commits: Sequence[MergedCommit], *, later: bool = False
    ) -> Mapping[str, Sequence[Sequence[BuildRun]]]:
        self._ask("builds")
        homes = {
            f"C_{home.id}_{sha}": (home, sha) for home in self.homes if not home.is_gone for sha in home.commits
        }
        return {
            node: [home.builds.get(each, []) for each in (sha, *(home.later(sha) if later else ()))]
            for node, (home, sha) in homes.items()
            if node in {each.node_id for each in commits}
        }

    async def environments(self, repository: Identity) -> Mapping[str, EnvironmentProtection]:
        self._ask("environments")
        return self._read(repository).environments

    async def action_commits(
        self, repository: Identity, actions: Sequence[ActionTag]
    ) -> Mapping[ActionTag, ActionCommit]:
        self._ask("action_commits")
        found = {}
        for action in actions:
            home = next((home for home in self.homes if home.name == action.repository), None)
            sha = home.tags.get(action.tag) if home is not None else None
            if home is not None and sha is not None:
                same = [tag for tag, at in home.tags.items() if at == sha and tag.startswith(action.tag)]
                found[action] = ActionCommit(sha, max(same, key=lambda tag: tag.count(".")))
        return found

    # Within

    def _ask(self, call: str) -> None:
        self.asked.append((call, self.clock.now()))
        if isinstance(self.clock, ManualClock):
            self.clock.advance(self.takes)
        if call in self.meanwhile:
            self.meanwhile.pop(call)()
        self._try(call)

    def _try(self, call: str) -> None:
        if call in self.failing:
            raise alike(self.failing[call])

    def _done(self, call: str) -> None:
        self.calls.append(call)
        if call in self.after:
            raise self.after.pop(call)

    def _find(self, identity: Identity) -> FakeRepository | None:
        for home in self.homes:
            is_it = (
                home.node_id == identity.node_id
                if identity.node_id is not None
                else home.name.lower() == identity.name.lower()
            )
            if is_it and not home.is_gone:
                return home
        return None

    def _read(self, identity: Identity) -> FakeRepository:
        home = self._find(identity)
        if home is None:
            raise Failure(Trouble.MISSING, "not found", where=identity.name, status=404)
        return home

    def _write(self, identity: Identity) -> FakeRepository:
        home = self._read(identity)
        if home.name.lower() != identity.name.lower():
            raise RepositoryMoved(identity.name)
        if home.is_archived:
            raise RepositoryArchived(identity.name)
        return home

    def _denied(self, nodes: Sequence[str]) -> dict[str, Failure]:
        denied = Failure(Trouble.DENIED, "Resource not accessible", where="follow")
        return {node: denied for node in nodes if node in self.unseen}

    def _runs_since(self, home: FakeRepository, workflow: str, branch: str | None, since: datetime) -> list[Run]:
        own = (run for number, run in sorted(home.runs.items()) if home.started.get(number) == workflow)
        return [run for run in own if branch in (None, run.branch) and self._shows(run, since)]

    def _shows(self, run: Run, since: datetime) -> bool:
        if run.created_at is None:
            return True
        return since <= run.created_at <= self.clock.now() - self.runs_show_after
