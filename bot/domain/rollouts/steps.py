"""The steps of a rebuild: what follows once its build is green, each gating the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.builder.runs import CHECKS, CLOCKS_DIFFER_BY, Run, RunState
from bot.domain.evidence import ImageVerdict
from bot.domain.feeds.advisory import Severity
from bot.domain.images.image import ProducedImage
from bot.domain.repositories.repository import WORKFLOWS, Identity, Workflow
from bot.domain.rollouts.rebuild import Action, IllegalTransition, Rebuild, RebuildState
from bot.domain.rollouts.terms import Start, Step
from bot.domain.wording.words import duration


class StepState(StrEnum):
    """`planned` waits for the build or for the step before; `due` is to be started, or looked for."""

    PLANNED = "planned"
    DUE = "due"
    STARTED = "started"
    RUNNING = "running"
    APPROVAL = "waiting for approval"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"

    @property
    def has_ended(self) -> bool:
        return not STEP_TRANSITIONS[self]


_ENDS = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED, StepState.SUPERSEDED})
_GOING = frozenset({StepState.STARTED, StepState.RUNNING, StepState.APPROVAL})

STEP_TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    StepState.PLANNED: frozenset({StepState.DUE}),
    StepState.DUE: _GOING | _ENDS,
    StepState.STARTED: frozenset({StepState.RUNNING, StepState.APPROVAL}) | _ENDS,
    StepState.RUNNING: frozenset({StepState.APPROVAL}) | _ENDS,
    StepState.APPROVAL: frozenset({StepState.RUNNING}) | _ENDS,
    StepState.SUCCEEDED: frozenset(),
    StepState.FAILED: frozenset(),
    StepState.CANCELLED: frozenset(),
    StepState.SUPERSEDED: frozenset(),
}


def unheld(names: Sequence[str]) -> str:
    """Says of steps that begin by themselves what the gate can do about them."""
    is_single = len(names) == 1
    beginning = f"{' and '.join(names)} {'begins by itself' if is_single else 'begin by themselves'}"
    pronoun = "it" if is_single else "them"
    return f"{beginning}: the gate cannot hold {pronoun} back, only the steps that the bot starts"


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of one rebuild on its way. `home` is the repository that its workflow is in.

    Its runs are those on `branch`, the default branch of `home` (None where that is not known), of `commit`, which
    its rebuild has built there, or of a later one (None where another repository was built).

    `began_at` is when its turn came, `since` from when on a run that starts by itself may be its own. `deadline` is
    when it will have failed: its time counts from the first try, without that for which the forge does not answer
    and that for which it waits for an approval, since `waits_since`. `attempted_at`, `correlation` and
    `dispatches` are as with a rebuild, and so are `looks_in_vain` and `refusals`. `refused` says that what kept it
    last was a right that the bot lacks, a rule, or what a file of its repository says.
    """

    id: int
    rebuild: int
    place: int
    step: Step
    home: Identity
    state: StepState
    reason: str
    due_at: datetime
    attempts: int = 0
    began_at: datetime | None = None
    since: datetime | None = None
    deadline: datetime | None = None
    waits_since: datetime | None = None
    attempted_at: datetime | None = None
    correlation: str | None = None
    dispatches: int = 0
    run: int | None = None
    node_id: str | None = None
    url: str | None = None
    ended_at: datetime | None = None
    branch: str | None = None
    commit: str | None = None
    looks_in_vain: int = 0
    refused: bool = False
    refusals: int = 0

    @property
    def workflow(self) -> str:
        return self.step.workflow or ""

    @property
    def followed(self) -> str:
        """What it is followed by: its workflow, or the environment where the image is to run."""
        return f"runs in {self.step.environment}" if self.step.start is Start.RUNNING else self.workflow

    @property
    def build_home(self) -> Identity:
        """Where its workflow is, as what runs it is asked about it."""
        return self.home.for_builds(self.workflow)

    @property
    def was_refused_to_its_end(self) -> bool:
        """Whether it has failed as its time is over, in which it was refused: what will never do fails at once."""
        if self.deadline is None or self.ended_at is None:
            return False
        return self.state is StepState.FAILED and self.refused and self.deadline <= self.ended_at

    def moved(self, state: StepState, reason: str, *, at: datetime) -> "StepRun":
        """Returns the step in its next state; raises `IllegalTransition` outside the table.

        The time for which it waited for an approval is added to its deadline.
        """
        if state is self.state:
            return replace(self, reason=reason)
        if state not in STEP_TRANSITIONS[self.state]:
            raise IllegalTransition(f"a step never goes from {self.state} to {state}")
        after = replace(self, state=state, reason=reason, ended_at=at if state.has_ended else None)
        if state is StepState.APPROVAL:
            return replace(after, waits_since=at)
        if self.waits_since is None:
            return after
        waited = at - self.waits_since
        return replace(after, waits_since=None, deadline=self.deadline and self.deadline + waited)

    def begun(self, now: datetime) -> "StepRun":
        """Returns the step as it is tried now, with its deadline, which counts from the first try; a clock that was
        ahead has set what lies further ahead than the step has time."""
        tried, latest = replace(self, refused=False), now + self.step.timeout
        if self.deadline is not None:
            return replace(tried, deadline=min(self.deadline, latest))
        return replace(tried, due_at=max(self.due_at, now), deadline=latest)

    def put_off(self, until: datetime) -> "StepRun":
        """Returns the step as it waits for a fault of the world to pass."""
        return replace(self, due_at=until, deadline=held_up(self.deadline, self.waits_since, self.due_at, until))


def held_up(
    deadline: datetime | None, waits_since: datetime | None, due_at: datetime, until: datetime
) -> datetime | None:
    """The deadline of a step that was due at `due_at`, and that a fault of the world keeps from being tried before
    `until`: that is no time of its own. One that waits for an approval gets all that time back in the end."""
    return deadline if deadline is None or waits_since is not None else deadline + max(until - due_at, timedelta())


def after_step_run(step: StepRun, run: RunState, now: datetime) -> StepRun:
    """The step as its run shows it. A run that does nothing (`skipped`) has failed as a step."""
    match run.status, run.conclusion:
        case "completed", "success" | "neutral":
            return step.moved(StepState.SUCCEEDED, f"{step.workflow} concluded with {run.conclusion}", at=now)
        case "completed", "cancelled":
            return step.moved(StepState.CANCELLED, f"the run of {step.workflow} was cancelled", at=now)
        case "completed", conclusion:
            return step.moved(StepState.FAILED, f"{step.workflow} concluded with {conclusion}", at=now)
        case "waiting", _:
            return step.moved(StepState.APPROVAL, f"{step.workflow} is waiting for {run.waits_for}", at=now)
        case status, _:
            is_running = status == "in_progress" or step.state is StepState.APPROVAL
            going = step.moved(StepState.RUNNING, f"{step.workflow} is running", at=now) if is_running else step
            return too_late(going, now) or going


def may_be_observed(step: StepRun, run: Run) -> bool:
    """Whether a run that started by itself may be that of the step, as far as it tells: on its branch, and nothing
    that judges what is to be merged. What a schedule began before the turn of the step may have come too early."""
    if run.event in CHECKS or run.branch is None or run.branch != step.branch:
        return False
    if run.event != "schedule":
        return True
    turn = step.began_at or step.since
    return run.created_at is not None and turn is not None and run.created_at >= turn - CLOCKS_DIFFER_BY


def too_late(step: StepRun, now: datetime) -> StepRun | None:
    """The step as failed where its time is over; a run that goes on is left alone."""
    if step.deadline is None or now < step.deadline:
        return None
    reason = f"not through within {duration(step.step.timeout)}: {step.reason}"
    return step.moved(StepState.FAILED, reason, at=now)


def inputs_for(step: StepRun, workflow: Workflow, known_values: Mapping[str, str]) -> Mapping[str, str]:
    """What is sent: of what is known and of the step's own inputs, that which the workflow declares."""
    offered = {**known_values, **dict(step.step.inputs)}
    return {name: value for name, value in offered.items() if name in workflow.inputs}


def unknown_inputs(step: StepRun, workflow: Workflow, known_values: Mapping[str, str]) -> tuple[str, ...]:
    """The inputs without which the workflow cannot do, and that nobody knows."""
    offered = {"correlation", *known_values, *dict(step.step.inputs)}
    return tuple(name for name in workflow.required if name not in offered)


def images_of_build(images: Iterable[ProducedImage], rebuild: Rebuild) -> list[ProducedImage]:
    """Those that the build of a rebuild makes.

    Of a monorepo's these are those of its parts, without what the workflow of another part pushes; of tags of one
    name that several workflows push, those of the workflows that are run. A merge without parts may set off all.
    """
    parts = rebuild.parts
    mine = [image for image in images if not parts or any(part.produces(image.claim.name) for part in parts)]
    if rebuild.action is not Action.DISPATCH and not parts:
        return mine
    run = rebuild.workflows
    others = {other.workflow for part in parts for other in part.others} - run
    mine = [image for image in mine if _workflow_of(image) not in others]
    pushed = {image.claim.name for image in mine if _workflow_of(image) in run}
    return [image for image in mine if image.claim.name not in pushed or _workflow_of(image) in run | {None}]


def takes_over(later: Rebuild, earlier: Rebuild) -> bool:
    """Whether a later rebuild brings all that an earlier one did, or more of it, by the same workflows."""
    if not earlier.workflows or not earlier.workflows <= later.workflows:
        return False
    return {target.base for target in earlier.targets} <= {target.base for target in later.targets}


def _workflow_of(image: ProducedImage) -> str | None:
    """The file name of the workflow that pushes it; None where a script pushes it, or somebody's word names it."""
    folder, sign, file = image.claim.path.rpartition("/")
    return file if folder + sign == WORKFLOWS else None


def known_of(images: Sequence[ProducedImage], proof: ImageVerdict | None) -> Mapping[str, str]:
    """What a workflow can be given of the image that a rebuild produced, where its repository has one name alone.

    Digest and tag are those of the new image only where that was proved, and where no other tag has a build.
    """
    counted = [image for image in images if image.doubt is None]
    if len({image.claim.name for image in counted}) != 1:
        return {}
    image = counted[0]
    values = {"image": image.claim.name}
    if len(counted) > 1 or image.digest is None or proof is not ImageVerdict.PROVED:
        return values
    return values | {"digest": image.digest, "version": image.place.tag}


def after_step(rebuild: Rebuild, step: StepRun, following: str | None, now: datetime) -> Rebuild:
    """The rebuild once `step` stands as it does; `following` names the next step, None behind the last one."""
    name = step.step.name
    linked_rebuild = replace(rebuild, url=step.url or rebuild.url)
    match step.state:
        case StepState.SUCCEEDED if following is None and rebuild.proof is ImageVerdict.UNKNOWN:
            return linked_rebuild.moved(
                RebuildState.BUILT, f"built, not proven; its last step {name} succeeded", at=now
            )
        case StepState.SUCCEEDED if following is None:
            return linked_rebuild.moved(
                RebuildState.SUCCEEDED, f"built, and its last step {name} succeeded", at=now
            )
        case StepState.SUCCEEDED:
            return linked_rebuild.moved(
                RebuildState.STEPPING, f"step {name} succeeded; {following} is next", at=now
            )
        case StepState.FAILED:
            return linked_rebuild.moved(
                RebuildState.FAILED, f"built, but step {name} failed: {step.reason}", at=now
            )
        case StepState.CANCELLED:
            return linked_rebuild.moved(
                RebuildState.CANCELLED, f"built; step {name} was not finished: {step.reason}", at=now
            )
        case StepState.SUPERSEDED:
            return linked_rebuild.moved(
                RebuildState.SUPERSEDED, f"built; step {name} was not started: {step.reason}", at=now
            )
        case _:
            return linked_rebuild.moved(RebuildState.STEPPING, f"step {name}: {step.reason}", at=now)


@dataclass(frozen=True, slots=True)
class StepJob:
    """A step to be started. `own` is the repository that is rebuilt, `known_values` can be given to the workflow.

    `overtaken_by` is a later rebuild of the repository that has been built too, and goes on with its own steps.
    `images` are what the rebuild may have built.
    """

    step: StepRun
    own: Identity
    severity: Severity | None = None
    known_values: Mapping[str, str] = field(default_factory=dict)
    overtaken_by: int | None = None
    images: tuple[ProducedImage, ...] = ()
