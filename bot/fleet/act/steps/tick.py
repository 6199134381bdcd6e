"""One tick: steps whose turn has come are started, each by one dispatch of its workflow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import look_together, rest_of
from bot.domain.failure import Failure, Meaning
from bot.domain.forge.host import ForgeHost
from bot.domain.forge.looks import OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.forge.runs import Run
from bot.domain.images.image import ProducedImage
from bot.domain.packages.gate import Gated, GateOutcome
from bot.domain.repositories.repository import WORKFLOWS, Identity, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.after_build import gate_in_words
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.steps import StepJob, StepRun, StepState, inputs_for, too_late, unknown_inputs
from bot.domain.rollouts.timing.freezes import Freeze, frozen_by
from bot.fleet.act.dispatch.asking import dispatch_once, find, next_look, waiting_words
from bot.fleet.act.own_word import OwnWords, WordHeld, check_recent, config_of
from bot.fleet.act.waiting import is_final_after, refused_so_often
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue

_LOOKED_AGAIN_IN_A_FREEZE = timedelta(days=1)
_NO_BRANCH = "HEAD"
"""No branch can be called so: of the home only its default branch is looked at."""

ReadWorkflow = Callable[[str, str], Workflow | None]
"""The workflow in a file of this path and text, None where it cannot be dispatched: `formats.workflows`."""


class StepGate(Protocol):
    """The gate before each step: what was found since the build counts too."""

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None: ...

    def unseen(self, images: Sequence[ProducedImage], why: str) -> Gated | None: ...


@dataclass(frozen=True, slots=True)
class StepOptions:
    """As for rebuilds; nothing is started in one of the `freezes`."""

    follow_every: timedelta = timedelta(minutes=5)
    visible_after: timedelta = timedelta(hours=1)
    freezes: tuple[Freeze, ...] = ()
    host: ForgeHost = ForgeHost()  # noqa: RUF009 - frozen


class StepStartStore(Protocol):
    """What starting steps asks of the store; each method is one transaction."""

    @property
    def to_start(self) -> Queue[StepJob]:
        """Steps to be dispatched whose turn has come, in rollouts that may go on."""
        ...

    async def save_step(self, step: StepRun) -> None:
        """Stores what an attempt intends; raises `LeaseLost` where it is not ours any more."""
        ...

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        """Ends the claim; the rebuild moves with its step."""
        ...

    async def runs_taken(self, repository: str) -> set[int]: ...

    async def due_for_dispatch(self, limit: int) -> list[Identity]: ...


@dataclass(frozen=True, slots=True)
class StepStartTally:
    """How many steps were started, and what hindered others, one line each."""

    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: StepStartStore,
    forge: Forge,
    read_workflow: ReadWorkflow,
    options: StepOptions,
    loop: Loop,
    gate: StepGate | None = None,
) -> StepStartTally:
    """Starts what is due, one after the other, as far as the gate lets it through."""
    tally = await loop.run(_Starting(store, forge, read_workflow, options, loop, gate))
    return StepStartTally(tally.done, tuple(tally.problems))


class _Starting(ForgeWriting[StepJob, StepRun]):
    """Dispatches the workflows of steps that are due."""

    stage = "start steps"

    def __init__(
        self,
        store: StepStartStore,
        forge: Forge,
        read_workflow: ReadWorkflow,
        options: StepOptions,
        loop: Loop,
        gate: StepGate | None,
    ) -> None:
        self._store = store
        self._gate = gate
        super().__init__(forge, options.host, loop)
        self.home = None  # what is due is put off while the forge pauses, so that its time does not run
        self._words = OwnWords(store, forge, loop.clock)
        self._read_workflow = read_workflow
        self._options = options

    @property
    def queue(self) -> Queue[StepJob]:
        return self._store.to_start

    def repository(self, item: StepJob) -> str:
        return item.step.home.name

    async def attempt(self, item: StepJob, lease: Lease) -> StepRun:
        step, now = item.step, self._clock.now()
        if item.overtaken_by is not None:
            return step.moved(StepState.SUPERSEDED, f"rebuild {item.overtaken_by} is newer and built too", at=now)
        freeze = frozen_by(self._options.freezes, now, item.severity)
        if freeze is not None:
            due_at = min(freeze.until, now + _LOOKED_AGAIN_IN_A_FREEZE)
            return replace(step, reason=f"frozen: {freeze.reason}", due_at=due_at)
        if (kept := await self._held_back(replace(item, step=step.begun(now)))) is not None:
            return kept
        held = WordHeld(lease, self._clock)
        return await self._started(
            replace(item, step=step.begun(now)), self._guarded(held, item.step.step.repository), held
        )

    async def _held_back(self, job: StepJob) -> StepRun | None:
        """The step as the gate keeps it from being started; None where it does not.

        What cannot be told is waited for until the step's time is over.
        """
        if self._gate is None or job.step.attempted_at is not None:
            return None
        why = "no image of this repository is known"
        gated = await self._gate.gated(job.images) if job.images else self._gate.unseen((), why)
        if gated is None or not gated.holds:
            return None
        if gated.outcome is GateOutcome.BLOCKED:
            return self._failed(job.step, gate_in_words(gated))
        return self._put_off(job.step, gate_in_words(gated), self._options.follow_every)

    async def _started(self, job: StepJob, forge: Forge, held: WordHeld) -> StepRun:
        """The step as started, or as it is kept from that."""
        step, looked_at, every = job.step, self._clock.now(), self._options.follow_every
        path = f"{WORKFLOWS}{step.workflow}"
        look = await forge.look(step.home, _NO_BRANCH, [path])
        home, branch = look.standing.identity, look.standing.default_branch or ""
        if step.attempted_at is not None:
            run = await find(forge, home, step, branch, await self._store.runs_taken(home.name))
            if run is not None:
                return self._under_way(step, run)
        if (refused := await self._refused(job, look.standing, looked_at)) is not None:
            return refused
        if (outside := await self._outside(job, home)) is not None:
            return self._put_off(replace(step, refused=True), f"{outside}: {NOT_INCLUDED}", every)
        if look.standing.read_only is not None:
            return self._put_off(replace(step, refused=True), f"{home} is {look.standing.read_only}", every)
        file = look.trunk.files.get(path) if look.trunk is not None else None
        content = b"" if file is None else file.content
        if content is None:
            return self._put_off(step, f"the forge does not show the text of {step.workflow} in {home}", every)
        text = content.decode(errors="replace")
        workflow = self._read_workflow(path, text)
        if workflow is None:
            why = f"{step.workflow} is missing in {home}, or has no workflow_dispatch trigger"
            return self._failed(replace(step, refused=True), why)
        if unknown := unknown_inputs(step, workflow, job.known_values):
            why = f"{step.workflow} needs {' and '.join(unknown)}, which is not known"
            return self._failed(replace(step, refused=True), why)
        if (at := next_look(step, self._clock.now(), self._options.visible_after)) is not None:
            return replace(step, reason=waiting_words(step), due_at=at)

        async def send(intended: StepRun) -> int | None:
            heard = looked_at if job.own == job.step.home else min(looked_at, self._words.looked_at(job.own))
            held.hear(home.name, heard)
            known = {**job.known_values, "correlation": intended.correlation or ""}
            inputs = inputs_for(intended, workflow, known)
            return await forge.dispatch(home, intended.workflow, ref=branch, inputs=inputs)

        intended, number = await dispatch_once(step, send, self._store.save_step, held, self._clock.now())
        return self._under_way(intended, await self._shown(forge, home, number) or number)

    async def _refused(self, job: StepJob, home: OwnWord, looked_at: datetime) -> StepRun | None:
        """The step where the repository that is rebuilt, or the one that the workflow is in, has a word against it.

        What cannot be understood may be one, and is waited for until the step's time is over.
        """
        own = home if job.own == job.step.home else await self._words.of(job.own)
        if own is not home:
            check_recent(job.own.name, self._words.looked_at(job.own), self._clock.now())
            config = config_of(home, looked_at)
            if config.refusal is not None:
                return self._against(job, config, config.refusal.replace("the repository", str(home.identity)))
        config = config_of(own, looked_at)
        if config.refusal is not None:
            return self._against(job, config, config.refusal)
        if config.action is ActionPreference.NOTIFY:
            return self._against(job, config, "the repository asks to be told only")
        return None

    async def _outside(self, job: StepJob, home: Identity) -> Identity | None:
        """The repository that is rebuilt, or the one that the workflow is in, where the operator does not include
        its name; a rule that names the latter includes it, as long as it is called so."""
        own = home if job.own == job.step.home else (await self._words.of(job.own)).identity
        if not self._covers(own.name):
            return own
        named = job.step.step.repository or ""
        return None if self._covers(home.name) or home.name.lower() == named.lower() else home

    def _against(self, job: StepJob, config: RepositoryConfig, told: str) -> StepRun:
        if config.unread:
            return self._put_off(replace(job.step, refused=True), told, self._options.follow_every)
        return job.step.moved(StepState.CANCELLED, told, at=self._clock.now())

    async def _shown(self, forge: Forge, home: Identity, number: int | None) -> Run | None:
        """The run as the forge shows it so soon; one that it does not show yet is found while it is followed."""
        try:
            return None if number is None else await forge.run(home, number)
        except Failure:
            return None

    def _under_way(self, step: StepRun, run: Run | int | None) -> StepRun:
        now, every = self._clock.now(), self._options.follow_every
        moved = step.moved(StepState.STARTED, f"{step.workflow} was started", at=now)
        due = look_together(now + every, every)
        if isinstance(run, Run):
            return replace(moved, run=run.id, url=run.url or step.url, node_id=run.node_id, due_at=due)
        return replace(moved, run=run, due_at=due)

    def _failed(self, step: StepRun, why: str) -> StepRun:
        return step.moved(StepState.FAILED, f"not started: {why}", at=self._clock.now())

    def _put_off(self, step: StepRun, why: str, rest: timedelta) -> StepRun:
        now = self._clock.now()
        waiting = replace(step, reason=why, due_at=now + rest)
        return too_late(waiting, now) or waiting

    async def settle(self, item: StepJob, result: StepRun) -> None:
        await self._store.settle_step(item.step, result)

    async def failed(self, item: StepJob, claimed: Claimed, failure: Failure, now: datetime) -> str:
        step = replace(item.step.begun(now), refused=failure.meaning is Meaning.REFUSED)
        step = replace(step, refusals=refused_so_often(step.refusals, failure))
        if not failure.lacks_a_right and is_final_after(step.refusals, failure):
            after = self._failed(step, f"{failure.told} (tried {step.attempts} times)")
        elif failure.meaning.may_end_work:
            after = self._put_off(step, failure.told, rest_of(failure, step.attempts))
        else:
            after = replace(step, reason=failure.told).put_off(now + rest_of(failure, step.attempts))
        await self._store.settle_step(item.step, after, succeeded=False)
        return f"{item.own}: step {step.step.name}: {failure}"
