"""One tick: steps whose turn has come are started, each by one dispatch of its workflow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import look_together, rest_of
from bot.domain.builder.port import Builder
from bot.domain.builder.runs import Run
from bot.domain.failure import Failure, Meaning
from bot.domain.forge.looks import OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.host import Hosts
from bot.domain.images.image import ProducedImage
from bot.domain.packages.gate import Gated, GateOutcome
from bot.domain.repositories.builds import WorkflowShown
from bot.domain.repositories.repository import WORKFLOWS, Identity, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.after_build import gate_in_words
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.steps import StepJob, StepRun, StepState, inputs_for, too_late, unknown_inputs
from bot.domain.rollouts.timing.windows import Freeze, frozen_by
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
"""The workflow in a file of this path and text, None where it cannot be started: `formats`."""


class StepGate(Protocol):
    """The gate before each step: what was found since the build counts too."""

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None: ...

    def unseen(self, images: Sequence[ProducedImage], reason: str) -> Gated | None: ...


@dataclass(frozen=True, slots=True)
class StepOptions:
    """As for rebuilds; nothing is started in one of the `freezes`."""

    follow_every: timedelta = timedelta(minutes=5)
    visible_after: timedelta = timedelta(hours=1)
    freezes: tuple[Freeze, ...] = ()
    hosts: Hosts = Hosts()  # noqa: RUF009 - frozen


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

    async def runs_taken(self, home: Identity) -> set[int]: ...

    async def due_for_dispatch(self, limit: int) -> list[Identity]: ...


@dataclass(frozen=True, slots=True)
class StepStartTally:
    """How many steps were started, and what hindered others, one line each."""

    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: StepStartStore,
    forge: Forge,
    builder: Builder,
    read_workflow: ReadWorkflow,
    options: StepOptions,
    loop: Loop,
    gate: StepGate | None = None,
) -> StepStartTally:
    """Starts what is due, one after the other, as far as the gate lets it through."""
    tally = await loop.run(_StepStarts(store, forge, builder, read_workflow, options, loop, gate))
    return StepStartTally(tally.done, tuple(tally.problems))


class _StepStarts(ForgeWriting[StepJob, StepRun]):
    """Dispatches the workflows of steps that are due."""

    stage = "start steps"

    def __init__(
        self,
        store: StepStartStore,
        forge: Forge,
        builder: Builder,
        read_workflow: ReadWorkflow,
        options: StepOptions,
        loop: Loop,
        gate: StepGate | None,
    ) -> None:
        self._store = store
        self._builder = builder
        self._gate = gate
        super().__init__(forge, options.hosts.forge, loop)
        self.home = None  # what is due is put off while the forge pauses, so that its time does not run
        self._words = OwnWords(store, forge, loop.clock)
        self._read_workflow = read_workflow
        self._options = options

    @property
    def queue(self) -> Queue[StepJob]:
        return self._store.to_start

    def repository(self, item: StepJob) -> Identity:
        return item.step.home

    def host(self, item: StepJob) -> str:
        return self._options.hosts.builder.of(item.step.build_home)

    def needs(self, item: StepJob) -> Sequence[str]:
        """The repository's own word is asked for before its workflow is started."""
        return (super().host(item),)

    async def attempt(self, item: StepJob, lease: Lease) -> StepRun:
        step, now = item.step, self._clock.now()
        if item.overtaken_by is not None:
            return step.moved(StepState.SUPERSEDED, f"rebuild {item.overtaken_by} is newer and built too", at=now)
        freeze = frozen_by(self._options.freezes, now, item.severity)
        if freeze is not None:
            due_at = min(freeze.until, now + _LOOKED_AGAIN_IN_A_FREEZE)
            return replace(step, reason=f"frozen: {freeze.reason}", due_at=due_at)
        if (held_back := await self._held_back(replace(item, step=step.begun(now)))) is not None:
            return held_back
        word_held = WordHeld(lease, self._clock)
        builder = self._guarded_builder(self._builder, word_held, item.step.step.repository)
        return await self._start_step(replace(item, step=step.begun(now)), builder, word_held)

    async def _held_back(self, job: StepJob) -> StepRun | None:
        """The step as the gate keeps it from being started; None where it does not.

        What cannot be told is waited for until the step's time is over.
        """
        if self._gate is None or job.step.attempted_at is not None:
            return None
        reason = "no image of this repository is known"
        gated = await self._gate.gated(job.images) if job.images else self._gate.unseen((), reason)
        if gated is None or not gated.holds:
            return None
        if gated.outcome is GateOutcome.BLOCKED:
            return self._fail_step(job.step, gate_in_words(gated))
        return self._put_off(job.step, gate_in_words(gated), self._options.follow_every)

    async def _start_step(self, job: StepJob, builder: Builder, word_held: WordHeld) -> StepRun:
        """The step as started, or as it is kept from that."""
        step, looked_at, every = job.step, self._clock.now(), self._options.follow_every
        path = f"{WORKFLOWS}{step.workflow}" if step.build_home.built is None else None
        look = await self._forge.look(step.home, _NO_BRANCH, [path] if path is not None else [])
        home, branch = look.standing.identity, look.standing.default_branch or ""
        build_home = home.for_builds(step.workflow)
        if step.attempted_at is not None:
            run = await find(builder, build_home, step, branch, await self._store.runs_taken(build_home))
            if run is not None:
                return self._under_way(step, run)
        if (end_by_word := await self._heed_words(job, look.standing, looked_at)) is not None:
            return end_by_word
        if (outside := await self._find_outside(job, home)) is not None:
            return self._put_off(replace(step, refused=True), f"{outside}: {NOT_INCLUDED}", every)
        if look.standing.read_only is not None:
            return self._put_off(replace(step, refused=True), f"{home} is {look.standing.read_only}", every)
        shown, tip = None, look.trunk
        if path is None and tip is not None:
            shown = await builder.workflow(build_home, step.workflow)
            path = shown.path if shown is not None else None
            tip = (await self._forge.tips(home, [tip.sha], [path])).get(tip.sha) if path else None
        file = tip.files.get(path) if tip is not None and path else None
        content = b"" if file is None else file.content
        if content is None:
            return self._put_off(step, f"the forge does not show the text of {step.workflow} in {home}", every)
        workflow = self._workflow_in(path or "", content, shown)
        if workflow is None:
            may_lack = (
                "has no workflow_dispatch trigger" if build_home.built is None else "builds another repository"
            )
            reason = f"{step.workflow} is missing in {home}, or {may_lack}"
            return self._fail_step(replace(step, refused=True), reason)
        if unknown := unknown_inputs(step, workflow, job.known_values):
            reason = f"{step.workflow} needs {' and '.join(unknown)}, which is not known"
            return self._fail_step(replace(step, refused=True), reason)
        if (due_at := next_look(step, self._clock.now(), self._options.visible_after)) is not None:
            return replace(step, reason=waiting_words(step), due_at=due_at)

        async def send(intent: StepRun) -> int | None:
            heard_at = looked_at if job.own == job.step.home else min(looked_at, self._words.looked_at(job.own))
            word_held.hear(home.name, heard_at)
            values = {**job.known_values, "correlation": intent.correlation or ""}
            inputs = inputs_for(intent, workflow, values)
            return await builder.dispatch(
                home.for_builds(intent.workflow), intent.workflow, ref=branch, inputs=inputs
            )

        intent, number = await dispatch_once(step, send, self._store.save_step, word_held, self._clock.now())
        return self._under_way(intent, await self._find_run(build_home, number) or number)

    def _workflow_in(self, path: str, content: bytes, shown: WorkflowShown | None) -> Workflow | None:
        """The workflow that a file holds, which takes besides what its builder has `shown`; None where it cannot be
        started."""
        workflow = self._read_workflow(path, content.decode(errors="replace")) if path else None
        return workflow and replace(
            workflow, inputs=(*workflow.inputs, *(shown.inputs if shown is not None else ()))
        )

    async def _heed_words(self, job: StepJob, home: OwnWord, looked_at: datetime) -> StepRun | None:
        """The step where the repository that is rebuilt, or the one that the workflow is in, has a word against it.

        What cannot be understood may be one, and is waited for until the step's time is over.
        """
        own_word = home if job.own == job.step.home else await self._words.of(job.own)
        if own_word is not home:
            check_recent(job.own.name, self._words.looked_at(job.own), self._clock.now())
            config = config_of(home, looked_at)
            if config.refusal is not None:
                return self._end_by_word(job, config, config.refusal.replace("the repository", str(home.identity)))
        config = config_of(own_word, looked_at)
        if config.refusal is not None:
            return self._end_by_word(job, config, config.refusal)
        if config.action is ActionPreference.NOTIFY:
            return self._end_by_word(job, config, "the repository asks to be told only")
        return None

    async def _find_outside(self, job: StepJob, home: Identity) -> Identity | None:
        """The repository that is rebuilt, or the one that the workflow is in, where the operator does not include
        its name; a rule that names the latter includes it, as long as it is called so."""
        own_repository = home if job.own == job.step.home else (await self._words.of(job.own)).identity
        if not self._covers(own_repository):
            return own_repository
        workflow_home = job.step.step.repository or ""
        return None if self._covers(home) or home.name.lower() == workflow_home.lower() else home

    def _end_by_word(self, job: StepJob, config: RepositoryConfig, reason: str) -> StepRun:
        if config.unread:
            return self._put_off(replace(job.step, refused=True), reason, self._options.follow_every)
        return job.step.moved(StepState.CANCELLED, reason, at=self._clock.now())

    async def _find_run(self, home: Identity, number: int | None) -> Run | None:
        """The run as the forge shows it so soon; one that it does not show yet is found while it is followed."""
        try:
            return None if number is None else await self._builder.run(home, number)
        except Failure:
            return None

    def _under_way(self, step: StepRun, run: Run | int | None) -> StepRun:
        now, every = self._clock.now(), self._options.follow_every
        started_step = step.moved(StepState.STARTED, f"{step.workflow} was started", at=now)
        due = look_together(now + every, every)
        if isinstance(run, Run):
            return replace(started_step, run=run.id, url=run.url or step.url, node_id=run.node_id, due_at=due)
        return replace(started_step, run=run, due_at=due)

    def _fail_step(self, step: StepRun, reason: str) -> StepRun:
        return step.moved(StepState.FAILED, f"not started: {reason}", at=self._clock.now())

    def _put_off(self, step: StepRun, reason: str, rest: timedelta) -> StepRun:
        now = self._clock.now()
        waiting_step = replace(step, reason=reason, due_at=now + rest)
        return too_late(waiting_step, now) or waiting_step

    async def settle(self, item: StepJob, result: StepRun) -> None:
        await self._store.settle_step(item.step, result)

    async def failed(self, item: StepJob, claimed: Claimed, failure: Failure, now: datetime) -> str:
        step = replace(item.step.begun(now), refused=failure.meaning is Meaning.REFUSED)
        step = replace(step, refusals=refused_so_often(step.refusals, failure))
        if not failure.lacks_a_right and is_final_after(step.refusals, failure):
            after = self._fail_step(step, f"{failure.told} (tried {step.attempts} times)")
        elif failure.meaning.may_end_work:
            after = self._put_off(step, failure.told, rest_of(failure, step.attempts))
        else:
            after = replace(step, reason=failure.told).put_off(now + rest_of(failure, step.attempts))
        await self._store.settle_step(item.step, after, succeeded=False)
        return f"{item.own}: step {step.step.name}: {failure}"
