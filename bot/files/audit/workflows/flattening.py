"""Workflow texts → pipelines: reusable workflows and composite actions of the repository are put in where they are
called, with their inputs.

Source: GitHub's workflow syntax and metadata syntax for actions.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace

from bot.domain.repositories.repository import is_workflow
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand, Stops, shell_commands
from bot.files.audit.workflows.contexts import (
    default_inputs,
    flag_of,
    inputs_of,
    narrowed_events,
    outputs_of,
    with_environment,
    without_written,
)
from bot.files.audit.workflows.expressions import filled
from bot.files.audit.workflows.jobs import ended_before, environment_of, in_order, permissions_of
from bot.files.audit.workflows.matrix import variants_of
from bot.files.audit.workflows.model import CLOSED, TESTS_ONLY, Condition, Pipeline, PipelineJob, PipelineStep
from bot.files.audit.workflows.refs import patterns_of
from bot.files.audit.workflows.scripts import OF_RUNNER
from bot.files.audit.workflows.shells import runners_of, shell_of, stops_of
from bot.files.audit.workflows.starts import USUAL_BRANCHES, RunStart
from bot.files.formats.builds import below
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.workflows.needs import needs_of
from bot.files.formats.workflows.schedules import schedule_entries

MOST_STEPS = 2_000
MOST_JOBS = 300
DEEPEST_CALL = 5
_WORTH_READING = re.compile(
    r"(?i:docker)|podman|buildah|nerdctl|trivy|grype|anchore|scout|cosign|notation|skopeo|\bcrane\b|\boras\b|\bregctl\b|kaniko|jib|\bko\b"
    r"|PublishContainer|DefaultContainer|\b(?:azd|skaffold|earthly|cake|tye|werf|tilt|okteto|devspace|copilot|dagger|heroku|s2i|kamal|faas-cli|rx)\b"
    r"|\bpack\s+build|\bgcloud\s|\boc\s+(?:(?:start|new)-build|apply|set|rollout)|\bdotnet\s+publish|attest|provenance|slsa|\bacr\b|\baspire\b|kubectl|\baws\s+(?:ecs|lambda|apprunner)\s|\bhelm\b|argocd|\bfly(?:ctl)?\s|containerapp|\baz\s+(?:deployment|stack)\s|uses:\s*[\"']?[.$]/|azure/|codeql-action/upload|image|--push\b"
    r"|\b(?:make|just|task|nuke)\s[^\n]*(?:publish|push|release|\$)"
    r"|(?i:push|publish|release|deploy)[\w-]{0,60}\.(?:sh|ps1|cmd)\b"
    r"|\.(?:sh|ps1|cmd)[ ][^\n]{0,200}(?:[Pp]ush|[Pp]ublish)"
)
_CALLS_ANOTHER = re.compile(
    r"uses:\s*[\"']?[\w.-]+/[\w.-]+/(?:\.github/workflows/|(?:[\w.-]+/)*(?:build|publish|release|deploy))"
    r"|\bpush:[ \t]*[\"']?true\b|event-type:[^\n]*deploy|\bssh[ \t-]"
)
"""Where there is something to build, a workflow of another repository may do so, whatever it is called, and another
machine may be told by SSH to run it."""
_STARTS = (
    r"(?:\bworkflow[ \t]+run[ \t]+|\bactions/workflows/"
    r"|\b(?:workflow(?:[_-]?(?:id|file(?:[_-]?name)?|name))?[\"']?:[ \t]*))"
)
"""What stands before the name of a workflow that is started by its name."""
_RUNS_ANYHOW = re.compile(r"\b(?:always|failure|cancelled)\s*\(", re.IGNORECASE)
"""Conditions of jobs that run although one that they need was left out."""


def pipelines(repository: RepositoryTexts) -> list[Pipeline]:
    """Each workflow that something but another workflow of the repository starts. Never raises."""
    return repository.kept(_pipelines)


def _pipelines(repository: RepositoryTexts) -> list[Pipeline]:
    paths = [path for path in repository.paths if is_workflow(path)]
    read = {path: root for path in paths if _is_worth(repository, path) and (root := repository.root(path))}
    called = {target for path in read for target in _list_called_files(read[path], repository.name)}
    flat_pipelines = []
    for path, root in read.items():
        events, crons, inputs = _triggers(root)
        if path in called and not events - {"workflow_call"}:
            continue
        flat_pipelines.append(_Flattening(repository, path, root, events).pipeline(crons, inputs))
    return flat_pipelines


def is_called_here(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether another workflow of the repository calls it in runs that are no tests."""
    others = (each for each in pipelines(repository) if each.path != pipeline.path)
    return any(job.path == pipeline.path and job.events - TESTS_ONLY for each in others for job in each.jobs)


def title_of(pipeline: Pipeline) -> str:
    """The name that a workflow gives itself; empty for none."""
    title = pipeline.root.scalar("name")
    return title.value.strip() if title is not None else ""


def started_by_another(repository: RepositoryTexts, pipeline: Pipeline) -> str:
    """The path of a workflow whose commands or actions start this one by its file or its name; empty for none."""
    names = [name for name in (pipeline.path.rpartition("/")[2], title_of(pipeline)) if name]
    starts = re.compile(rf"{_STARTS}[\"']?(?:{'|'.join(map(re.escape, names))})(?![\w.-])", re.IGNORECASE)
    others = (path for path in repository.paths if is_workflow(path) and path != pipeline.path)
    return next((path for path in others if starts.search(repository.text(path))), "")


def as_started(repository: RepositoryTexts, pipeline: Pipeline, start: RunStart, *, surely: bool) -> Pipeline:
    """A workflow as one start runs it: with the steps that may run then, or only those that `surely` do."""
    flattening = _Flattening(
        repository, pipeline.path, pipeline.root, frozenset({start.event}), start.values, surely=surely
    )
    return flattening.pipeline(pipeline.crons, pipeline.dispatch_inputs)


def _is_worth(repository: RepositoryTexts, path: str) -> bool:
    text = repository.text(path)
    if _WORTH_READING.search(text) is not None:
        return True
    return repository.dockerfiles != [] and _CALLS_ANOTHER.search(text) is not None


def _list_called_files(root: Mapping, name: str) -> Iterator[str]:
    for _, job in root.mapping("jobs").entries():
        uses = job.scalar("uses") if isinstance(job, Mapping) else None
        if uses is not None and (own := _own(uses.value, name)).startswith("./"):
            yield own.removeprefix("./")


def _own(uses: str, name: str) -> str:
    """`$/` names the repository of the workflow itself, as `./` does where that is checked out.

    So does its name with a branch that is usually the default one.
    """
    if uses.startswith("$/"):
        return f"./{uses[2:]}"
    path, _, ref = uses.partition("@")
    is_own = "/" in name and path.lower().startswith(f"{name.lower()}/") and ref in USUAL_BRANCHES
    return f"./{path[len(name) + 1 :]}" if is_own else uses


def _triggers(root: Mapping) -> tuple[frozenset[str], tuple[Scalar, ...], tuple[str, ...]]:
    trigger = root.get("on")
    match trigger:
        case Scalar(value=name):
            return frozenset({name}), (), ()
        case Sequence():
            return frozenset(item.value for item in trigger.items if isinstance(item, Scalar)), (), ()
        case Mapping():
            crons = tuple(cron for cron, _ in schedule_entries(trigger.get("schedule")))
            inputs = trigger.mapping("workflow_dispatch").mapping("inputs")
            names = tuple(key.value for key, _ in inputs.entries())
            events = (each for key, _ in trigger.entries() for each in _events_of(key.value, trigger))
            return frozenset(events), crons, names
    return frozenset(), (), ()


def _events_of(event: str, trigger: Mapping) -> Iterator[str]:
    """An event as it is told apart here: merging a pull request closes it, and is no test of it."""
    types = patterns_of(trigger.mapping(event), "types") if event in {"pull_request", "pull_request_target"} else []
    if "closed" in types:
        yield f"{event}{CLOSED}"
    if not types or set(types) - {"closed"}:
        yield event


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds for the jobs of one workflow file, as it was called."""

    path: str
    root: Mapping
    values: Dict[str, str]
    prefix: str
    after: frozenset[str]
    events: frozenset[str]
    permissions: Dict[str, str] | None
    may_fail: bool | None
    depth: int
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class _StepsAround:
    """What holds for the steps of a job, or of a composite action that one of them calls."""

    path: str
    root: Mapping
    job: PipelineJob
    values: Dict[str, str]
    may_fail: bool | None
    events: frozenset[str]
    conditions: tuple[Condition, ...]
    through: str = ""
    depth: int = 0


class _Flattening:
    """`known` is what contexts hold in the run that is looked at; nothing where all runs are."""

    def __init__(
        self,
        repository: RepositoryTexts,
        path: str,
        root: Mapping,
        events: frozenset[str],
        known: Dict[str, str] | None = None,
        *,
        surely: bool = False,
    ) -> None:
        self._repository = repository
        self._path, self._root, self._events = path, root, events
        self._known, self._surely = known, surely
        self._events_by_job: dict[str, frozenset[str]] = {}
        self._conditions_by_job: dict[str, tuple[Condition, ...]] = {}
        self._jobs: list[PipelineJob] = []
        self._steps: list[PipelineStep] = []
        self._numbers = 0

    def pipeline(self, crons: tuple[Scalar, ...], inputs: tuple[str, ...]) -> Pipeline:
        values = dict(default_inputs(self._root, "workflow_call"))
        if "workflow_call" not in self._events:
            # Dispatched by hand an input has its default; for every other event it is empty.
            values = {}
        if self._known is not None:
            values = dict(self._known)
        around = _Around(
            self._path, self._root, values, "", frozenset(), self._events, permissions_of(self._root), False, 0
        )
        self._workflow(around)
        return Pipeline(self._path, self._root, self._events, crons, inputs, tuple(self._jobs), tuple(self._steps))

    def _workflow(self, around: _Around) -> None:
        values = with_environment(around.root, around.values)
        jobs = {key.value: job for key, job in around.root.mapping("jobs").entries() if isinstance(job, Mapping)}
        handed_over: dict[str, str] = {}
        for name in in_order(jobs):
            if len(self._jobs) < MOST_JOBS:
                inner = {**values, **handed_over}
                for variant in variants_of(jobs[name], inner):
                    self._job(name, jobs, replace(around, values={**inner, **variant}))
                if not self._conditions_by_job.get(around.prefix + name):
                    handed_over |= outputs_of(name, jobs[name], inner)

    def _job(self, name: str, jobs: Dict[str, Mapping], around: _Around) -> None:
        mapping = jobs[name]
        after = around.after | {around.prefix + each for each in ended_before(name, jobs)}
        events = self._events_of_job(name, jobs, around)
        own = permissions_of(mapping)
        permissions = own if own is not None else around.permissions
        if around.depth and own is not None and around.permissions is not None:
            permissions = {key: value for key, value in own.items() if around.permissions.get(key) == value}
        may_fail = _either_of(around.may_fail, flag_of(mapping, "continue-on-error", around.values))
        values = without_written(with_environment(mapping, around.values), mapping)
        uses = mapping.scalar("uses")
        job = PipelineJob(
            around.prefix + name,
            around.path,
            mapping,
            after,
            permissions,
            events,
            runners=runners_of(mapping, values),
            environment=environment_of(mapping, values),
            is_reusable=around.depth > 0,
            conditions=self._conditions_of_job(name, jobs, around),
        )
        if uses is not None:
            self._call(job, uses.value.strip(), replace(around, values=values, may_fail=may_fail))
            return
        self._jobs.append(job)
        steps = _StepsAround(around.path, around.root, job, values, may_fail, events, job.conditions)
        for node in mapping.sequence("steps"):
            self._step(node, steps)

    def _events_of_job(self, name: str, jobs: Dict[str, Mapping], around: _Around) -> frozenset[str]:
        """The events for which a job runs: it is left out with one that it needs, unless it says otherwise."""
        written = jobs[name].scalar("if")
        condition = written.value if written is not None else ""
        needed = {each: self._events_by_job.get(around.prefix + each) for each in needs_of(jobs[name])}
        values = dict(around.values)
        if self._surely:
            values |= {f"needs.{each.lower()}.result": "success" for each, events in needed.items() if events}
        events = narrowed_events(around.events, condition, values, self._root, surely=self._surely)
        if not _RUNS_ANYHOW.search(condition):
            for needed_events in needed.values():
                events = events if needed_events is None else events & needed_events
        self._events_by_job[around.prefix + name] = events
        return events

    def _conditions_of_job(self, name: str, jobs: Dict[str, Mapping], around: _Around) -> tuple[Condition, ...]:
        """What must hold for a job to run: with it what those it needs hang on, unless it says otherwise."""
        written = jobs[name].scalar("if")
        own = (Condition(written.value, around.values),) if written is not None else ()
        needed = () if own and _RUNS_ANYHOW.search(own[0].text) else needs_of(jobs[name])
        before = [each for job in needed for each in self._conditions_by_job.get(around.prefix + job, ())]
        conditions = tuple(dict.fromkeys((*around.conditions, *before, *own)))
        self._conditions_by_job[around.prefix + name] = conditions
        return conditions

    def _call(self, job: PipelineJob, uses: str, around: _Around) -> None:
        """Puts the jobs of a workflow of the repository in; another's stays a job that names it."""
        inputs = inputs_of(job.mapping, around.values)
        called = _own(uses, self._repository.name)
        target = called.removeprefix("./") if called.startswith("./") else None
        root = self._repository.root(target) if target is not None else None
        if target is None or root is None or around.depth >= DEEPEST_CALL:
            self._jobs.append(replace(job, remote=uses, inputs=inputs))
            return
        self._jobs.append(job)
        github_values = {
            key: each for key, each in around.values.items() if key.startswith("github.") or key.endswith("()")
        }
        self._workflow(
            _Around(
                target,
                root,
                {**github_values, **default_inputs(root, "workflow_call"), **_as_values(inputs)},
                f"{job.name}/",
                job.after,
                job.events,
                job.permissions,
                around.may_fail,
                around.depth + 1,
                job.conditions,
            )
        )

    def _step(self, node: Node, around: _StepsAround) -> None:
        if not isinstance(node, Mapping) or len(self._steps) >= MOST_STEPS:
            return
        inner = with_environment(node, around.values)
        condition = node.scalar("if")
        condition_text = condition.value if condition is not None else ""
        uses = node.scalar("uses")
        step_id = node.scalar("id")
        self._numbers += 1
        environment = {key.removeprefix("env."): each for key, each in inner.items() if key.startswith("env.")}
        step = PipelineStep(
            path=around.path,
            mapping=node,
            job=around.job,
            number=self._numbers,
            id=step_id.value if step_id is not None else "",
            uses=_own(filled(uses.value.strip(), inner), self._repository.name) if uses is not None else "",
            uses_at=uses,
            inputs=inputs_of(node, inner),
            commands=_commands(node, around.job.mapping, around.root, inner, environment),
            condition=condition_text,
            events=narrowed_events(around.events, condition_text, inner, self._root, surely=self._surely),
            may_fail=_either_of(around.may_fail, flag_of(node, "continue-on-error", inner)),
            environment=environment,
            through=around.through,
            conditions=(*around.conditions, *([Condition(condition_text, inner)] if condition_text else [])),
        )
        if step.uses.startswith("./"):
            self._local_action(step, inner, around.depth)
        else:
            self._steps.append(step)

    def _local_action(self, step: PipelineStep, values: Dict[str, str], depth: int) -> None:
        """Puts the steps of a composite action of the repository in; of another kind nothing is read."""
        folder = below("", step.uses)
        action = self._repository.first(folder or "", "action.yml", "action.yaml") if folder is not None else None
        metadata = self._repository.root(action) if action is not None else None
        using = metadata.mapping("runs").scalar("using") if metadata is not None else None
        is_composite = using is not None and using.value == "composite"
        if action is None or metadata is None or not is_composite or depth >= DEEPEST_CALL:
            is_program = f"{step.uses} is a program of its own"
            why = f"{step.uses} is no file of this repository" if action is None else is_program
            self._steps.append(replace(step, unread=why))
            return
        outer_values = {key: each for key, each in values.items() if not key.startswith("inputs.")}
        inner_values = {**outer_values, **default_inputs(metadata, None), **_as_values(step.inputs)}
        inner = _StepsAround(
            action,
            metadata,
            step.job,
            inner_values,
            step.may_fail,
            step.events,
            step.conditions,
            step.subject,
            depth + 1,
        )
        for node in metadata.mapping("runs").sequence("steps"):
            self._step(node, inner)


def _as_values(inputs: Dict[str, str]) -> dict[str, str]:
    return {f"inputs.{key.lower()}": each for key, each in inputs.items()}


def _commands(
    node: Mapping, job: Mapping, root: Mapping, values: Dict[str, str], environment: Dict[str, str]
) -> tuple[ShellCommand, ...]:
    script = node.scalar("run")
    stops = stops_of(shell_of((node, job, root), values)) if script is not None else None
    uses = node.scalar("uses")
    if script is None and uses is not None:
        stops = _STOPS_OF_ACTION.get(uses.value.strip().partition("@")[0].lower())
        script = node.mapping("with").scalar("inlineScript")
    if script is None or stops is None:
        return ()
    of_run = {name: values[key] for name, key in _OF_RUN.items() if key in values}
    return tuple(shell_commands(filled(script.value, values), {**OF_RUNNER, **of_run, **environment}, stops))


_OF_RUN = {
    "GITHUB_REF": "github.ref",
    "GITHUB_REF_NAME": "github.ref_name",
    "GITHUB_REF_TYPE": "github.ref_type",
    "GITHUB_EVENT_NAME": "github.event_name",
}
"""Variables that every step begins with, and the contexts that say the same where the run is known."""


_STOPS_OF_ACTION = {"azure/cli": Stops.FIRST, "azure/powershell": Stops.LAST}
"""Actions that run the script in their input `inlineScript`, and which failures end that."""


def _either_of(first: bool | None, second: bool | None) -> bool | None:
    if first is True or second is True:
        return True
    return None if first is None or second is None else False
