"""Workflow texts → pipelines: reusable workflows and composite actions of the repository are put in where they are
called, with their inputs; matrices that are written out are expanded.

Source: GitHub's workflow syntax and metadata syntax for actions.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from itertools import product

from bot.audit.repository import Repository
from bot.audit.shell import shell_commands
from bot.audit.workflows.expressions import filled, truth
from bot.audit.workflows.model import Job, Pipeline, Step
from bot.formats.builds import below
from bot.formats.source.nodes import Mapping, Node, Scalar, Sequence

FOLDER = ".github/workflows/"
MOST_STEPS = 2_000
MOST_JOBS = 300
MOST_VARIANTS = 32
DEEPEST_CALL = 5
_WORTH_READING = re.compile(
    r"docker|podman|buildah|nerdctl|trivy|grype|anchore|scout|cosign|notation|skopeo|kaniko|jib|\bko\b"
    r"|PublishContainer|attest|provenance|slsa|\bacr\b|uses:\s*[\"']?[.$]/|azure/|codeql-action/upload|image"
    r"|\b(?:make|just|task|nuke)\s[^\n]*(?:publish|push|release)"
)


def pipelines(repository: Repository) -> list[Pipeline]:
    """Each workflow that something but another workflow of the repository starts. Never raises."""
    return repository.kept(_pipelines)


def _pipelines(repository: Repository) -> list[Pipeline]:
    paths = [path for path in repository.paths if _is_workflow(path)]
    read = {path: root for path in paths if _is_worth(repository, path) and (root := repository.root(path))}
    called = {target for path in read for target in _called(read[path])}
    found = []
    for path, root in read.items():
        events, crons, inputs = _triggers(root)
        if path in called and not events - {"workflow_call"}:
            continue
        found.append(_Flattening(repository, path, root, events).pipeline(crons, inputs))
    return found


def _is_workflow(path: str) -> bool:
    return path.startswith(FOLDER) and path.endswith((".yml", ".yaml")) and path.count("/") == 2


def _is_worth(repository: Repository, path: str) -> bool:
    return _WORTH_READING.search(repository.text(path)) is not None


def _called(root: Mapping) -> Iterator[str]:
    for _, job in root.mapping("jobs").entries():
        uses = job.scalar("uses") if isinstance(job, Mapping) else None
        if uses is not None and (own := _own(uses.value)).startswith("./"):
            yield own.removeprefix("./")


def _own(uses: str) -> str:
    """`$/` names the repository of the workflow itself, as `./` does where that is checked out."""
    return f"./{uses[2:]}" if uses.startswith("$/") else uses


def _triggers(root: Mapping) -> tuple[frozenset[str], tuple[Scalar, ...], tuple[str, ...]]:
    trigger = root.get("on")
    match trigger:
        case Scalar(value=name):
            return frozenset({name}), (), ()
        case Sequence():
            return frozenset(item.value for item in trigger.items if isinstance(item, Scalar)), (), ()
        case Mapping():
            crons = tuple(
                cron
                for entry in trigger.sequence("schedule")
                if isinstance(entry, Mapping) and (cron := entry.scalar("cron")) is not None
            )
            inputs = trigger.mapping("workflow_dispatch").mapping("inputs")
            names = tuple(key.value for key, _ in inputs.entries())
            return frozenset(key.value for key, _ in trigger.entries()), crons, names
    return frozenset(), (), ()


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


class _Flattening:
    def __init__(self, repository: Repository, path: str, root: Mapping, events: frozenset[str]) -> None:
        self._repository = repository
        self._path, self._root, self._events = path, root, events
        self._jobs: list[Job] = []
        self._steps: list[Step] = []
        self._numbers = 0

    def pipeline(self, crons: tuple[Scalar, ...], inputs: tuple[str, ...]) -> Pipeline:
        values = dict(_defaults(self._root, "workflow_call"))
        if "workflow_call" not in self._events:
            # Dispatched by hand an input has its default; for every other event it is empty.
            values = {}
        around = _Around(
            self._path, self._root, values, "", frozenset(), self._events, _permissions(self._root), False, 0
        )
        self._workflow(around)
        return Pipeline(self._path, self._root, self._events, crons, inputs, tuple(self._jobs), tuple(self._steps))

    def _workflow(self, around: _Around) -> None:
        values = _with_environment(around.root, around.values)
        jobs = {key.value: job for key, job in around.root.mapping("jobs").entries() if isinstance(job, Mapping)}
        inner = replace(around, values=values)
        for name in _in_order(jobs):
            if len(self._jobs) < MOST_JOBS:
                for variant in _variants(jobs[name], values):
                    self._job(name, jobs, replace(inner, values={**values, **variant}))

    def _job(self, name: str, jobs: Dict[str, Mapping], around: _Around) -> None:
        mapping = jobs[name]
        after = around.after | {around.prefix + each for each in _ended_before(name, jobs)}
        condition = mapping.scalar("if")
        events = _narrowed(around.events, condition.value if condition else "", around.values)
        own = _permissions(mapping)
        permissions = own if own is not None else around.permissions
        if around.depth and own is not None and around.permissions is not None:
            permissions = {key: value for key, value in own.items() if around.permissions.get(key) == value}
        may_fail = _either(around.may_fail, _flag(mapping, "continue-on-error", around.values))
        values = _with_environment(mapping, around.values)
        uses = mapping.scalar("uses")
        job = Job(
            around.prefix + name, around.path, mapping, after, permissions, events, is_reusable=around.depth > 0
        )
        if uses is None:
            self._jobs.append(job)
            for node in mapping.sequence("steps"):
                self._step(node, around.path, job, values, may_fail, "", 0, events, around.root)
            return
        inputs = _inputs(mapping, values)
        called = _own(uses.value.strip())
        target = called.removeprefix("./") if called.startswith("./") else None
        root = self._repository.root(target) if target is not None else None
        if target is None or root is None or around.depth >= DEEPEST_CALL:
            self._jobs.append(replace(job, remote=uses.value.strip(), inputs=inputs))
            return
        self._jobs.append(job)
        given = {
            **_defaults(root, "workflow_call"),
            **{f"inputs.{key.lower()}": each for key, each in inputs.items()},
        }
        kept = {key: each for key, each in around.values.items() if key.startswith("github.")}
        self._workflow(
            _Around(
                target,
                root,
                {**kept, **given},
                f"{job.name}/",
                after,
                events,
                permissions,
                may_fail,
                around.depth + 1,
            )
        )

    def _step(
        self,
        node: Node,
        path: str,
        job: Job,
        values: Dict[str, str],
        may_fail: bool | None,
        through: str,
        depth: int,
        events: frozenset[str],
        root: Mapping,
    ) -> None:
        if not isinstance(node, Mapping) or len(self._steps) >= MOST_STEPS:
            return
        inner = _with_environment(node, values)
        condition = node.scalar("if")
        written = condition.value if condition is not None else ""
        ours = _narrowed(events, written, inner)
        fails_on = _either(may_fail, _flag(node, "continue-on-error", inner))
        uses = node.scalar("uses")
        named = _own(filled(uses.value.strip(), inner)) if uses is not None else ""
        step_id = node.scalar("id")
        self._numbers += 1
        environment = {key.removeprefix("env."): each for key, each in inner.items() if key.startswith("env.")}
        step = Step(
            path=path,
            mapping=node,
            job=job,
            number=self._numbers,
            id=step_id.value if step_id is not None else "",
            uses=named,
            uses_at=uses,
            inputs=_inputs(node, inner),
            commands=_commands(node, job.mapping, root, inner, environment),
            condition=written,
            events=ours,
            may_fail=fails_on,
            environment=environment,
            through=through,
        )
        if not named.startswith("./"):
            self._steps.append(step)
            return
        folder = below("", named)
        action = self._repository.first(folder or "", "action.yml", "action.yaml") if folder is not None else None
        metadata = self._repository.root(action) if action is not None else None
        using = metadata.mapping("runs").scalar("using") if metadata is not None else None
        if (
            action is None
            or metadata is None
            or using is None
            or using.value != "composite"
            or depth >= DEEPEST_CALL
        ):
            why = f"{named} is no file of this repository" if action is None else f"{named} is a program of its own"
            self._steps.append(replace(step, unread=why))
            return
        given = {
            **_defaults(metadata, None),
            **{f"inputs.{key.lower()}": each for key, each in step.inputs.items()},
        }
        kept = {key: each for key, each in inner.items() if not key.startswith("inputs.")}
        for each in metadata.mapping("runs").sequence("steps"):
            self._step(each, action, job, {**kept, **given}, fails_on, step.subject, depth + 1, ours, metadata)


def _commands(
    node: Mapping, job: Mapping, root: Mapping, values: Dict[str, str], environment: Dict[str, str]
) -> tuple:  # type: ignore[type-arg]
    run = node.scalar("run")
    if run is None:
        return ()
    shell = node.scalar("shell")
    for around in (job, root):
        shell = shell or around.mapping("defaults").mapping("run").scalar("shell")
    named = shell.value if shell is not None else ""
    if named and not named.startswith(("bash", "sh", "pwsh", "powershell")):
        return ()
    pipefail = named == "bash" or "pipefail" in named
    return tuple(shell_commands(filled(run.value, values), environment, pipefail=pipefail))


def _inputs(node: Mapping, values: Dict[str, str]) -> dict[str, str]:
    return {
        key.value: filled(value.value, values)
        for key, value in node.mapping("with").entries()
        if isinstance(value, Scalar) and not value.is_null
    }


def _with_environment(node: Mapping, values: Dict[str, str]) -> dict[str, str]:
    found = dict(values)
    for key, value in node.mapping("env").entries():
        if isinstance(value, Scalar):
            found[f"env.{key.value}"] = filled(value.value, _lowered(found))
    return _lowered(found)


def _lowered(values: Dict[str, str]) -> dict[str, str]:
    """Contexts are found whatever their case; the shell's variables keep theirs beside it."""
    return {**{key.lower(): each for key, each in values.items() if "${{" not in each}, **values}


def _defaults(root: Mapping, trigger: str | None) -> dict[str, str]:
    holder = root if trigger is None else root.mapping("on").mapping(trigger)
    found: dict[str, str] = {}
    for key, declared in holder.mapping("inputs").entries():
        default = declared.scalar("default") if isinstance(declared, Mapping) else None
        required = _is_true(declared.scalar("required")) if isinstance(declared, Mapping) else False
        if default is not None and "${{" not in default.value:
            found[f"inputs.{key.value.lower()}"] = default.value
        elif default is None and not required:
            kind = declared.scalar("type") if isinstance(declared, Mapping) else None
            found[f"inputs.{key.value.lower()}"] = "false" if kind is not None and kind.value == "boolean" else ""
    return found


def _is_true(node: Scalar | None) -> bool:
    return node is not None and node.value.lower() == "true"


def _flag(node: Mapping, key: str, values: Dict[str, str]) -> bool | None:
    written = node.scalar(key)
    return False if written is None else truth(written.value, values)


def _either(first: bool | None, second: bool | None) -> bool | None:
    if first is True or second is True:
        return True
    return None if first is None or second is None else False


def _narrowed(events: frozenset[str], condition: str, values: Dict[str, str]) -> frozenset[str]:
    """Those events for which the condition may hold."""
    if not condition:
        return events
    return frozenset(event for event in events if truth(condition, {**values, **of_event(event)}) is not False)


def of_event(event: str) -> dict[str, str]:
    """What GitHub's context holds in a run for an event, as far as that is the same for each."""
    known = {"github.event_name": event}
    if event == "workflow_call":
        return {}
    if event in {"pull_request", "merge_group"}:
        known |= {"github.ref": f"refs/{'pull' if event == 'pull_request' else 'heads/gh-readonly-queue'}/0/merge"}
        known |= {"github.ref_type": "branch", "github.ref_name": "0/merge"}
    if event == "schedule":
        known |= {"github.ref_type": "branch"}
    if event not in {"release"}:
        known |= {"github.event.release.prerelease": ""}
    if event not in {"pull_request", "pull_request_target"}:
        known |= {"github.head_ref": "", "github.base_ref": ""}
    return known


def _permissions(node: Mapping) -> dict[str, str] | None:
    written = node.get("permissions")
    match written:
        case Scalar(value="write-all"):
            return _All("write")
        case Scalar(value="read-all"):
            return _All("read")
        case Mapping():
            return {key.value: value.value for key, value in written.entries() if isinstance(value, Scalar)}
        case Scalar(is_null=True) if written is not None:
            return None
    return None


class _All(dict[str, str]):
    """Every right is the same."""

    def __init__(self, right: str) -> None:
        super().__init__()
        self._right = right

    def get(self, key: str, default: str | None = None) -> str:  # type: ignore[override]
        return self._right


def _needs(job: Mapping) -> list[str]:
    written = job.get("needs")
    if isinstance(written, Scalar):
        return [written.value]
    return (
        [item.value for item in written.items if isinstance(item, Scalar)] if isinstance(written, Sequence) else []
    )


def _ended_before(name: str, jobs: Dict[str, Mapping]) -> set[str]:
    found: set[str] = set()
    waiting = _needs(jobs[name])
    while waiting:
        each = waiting.pop()
        if each in jobs and each not in found:
            found.add(each)
            waiting += _needs(jobs[each])
    return found - {name}


def _in_order(jobs: Dict[str, Mapping]) -> list[str]:
    """Jobs after those that they need; in the order of the text otherwise."""
    return sorted(jobs, key=lambda name: len(_ended_before(name, jobs)))


def _variants(job: Mapping, values: Dict[str, str]) -> list[dict[str, str]]:
    """The values of each combination of a matrix that is written out; one empty one where there is none."""
    matrix = job.mapping("strategy").mapping("matrix")
    axes: list[list[dict[str, str]]] = []
    for key, node in matrix.entries():
        if key.value in {"include", "exclude"}:
            continue
        if not isinstance(node, Sequence):
            return [{}]
        axes.append([_flat(f"matrix.{key.value}", item, values) for item in node.items])
    found: list[dict[str, str]] = []
    for combination in product(*axes) if axes else ():
        found.append({name: each for part in combination for name, each in part.items()})
        if len(found) >= MOST_VARIANTS:
            break
    for included in matrix.sequence("include"):
        extra = _flat("matrix", included, values)
        fitting = [
            each for each in found if axes and all(each.get(key, value) == value for key, value in extra.items())
        ]
        if fitting:
            for each in fitting:
                each.update(extra)
        elif len(found) < MOST_VARIANTS:
            found.append(extra)
    return found or [{}]


def _flat(name: str, node: Node, values: Dict[str, str]) -> dict[str, str]:
    """The scalars at and under a node by their dotted names."""
    found: dict[str, str] = {}
    waiting = [(name, node, 0)]
    while waiting:
        key, here, depth = waiting.pop()
        if isinstance(here, Scalar):
            found[key.lower()] = filled(here.value, values)
        elif isinstance(here, Mapping) and depth < 4:
            waiting += [(f"{key}.{inner.value}", each, depth + 1) for inner, each in here.entries()]
    return found
